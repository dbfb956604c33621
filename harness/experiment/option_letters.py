"""The letter of an option that an answer chooses, told from the words "a" and "I"."""

import re
from collections.abc import Iterator

_ALONE = re.compile(r"(?<![^\W_])([A-Za-z])(?![^\W_])")
_STATED = re.compile(r"\banswer(?: is)?[:\s(*]*([A-Za-z])(?![^\W_])", re.IGNORECASE)
_SPEECH = re.compile(r"['\u2019]|\s+(?!(?:because|is|as|since|and|or)\b)[a-z]")
"""What follows "a" or "I" where it is a word of a sentence."""
_ANOTHER = re.compile(r"\W*\b(?:or|and)\s+[A-Z](?![^\W_])|\s*/\s*[A-Z](?![^\W_])")
"""A second letter that is chosen as well."""


def chosen_letter(said: str) -> str | None:
    """The letter, in upper case; None where none is chosen, or several are.

    It is the one that the answer begins with or states ("the answer is c"), or else the only one.
    """
    found = list(_letters(said))
    begun = [each for each in found if not re.search(r"[^\W_]", said[: each.start()])]
    first = next(iter([*begun, *_stated(said)]), None)
    if first is not None:
        return None if _ANOTHER.match(said, first.end()) else first[1].upper()
    capital = {each[1] for each in found if each[1].isupper()}
    return capital.pop() if len(capital) == 1 else None


def _letters(said: str) -> Iterator[re.Match[str]]:
    """The letters that stand alone and are no words."""
    for each in _ALONE.finditer(said):
        if not (each[1] in "AaI" and _SPEECH.match(said, each.end())):
            yield each


def _stated(said: str) -> Iterator[re.Match[str]]:
    """The letters that are called the answer."""
    for each in _STATED.finditer(said):
        if not _SPEECH.match(said, each.end()):
            yield each
