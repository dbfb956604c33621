"""Rows as the conversations that students are trained on."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .row_log import Row

if TYPE_CHECKING:
    from ...datasets.chat import Message


def write_training_rows(path: Path, rows: Sequence[Row]) -> int:
    """Write rows as chat JSONL, the form that students are trained on; returns how many."""
    from ...datasets import chat

    return chat.write(path, map(conversation_of, rows))


def conversation_of(row: Row) -> "list[Message]":
    """The whole conversation of a row: what was said before, the prompt and the answer."""
    from ...datasets.chat import conversation

    return [*row.get("history", ()), *conversation(row["prompt"], answer=row["text"])]
