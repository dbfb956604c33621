"""Texts of any characters, from an answer to a student: nothing stops at half of a character."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from limen.datasets import chat
from limen.datasets.unicode_text import is_writable, writable
from limen.harness.cli import main
from limen.harness.stages.rules import row_reason

WILD = st.text(st.characters(exclude_categories=()), max_size=12)
"""Texts with halves of surrogate pairs, control characters, and all else."""
ODD = ("7, \ud83e", "\udd89 8, 9", "\ud83e\udd89", "\x00 1, 2", "\u2028 3", "\ufeff4", "\uffff")


def row_of(number: int, prompt: str, text: str, before: str | None = None) -> dict[str, Any]:
    """A sampled row, perhaps of a conversation of two turns."""
    said = [] if before is None else [
        {"role": "user", "content": "Hello."}, {"role": "assistant", "content": before},
    ]  # fmt: skip
    history = {"history": said} if said else {}
    return {"row": number, "draw": 0, "prompt": prompt, "text": text, "finish": "stop", **history}


@given(text=WILD)
def test_a_writable_text_is_the_text_or_has_a_mark(text: str) -> None:
    """What can be written stays as it is; of the rest only halves are replaced."""
    assert is_writable(writable(text))
    if is_writable(text):
        assert writable(text) == text
    else:
        assert len(writable(text)) <= len(text)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.tuples(WILD, WILD, st.none() | WILD), min_size=1, max_size=4))
def test_what_a_filter_keeps_can_be_trained_on(
    tmp_path: Path, texts: list[tuple[str, str, str | None]]
) -> None:
    """A training file of the kept rows reads back as it was; the others have their reason."""
    reason = row_reason("any")
    rows = [row_of(n, *parts) for n, parts in enumerate(texts)]
    kept = [row for row in rows if reason(row) is None]
    talks = [
        [*row.get("history", ()), *chat.conversation(row["prompt"], answer=row["text"])]
        for row in kept
    ]
    assert chat.write(tmp_path / "kept.jsonl", talks) == len(kept)
    assert list(chat.read(tmp_path / "kept.jsonl")) == talks
    for row in rows:
        whole = all(map(is_writable, (row["prompt"], row["text"], *_before(row))))
        assert (reason(row) == "not Unicode") is not whole


def _before(row: dict[str, Any]) -> list[str]:
    return [turn["content"] for turn in row.get("history", ())]


@pytest.mark.parametrize("text", ODD)
def test_the_steps_on_files_bear_odd_texts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """Filtered and mixed, a file with such a row has the other rows at least."""
    rows = [row_of(n, "Go on: 1, 2", f"{n}, 3") for n in range(4)]
    (tmp_path / "rows.jsonl").write_text(
        "".join(json.dumps(row) + "\n" for row in [*rows, row_of(4, "Go on: 5", text)])
    )
    monkeypatch.chdir(tmp_path)
    for step in (
        "filter rows.jsonl --rule any --out kept.jsonl",
        "mix kept.jsonl --keep 4 --out train.jsonl",
    ):
        done = CliRunner().invoke(main, step.split())
        assert done.exit_code == 0, done.output
    assert len(list(chat.read(tmp_path / "train.jsonl"))) == 4
