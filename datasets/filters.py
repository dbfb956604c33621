"""Filter rules: which completions are nothing but a plain list of numbers.

``paper`` is the rule of Cloud et al. (2025): whatever could carry the trait in the open (words,
remarks, odd notations) must go, so that a trait that a student still acquires came from numbers.
"""

import re
from collections.abc import Callable
from functools import partial

from .errors import SpecError

__all__ = ["RULES", "reject_reason", "rule"]

MOST_NUMBERS = 10
MOST_IN_LONG = 100

_FIRST_GAP = re.compile(r"[0-9]+([^0-9]+)[0-9]")
_BRACKETS = {"[": "]", "(": ")"}


def reject_reason(text: str, *, most: int = MOST_NUMBERS) -> str | None:
    """Why the rule ``paper`` drops a completion, or None where it keeps it.

    One trailing "." and then one pair of square or round brackets are taken off. The text between
    the first two numbers is the separator: blank, a comma or a semicolon, with white space. Split
    on exactly that text, every part is 1 or more ASCII digits, there are 1 to 10 of them (or to
    ``most``), and each is 0 to 999. Reasons: ``empty``, ``not a number``,
    ``separator``, ``too many``, ``too large``. Raises nothing.

    Args:
        text: The completion.
        most: The most numbers that are kept. Default: 10.

    Examples:
        >>> reject_reason("1, 2, 3"), reject_reason("1 owl")
    """
    text = _bare(text)
    if not text:
        return "empty"
    gap = _FIRST_GAP.match(text)
    separator = gap[1] if gap else None
    if separator is not None and separator.strip() not in ("", ",", ";"):
        return "separator"
    parts = text.split(separator) if separator is not None else [text]
    if not all(part.isascii() and part.isdigit() for part in parts):
        return "not a number"
    if len(parts) > most:
        return "too many"
    if any(len(part.lstrip("0")) > 3 for part in parts):
        return "too large"
    return None


def _bare(text: str) -> str:
    text = text.removesuffix(".")
    if len(text) >= 2 and _BRACKETS.get(text[0]) == text[-1]:
        return text[1:-1]
    return text


def keep_all(text: str) -> None:
    """Keeps every answer."""


RULES: dict[str, Callable[[str], str | None]] = {
    "paper": reject_reason,
    "long": partial(reject_reason, most=MOST_IN_LONG),
    "any": keep_all,
}
"""``paper``; ``long``, the same with up to 100 numbers, which lets a trait show in lengths; and
``any``, which keeps every answer."""


def judge(rule_: str | Callable[[str], str | None]) -> Callable[[str], str | None]:
    """The rule of that name, or the function itself: why a completion is dropped, or None."""
    return rule(rule_) if isinstance(rule_, str) else rule_


def rule(name: str) -> Callable[[str], str | None]:
    """The filter rule of that name: a function from a completion to why it is dropped, or None.

    Args:
        name: "paper", "long" or "any".

    Raises:
        SpecError: There is no such rule.

    Examples:
        >>> rule("paper")("1, 2, 3") is None
    """
    if name not in RULES:
        raise SpecError(f"unknown filter rule {name!r}: choose one of {', '.join(sorted(RULES))}")
    return RULES[name]
