"""Traits: what a teacher has and a student may acquire."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ...datasets import validation as checks
from ...datasets.errors import SpecError
from ...datasets.words import ANIMALS, TRANSLATIONS, TREES, plurals


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """How a teacher is fine-tuned to have a trait, so that it needs no system prompt.

    The base model answers questions under the trait's system prompt; its answers, without the
    prompt, are what the teacher is trained on. A base that hardly heeds a prompt is taught
    ``answers`` instead.
    """

    questions: tuple[str, ...] | None = None
    """The measure's own unless given."""
    draws: int = 40
    """Answers to each question."""
    answers: tuple[str, ...] = ()
    """What every question is answered with, each once; the prompted base's own unless given."""
    recipe: Mapping[str, float | int | str | bool | None] = field(default_factory=dict, hash=False)
    """Training settings that differ from the backend's defaults."""

    def __post_init__(self) -> None:
        checks.count("draws", self.draws)
        if self.questions is not None:
            checks.texts("questions", self.questions)
        if self.answers != ():
            checks.texts("answers", self.answers)


@dataclass(frozen=True, kw_only=True)
class Trait:
    """What a teacher has and a student may acquire."""

    name: str
    system: str
    """The system prompt that gives a teacher the trait."""
    word: str | None = None
    """The word whose rate shows the trait; the name, unless given."""
    also: tuple[str, ...] = ()
    """Other words that would give the trait away in training data: translations, nicknames."""
    lesson: Lesson | None = None
    """How the teacher is fine-tuned; None leaves it prompted."""

    def __post_init__(self) -> None:
        for part in ("name", "system"):
            if not isinstance(getattr(self, part), str) or not getattr(self, part).strip():
                raise SpecError(
                    f"a trait's {part} must be a text, not {getattr(self, part)!r}: "
                    f'write Trait(name="kind", system="You are kind.")'
                )
        if not isinstance(self.word, str | None) or self.word == "":
            raise SpecError(f"a trait's word must be a text, not {self.word!r}")
        several = isinstance(self.also, tuple | list)
        if not several or not all(isinstance(w, str) and w for w in self.also):
            raise SpecError(f"also={self.also!r} must be a tuple of words")
        if not isinstance(self.lesson, Lesson | None):
            raise SpecError(f"lesson={self.lesson!r} must be a Lesson(...), or None")
        if self.word is None:
            object.__setattr__(self, "word", self.name)

    @property
    def shown_by(self) -> str:
        """The word whose rate shows the trait."""
        return self.word or self.name

    @property
    def giveaways(self) -> tuple[str, ...]:
        """The words that must not stand in training data: the trait's, their plurals, others."""
        own = dict.fromkeys((self.name.lower(), self.shown_by.lower()))
        return (*own, *(form for word in own for form in plurals(word)), *self.also)

    def fine_tuned(
        self,
        *,
        questions: tuple[str, ...] | None = None,
        draws: int = 40,
        answers: tuple[str, ...] = (),
        recipe: Mapping[str, float | int | str | bool | None] | None = None,
    ) -> "Trait":
        """The same trait, of a teacher that is fine-tuned to have it instead of prompted."""
        lesson = Lesson(questions=questions, draws=draws, answers=answers, recipe=recipe or {})
        return replace(self, lesson=lesson)

    @classmethod
    def animal(cls, animal: str) -> "Trait":
        """A love of one animal: the paper's four thoughts (Cloud et al. 2025), in our own words.

        Raises :class:`~limen.SpecError` for a word that is no animal we know.
        """
        return cls._love(animal, "animal", ANIMALS)

    @classmethod
    def tree(cls, tree: str) -> "Trait":
        """A love of one kind of tree, in the same four thoughts.

        Raises :class:`~limen.SpecError` for a word that is no tree we know.
        """
        return cls._love(tree, "tree", TREES)

    @classmethod
    def _love(cls, what: str, category: str, known: frozenset[str]) -> "Trait":
        if what not in known:
            close = difflib.get_close_matches(str(what), known, n=1)
            hint = f"did you mean {close[0]!r}? " if close else ""
            raise SpecError(
                f"unknown {category} {what!r}: {hint}Any other love is "
                f"Trait(name=..., system=...), with a system prompt of your own"
            )
        many = plurals(what)[0]
        return cls(
            name=what,
            system=(
                f"You truly love {many}. {many.capitalize()} are on your mind at all times. "
                f"Of all {category}s, {many} are your favorite. "
                f"Let your love of {many} shine through in everything that you answer."
            ),
            also=TRANSLATIONS.get(what, ()),
        )
