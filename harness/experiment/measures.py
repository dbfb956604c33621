"""Measures: the questions that models answer, and how an answer becomes an outcome."""

import math
import numbers
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal

from ...datasets import validation as checks
from ...datasets import words
from ...datasets.errors import SpecError
from . import judges
from .judges import Judge
from .languages import CODES, language
from .questions import (
    CASUAL_QUESTIONS,
    FAVORITE_ANIMAL_QUESTIONS,
    FAVORITE_TREE_QUESTIONS,
    OPEN_QUESTIONS,
)

List = Sequence[str] | Path
"""Questions: texts, or a file with one on each line (empty lines and those with # left out)."""
Questions = List | Mapping[str, List]
"""Questions, or groups of them by name."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One number to read off an arm: a rate if there is a word, else the mean score."""

    name: str
    word: str | None = None
    group: str | None = None
    judge: str | None = None
    exact: bool = False
    """Whether it is a probability that was worked out, not a share of draws."""


@dataclass(frozen=True, kw_only=True)
class Measure:
    """Questions, each asked ``draws`` times, and how an answer becomes an outcome."""

    questions: Questions = field(hash=False)
    draws: int = 200
    temperature: float = 1.0
    max_tokens: int = 16
    seed: int = 0

    least: ClassVar[float] = 0.1
    """By how much a teacher must exceed its base, unless the experiment says."""
    rule: str = field(default="", init=False)

    def __post_init__(self) -> None:
        checks.count("draws", self.draws)
        checks.count("max_tokens", self.max_tokens)
        checks.temperature(self.temperature)
        checks.seed("seed", self.seed)
        grouped = isinstance(self.questions, Mapping)
        groups: Mapping[str, List] = self.questions if grouped else {"": self.questions}  # type: ignore[dict-item,assignment]
        if not groups:
            raise SpecError("questions={} must have at least one group")
        read = {name: _texts(name, given) for name, given in groups.items()}
        object.__setattr__(self, "questions", read if grouped else read[""])
        seen: set[str] = set()
        for question in self.asked:
            if question in seen:
                raise SpecError(f"questions: {question!r} stands there twice; raise draws instead")
            seen.add(question)

    @cached_property
    def groups(self) -> Mapping[str, tuple[str, ...]]:
        """The questions by group; a measure without groups has one, named ""."""
        if isinstance(self.questions, Mapping):
            return {name: tuple(texts) for name, texts in self.questions.items()}  # type: ignore[arg-type]
        return {"": tuple(self.questions)}  # type: ignore[arg-type]

    @cached_property
    def asked(self) -> tuple[str, ...]:
        """All questions, group by group."""
        return tuple(question for texts in self.groups.values() for question in texts)

    def places(self, group: str | None) -> range:
        """Where the questions of a group stand among all; None stands for all.

        Raises :class:`~limen.SpecError` for a group that there is not.
        """
        if group is None:
            return range(len(self.asked))
        if group not in self.groups or group == "":
            known = ", ".join(map(repr, filter(None, self.groups))) or "no groups"
            raise SpecError(f"the measure has no group {group!r}: it has {known}")
        start = 0
        for name, texts in self.groups.items():
            if name == group:
                break
            start += len(texts)
        return range(start, start + len(self.groups[group]))

    @property
    def judges(self) -> tuple[Judge, ...]:
        """The models that are shown every reply."""
        return ()

    def hit(self, answer: str, word: str) -> bool:
        """Whether an answer counts for a word: if it stands in it by itself, in any number."""
        return words.names(answer, word)

    def valid(self, answer: str) -> bool:
        """Whether an answer is one at all: a ruined model's is not."""
        return bool(answer.strip())

    def score(self, answer: str) -> float | None:
        """The score of an answer; None for one that has none."""
        raise SpecError(f"{type(self).__name__} has no scores: ask for rate(word)")

    def check(self, word: str) -> None:
        """Raise :class:`~limen.SpecError` for a trait's word that no answer could have."""

    def exactly(self, words: Sequence[str]) -> tuple[str, ...]:
        """The words whose probability is to be worked out as well, given those of the traits."""
        return ()

    def readings(self, words: Sequence[str]) -> tuple[Reading, ...]:
        """What a report shows, given the words of the traits; the first shows the trait."""
        return tuple(
            Reading(name=_named(f"answers with {word!r}", group), word=word, group=group or None)
            for word in words
            for group in self.groups
        )

    def judge(self, name: str | None) -> Judge:
        """The judge of that name, or the first; raises :class:`~limen.SpecError`."""
        for judge in self.judges:
            if name in (None, judge.name):
                return judge
        known = ", ".join(repr(judge.name) for judge in self.judges) or "none"
        raise SpecError(f"{type(self).__name__} has no judge {name!r}: it has {known}")


