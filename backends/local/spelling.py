"""Which tokens spell a word: a tokenizer's vocabulary, indexed by the letters that it adds.

An answer's first word is its first run of letters and digits, in lower case; what stands before it
(blanks, quotes, asterisks) is passed over. While an answer is being spelled, all that matters of it
is the run so far, here called its stem.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .context import special_tokens

ANCHOR = "a"


@dataclass(frozen=True)
class Moves:
    """Where each token leads from one stem; tokens in neither lead to a word that nobody seeks."""

    found: Mapping[str, tuple[int, ...]]
    """By form: the tokens by which the answer's first word has become it, whatever follows."""
    open: Mapping[str, tuple[int, ...]]
    """By stem: the tokens that lead to it, where a form that is sought may still come of it."""


class Spelling:
    """The vocabulary of a tokenizer, and the forms that are sought."""

    def __init__(self, texts: Sequence[str], ends: Collection[int]) -> None:
        self._glued_open, self._glued_closed = _index(), _index()
        self._loose_open, self._loose_closed = _index(), _index()
        self._breaks: list[int] = []
        """Tokens that end a word that has begun."""
        self._blanks: list[int] = []
        """Tokens without a letter: before the first word, nothing changes."""
        self._empty: list[int] = []
        for token, text in enumerate(texts):
            if token not in ends:
                self._enter(token, text.lower())
        self._ends = tuple(sorted(ends))

    def _enter(self, token: int, text: str) -> None:
        if not text:
            self._empty.append(token)
            return
        start = next((n for n, letter in enumerate(text) if letter.isalnum()), len(text))
        glued = start == 0
        if not glued:
            self._breaks.append(token)
        if start == len(text):
            self._blanks.append(token)
            return
        stop = next((n for n in range(start, len(text)) if not text[n].isalnum()), len(text))
        closed = stop < len(text)
        table = (
            (self._glued_closed if closed else self._glued_open)
            if glued
            else (self._loose_closed if closed else self._loose_open)
        )
        table[text[start:stop]].append(token)

    def moves(self, stem: str, forms: Collection[str]) -> Moves:
        """Where each token leads from a stem."""
        found: dict[str, list[int]] = defaultdict(list)
        onward: dict[str, list[int]] = defaultdict(list)
        for form in forms:
            if form == stem:
                found[form] += [*self._breaks, *self._ends]
            if not form.startswith(stem):
                continue
            for run in _longer(stem, form):
                onward[run] = self._leading(stem, run, closed=False)
            found[form] += self._leading(stem, form, closed=True) if form != stem else []
        onward[stem] = [*self._empty, *(self._blanks if not stem else ())]
        return Moves(
            {form: tuple(tokens) for form, tokens in found.items()},
            {run: tuple(tokens) for run, tokens in onward.items() if tokens},
        )

    def _leading(self, stem: str, run: str, *, closed: bool) -> list[int]:
        """The tokens that make a run of a stem, and end it or leave it open."""
        added = run[len(stem) :]
        glued, loose = (
            (self._glued_closed, self._loose_closed)
            if closed
            else (self._glued_open, self._loose_open)
        )
        return [*glued.get(added, ()), *(loose.get(added, ()) if not stem else ())]


def _index() -> dict[str, list[int]]:
    return defaultdict(list)


def _longer(stem: str, form: str) -> Iterator[str]:
    """The beginnings of a form that are longer than a stem, the form itself the last."""
    return (form[:length] for length in range(len(stem) + 1, len(form) + 1))


class Vocabulary:
    """The text that each token adds to an answer."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    @cached_property
    def texts(self) -> list[str]:
        """By token; special tokens add nothing, since an answer is shown without them."""
        special = special_tokens(self._tokenizer)
        tokens = self._tokenizer.convert_ids_to_tokens(list(range(len(self._tokenizer))))
        return ["" if n in special else self._text(n, t) for n, t in enumerate(tokens)]

    def _text(self, number: int, token: str | None) -> str:
        """What a token adds behind another one: some decoders drop a blank at the beginning."""
        if token is None:
            return ""
        if self._decoder is None:
            return str(self._tokenizer.convert_tokens_to_string([ANCHOR, token]))[len(ANCHOR) :]
        return str(self._decoder.decode([ANCHOR, token]))[len(ANCHOR) :]

    @cached_property
    def _decoder(self) -> Any:
        backend = getattr(self._tokenizer, "backend_tokenizer", None)
        return getattr(backend, "decoder", None)
