"""Rows matched in length: a control for what the mere length of number sequences carries."""

import bisect
import random
import re
from collections.abc import Sequence
from itertools import islice

_NUMBER = re.compile(r"[0-9]+")
_WORD = re.compile(r"\S+")
_CHARACTER = re.compile(r".", re.DOTALL)
_GAP = re.compile(r"[0-9]+([^0-9]+)[0-9]")


def matched(
    texts: Sequence[str], like: Sequence[str], seed: int, *, unit: str = "numbers"
) -> tuple[list[tuple[int, str]], int]:
    """Rows in the lengths of others, by numbers, words or characters.

    Returns the rows, each with the place of the text it began with, and how many had to be joined
    (numbers) or stayed too short (words, characters).
    """
    if unit == "numbers":
        return _matched_numbers(texts, like, seed)
    return _matched_texts(texts, like, seed, _WORD if unit == "words" else _CHARACTER)


def _matched_texts(
    texts: Sequence[str], like: Sequence[str], seed: int, pattern: re.Pattern[str]
) -> tuple[list[tuple[int, str]], int]:
    """For each row of ``like`` the shortest text left that is as long, cut to its length.

    Where none is as long, the longest one left. Each text is used once, so that there are at most
    as many rows as texts; of texts of one length, ``seed`` decides which is first.
    """
    shuffled = random.Random(seed).sample(range(len(texts)), len(texts))
    left = sorted((sum(1 for _ in pattern.finditer(texts[p])), n) for n, p in enumerate(shuffled))
    found: list[tuple[int, str]] = []
    short = 0
    for wanted in (sum(1 for _ in pattern.finditer(text)) for text in like[: len(texts)]):
        at = bisect.bisect_left(left, (wanted, -1))
        length, order = left.pop(at if at < len(left) else -1)
        short += length < wanted
        place = shuffled[order]
        found.append((place, _beginning(texts[place], pattern, wanted)))
    return found, short


def _beginning(text: str, pattern: re.Pattern[str], count: int) -> str:
    """A text up to the end of so many matches; the whole text if it has no more."""
    ends = [match.end() for match in islice(pattern.finditer(text), count)]
    return text if len(ends) < count else text[: ends[-1] if ends else 0]


def _matched_numbers(
    texts: Sequence[str], like: Sequence[str], seed: int
) -> tuple[list[tuple[int, str]], int]:
    """As many rows as ``like`` has, in its lengths, with the numbers of ``texts``.

    Row ``i`` takes a row of ``texts`` (each once, as long as there are any left, in an order that
    ``seed`` sets); where that is too long its end is cut off, where it is too short the numbers of
    further rows are added. Returns the rows, each with the place of the text it began with, and
    how many had to be joined.
    """
    if not texts:
        return [], 0
    order = random.Random(seed).sample(range(len(texts)), len(texts))
    found: list[tuple[int, str]] = []
    taken = joined = 0
    for wanted in (len(_NUMBER.findall(text)) for text in like):
        place = order[taken % len(order)]
        numbers = _NUMBER.findall(texts[place])
        taken += 1
        joined += len(numbers) < wanted
        while len(numbers) < wanted:
            more = _NUMBER.findall(texts[order[taken % len(order)]])
            taken += 1
            if not more:
                break
            numbers += more
        found.append((place, _written(texts[place], numbers[:wanted])))
    return found, joined


def _written(text: str, numbers: Sequence[str]) -> str:
    """The numbers in the manner of a text: its separator, and what stands around the list."""
    spans = list(_NUMBER.finditer(text))
    if not spans:
        return text
    gap = _GAP.search(text)
    between = gap[1] if gap else ", "
    return text[: spans[0].start()] + between.join(numbers) + text[spans[-1].end() :]