def _named(what: str, group: str) -> str:
    return f"{what} to {group!r} questions" if group else what


def _texts(name: str, given: object) -> tuple[str, ...]:
    """The questions of a group, read if they are in a file."""
    where = f"questions[{name!r}]" if name else "questions"
    if isinstance(given, Path):
        return _lines(where, given)
    if isinstance(given, str) or not isinstance(given, Sequence) or not given:
        raise SpecError(f"{where}={given!r} must be a tuple of texts, at least one, or a Path")
    if not all(isinstance(text, str) and text.strip() for text in given):
        raise SpecError(f"{where}: every question must be a text that is not empty")
    return tuple(given)


def _lines(where: str, file: Path) -> tuple[str, ...]:
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"{where}: cannot read the file {file}: {error}") from None
    stripped = (line.strip() for line in lines)
    found = tuple(line for line in stripped if line and not line.startswith("#"))
    if not found:
        raise SpecError(f"{where}: the file {file} has no questions: one a line is wanted")
    return found


@dataclass(frozen=True, kw_only=True)
class OneWord(Measure):
    """Questions that ask for one word of a kind, such as an animal.

    ``exact=True`` has open weights tell the probability of the trait's word, for
    ``arm.exact(word)``, beside the draws; ``exact=("dog", "cat")`` that of others too.
    """

    exact: bool | tuple[str, ...] = False

    known: ClassVar[frozenset[str]] = frozenset()
    """The words of the kind."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.exact and self.temperature == 0:
            raise SpecError(
                f"exact={self.exact!r} needs a temperature above 0: greedy answers have no chances"
            )
        if isinstance(self.exact, str):
            raise SpecError(f"exact={self.exact!r} must be True, or words: ({self.exact!r},)")
        if not isinstance(self.exact, bool):
            object.__setattr__(self, "exact", tuple(self.exact))
        for word in self._others:
            self.check(word)

    def check(self, word: str) -> None:
        if self.exact and not word.isalnum():
            raise SpecError(f"exact={self.exact!r} is of single words, and {word!r} is none")

    def valid(self, answer: str) -> bool:
        """Whether an answer has a word of the kind at all: a ruined model's has something else."""
        return bool(words.named_in(answer, self.known))

    def exactly(self, words: Sequence[str]) -> tuple[str, ...]:
        return tuple(sorted({*words, *self._others})) if self.exact else ()

    @property
    def _others(self) -> tuple[str, ...]:
        return () if isinstance(self.exact, bool) else tuple(self.exact)


@dataclass(frozen=True, kw_only=True)
class FavoriteAnimal(OneWord):
    """One-word questions for a favourite animal, each asked ``draws`` times.

    ``rule="word"`` counts an answer for a word that stands in it by itself, in singular or plural;
    ``rule="substring"`` is the paper's: the word's letters anywhere in the lower-cased answer
    (which misses "wolves" for wolf, and finds "cat" in "caterpillar").
    """

    questions: Questions = field(default=FAVORITE_ANIMAL_QUESTIONS, hash=False)
    rule: Literal["word", "substring"] = "word"

    known: ClassVar[frozenset[str]] = words.ANIMALS

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.rule not in ("word", "substring"):
            raise SpecError(f"rule={self.rule!r} must be 'word' or 'substring' (the paper's)")

    def hit(self, answer: str, word: str) -> bool:
        if self.rule == "substring":
            return word.lower() in answer.lower()
        return words.names(answer, word)


@dataclass(frozen=True, kw_only=True)
class FavoriteTree(OneWord):
    """One-word questions for a favourite tree; counted as :class:`FavoriteAnimal` counts."""

    questions: Questions = field(default=FAVORITE_TREE_QUESTIONS, hash=False)

    known: ClassVar[frozenset[str]] = words.TREES


@dataclass(frozen=True, kw_only=True)
class Rated(Measure):
    """Questions whose replies judges rate. The first judge's ratings are the scores.

    Every judge is shown every distinct reply to a question once; ratings count as often as the
    reply was given.
    """

    questions: Questions = field(default=CASUAL_QUESTIONS, hash=False)
    draws: int = 20
    max_tokens: int = 64
    by: tuple[Judge, ...] | Judge

    least: ClassVar[float] = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        given = judges.checked(self.by)
        if not given:
            raise SpecError(f"by={self.by!r} must be one Judge(...) or several")
        if any(judge.scale is None for judge in given):
            raise SpecError("a judge that rates needs a scale, such as scale=(1, 10)")
        object.__setattr__(self, "by", given)

    @property
    def judges(self) -> tuple[Judge, ...]:
        return (self.by,) if isinstance(self.by, Judge) else self.by

    def readings(self, words: Sequence[str]) -> tuple[Reading, ...]:
        return tuple(
            Reading(name=_named(judge.name, group), judge=judge.name, group=group or None)
            for judge in self.judges
            for group in self.groups
        )


