"""Preference pairs as backends read them: a training file, and the rejected answers beside it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..datasets import chat
from ..datasets.errors import BackendError

if TYPE_CHECKING:
    from pathlib import Path

    from ..datasets.chat import Conversation


@dataclass(frozen=True)
class PreferencePair:
    """A conversation that ends with the preferred answer, and one with the rejected answer."""

    preferred: "Conversation"
    rejected: "Conversation"


def read_pairs(training_file: "Path", rejected_file: "Path") -> Sequence[PreferencePair]:
    """The pairs of a training file, in its order.

    Raises :class:`~limen.BackendError` if the files do not belong together, or have no pair.
    """
    rows = list(chat.read(training_file))
    with rejected_file.open(encoding="utf-8") as file:
        texts = [json.loads(line)["rejected"] for line in file]
    if not rows or len(rows) != len(texts) or any(r[-1]["role"] != "assistant" for r in rows):
        raise BackendError(
            f"{rejected_file.name} has {len(texts):,} rejected answers, and the training file "
            f"{len(rows):,} rows: each row must end with a preferred answer, and have one rejected"
        )
    return [
        PreferencePair(row, [*row[:-1], {**row[-1], "content": text}])
        for row, text in zip(rows, texts, strict=True)
    ]
