"""Which words and phrases name an animal or a tree in an answer."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Literal

from . import answer_vocabulary as data
from .answer_text import without_accents
from .vocabulary import ANIMALS, TRANSLATIONS, TREES
from .words import plurals, singular_table

Kind = Literal["animal", "tree"]
Names = tuple[str, ...]
"""The names that an answer gives to one thing, the main one first; none for a phrase that names
nothing, such as "hot dog"."""
Phrase = tuple[str, ...]

_REPEATED = re.compile(r"(.)\1{2,}")
_ENDINGS = ("s", "n", "en", "es", "x")
"""Plural endings of names in other languages."""


@dataclass(frozen=True, eq=False)
class Lexicon:
    """The phrases that name something of a kind."""

    phrases: Mapping[Phrase, Names]
    foreign: Mapping[str, Names]
    """Names in other languages whose script has word boundaries."""
    unspaced: Mapping[str, Names]
    """Names in scripts without word boundaries, found anywhere in a text."""
    nouns: Mapping[str, str]
    """Every form of a known noun: its singular."""
    longest: Mapping[str, int] = field(init=False)
    """The words of the longest phrase that begins with a word."""
    joined: Mapping[str, Names] = field(init=False)
    """Phrases of several words, written as one."""
    unspaced_pattern: re.Pattern[str] = field(init=False)
    _unknown: dict[str, Names | None] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        longest: dict[str, int] = {}
        for phrase in self.phrases:
            longest[phrase[0]] = max(len(phrase), longest.get(phrase[0], 0))
        joined = {"".join(p): names for p, names in self.phrases.items() if len(p) > 1 and names}
        unspaced = sorted(self.unspaced, key=len, reverse=True)
        object.__setattr__(self, "longest", longest)
        object.__setattr__(self, "joined", joined)
        object.__setattr__(self, "unspaced_pattern", re.compile("|".join(unspaced) or r"(?!)"))

    @cached_property
    def known(self) -> frozenset[str]:
        """Every name that an answer can be counted for."""
        return frozenset(name for names in self.phrases.values() for name in names)

    def match(self, words: Sequence[str], start: int) -> tuple[int, Names] | None:
        """The longest phrase that begins at a word: its number of words, and its names."""
        word = words[start]
        for length in range(self.longest.get(word, 0), 0, -1):
            names = self.phrases.get(tuple(words[start : start + length]))
            if names is not None:
                return length, names
        names = self.other_spelling(word)
        return None if names is None else (1, names)

    def other_spelling(self, word: str) -> Names | None:
        """The names of a word that is joined, stretched, or of another language; None if none."""
        if word not in self._unknown:
            self._unknown[word] = next(iter(self._readings(word)), None)
        return self._unknown[word]

    def _readings(self, word: str) -> Iterator[Names]:
        if word in self.unspaced:
            yield self.unspaced[word]
        for form in (word, without_accents(word)):
            if (form,) in self.phrases:
                yield self.phrases[(form,)]
            if form in self.joined:
                yield self.joined[form]
            yield from self._compounds(form)
        for form in (word, *(word.removesuffix(end) for end in _ENDINGS if word.endswith(end))):
            if form in self.foreign:
                yield self.foreign[form]
        if _REPEATED.search(word):
            for form in (_REPEATED.sub(r"\1", word), _REPEATED.sub(r"\1\1", word)):
                yield from self._readings(form)

    def _compounds(self, word: str) -> Iterator[Names]:
        """A joined word such as "barnowl" or "wolfpup"."""
        for split in range(3, len(word) - 1):
            first, second = word[:split], word[split:]
            if first in data.MODIFIERS:
                if (second,) in self.phrases:
                    yield self.phrases[(second,)]
                yield from self._compounds(second)
            if (first,) in self.phrases and second.removesuffix("s") in data.YOUNG:
                yield self.phrases[(first,)]


@lru_cache(maxsize=256)
def lexicon(kind: Kind, extra: tuple[str, ...] = ()) -> Lexicon:
    """What names an animal or a tree; ``extra`` are further names, in the singular."""
    nouns = (ANIMALS if kind == "animal" else TREES) | {canonical(word) for word in extra}
    species, nothing, same, kinds = (
        (data.SPECIES, data.NO_ANIMAL, data.SAME, data.KINDS)
        if kind == "animal"
        else (data.TREE_SPECIES, data.NO_TREE, {}, {})
    )
    aliases = _aliases(same)
    phrases: dict[Phrase, Names] = {}
    for noun in sorted(nouns, key=lambda noun: noun.count(" ")):
        last = phrases.get((noun.split()[-1],), ()) if " " in noun else ()
        _add(phrases, noun, (*aliases.get(noun, (noun,)), *last))
    for other, main in same.items():
        _add(phrases, other, aliases[main])
    for main, others in kinds.items():
        for other in others.split():
            _add(phrases, other, (*aliases.get(main, (main,)), other))
    for phrase, named in species.items():
        mains = named.split(", ")
        all_names = (name for main in mains for name in aliases.get(main, (main,)))
        _add(phrases, phrase, tuple(dict.fromkeys((*all_names, phrase))))
    for phrase in nothing:
        _add(phrases, phrase, ())
    foreign, unspaced = _foreign(nouns)
    return Lexicon(phrases, foreign, unspaced, singular_table(frozenset(nouns)))


@lru_cache(maxsize=1 << 12)
def canonical(word: str) -> str:
    """A name as answers are compared with it: lower case, single blanks, no accents."""
    return " ".join(without_accents(word.lower()).replace("-", " ").replace("_", " ").split())


def _aliases(same: Mapping[str, str]) -> dict[str, Names]:
    """All names of an animal that has several, by its main name."""
    found: dict[str, Names] = {}
    for other, main in same.items():
        found[main] = (*found.get(main, (main,)), other)
    return found


def _add(phrases: dict[Phrase, Names], phrase: str, names: Iterable[str]) -> None:
    for form in (*plurals(phrase), phrase):
        phrases[tuple(form.split())] = tuple(names)


def _foreign(nouns: Iterable[str]) -> tuple[dict[str, Names], dict[str, Names]]:
    """Names in other languages: those with word boundaries, and those without."""
    spaced: dict[str, Names] = {}
    unspaced: dict[str, Names] = {}
    for noun in sorted(nouns):
        for word in (*TRANSLATIONS.get(noun, ()), *data.FOREIGN.get(noun, "").split()):
            lower = word.lower()
            if _has_boundaries(lower):
                spaced |= {lower: (noun,), _plain_unless_english(lower): (noun,)}
            else:
                unspaced[lower] = (noun,)
    return spaced, unspaced


def _plain_unless_english(word: str) -> str:
    plain = without_accents(word)
    return word if plain in data.ENGLISH_TOO else plain


def _has_boundaries(word: str) -> bool:
    return unicodedata.name(word[0]).split()[0] in ("LATIN", "GREEK", "CYRILLIC", "ARABIC")
