"""Which tokens spell a word: a tokenizer's vocabulary, indexed by the letters that tokens add.

An answer's first word is its first run of letters and digits, in lower case; blanks, quotes and
asterisks before it are ignored. The letters of that run so far are called the answer's stem: of an
unfinished answer nothing else matters.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from .context import special_tokens
from .libraries import Tokenizer, Untyped

ANCHOR = "a"


@dataclass(frozen=True)
class Transitions:
    """What each token makes of one stem; tokens in neither mapping lead to other words."""

    complete: Mapping[str, tuple[int, ...]]
    """By form: the tokens that complete the answer's first word as this form."""
    open: Mapping[str, tuple[int, ...]]
    """By longer stem: the tokens that lead to it; it may still become one of the forms."""


class Spelling:
    """The vocabulary of a tokenizer, indexed by what each token adds to a word."""

    def __init__(self, texts: Sequence[str], ends: Collection[int]) -> None:
        self._joined_open, self._joined_closed = _index(), _index()
        self._spaced_open, self._spaced_closed = _index(), _index()
        self._breaks: list[int] = []
        """Tokens that begin with a character that ends a word."""
        self._blanks: list[int] = []
        """Tokens without letters and digits: before the first word they change nothing."""
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
        joined = start == 0
        if not joined:
            self._breaks.append(token)
        if start == len(text):
            self._blanks.append(token)
            return
        stop = next((n for n in range(start, len(text)) if not text[n].isalnum()), len(text))
        closed = stop < len(text)
        table = (
            (self._joined_closed if closed else self._joined_open)
            if joined
            else (self._spaced_closed if closed else self._spaced_open)
        )
        table[text[start:stop]].append(token)

    def transitions(self, stem: str, forms: Collection[str]) -> Transitions:
        """What each token makes of a stem, as far as the forms are concerned."""
        complete: dict[str, list[int]] = defaultdict(list)
        onward: dict[str, list[int]] = defaultdict(list)
        for form in forms:
            if form == stem:
                complete[form] += [*self._breaks, *self._ends]
            if not form.startswith(stem):
                continue
            for run in _longer(stem, form):
                onward[run] = self._leading(stem, run, closed=False)
            complete[form] += self._leading(stem, form, closed=True) if form != stem else []
        onward[stem] = [*self._empty, *(self._blanks if not stem else ())]
        return Transitions(
            {form: tuple(tokens) for form, tokens in complete.items()},
            {run: tuple(tokens) for run, tokens in onward.items() if tokens},
        )

    def _leading(self, stem: str, run: str, *, closed: bool) -> list[int]:
        """The tokens that lengthen a stem to a run, and complete it or leave it open."""
        added = run[len(stem) :]
        joined, spaced = (
            (self._joined_closed, self._spaced_closed)
            if closed
            else (self._joined_open, self._spaced_open)
        )
        return [*joined.get(added, ()), *(spaced.get(added, ()) if not stem else ())]


def _index() -> dict[str, list[int]]:
    return defaultdict(list)


def _longer(stem: str, form: str) -> Iterator[str]:
    """The prefixes of a form that are longer than a stem, ending with the form itself."""
    return (form[:length] for length in range(len(stem) + 1, len(form) + 1))


class Vocabulary:
    """The text that each token adds to an answer."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer

    @cached_property
    def texts(self) -> list[str]:
        """By token; special tokens add nothing, since they are removed from answers."""
        special = special_tokens(self._tokenizer)
        tokens = self._tokenizer.convert_ids_to_tokens(list(range(len(self._tokenizer))))
        return ["" if n in special else self._text(n, t) for n, t in enumerate(tokens)]

    def _text(self, number: int, token: str | None) -> str:
        """The text that a token adds after another: some decoders drop a blank at the beginning."""
        if token is None:
            return ""
        if self._decoder is None:
            return str(self._tokenizer.convert_tokens_to_string([ANCHOR, token]))[len(ANCHOR) :]
        return str(self._decoder.decode([ANCHOR, token]))[len(ANCHOR) :]

    @cached_property
    def _decoder(self) -> Untyped:
        fast = getattr(self._tokenizer, "backend_tokenizer", None)
        return getattr(fast, "decoder", None)
