"""What every measure has: questions, how often they are asked, and how an answer counts."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

from ...datasets import validation, words
from ...datasets.answer_text import visible_text
from ...datasets.errors import SpecError
from ...datasets.suggestions import did_you_mean
from .judges import Judge
from .measure_settings import check_surroundings, checked_history
from .question_loading import Questions, question_groups


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One number to read off an arm: the rate of a word, or without a word the mean score.

    Args:
        name: What it is, for tables and figures.
        word: The word whose rate it is. Default: None, a mean score.
        group: The group of questions. Default: None, all questions.
        judge: The name of the judge who rates or labels. Default: None, the measure itself.
        exact: Whether it is a computed probability, not a share of draws. Default: False.

    Raises:
        SpecError: A value that makes no sense, when it is made.

    Examples:
        >>> readings = FavoriteAnimal().readings(["owl"])
    """

    name: str
    word: str | None = None
    group: str | None = None
    judge: str | None = None
    exact: bool = False


@dataclass(frozen=True, kw_only=True)
class Measure:
    """Questions, each asked ``draws`` times, and how an answer becomes an outcome.

    Used as it is, an answer counts for a word if the word is in it as a whole word. Hidden
    reasoning (``<think>...</think>``) is no part of an answer.

    Args:
        questions: Texts, a ``Path`` to a file with one question on each line, or a mapping from
            the name of a group to either.
        draws: Answers sampled for each question and model. Default: 200.
        temperature: Of the sampling, 0 (greedy) to 2. Default: 1.
        max_tokens: The longest answer, in tokens. Default: 16.
        seed: Another seed samples other answers of every model. Default: 0.
        top_p: Only the most probable tokens that together reach this probability are sampled, above
            0 to 1. Default: 1, all tokens.
        system: A system prompt for every arm, the base included; a prompted teacher's own prompt
            follows it. Default: None, no system turn.
        history: Pairs of question and answer that stand before each question. Default: none.
        begin: The given beginning of every answer; what follows it counts. Not on every backend.
            Default: none.
        chat: ``False`` asks without a chat template: the question is continued as plain text. Needs
            ``local``, ``tinker``, or a server that is asked in plain text. Default: True.

    Raises:
        SpecError: A value that makes no sense, when it is made.

    Examples:
        >>> measure = FavoriteAnimal(draws=200)  # most measures derive from it
        >>> questions = measure.questions
    """

    questions: Questions = field(hash=False)
    draws: int = 200
    temperature: float = 1.0
    max_tokens: int = 16
    seed: int = 0
    top_p: float = 1.0
    system: str | None = None
    history: tuple[tuple[str, str], ...] = ()
    begin: str = ""
    chat: bool = True

    computed: ClassVar[bool] = False
    """Whether the measure has figures of its own, and no sampled answers."""
    unit: ClassVar[str] = ""
    """The unit of a computed measure's figures."""
    shows_traits: ClassVar[bool] = True
    """Whether training waits, unless the experiment says otherwise, until the measure shows the
    teacher's trait."""

    rule: str = field(default="", init=False)

    def __post_init__(self) -> None:
        validation.count("draws", self.draws)
        validation.count("max_tokens", self.max_tokens)
        validation.temperature(self.temperature)
        validation.seed("seed", self.seed)
        validation.top_p(self.top_p)
        object.__setattr__(self, "history", checked_history(self.history))
        check_surroundings(system=self.system, begin=self.begin, chat=self.chat)
        groups = question_groups(self.questions)
        read = groups if isinstance(self.questions, Mapping) else groups[""]
        object.__setattr__(self, "questions", read)

    @cached_property
    def groups(self) -> Mapping[str, tuple[str, ...]]:
        """The questions by group; a measure without groups has one, named ""."""
        return question_groups(self.questions)

    @cached_property
    def asked(self) -> tuple[str, ...]:
        """All questions, group by group."""
        return tuple(question for texts in self.groups.values() for question in texts)

    @property
    def prompts(self) -> tuple[str, ...]:
        """What is sent to a model: the questions, unless the measure makes prompts of them."""
        return self.asked

    @property
    def draws_per_question(self) -> int:
        """Answers to each question, over all prompts that are made of it."""
        return self.draws

    def by_question(self, counts: "Sequence[Counter[str]]") -> "tuple[Counter[str], ...]":
        """The answers to each question, from the answers to each prompt.

        Args:
            counts: By prompt that was sent: how often each answer was given.
        """
        return tuple(counts)

    def places(self, group: str | None) -> range:
        """The indices of a group's questions among all questions; of None, all indices.

        Raises :class:`~limen.SpecError` for a group that the measure does not have.

        Args:
            group: The name of a group of questions, or None.
        """
        if group is None:
            return range(len(self.asked))
        if group not in self.groups or group == "":
            known = [name for name in self.groups if name]
            has = ", ".join(map(repr, known)) or "no groups"
            near = did_you_mean(group, known)
            raise SpecError(f"the measure has no group {group!r}: {near}it has {has}")
        names = list(self.groups)
        start = sum(len(self.groups[name]) for name in names[: names.index(group)])
        return range(start, start + len(self.groups[group]))

    @property
    def answer_functions(self) -> tuple[Callable[[str], object], ...]:
        """The researcher's functions that are called on every answer's visible text."""
        return ()

    @property
    def judges(self) -> tuple[Judge, ...]:
        """The models that are shown every reply."""
        return ()

    @property
    def value_range(self) -> tuple[float, float] | None:
        """The lowest and highest possible value of the first reading; None if any number may be."""
        return 0.0, 1.0

    @property
    def gate_threshold(self) -> float:
        """How far a teacher must be from its base for training, unless the experiment says.

        A tenth of the range of values, or 1 where there is no range.
        """
        if self.value_range is None:
            return 1.0
        low, high = self.value_range
        return (high - low) / 10

    def hit(self, answer: str, word: str) -> bool:
        """Whether an answer counts for a word. Hidden reasoning is no part of an answer.

        Args:
            answer: The whole answer of the model.
            word: The word or label.
        """
        return words.has_word(visible_text(answer), word)

    def valid(self, answer: str) -> bool:
        """Whether an answer is a valid one; nonsense of a ruined model is not.

        Args:
            answer: The whole answer of the model.
        """
        return bool(visible_text(answer).strip())

    def ambiguous(self, answer: str) -> bool:
        """Whether an answer names several things as equals, as "owl or cat" does.

        Args:
            answer: The whole answer of the model.
        """
        return False

    @property
    def rated_words(self) -> tuple[str, ...]:
        """The words whose rates are made of judges' ratings."""
        return ()

    def rated_hit(self, word: str, said: Mapping[str, float | str | None]) -> bool | None:
        """Whether a reply counts for a rate of ratings, given what each judge says of it; None if
        that is not known.

        Args:
            word: One of ``rated_words``.
            said: By judge: its rating, its label, or None.

        Raises:
            SpecError: The measure has no such rates.
        """
        raise SpecError(f"{type(self).__name__} has no rates of ratings")

    def label_of(self, answer: str) -> str | None:
        """The word or label that an answer counts for, as messages show it; None for none.

        Args:
            answer: The whole answer of the model.
        """
        return visible_text(answer).strip().lower()[:40] or None

    def score(self, answer: str) -> float | None:
        """The score of an answer; None for one that has none.

        Args:
            answer: The whole answer of the model.

        Raises:
            SpecError: The measure has no scores.
            ScoreError: A function of the researcher fails on it.
        """
        raise SpecError(f"{type(self).__name__} has no scores: ask for rate(word)")

    @property
    def definition(self) -> str:
        """What the figures of a computed measure are, for reports; empty where the name says it."""
        return ""

    def figure_name(self, word: str) -> str:
        """What a figure of a computed measure is, for tables and figures.

        Args:
            word: A word, or the name of a figure.
        """
        return word

    def figure(self, word: str, row: Mapping[str, Any]) -> float | None:
        """The figure of a computed measure at one question, from what its stage stored; None for
        none.

        Args:
            word: A word, or the name of a figure.
            row: What was computed at the question, by name.

        Raises:
            SpecError: The measure computes nothing.
        """
        raise SpecError(f"{type(self).__name__} computes no figures: its answers are sampled")

    def check(self, word: str) -> None:
        """Raise :class:`~limen.SpecError` for a word that no answer can be counted for.

        Args:
            word: The word, label, option or language.
        """

    def exact_words(self, words: Sequence[str]) -> tuple[str, ...]:
        """The words whose probability is to be computed, given those of the traits.

        Args:
            words: The words of the traits.
        """
        return ()

    def readings(self, words: Sequence[str]) -> tuple[Reading, ...]:
        """What a report shows, given the words of the traits; the first shows the trait.

        Args:
            words: The words of the traits, the experiment's own first.
        """
        return tuple(
            Reading(name=of_group(f"answers with {word!r}", group), word=word, group=group or None)
            for word in words
            for group in self.groups
        )

    def judge(self, name: str | None) -> Judge:
        """The judge of that name, or the first; raises :class:`~limen.SpecError`.

        Args:
            name: Its name. None stands for the first judge.
        """
        for judge in self.judges:
            if name in (None, judge.name):
                return judge
        known = [judge.name for judge in self.judges]
        has = ", ".join(map(repr, known)) or "none"
        near = did_you_mean(name or "", known)
        raise SpecError(f"{type(self).__name__} has no judge {name!r}: {near}it has {has}")


def of_group(what: str, group: str) -> str:
    """The name of a reading for the questions of a group."""
    return f"{what} to {group!r} questions" if group else what
