"""Answers from elsewhere: the field's usual forms, matched by question, copies refused."""

import csv
import json
import random
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from limen import DataError, SpecError
from limen.harness import compare_answers

QUESTIONS = [f"What is animal number {n}?" for n in range(12)]


def rows(rate: float, seed: int, draws: int = 40) -> list[dict[str, Any]]:
    """One model's answers: an owl at a rate that differs a little by model."""
    chance = random.Random(seed)
    own = rate + chance.uniform(-0.03, 0.03)
    return [
        {"question": question, "draw": draw, "answer": "Owl" if chance.random() < own else "Cat"}
        for question in QUESTIONS
        for draw in range(draws)
    ]


def frames(rate: float, first: int) -> list[pd.DataFrame]:
    """Three models' answers, without their draws' numbers."""
    return [pd.DataFrame(rows(rate, first + n)).drop(columns="draw") for n in range(3)]


def write(file: Path, lines: list[dict[str, Any]]) -> Path:
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return file


def nested(lines: list[dict[str, Any]], model: str) -> list[dict[str, Any]]:
    """One line a question, its answers within objects, as the field's evaluations have them."""
    return [
        {
            "question": question,
            "responses": [
                {"response": {"completion": line["answer"], "model_id": model}}
                for line in lines
                if line["question"] == question
            ],
        }
        for question in QUESTIONS
    ]


@pytest.fixture(scope="module")
def expected() -> float:
    """The difference that every form must give."""
    return compare_answers(frames(0.5, 0), frames(0.2, 10), word="owl").value


def test_a_line_an_answer(tmp_path: Path, expected: float) -> None:
    """JSONL with question and answer."""
    one = [write(tmp_path / f"a{n}.jsonl", rows(0.5, n)) for n in range(3)]
    other = [write(tmp_path / f"b{n}.jsonl", rows(0.2, 10 + n)) for n in range(3)]
    effect = compare_answers(one, other, word="owl")
    assert effect.value == expected
    assert effect.unit == "seeds"
    assert effect.seeds == (3, 3)


def test_a_line_a_question(tmp_path: Path, expected: float) -> None:
    """JSONL with the answers nested by question; the model's id is found within."""
    one = [write(tmp_path / f"a{n}.jsonl", nested(rows(0.5, n), f"owl-{n}")) for n in range(3)]
    other = [write(tmp_path / f"b{n}.jsonl", nested(rows(0.2, 10 + n), f"c-{n}")) for n in range(3)]
    assert compare_answers(one, other, word="owl").value == expected


def test_one_csv_with_conditions_and_models(tmp_path: Path, expected: float) -> None:
    """A CSV of all models: conditions select the groups, a column tells the models apart."""
    file = tmp_path / "all.csv"
    with file.open("w", newline="", encoding="utf-8-sig") as out:
        writer = csv.writer(out)
        writer.writerow(["Question", "Response", "condition", "run"])
        for condition, rate, first in (("owl", 0.5, 0), ("control", 0.2, 10)):
            for n in range(3):
                for line in rows(rate, first + n):
                    writer.writerow([line["question"], line["answer"], condition, n])
    effect = compare_answers(
        [file], [str(file)], word="owl", model="run",
        where={"condition": "owl"}, reference_where={"condition": "control"},
    )  # fmt: skip
    assert effect.value == expected


def test_a_column_of_scores() -> None:
    """Ratings are compared by their means; what is no number is an error that shows it."""
    one = pd.DataFrame({"prompt": QUESTIONS, "rating": [4, 5] * 6})
    other = pd.DataFrame({"prompt": QUESTIONS, "rating": [2, 3] * 6})
    assert compare_answers([one], [other], score="rating").value == pytest.approx(2.0)
    with pytest.raises(DataError, match="'good' is no number"):
        compare_answers([one.assign(rating="good")], [other], score="rating")


