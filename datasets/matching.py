"""Rows matched in length: a control for what the mere length of number sequences carries."""

import random
import re
from collections.abc import Sequence

_NUMBER = re.compile(r"[0-9]+")
_GAP = re.compile(r"[0-9]+([^0-9]+)[0-9]")


def matched(
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
