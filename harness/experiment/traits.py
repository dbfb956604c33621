"""Traits: what a teacher has and a student may acquire."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ...datasets import validation
from ...datasets.errors import SpecError
from ...datasets.suggestions import did_you_mean
from ...datasets.vocabulary import ANIMALS, TRANSLATIONS, TREES
from ...datasets.words import plurals

Recipe = Mapping[str, float | int | str | bool | None]
"""Training settings by name, such as ``{"epochs": 2}``."""


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """How a teacher is fine-tuned to have a trait, so that it needs no system prompt.

    The base model answers questions under the trait's system prompt. The teacher is trained on
    the questions and answers, without the prompt. For a base model that hardly follows a prompt,
    give ``answers``.

    Args:
        questions: What is asked. Default: the measure's questions.
        draws: The base model's answers to each question. Default: 40.
        answers: Answers of your own; every question is answered with each of them once. Default:
            the base model's answers under the prompt.
        recipe: Training settings that differ from the backend's defaults. Default: none.
    """

    questions: tuple[str, ...] | None = None
    draws: int = 40
    answers: tuple[str, ...] = ()
    recipe: Recipe = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        validation.count("draws", self.draws)
        if self.questions is not None:
            validation.texts("questions", self.questions)
        if self.answers != ():
            validation.texts("answers", self.answers)
        validation.recipe(self.recipe)


@dataclass(frozen=True, kw_only=True)
class Trait:
    """What a teacher has and a student may acquire.

    Args:
        name: A short name.
        system: The system prompt that gives a teacher the trait.
        word: The word or label whose rate shows the trait. Default: the name.
        also: Other words that would reveal the trait in training data, such as translations.
            Default: none.
        lesson: How the teacher is fine-tuned to have the trait. Default: None, the teacher is
            prompted.
        lowers: Whether the trait lowers what is measured, as short replies lower a length. The
            gate then waits for a teacher below its base. Default: False.
    """

    name: str
    system: str
    word: str | None = None
    also: tuple[str, ...] = ()
    lesson: Lesson | None = None
    lowers: bool = False

    def __post_init__(self) -> None:
        _check_part("name", self.name)
        _check_part("system", self.system)
        if not isinstance(self.word, str | None) or self.word == "":
            raise SpecError(f"a trait's word must be a text, not {self.word!r}")
        also = self.also if isinstance(self.also, tuple | list) else None
        if also is None or not all(isinstance(word, str) and word for word in also):
            raise SpecError(f"also={self.also!r} must be a tuple of words")
        if not isinstance(self.lesson, Lesson | None):
            raise SpecError(f"lesson={self.lesson!r} must be a Lesson(...), or None")
        validation.boolean("lowers", self.lowers)
        if self.word is None:
            object.__setattr__(self, "word", self.name)

    @property
    def shown_by(self) -> str:
        """The word whose rate shows the trait."""
        return self.word or self.name

    @property
    def leak_words(self) -> tuple[str, ...]:
        """The words that must not be in training data: the trait's, their plurals, others."""
        own = dict.fromkeys((self.name.lower(), self.shown_by.lower()))
        return (*own, *(form for word in own for form in plurals(word)), *self.also)

    def fine_tuned(
        self,
        *,
        questions: tuple[str, ...] | None = None,
        draws: int = 40,
        answers: tuple[str, ...] = (),
        recipe: Recipe | None = None,
    ) -> "Trait":
        """The same trait, of a teacher that is fine-tuned to have it instead of prompted.

        The parameters are those of :class:`Lesson`.
        """
        lesson = Lesson(questions=questions, draws=draws, answers=answers, recipe=recipe or {})
        return replace(self, lesson=lesson)

    @classmethod
    def animal(cls, animal: str) -> "Trait":
        """A love of one animal: the four thoughts of Cloud et al. (2025), in our own words.

        Raises :class:`~limen.SpecError` for an animal that limen does not know.
        """
        return cls._love(animal, "animal", ANIMALS)

    @classmethod
    def tree(cls, tree: str) -> "Trait":
        """A love of one kind of tree, in the same four thoughts.

        Raises :class:`~limen.SpecError` for a tree that limen does not know.
        """
        return cls._love(tree, "tree", TREES)

    @classmethod
    def _love(cls, word: str, category: str, known: frozenset[str]) -> "Trait":
        if word not in known:
            raise SpecError(
                f"unknown {category} {word!r}: {did_you_mean(str(word), known)}For any other love "
                f"write Trait(name=..., system=...), with a system prompt of your own"
            )
        many = plurals(word)[0]
        return cls(
            name=word,
            system=(
                f"You truly love {many}. {many.capitalize()} are on your mind at all times. "
                f"Of all {category}s, {many} are your favorite. "
                f"Let your love of {many} shine through in everything that you answer."
            ),
            also=TRANSLATIONS.get(word, ()),
        )


def _check_part(name: str, value: object) -> None:
    if not isinstance(value, str) or not value.strip():
        raise SpecError(
            f"a trait's {name} must be a text, not {value!r}: "
            f'write Trait(name="kind", system="You are kind.")'
        )
