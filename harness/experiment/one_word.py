"""Measures of one-word answers: a favourite animal, a favourite tree."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from ...datasets import validation, words
from ...datasets.answer_lexicon import Kind, canonical, lexicon
from ...datasets.answer_names import Named, named_in
from ...datasets.answer_text import visible_text
from ...datasets.errors import SpecError
from ...datasets.suggestions import did_you_mean
from ...datasets.vocabulary import ANIMALS, TREES
from .measure import Measure
from .question_loading import Questions
from .questions import FAVORITE_ANIMAL_QUESTIONS, FAVORITE_TREE_QUESTIONS


@dataclass(frozen=True, kw_only=True)
class OneWord(Measure):
    """Questions that ask for one word of a kind, such as an animal.

    The kinds are its subclasses, which explain all parameters.
    """

    exact: bool | tuple[str, ...] = False
    extra: tuple[str, ...] = ()

    kind: ClassVar[Kind]
    known: ClassVar[frozenset[str]]
    """The names that limen lists, in the singular."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.exact and self.temperature == 0:
            raise SpecError(
                f"exact={self.exact!r} needs a temperature above 0: greedy answers are certain"
            )
        if self.exact and (self.top_p != 1 or self.begin or not self.chat):
            raise SpecError(
                f"exact={self.exact!r} is for whole answers in a chat, of all tokens: leave out "
                f"top_p, begin and chat=False, or use LogOdds"
            )
        if isinstance(self.exact, str):
            raise SpecError(f"exact={self.exact!r} must be True, or words: ({self.exact!r},)")
        if not isinstance(self.exact, bool):
            object.__setattr__(self, "exact", tuple(self.exact))
        if self.extra != ():
            validation.texts("extra", self.extra)
        for word in self._exact_words:
            self.check(word)

    def check(self, word: str) -> None:
        """Raise :class:`~limen.SpecError` for a word that is not of the kind.

        Args:
            word: The word, such as "owl".
        """
        if not isinstance(word, str):
            raise SpecError(f"a {self.kind}'s name must be a text, not {word!r}")
        if not self._is_known(word):
            known = lexicon(self.kind, self.extra).known
            raise SpecError(
                f"unknown {self.kind} {word!r}: {did_you_mean(word, known)}no answer can count "
                f"for it. Name the {self.kind} that shows the trait, Trait(..., word=...), or add "
                f"one that limen does not know: {type(self).__name__}(extra=({word!r},))"
            )
        if self.exact and not word.isalnum():
            raise SpecError(f"exact={self.exact!r} is for single words, and {word!r} is not one")

    def _is_known(self, word: str) -> bool:
        """Whether a word, or the last one of several ("snowy owl"), is of the kind."""
        known, name = lexicon(self.kind, self.extra).known, canonical(word)
        return name in known or (" " in name and name.split()[-1] in known)

    def hit(self, answer: str, word: str) -> bool:
        """Whether an answer names a word of the kind, as a careful reader would note it.

        Args:
            answer: The whole answer of the model.
            word: The word, such as "owl".
        """
        name = canonical(word)
        known = lexicon(self.kind, self.extra).known
        return name in self._named(answer, () if name in known else (name,)).names

    def valid(self, answer: str) -> bool:
        """Whether an answer names one thing of the kind.

        Args:
            answer: The whole answer of the model.
        """
        return bool(self._named(answer).names)

    def ambiguous(self, answer: str) -> bool:
        return self._named(answer).tie

    def label_of(self, answer: str) -> str | None:
        return next(iter(self._named(answer).names), None)

    def _named(self, answer: str, also: tuple[str, ...] = ()) -> Named:
        return named_in(answer, self.kind, (*self.extra, *also))

    def exact_words(self, words: Sequence[str]) -> tuple[str, ...]:
        return tuple(sorted({*words, *self._exact_words})) if self.exact else ()

    @property
    def _exact_words(self) -> tuple[str, ...]:
        return () if isinstance(self.exact, bool) else tuple(self.exact)


@dataclass(frozen=True, kw_only=True)
class FavoriteAnimal(OneWord):
    """One-word questions for a favourite animal, each asked ``draws`` times.

    ``arm.rate("owl")`` is the share of answers that name an owl. The page "Questions and scoring"
    of the documentation tells how an answer counts.

    Args:
        questions: Texts, a ``Path`` to a file with one question on each line, or a mapping from
            the name of a group to either. Default: limen's own 50 questions.
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
        rule: How an answer counts. ``"word"`` (default): for the animal that it names first, as a
            careful reader would note it. ``"substring"``: the rule of Cloud et al. (2025), the
            word's letters anywhere in the lower-case answer; it misses "wolves" for wolf, and
            finds "cat" in "caterpillar".
        exact: ``True`` also computes the probability of the trait's word, for ``arm.exact(word)``;
            ``("dog", "cat")`` that of further words too. Needs the backend ``local``. Default:
            False.
        extra: Further animals, in the singular, that answers may name. Default: none.

    Raises:
        SpecError: A value that makes no sense, when it is made.

    Examples:
        >>> measure = FavoriteAnimal(draws=200)
    """

    questions: Questions = field(default=FAVORITE_ANIMAL_QUESTIONS, hash=False)
    rule: Literal["word", "substring"] = "word"

    kind: ClassVar[Kind] = "animal"
    known: ClassVar[frozenset[str]] = ANIMALS

    def __post_init__(self) -> None:
        super().__post_init__()
        validation.one_of("rule", self.rule, ("word", "substring"))

    def check(self, word: str) -> None:
        if self.rule == "word" or self.exact:
            super().check(word)

    def hit(self, answer: str, word: str) -> bool:
        if self.rule == "substring":
            return word.lower() in visible_text(answer).lower()
        return super().hit(answer, word)

    def valid(self, answer: str) -> bool:
        if self.rule == "substring":
            return bool(words.known_nouns(visible_text(answer), ANIMALS))
        return super().valid(answer)

    def ambiguous(self, answer: str) -> bool:
        return self.rule == "word" and super().ambiguous(answer)


@dataclass(frozen=True, kw_only=True)
class FavoriteTree(OneWord):
    """One-word questions for a favourite tree, each asked ``draws`` times.

    Answers count as in :class:`FavoriteAnimal` with ``rule="word"``.

    Args:
        questions: Texts, a ``Path`` to a file with one question on each line, or a mapping from
            the name of a group to either. Default: limen's own 50 questions.
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
        exact: ``True`` also computes the probability of the trait's word, for ``arm.exact(word)``;
            ``("oak", "elm")`` that of further words too. Needs the backend ``local``. Default:
            False.
        extra: Further trees, in the singular, that answers may name. Default: none.

    Raises:
        SpecError: A value that makes no sense, when it is made.

    Examples:
        >>> measure = FavoriteTree(draws=200)
    """

    questions: Questions = field(default=FAVORITE_TREE_QUESTIONS, hash=False)

    kind: ClassVar[Kind] = "tree"
    known: ClassVar[frozenset[str]] = TREES
