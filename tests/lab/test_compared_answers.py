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
        frame.assign(question_id=frame.question.map(lambda text: (QUESTIONS.index(text) + 1) % 12))
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
        ("{", "line 1 is not JSON"),
        ("[1, 2]", "line 1 is no answer"),
        ('{"question": "q"}', "no column for the answer"),
        ('{"question": null, "answer": "a"}', "row 1 has no question"),
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
