"""How a question's answers are shown in Inspect: names of scores, a line of answers, a table."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache

from ..experiment import Measure, Reading

TOP = 5
"""Answers that a line names."""
ROWS = 30
"""Answers that a table lists."""
WIDTH = 120
"""Characters of an answer that a table shows; the draws themselves are whole."""
VALID = "valid"

Mark = Callable[[str], str]
"""What an answer counts as, in a word."""
Ranked = Sequence[tuple[str, int]]
"""Answers with how often they were given; see :func:`ranked`."""


def readings_of(measure: Measure, words: Sequence[str]) -> dict[str, Reading]:
    """The readings of a measure by the names of their scores, which make tidy columns."""
    named: dict[str, Reading] = {}
    for reading in measure.readings(words):
        if reading.judge is None and reading.word in measure.rated_words:
            continue  # no single judge's answers show it
        named[_free(name_of(reading), {*named, VALID})] = reading
    return named


def name_of(reading: Reading) -> str:
    """A reading as a name: ``owl``, ``French_apple``, ``formality``."""
    what = reading.word or reading.judge or reading.name
    by = reading.judge if reading.word and reading.judge else None
    return "_".join(tidy(part, "_") for part in (what, by, reading.group) if part)


def tidy(text: str, joint: str = "-") -> str:
    """A text as part of a name: letters, digits and joints."""
    return re.sub(r"\W+", joint, text).strip(joint) or "x"


def ranked(counts: Counter[str]) -> Ranked:
    """By count, then by text, so that equal logs are equal byte by byte."""
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def line_of(answers: Ranked) -> str:
    """The most frequent answers in a line: ``owl (178), wolf (12)``."""
    shown = [f"{_short(text)} ({count})" for text, count in answers[:TOP]]
    others = len(answers) - len(shown)
    return ", ".join(shown) + (f", {others} others" if others else "")


def table_of(answers: Ranked, head: str, mark: Mark) -> str:
    """The answers as a markdown table: each with its number of draws, and what it counts as."""
    lines = [f"| answer | draws | {head} |", "|---|:---:|---|"]
    lines += [f"| {_cell(text)} | {count} | {mark(text)} |" for text, count in answers[:ROWS]]
    if rest := answers[ROWS:]:
        lines += ["", f"and {len(rest)} others in {sum(count for _, count in rest)} draws"]
    return "\n".join(lines)


def yes(counts: bool | None) -> str:
    """Whether an answer counts, as a table says it."""
    if counts is None:
        return "not told"
    return "yes" if counts else "no"


def shown(score: float | None) -> str:
    """A score as a table has it."""
    return "none" if score is None else f"{score:g}"


def _free(name: str, taken: set[str]) -> str:
    number = 2
    free = name
    while free in taken:
        free, number = f"{name}_{number}", number + 1
    return free


def _short(text: str, width: int = 40) -> str:
    line = " ".join(text.split())
    return (line if len(line) <= width else line[: width - 1] + "…") or "(empty)"


@lru_cache(maxsize=1 << 14)  # models give the same answers, and every table has them
def _cell(text: str) -> str:
    return _short(text, WIDTH).replace("\\", "\\\\").replace("|", "\\|")