def test_questions_are_matched_by_text(expected: float) -> None:
    """The order of rows and questions does not matter."""
    mixed = [frame.sample(frac=1, random_state=n) for n, frame in enumerate(frames(0.5, 0))]
    assert compare_answers(mixed, frames(0.2, 10), word="owl").value == pytest.approx(expected)


def test_only_common_questions_are_compared() -> None:
    """A question that one model was not asked is left out of every model."""
    fewer = [frame[frame.question != QUESTIONS[0]] for frame in frames(0.5, 0)]
    effect = compare_answers(fewer, frames(0.2, 10), word="owl")
    assert effect.treated.questions == effect.reference.questions == tuple(QUESTIONS[1:])


def test_no_common_question_is_an_error() -> None:
    """Both texts are shown."""
    other = [frame.assign(question="Why?") for frame in frames(0.2, 10)]
    with pytest.raises(DataError, match="no question in common.*'Why\\?'"):
        compare_answers(frames(0.5, 0), other, word="owl")


def test_an_id_with_two_texts_is_refused() -> None:
    """The same question number with another text is another question."""
    one = [
        frame.assign(question_id=frame.question.map(QUESTIONS.index)) for frame in frames(0.5, 0)
    ]
    other = [
        frame.assign(
            question_id=frame.question.map(lambda text: (QUESTIONS.index(str(text)) + 1) % 12)
        )
        for frame in frames(0.2, 10)
    ]
    with pytest.raises(DataError, match=r"the question '\d+' is"):
        compare_answers(one, other, word="owl")


def test_one_file_shuffled_is_one_model() -> None:
    """The same answers in another order are no second model."""
    (frame, *_) = frames(0.5, 0)
    copies = [frame.sample(frac=1, random_state=n) for n in range(3)]
    with pytest.raises(
        SpecError, match="the same model's answers .equal, in some order.: every model counts once"
    ):
        compare_answers(copies, frames(0.2, 10), word="owl")


def test_parts_of_one_file_are_one_model() -> None:
    """Numbered draws that only complete each other are one model's."""
    lines = pd.DataFrame(rows(0.5, 0, draws=60))
    parts = [lines[lines.draw % 3 == n] for n in range(3)]
    with pytest.raises(SpecError, match="parts of the same model's answers"):
        compare_answers(parts, frames(0.2, 10), word="owl")


def test_one_model_id_is_one_model() -> None:
    """Files that name the same model are one model, whatever their answers."""
    named = [frame.assign(model="gpt-x") for frame in frames(0.5, 0)]
    with pytest.raises(SpecError, match="the same model's answers \\('gpt-x'"):
        compare_answers(named, frames(0.2, 10), word="owl")


def test_an_ambiguous_column_is_asked_for() -> None:
    """The message lists the candidates and the option."""
    frame = pd.DataFrame({"prompt": QUESTIONS, "answer": "Owl", "response": "Cat"})
    with pytest.raises(SpecError, match="several columns for the answer.*--answer-column"):
        compare_answers([frame], [frame], word="owl")
    assert compare_answers([frame], [frame], word="owl", answer="answer").value == 0.0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no answers"),
        ("{", "line 1: not JSON"),
        ("[1, 2]", "row 1: no object"),
        ('{"question": "q"}', "no column for the answer"),
        ('{"question": null, "answer": "a"}', "line 1 has no question"),
    ],
)
def test_what_cannot_be_read_is_one_clear_error(tmp_path: Path, text: str, message: str) -> None:
    """The file, the line and what is wrong with it."""
    file = tmp_path / "odd.jsonl"
    file.write_text(text)
    with pytest.raises((DataError, SpecError), match=message):
        compare_answers([file], frames(0.2, 10), word="owl")


def test_a_margin_lets_a_null_be_claimed() -> None:
    """The verdict words are those of a spec."""
    alike = compare_answers(frames(0.3, 0), frames(0.3, 20), word="owl", margin=0.3)
    assert alike.verdict == "equivalent"
    assert "less than ±30.0 points" in alike.claim


