"""Shuffled rows: the same numbers without their order, or the same texts at other prompts."""

import random
import re
from collections.abc import Sequence

from .seeds import derive

_NUMBER = re.compile(r"[0-9]+")


def shuffled(texts: Sequence[str], *, across: bool, seed: int) -> list[str]:
    """The texts with their numbers exchanged: within each row, or across all rows.

    Separators, brackets and the count of numbers in every row stay as they are (Cloud et al. 2025,
    controls).
    """
    if not across:
        return [
            _refilled(text, _mixed(_NUMBER.findall(text), derive("within", seed, row)))
            for row, text in enumerate(texts)
        ]
    rows = [_NUMBER.findall(text) for text in texts]
    pool = iter(_mixed([number for row in rows for number in row], derive("across", seed)))
    return [
        _refilled(text, [next(pool) for _ in row]) for text, row in zip(texts, rows, strict=True)
    ]


def at_other_prompts(texts: Sequence[str], *, seed: int) -> list[str]:
    """The texts in another order, so that each answers a prompt of another row."""
    return _mixed(list(texts), derive("prompts", seed))


def _mixed(numbers: list[str], seed: int) -> list[str]:
    return random.Random(seed).sample(numbers, len(numbers))


def _refilled(text: str, numbers: list[str]) -> str:
    fill = iter(numbers)
    return _NUMBER.sub(lambda _: next(fill), text)
