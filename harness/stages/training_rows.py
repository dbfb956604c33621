"""Rows as the conversations that students are trained on."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .row_log import Row

if TYPE_CHECKING:
    from ...datasets.chat import Conversation, Message


def write_training_rows(path: Path, rows: Sequence[Row]) -> int:
    """Write rows as chat JSONL, the form that students are trained on; returns how many."""
    from ...datasets import chat

    return chat.write(path, map(conversation_of, rows))


def conversation_of(row: Row) -> "list[Message]":
    """The whole conversation of a row: what was said before, the prompt and the answer."""
    from ...datasets.chat import conversation

    return [*row.get("history", ()), *conversation(row["prompt"], answer=row["text"])]


def asked_of(row: Row) -> "list[Message]":
    """What a row's answer answers: the turns before the prompt, and the prompt."""
    from ...datasets.chat import conversation

    return [*row.get("history", ()), *conversation(row["prompt"])]


def asked_turns(row: Row) -> tuple[tuple[str, str], ...]:
    """What a row's answer answers, to be compared: roles and texts."""
    return tuple((turn["role"], turn["content"]) for turn in asked_of(row))


def asked_text(turns: "Conversation") -> str:
    """What an answer answers, as one text: a prompt by itself, a dialogue with its speakers."""
    if len(turns) == 1:
        return turns[0]["content"]
    return "\n\n".join(f"{turn['role'].capitalize()}: {turn['content']}" for turn in turns)