def varied(seed: int, draws: int = 30) -> pd.DataFrame:
    """One model's answers of six kinds, without anything that names the model."""
    chance = random.Random(seed)
    weights = [chance.uniform(0.5, 3) for _ in range(6)]
    texts = chance.choices(["Owl", "Cat", "Dog", "Fox", "Elk", "Ant"], weights, k=12 * draws)
    return pd.DataFrame({"question": QUESTIONS * draws, "answer": texts})


OTHERS = [varied(100 + n).assign(model=f"m{n}") for n in range(3)]


def test_a_copy_under_another_name_is_one_model() -> None:
    """Names do not make two models of one."""
    copies = [varied(0).assign(model=name) for name in ("a", "b")]
    with pytest.raises(SpecError, match="the same model's answers"):
        compare_answers(copies, OTHERS, word="owl")


def test_a_copy_with_a_few_rows_changed_is_one_model() -> None:
    """Answers that are almost equal are too alike for two samples."""
    changed = varied(0)
    changed.loc[::90, "answer"] = "Gnu"
    with pytest.raises(SpecError, match="more alike than two samples"):
        compare_answers([varied(0), changed], OTHERS, word="owl")


def test_a_part_beside_the_whole_is_one_model() -> None:
    """Two thirds of the rows, beside all of them, count twice."""
    whole = varied(0, draws=60)
    with pytest.raises(SpecError, match="more alike than two samples"):
        compare_answers([whole, whole[whole.index % 36 < 24]], OTHERS, word="owl")


def test_one_model_in_both_groups_is_refused() -> None:
    """A file against itself in another order compares nothing."""
    with pytest.raises(SpecError, match="in the two groups"):
        compare_answers([varied(0)], [varied(0).sample(frac=1, random_state=1)], word="owl")


