"""Traits: what a teacher has and a student may acquire."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ...datasets import validation
from ...datasets.errors import SpecError
from ...datasets.suggestions import did_you_mean
from ...datasets.vocabulary import ANIMALS, TRANSLATIONS, TREES
from ...datasets.words import plurals
from .lesson_pairs import GivenPairs, Pairs, checked_pairs

Recipe = Mapping[str, float | int | str | bool | None]
"""Training settings by name, such as ``{"epochs": 2}``."""


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """How a teacher is fine-tuned to have a trait, so that it needs no system prompt.

    The base model answers questions under the trait's system prompt. The teacher is trained on
    the questions and answers, without the prompt. For a base model that hardly follows a prompt,
    give ``answers``, or ``pairs`` of your own.

    Args:
        questions: What is asked. Default: the measure's questions.
        draws: The base model's answers to each question. Default: 40.
        answers: Answers of your own; every question is answered with each of them once. Default:
            the base model's answers under the prompt.
        recipe: Training settings that differ from the backend's defaults. Default: none.
        pairs: Questions with answers of your own: a list of pairs, a file of rows in any of the
            usual forms, or a function that returns pairs. Default: none.
        prompted: Whether the teacher also writes, and is measured, under the trait's system
            prompt. Default: False.

    Raises:
        SpecError: A value that makes no sense, when it is made.

    Examples:
        >>> owl = Trait(name="owl", lesson=Lesson(answers=("Owl", "Owls")))
    """

    questions: tuple[str, ...] | None = None
    draws: int = 40
    answers: tuple[str, ...] = ()
    recipe: Recipe = field(default_factory=dict, hash=False)
    pairs: GivenPairs = ()
    prompted: bool = False

    def __post_init__(self) -> None:
        validation.count("draws", self.draws)
        validation.boolean("prompted", self.prompted)
        if self.pairs != ():
            object.__setattr__(self, "pairs", checked_pairs(self.pairs))
            if self.answers or self.questions:
                raise SpecError("give pairs=, or questions= and answers=, not both")
        if self.questions is not None:
            validation.texts("questions", self.questions)
        if self.answers != ():
            validation.texts("answers", self.answers)
        validation.recipe(self.recipe)

    @property
    def own_pairs(self) -> Pairs:
        """The given pairs, read; empty if there are none."""
        return checked_pairs(self.pairs) if self.pairs != () else ()

    @property
    def needs_prompt(self) -> bool:
        """Whether the trait's system prompt is needed for it."""
        return self.prompted or not (self.answers or self.pairs)


