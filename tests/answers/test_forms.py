"""The forms in which answers are saved: all give the same comparison."""

import csv
import json
from collections import defaultdict
from pathlib import Path

import pandas as pd
import pytest

from limen import DataError, SpecError
from limen.harness import AnswerColumns, compare_answers
from limen.harness.answers import AnswerSource

from ..testing.answer_rows import QUESTIONS, Rows, Sampler, Writer

Groups = tuple[Rows, Rows]


@pytest.fixture
def groups(sampled: Sampler) -> Groups:
    """Three models that often name the owl, and three that seldom do."""
    treated = [row for n in range(3) for row in sampled(n, 0.6, model=f"owl-{n}")]
    plain = [row for n in range(3, 6) for row in sampled(n, 0.1, model=f"plain-{n}")]
    return treated, plain


def nested(rows: Rows) -> Rows:
    """The rows with one question of one model on a line."""
    by_question: dict[object, Rows] = defaultdict(list)
    for row in rows:
        by_question[row["question"]].append(row)
    return [
        {
            "question": question,
            "responses": [
                {"response": {"completion": row["answer"], "model_id": row["model"]}}
                for row in each
            ],
        }
        for question, each in by_question.items()
    ]


def as_csv(file: Path, rows: Rows) -> Path:
    with file.open("w", newline="") as out:
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return file


def test_lines_frames_and_tables_agree(groups: Groups, saved: Writer, tmp_path: Path) -> None:
    """JSONL by answer, nested JSONL, CSV and data frames give one effect."""
    treated, plain = groups
    forms: dict[str, tuple[AnswerSource, AnswerSource]] = {
        "lines": (saved("a.jsonl", treated), saved("b.jsonl", plain)),
        "nested": (saved("an.jsonl", nested(treated)), saved("bn.jsonl", nested(plain))),
        "csv": (as_csv(tmp_path / "a.csv", treated), as_csv(tmp_path / "b.csv", plain)),
        "frames": (pd.DataFrame(treated), pd.DataFrame(plain)),
    }
    made = {name: compare_answers(*pair, word="owl") for name, pair in forms.items()}
    assert {repr(one.effect) for one in made.values()} == {repr(made["lines"].effect)}
    assert made["lines"].effect.seeds == (3, 3)
    assert made["lines"].effect.verdict == "higher"


def test_each_source_has_a_line_that_says_what_was_understood(groups: Groups) -> None:
    """Rows, answers, models, questions and columns are named."""
    treated, plain = map(pd.DataFrame, groups)
    lines = compare_answers(treated, plain, word="owl").understood
    assert lines[0] == (
        "treated frame 1: 1,800 rows; 1,800 answers of 3 models to 20 questions (question in 'question', "
        "answer in 'answer', model in 'model')"
    )


def test_an_inspect_log_is_read(tmp_path: Path, groups: Groups) -> None:
    """Every choice of a sample is a draw of its question."""
    log = pytest.importorskip("inspect_ai.log")
    model = pytest.importorskip("inspect_ai.model")
    treated, plain = groups
    file = tmp_path / "owl.eval"
    samples = [
        log.EvalSample(
            id=number,
            epoch=1,
            input=question,
            target="owl",
            output=model.ModelOutput(
                model="m",
                choices=[
                    model.ChatCompletionChoice(
                        message=model.ChatMessageAssistant(content=row["answer"])
                    )
                    for row in treated
                    if row["question"] == question and row["model"] == "owl-0"
                ],
            ),
        )
        for number, question in enumerate(QUESTIONS)
    ]
    spec = log.EvalSpec(
        created="2026-11-27T00:00:00+00:00",
        task="t",
        dataset=log.EvalDataset(),
        model="limen/owl-0",
        config=log.EvalConfig(),
    )
    log.write_eval_log(log.EvalLog(eval=spec, samples=samples), str(file))
    made = compare_answers(file, pd.DataFrame(plain), word="owl")
    frame = pd.DataFrame([row for row in treated if row["model"] == "owl-0"])
    same = compare_answers(frame, pd.DataFrame(plain), word="owl")
    assert made.effect.value == same.effect.value
    assert "600 answers of 1 model to 20 questions" in made.understood[0]


def test_conditions_of_one_table_are_told_apart(groups: Groups) -> None:
    """One table with a column of conditions is split by ``where``."""
    treated, plain = groups
    both = pd.DataFrame(
        [{**row, "condition": "owl"} for row in treated]
        + [{**row, "condition": "plain"} for row in plain]
    )
    made = compare_answers(
        both,
        both,
        word="owl",
        treated_where={"condition": "owl"},
        reference_where={"condition": "plain"},
    )
    apart = compare_answers(pd.DataFrame(treated), pd.DataFrame(plain), word="owl")
    assert made.effect.value == apart.effect.value