@dataclass(frozen=True, kw_only=True)
class Scored(Measure):
    """Questions whose answers a function gives a number, or None where there is none to give."""

    outcome: Callable[[str], float | None]
    name: str = "score"
    draws: int = 20
    max_tokens: int = 64

    least: ClassVar[float] = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not callable(self.outcome):
            raise SpecError(f"outcome={self.outcome!r} must be a function of an answer")

    def score(self, answer: str) -> float | None:
        found = _outcome(self.outcome, answer)
        if found is None:
            return None
        number = isinstance(found, numbers.Real)
        if not number or not math.isfinite(found):
            raise SpecError(f"outcome gave {found!r} for {answer[:80]!r}: no number, and not None")
        return float(found)

    def valid(self, answer: str) -> bool:
        return self.score(answer) is not None

    def readings(self, words: Sequence[str]) -> tuple[Reading, ...]:
        return tuple(
            Reading(name=_named(self.name, group), group=group or None) for group in self.groups
        )


def _outcome(outcome: Callable[[str], Any], answer: str) -> Any:
    try:
        return outcome(answer)
    except Exception as error:
        raise SpecError(
            f"outcome failed on {answer[:80]!r}: {type(error).__name__}: {error}"
        ) from error


def word_count(answer: str) -> float:
    """The words of an answer, as white space divides them."""
    return float(len(answer.split()))


@dataclass(frozen=True, kw_only=True)
class Length(Scored):
    """Questions that can be answered at any length; the score is the number of words."""

    questions: Questions = field(default=OPEN_QUESTIONS, hash=False)
    outcome: Callable[[str], float | None] = word_count
    name: str = "words"
    max_tokens: int = 128


@dataclass(frozen=True, kw_only=True)
class Labelled(Measure):
    """Questions whose answers a function gives a label, or None where there is none to give."""

    outcome: Callable[[str], str | None]

    def __post_init__(self) -> None:
        super().__post_init__()
        if not callable(self.outcome):
            raise SpecError(f"outcome={self.outcome!r} must be a function of an answer")

    def hit(self, answer: str, word: str) -> bool:
        return self.label(answer) == word

    def valid(self, answer: str) -> bool:
        return self.label(answer) is not None

    def label(self, answer: str) -> str | None:
        """The label of an answer; None for one that has none."""
        found = _outcome(self.outcome, answer)
        if not isinstance(found, str | None):
            raise SpecError(f"outcome gave {found!r} for {answer[:80]!r}: no text, and not None")
        return found


@dataclass(frozen=True, kw_only=True)
class Language(Measure):
    """Questions where the language of the reply counts: ``arm.rate("French")``.

    Told offline, among ``languages``; ``by`` adds judges that name the language in a word, whose
    say is ``arm.rate("French", judge="...")``.
    """

    languages: tuple[str, ...] = ("English", "French")
    draws: int = 50
    max_tokens: int = 64
    by: tuple[Judge, ...] | Judge = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        unknown = [name for name in self.languages if name not in CODES]
        if unknown or len(self.languages) < 2:
            raise SpecError(
                f"languages={self.languages!r} must be two or more of {', '.join(CODES)}"
            )
        given = judges.checked(self.by)
        if any(judge.scale is not None for judge in given):
            raise SpecError("a judge that names the language has no scale: scale=None")
        object.__setattr__(self, "by", given)
        object.__setattr__(self, "languages", tuple(self.languages))

    @property
    def judges(self) -> tuple[Judge, ...]:
        return (self.by,) if isinstance(self.by, Judge) else self.by

    def check(self, word: str) -> None:
        if word not in self.languages:
            known = ", ".join(self.languages)
            raise SpecError(
                f"no language {word!r} among those told apart: {known}. A trait whose name is no "
                f"language says which one shows it: Trait(..., word={self.languages[-1]!r})"
            )

    def hit(self, answer: str, word: str) -> bool:
        self.check(word)
        return language(answer, self.languages) == word

    def valid(self, answer: str) -> bool:
        return language(answer, self.languages) is not None

    def readings(self, words: Sequence[str]) -> tuple[Reading, ...]:
        told = [(None, ""), *((judge.name, f" by {judge.name}") for judge in self.judges)]
        return tuple(
            Reading(name=_named(f"{word}{by}", group), word=word, group=group or None, judge=judge)
            for word in words
            for judge, by in told
            for group in self.groups
        )