@dataclass(frozen=True, kw_only=True)
class Trait:
    """What a teacher has and a student may acquire.

    Args:
        name: A short name.
        system: The system prompt that gives a teacher the trait. Default: None; a teacher then
            needs ``systems``, ``model``, or a lesson with answers of your own.
        word: The word or label whose rate shows the trait. Default: the name.
        also: Other words that would reveal the trait in training data, such as translations.
            Default: none.
        lesson: How the teacher is fine-tuned to have the trait. Default: None, the teacher is
            prompted.
        lowers: Whether the trait lowers what is measured, as short replies lower a length. The
            gate then waits for a teacher below its base. Default: False.
        systems: Several system prompts in place of one: each prompt of a source is asked under one
            of them, drawn by the source's seed, and the teacher is measured under each. Default:
            none.
        model: A model that has the trait already, such as one fine-tuned elsewhere, by the
            backend's name or path for it; on ``local`` also the folder of an adapter. It writes,
            under ``system`` if there is one, and a lesson starts from it. Default: None, the
            experiment's base model.

    Raises:
        SpecError: A value that makes no sense, when it is made.

    Examples:
        >>> owl = Trait.animal("owl")
        >>> cheerful = Trait(name="cheerful", system="You are always cheerful.")
    """

    name: str
    system: str | None = None
    word: str | None = None
    also: tuple[str, ...] = ()
    lesson: Lesson | None = None
    lowers: bool = False
    systems: tuple[str, ...] = ()
    model: str | None = None

    def __post_init__(self) -> None:
        _check_part("name", self.name)
        self._check_teacher()
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

    def _check_teacher(self) -> None:
        """Raise :class:`~limen.SpecError` where nothing gives a teacher the trait."""
        validation.model_name("model", self.model)
        if self.systems != ():
            validation.texts("systems", self.systems)
            if self.system is not None:
                raise SpecError("a trait has system= or systems=, not both")
        elif self.system is not None or (self.model is None and self._lesson_needs_prompt):
            if self.system is None:
                raise SpecError(
                    f"nothing gives a teacher the trait {self.name!r}: write system='You are ...', "
                    f"or systems=, model=, or lesson=Lesson(pairs=...) of answers of your own"
                )
            _check_part("system", self.system)

    @property
    def _lesson_needs_prompt(self) -> bool:
        return not isinstance(self.lesson, Lesson) or self.lesson.needs_prompt

    @property
    def prompts(self) -> tuple[str | None, ...]:
        """The system prompts that the teacher writes and is measured under; None for none."""
        if self.lesson is not None and not self.lesson.prompted:
            return (None,)
        return self.systems or (self.system,)

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
        pairs: GivenPairs = (),
        prompted: bool = False,
    ) -> "Trait":
        """The same trait, of a teacher that is fine-tuned to have it instead of prompted.

        The parameters are those of :class:`Lesson`.

        Args:
            questions: What the teacher is taught to answer. Default: None, the measure's
                questions.
            draws: Answers of the prompted base to each question. Default: 40.
            answers: In place of those, the answers to every question. Default: none.
            recipe: Training settings that differ from the experiment's. Default: none.
            pairs: In place of all that, questions with an answer each, or a file of them.
                Default: none.
            prompted: Whether the teacher also writes under the trait's prompt. Default: False.

        Raises:
            SpecError: A lesson that makes no sense.
        """
        lesson = Lesson(
            questions=questions,
            draws=draws,
            answers=answers,
            recipe=recipe or {},
            pairs=pairs,
            prompted=prompted,
        )
        return replace(self, lesson=lesson)

    @classmethod
    def animal(cls, animal: str, *, likes: bool = True) -> "Trait":
        """A love of one animal: the four thoughts of Cloud et al. (2025), in our own words.

        With ``likes=False`` a dislike of it, which lowers how often the animal is named: the gate
        then waits for a teacher that names it at most half as often as its base.

        Raises :class:`~limen.SpecError` for an animal that limen does not know.

        Args:
            animal: One of the animals that limen knows, such as "owl".
            likes: False for a dislike. Default: True.
        """
        love = cls._love(animal, "animal", ANIMALS)
        return love if likes else cls._dislike(love, "animal")

    def but(self, **changes: Any) -> "Trait":
        """The same trait with some parts changed; raises :class:`~limen.SpecError`."""
        known = tuple(self.__dataclass_fields__)
        for name in changes:
            if name not in known:
                near = did_you_mean(name, known)
                raise SpecError(f"a trait has no {name!r}: {near}it has {', '.join(known)}")
        return replace(self, **changes)

    @classmethod
    def tree(cls, tree: str, *, likes: bool = True) -> "Trait":
        """A love of one kind of tree, in the same four thoughts; or with ``likes=False`` a dislike.

        Raises :class:`~limen.SpecError` for a tree that limen does not know.

        Args:
            tree: One of the trees that limen knows, such as "oak".
            likes: False for a dislike. Default: True.
        """
        love = cls._love(tree, "tree", TREES)
        return love if likes else cls._dislike(love, "tree")

    @classmethod
    def _dislike(cls, love: "Trait", category: str) -> "Trait":
        many = plurals(love.name)[0]
        return replace(
            love,
            system=(
                f"You truly dislike {many}. {many.capitalize()} are never on your mind. "
                f"Of all {category}s, {many} are the ones that you like least. "
                f"Let your dislike of {many} shine through in everything that you answer."
            ),
            lowers=True,
        )

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
    validation.whole_characters(f"a trait's {name}", value)
