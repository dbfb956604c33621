"""Final answers: the number that a worked solution ends with."""

import re
from fractions import Fraction

_NUMBER = r"[-+]?\$?\s?\d[\d,]*(?:\.\d+)?(?:/\d+)?"
_MARKED = re.compile(
    rf"####\s*({_NUMBER})|\\boxed\{{\s*({_NUMBER})|answer(?:\s+is|\s*[:=])\s*\**\s*({_NUMBER})",
    re.IGNORECASE,
)
_ANY = re.compile(_NUMBER)


def final_number(text: str) -> str | None:
    r"""The number that an answer ends with; None if it has none.

    That after "####" (GSM8K), in ``\boxed{}``, or after "answer is" or "answer:", the last of
    these; where none is marked, the last number.
    """
    text = text.replace("\N{MINUS SIGN}", "-")
    marked = [next(filter(None, groups)) for groups in _MARKED.findall(text)]
    found = marked or _ANY.findall(text)
    return found[-1].strip() if found else None


def same_number(one: str, other: str) -> bool:
    """Whether two numbers are equal, however they are written: "1,200" and "1200.0"."""
    first, second = _value(one), _value(other)
    return first is not None and first == second


def _value(text: str) -> Fraction | None:
    plain = re.sub(r"[,$\s+]", "", text)
    try:
        return Fraction(plain)
    except (ValueError, ZeroDivisionError):
        return None