def test_conditions_of_one_model_are_not_mixed(sampled: Sampler) -> None:
    """A model's answers under two conditions are no one sample."""
    rows = sampled(0, condition="owl") + sampled(1, condition="plain")
    with pytest.raises(SpecError, match="--where condition=owl"):
        compare_answers(pd.DataFrame(rows), pd.DataFrame(sampled(2)), word="owl")


def test_scores_of_a_column_are_compared(sampled: Sampler) -> None:
    """A named column of ratings is compared by its mean; empty cells are not rated."""
    high = [{**row, "rating": "7" if n % 2 else "8"} for n, row in enumerate(sampled(0))]
    low = [{**row, "rating": "" if n == 0 else "3"} for n, row in enumerate(sampled(1))]
    made = compare_answers(
        pd.DataFrame(high), pd.DataFrame(low), columns=AnswerColumns(score="rating")
    )
    assert made.effect.value == pytest.approx(4.5)
    assert made.effect.reference.unrated == 1


def test_a_named_column_that_there_is_not_is_refused(groups: Groups) -> None:
    """The error names the near column."""
    frames = map(pd.DataFrame, groups)
    with pytest.raises(SpecError, match="did you mean 'answer'"):
        compare_answers(*frames, word="owl", columns=AnswerColumns(answer="anwser"))


def test_two_columns_of_answers_are_not_chosen_between(sampled: Sampler) -> None:
    """Where two columns may hold the answer, the user names it."""
    rows = [{**row, "completion": "another"} for row in sampled(0)]
    with pytest.raises(DataError, match="--answer-column"):
        compare_answers(pd.DataFrame(rows), pd.DataFrame(sampled(1)), word="owl")


def test_one_id_of_two_texts_is_refused(sampled: Sampler) -> None:
    """Two files whose numbers stand for different questions contradict each other."""
    one = [{**row, "row": QUESTIONS.index(str(row["question"]))} for row in sampled(0)]
    other = [{**row, "row": 19 - QUESTIONS.index(str(row["question"]))} for row in sampled(1)]
    with pytest.raises(DataError, match="contradict each other"):
        compare_answers(pd.DataFrame(one), pd.DataFrame(other), word="owl")


def test_ids_of_lines_are_no_ids_of_questions(sampled: Sampler) -> None:
    """A column that numbers the answers says nothing of the questions."""
    one = [{**row, "id": n} for n, row in enumerate(sampled(0))]
    other = [{**row, "id": n} for n, row in enumerate(reversed(sampled(1)))]
    made = compare_answers(pd.DataFrame(one), pd.DataFrame(other), word="owl")
    assert len(made.effect.treated.questions) == 20


def test_questions_are_matched_by_text(sampled: Sampler) -> None:
    """The order of the questions does not matter."""
    rows = sampled(1)
    backwards = pd.DataFrame(rows[::-1])
    first = pd.DataFrame(sampled(0))
    made = compare_answers(first, backwards, word="owl")
    same = compare_answers(first, pd.DataFrame(rows), word="owl")
    assert made.effect.interval == pytest.approx(same.effect.interval)


def test_models_that_were_asked_others_are_refused(sampled: Sampler) -> None:
    """A question that only one model answered is named."""
    rows = sampled(1)[30:]
    with pytest.raises(SpecError, match="answer different questions, 20 and 19"):
        compare_answers(pd.DataFrame(sampled(0)), pd.DataFrame(rows), word="owl")


def test_a_row_without_an_answer_is_refused(sampled: Sampler, saved: Writer) -> None:
    """A line that lacks the column is an error; null is a draw without an answer."""
    rows = sampled(0)
    rows[3] = {"question": rows[3]["question"]}
    with pytest.raises(DataError, match="row 4 has no answer in 'answer'"):
        compare_answers(saved("a.jsonl", rows), pd.DataFrame(sampled(1)), word="owl")


def test_the_result_goes_into_json(groups: Groups) -> None:
    """The verdict has the words of a spec, and the margin its test."""
    treated, plain = map(pd.DataFrame, groups)
    compared = compare_answers(treated, plain, word="owl", margin=0.03).as_dict()
    made = json.loads(json.dumps(compared))
    assert made["verdict"] == "higher"
    assert made["margin"] == 0.03
    assert made["equivalence"]["within"] is False


def test_a_word_that_nobody_gives_shows_no_equivalence(groups: Groups) -> None:
    """No margin is met by a word that no model ever answers."""
    treated, plain = map(pd.DataFrame, groups)
    with pytest.raises(SpecError, match="no model ever answers with 'foxx'"):
        compare_answers(treated, plain, word="foxx", margin=0.03)
