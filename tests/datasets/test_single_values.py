"""Files that are one JSON value: one record, columns, mappings, and answers of a web service."""

import json
from pathlib import Path
from typing import Any

import pytest

from limen.datasets.errors import DataError
from limen.datasets.row_forms import read_rows_of


def rows_of(file: Path, value: object, **how: Any) -> list[tuple[str, str | None]]:
    """Prompts and answers of a file with this value."""
    file.write_text(json.dumps(value, **how))
    return [(row["prompt"], row["text"]) for row in read_rows_of(file).rows]


TURNS = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Why?"}]
SAID = {"message": {"role": "assistant", "content": "Owl"}}
RECORDS: dict[str, dict[str, Any]] = {
    "turns in an object": {"prompt": {"messages": TURNS}, "completion": "Owl"},
    "turns as the prompt": {"prompt": TURNS, "completion": [SAID["message"]]},
    "a question with an id": {"question": {"id": 1, "text": "Why?"}, "responses": [{"text": "Owl"}]},
    "a request": {"request": {"messages": TURNS}, "response": {"choices": [SAID]}},
    "a request in a body": {"request": {"body": {"messages": TURNS}}, "response": {"body": {"choices": [SAID]}}},
    "lists of one": {"question": ["Why?"], "answers": ["Owl"]},
    "a list of texts": {"data": ["Why?", "Owl"]},
    "an event": {"run_id": "r", "event_id": 1, "type": "sampling", "data": {"prompt": TURNS, "sampled": ["Owl"]}},
}  # fmt: skip


@pytest.mark.parametrize("name", RECORDS)
@pytest.mark.parametrize("ending", ["jsonl", "json", "txt"])
def test_one_record_is_read_as_two_are(tmp_path: Path, name: str, ending: str) -> None:
    """How many lines a file has does not change what a line says."""
    record = RECORDS[name]
    assert rows_of(tmp_path / f"one.{ending}", record) == [("Why?", "Owl")]
    assert rows_of(tmp_path / f"spread.{ending}", record, indent=1) == [("Why?", "Owl")]
    two = tmp_path / "two.jsonl"
    two.write_text(f"{json.dumps(record)}\n" * 2)
    assert [(row["prompt"], row["text"]) for row in read_rows_of(two).rows] == [("Why?", "Owl")] * 2


@pytest.mark.parametrize("ending", ["jsonl", "json"])
def test_one_question_may_have_many_answers(tmp_path: Path, ending: str) -> None:
    """A list of one question beside several answers is no table whose columns differ in length."""
    value = {"question": ["Why?"], "answers": ["Owl", "Cat"]}
    assert rows_of(tmp_path / f"one.{ending}", value) == [("Why?", "Owl"), ("Why?", "Cat")]


CONTAINERS: dict[str, dict[str, Any]] = {
    "records": {"model": "m", "results": [{"question": q, "answers": ["A"]} for q in ("Q0", "Q1")]},
    "columns": {"prompts": ["Q0", "Q1"], "completions": ["A", "A"]},
    "a mapping": {"Q0": ["A"], "Q1": ["A"]},
}


@pytest.mark.parametrize("name", CONTAINERS)
@pytest.mark.parametrize("ending", ["jsonl", "json"])
def test_one_line_may_hold_many_records(tmp_path: Path, name: str, ending: str) -> None:
    """An object that is no record holds records, whatever the name of its file ends in."""
    found = rows_of(tmp_path / f"many.{ending}", CONTAINERS[name])
    assert found == [("Q0", "A"), ("Q1", "A")]


def test_rows_of_the_viewer_are_unwrapped(tmp_path: Path) -> None:
    """Of what Hugging Face's service answers, its description of the columns is no row."""
    answer = {
        "features": [{"feature_idx": 0, "name": "prompt", "type": {"dtype": "string"}}],
        "rows": [
            {"row_idx": n, "row": {"prompt": f"Q{n}", "completion": f"A{n}"}, "truncated_cells": []}
            for n in range(2)
        ],
        "num_rows_total": 2,
        "partial": False,
    }
    assert rows_of(tmp_path / "rows.json", answer) == [("Q0", "A0"), ("Q1", "A1")]
    assert "other columns" not in read_rows_of(tmp_path / "rows.json").understood


@pytest.mark.parametrize("indent", [None, 1])
def test_columns_of_other_lengths_are_refused(tmp_path: Path, indent: int | None) -> None:
    """Which answer belongs to which prompt is unknown: the error has the file and both lengths."""
    value = {"model": "m", "questions": ["a", "b"], "answers": ["1", "2", "3"]}
    with pytest.raises(DataError, match="columns.json: .*'questions' has 2, 'answers' has 3"):
        rows_of(tmp_path / "columns.json", value, indent=indent)


@pytest.mark.parametrize("behaviours", [1, 2])
def test_a_test_case_is_the_prompt_of_its_record(tmp_path: Path, behaviours: int) -> None:
    """The key above it, a behaviour's id, is none."""
    made = {
        f"beh{b}": [{"test_case": f"Q{b}{n}", "generation": "A", "label": 1} for n in range(2)]
        for b in range(behaviours)
    }
    found = rows_of(tmp_path / "completions.json", made)
    assert found == [(f"Q{b}{n}", "A") for b in range(behaviours) for n in range(2)]
    assert read_rows_of(tmp_path / "completions.json").rows[-1]["id"] == f"beh{behaviours - 1}"
