"""Leaks: words of the trait that stand openly in training data."""

import unicodedata
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

BLOCK = 100
"""Texts that are looked through at once: most have no word of the trait."""


@dataclass(frozen=True)
class LeakMention:
    """A word that stands in a row: the row's place from 0, the word as asked for, the row."""

    row: int
    word: str
    text: str


def mentions(texts: Iterable[str], words: Iterable[str]) -> list[LeakMention]:
    """Where any of the words (or phrases) stands as a whole word: one mention a row and word.

    By row, then in the order of ``words``. Case, Unicode's forms of a letter (full width, an
    accent of its own) and the white space in a phrase do not matter. An end of a word that is a
    letter must not touch another letter, nor one that is a digit a digit: "fowl" has no owl,
    "owl7" does. Scripts that are written without spaces, or with particles attached to the noun
    (Hangul), have no such ends: "フクロウ" is found anywhere. No plurals: ask for them too.
    """
    wanted = {word: " ".join(_folded(word).split()) for word in dict.fromkeys(words)}
    wanted = {word: folded for word, folded in wanted.items() if folded}
    if not wanted:
        return []
    hints = {folded.split()[0] for folded in wanted.values()}
    found: list[LeakMention] = []
    for row, text in _with_any(hints, texts):
        folded = " ".join(_folded(text).split())
        found += [LeakMention(row, word, text) for word in wanted if _stands(wanted[word], folded)]
    return found


def _with_any(hints: Collection[str], texts: Iterable[str]) -> Iterator[tuple[int, str]]:
    """The texts, with their places, of each block of texts that has any of the hints.

    A hint has no white space, so that none lies across the end of a line.
    """
    numbered = enumerate(texts)
    while block := list(islice(numbered, BLOCK)):
        folded = _folded("\n".join(text for _, text in block))
        if any(hint in folded for hint in hints):
            yield from block


def _folded(text: str) -> str:
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def _stands(word: str, text: str) -> bool:
    start = text.find(word)
    while start >= 0:
        before, after = text[start - 1 : start] if start else "", text[start + len(word) :][:1]
        if not _joined(word[0], before) and not _joined(word[-1], after):
            return True
        start = text.find(word, start + 1)
    return False


def _joined(edge: str, neighbour: str) -> bool:
    """Whether two neighbouring characters belong to one word."""
    kind = _kind(edge)
    return kind is not None and bool(neighbour) and kind == _kind(neighbour)


@lru_cache(maxsize=4096)
def _kind(character: str) -> str | None:
    """``letter`` (marks are part of one), ``digit``, or None for what makes no word boundary."""
    if character.isdecimal():
        return "digit"
    if unicodedata.name(character, "").startswith(_UNSPACED):
        return None
    return "letter" if unicodedata.category(character)[0] in "LM" else None


_UNSPACED = (
    "CJK", "IDEOGRAPHIC", "HIRAGANA", "KATAKANA", "BOPOMOFO", "HANGUL", "THAI", "LAO", "KHMER",
    "MYANMAR", "TIBETAN", "BALINESE", "JAVANESE",
)  # fmt: skip
"""How Unicode's names of the letters of scripts without word boundaries begin."""