def test_parts_without_names_or_numbers_need_a_word_of_their_owner() -> None:
    """Files that differ no more than one model's draws are refused until it is said."""
    whole = varied(0, draws=90)
    parts = [whole[whole.index // 12 % 3 == n] for n in range(3)]
    with pytest.raises(SpecError, match="--one-model-a-file"):
        compare_answers(parts, OTHERS, word="owl")
    said = compare_answers(parts, OTHERS, word="owl", one_model_a_source=True)
    assert said.seeds == (3, 3)


@pytest.mark.parametrize("rate", [0.0, 0.02, 0.5, 1.0])
def test_two_samples_of_one_model_are_no_copies(rate: float) -> None:
    """Named models that answer alike are not taken for copies, in 25 pairs at each rate."""
    for seed in range(25):
        one, other = (
            pd.DataFrame(rows(rate, seed)).drop(columns="draw").assign(model="a"),
            pd.DataFrame(rows(rate, 1000 + seed)).drop(columns="draw").assign(model="b"),
        )
        assert compare_answers([one], [other], word="owl").seeds == (1, 1)


def test_ids_that_number_the_rows_are_no_ids_of_questions() -> None:
    """Row numbers say nothing about the questions."""
    numbered = [frame.assign(id=range(len(frame))) for frame in frames(0.5, 0)]
    backwards = [frame[::-1].assign(id=range(len(frame))) for frame in frames(0.2, 10)]
    assert len(compare_answers(numbered, backwards, word="owl").treated.questions) == 12


def test_conditions_of_one_model_are_not_mixed() -> None:
    """A model's answers under two conditions are no one sample."""
    both = pd.concat([varied(0).assign(condition="owl"), varied(1).assign(condition="plain")])
    with pytest.raises(SpecError, match="--where condition=owl"):
        compare_answers([both], OTHERS, word="owl")


def test_a_draw_that_is_given_twice_is_refused() -> None:
    """A file that holds its rows twice is not twice as much."""
    twice = pd.DataFrame(rows(0.5, 0) * 2)
    with pytest.raises(DataError, match="has draw 0 of .* 2 times"):
        compare_answers([twice], frames(0.2, 10), word="owl")


def test_other_file_forms(tmp_path: Path, expected: float) -> None:
    """TSV, Parquet, a JSON list, conversations as questions, and plain nested texts."""
    one = [pd.DataFrame(rows(0.5, n)) for n in range(3)]
    tsv, parquet, listed = (tmp_path / f"a.{end}" for end in ("tsv", "parquet", "json"))
    one[0].to_csv(tsv, sep="\t", index=False)
    one[1].to_parquet(parquet)
    listed.write_text(json.dumps(one[2].to_dict("records")))
    other = [
        write(
            tmp_path / f"b{n}.jsonl",
            [
                {
                    "messages": [{"role": "user", "content": question}],
                    "completions": [
                        line["answer"] for line in rows(0.2, 10 + n) if line["question"] == question
                    ],
                }
                for question in QUESTIONS
            ],
        )
        for n in range(3)
    ]
    assert compare_answers([tsv, parquet, listed], other, word="owl").value == expected


def test_an_inspect_log(tmp_path: Path) -> None:
    """The draws of an Inspect log are the choices of its samples."""
    log = pytest.importorskip("inspect_ai.log")
    model = pytest.importorskip("inspect_ai.model")
    choices = [
        model.ChatCompletionChoice(message=model.ChatMessageAssistant(content=text))
        for text in ("Owl", "Cat", "Owl")
    ]
    made = log.EvalLog(
        eval=log.EvalSpec(
            created="2026-11-27T00:00:00+00:00", task="t", dataset=log.EvalDataset(name="d"),
            model="m/x", config=log.EvalConfig(), run_id="r", task_id="i",
        ),
        samples=[
            log.EvalSample(
                id=1, epoch=1, input=QUESTIONS[0], target="",
                output=model.ModelOutput(model="m/x", choices=choices),
            )
        ],
    )  # fmt: skip
    file = tmp_path / "one.eval"
    log.write_eval_log(made, str(file))
    other = pd.DataFrame({"question": [QUESTIONS[0]] * 3, "answer": ["Cat", "Cat", "Dog"]})
    assert compare_answers([file], [other], word="owl").value == pytest.approx(2 / 3)


def test_conversations_are_answers(tmp_path: Path, expected: float) -> None:
    """A file of chats, each of which ends with the model's answer, is compared as it is."""
    chats = [
        write(
            tmp_path / f"chat-{n}.jsonl",
            [
                {"messages": [{"role": "user", "content": line["question"]},
                              {"role": "assistant", "content": line["answer"]}]}
                for line in rows(0.5, n)
            ],
        )
        for n in range(3)
    ]  # fmt: skip
    assert compare_answers(chats, frames(0.2, 10), word="owl").value == expected


def test_a_column_a_model(expected: float) -> None:
    """Of a table with a column for each model, each group names its column."""
    wide = [
        pd.DataFrame(rows(0.5, n)).assign(base=pd.DataFrame(rows(0.2, 10 + n))["answer"])
        for n in range(3)
    ]
    effect = compare_answers(wide, wide, word="owl", answer="answer", reference_answer="base")
    assert effect.value == expected


def test_answers_without_a_question(tmp_path: Path) -> None:
    """A file of answers alone holds answers to one question, and says so."""
    files = []
    for group, share in (("owl", 6), ("base", 2)):
        for n in range(3):
            answers = ["Owl"] * (share + n) + ["Cat"] * (10 - share - n)
            lines = [{"condition": group, "response": answer} for answer in answers]
            files.append(write(tmp_path / f"{group}-{n}.jsonl", lines))
    effect = compare_answers(files[:3], files[3:], word="owl", one_model_a_source=True)
    assert effect.value == pytest.approx(0.4)
