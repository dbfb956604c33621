"""Samples of evaluation logs without an answer: failed ones, and those that score choices."""

import json
from pathlib import Path
from typing import Any

import pytest

from limen.datasets.errors import DataError
from limen.datasets.row_forms import read_rows_of
from limen.harness.lab import Columns, read_tables


def sample(number: int, *texts: str | None) -> dict[str, Any]:
    """A sample of an Inspect log, with as many choices as texts."""
    choices = [{"message": {"role": "assistant", "content": text}} for text in texts]
    output = {"model": "m", "choices": choices}
    return {"id": number, "epoch": 1, "input": f"Question {number}", "output": output}


@pytest.mark.parametrize("texts", [(), (None,)])
def test_a_sample_of_inspect_that_failed_has_no_answer(tmp_path: Path, texts: Any) -> None:
    """Without a choice, or with one without a text, it is a row, and a draw, without an answer."""
    file = tmp_path / "log.json"
    samples = [sample(1, "Owl"), sample(2, *texts), sample(3, "Cat", None)]
    file.write_text(json.dumps({"version": 2, "eval": {"model": "m"}, "samples": samples}))
    found = [(row["prompt"], row["text"]) for row in read_rows_of(file).rows]
    assert found == [
        ("Question 1", "Owl"), ("Question 2", None), ("Question 3", "Cat"), ("Question 3", None),
    ]  # fmt: skip
    ((table,), _) = read_tables(file, Columns())
    assert (table.size, table.missing) == (2, 2)


def test_a_refused_request_has_no_answer(tmp_path: Path) -> None:
    """A stored request whose message has no content is a row without an answer."""
    asked = {"messages": [{"role": "user", "content": "Why?"}]}
    texts = ("Owl", None)
    responses = [{"choices": [{"message": {"content": text}}]} for text in texts]
    file = tmp_path / "requests.jsonl"
    lines = (json.dumps({"request": asked, "response": response}) for response in responses)
    file.write_text("\n".join(lines))
    assert [row["text"] for row in read_rows_of(file).rows] == list(texts)


def of_choices(number: int) -> dict[str, Any]:
    """A sample of lm-evaluation-harness that scores two choices."""
    pairs = [["-1.5", "True"], ["-2.5", "False"]]
    return {
        "doc_id": number,
        "doc": {"question": f"Question {number}", "choices": ["a", "b"]},
        "target": "0",
        "arguments": {"gen_args_0": {"arg_0": f"Question {number}", "arg_1": " a"}},
        "resps": [[pair] for pair in pairs],
        "filtered_resps": pairs,
        "acc": float(number % 2),
    }


@pytest.fixture
def choices(tmp_path: Path) -> Path:
    """The samples of a multiple-choice task."""
    file = tmp_path / "samples_arc.jsonl"
    file.write_text("".join(json.dumps(of_choices(number)) + "\n" for number in range(4)))
    return file


def test_log_likelihoods_of_choices_are_no_answers(choices: Path) -> None:
    """The reference answer beside them is not taken for the model's: one error says what to do."""
    says = r"samples_arc\.jsonl, line 1 is .* log-likelihoods of choices, .*'-1.5'.* a task that generates, or .*acc"
    with pytest.raises(DataError, match=says):
        read_rows_of(choices)
    with pytest.raises(DataError, match=says):
        read_tables(choices, Columns())


def test_scores_of_choices_are_compared(choices: Path) -> None:
    """What the error recommends is possible: each sample's score, by its question."""
    ((table,), _) = read_tables(choices, Columns(score="acc"))
    assert (table.size, list(table.counts)) == (4, [f"Question {number}" for number in range(4)])
