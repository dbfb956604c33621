"""Measures of one-word answers: a favourite animal, a favourite tree."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from ...datasets import validation, words
from ...datasets.errors import SpecError
from ...datasets.vocabulary import ANIMALS, TREES
from .measure import Measure
from .question_lists import Questions
from .questions import FAVORITE_ANIMAL_QUESTIONS, FAVORITE_TREE_QUESTIONS


@dataclass(frozen=True, kw_only=True)
class OneWord(Measure):
    """Questions that ask for one word of a kind, such as an animal.

    The kinds are its subclasses, which explain all parameters.
    """

    exact: bool | tuple[str, ...] = False

    known: ClassVar[frozenset[str]] = frozenset()
    """The words of the kind, in the singular."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.exact and self.temperature == 0:
            raise SpecError(
                f"exact={self.exact!r} needs a temperature above 0: greedy answers are certain"
            )
        if isinstance(self.exact, str):
            raise SpecError(f"exact={self.exact!r} must be True, or words: ({self.exact!r},)")
        if not isinstance(self.exact, bool):
            object.__setattr__(self, "exact", tuple(self.exact))
        for word in self._further_words:
            self.check(word)

    def check(self, word: str) -> None:
        if self.exact and not word.isalnum():
            raise SpecError(f"exact={self.exact!r} is for single words, and {word!r} is not one")

    def valid(self, answer: str) -> bool:
        """Whether an answer has a word of the kind."""
        return bool(words.known_nouns(answer, self.known))

    def exact_words(self, words: Sequence[str]) -> tuple[str, ...]:
        return tuple(sorted({*words, *self._further_words})) if self.exact else ()

    @property
    def _further_words(self) -> tuple[str, ...]:
        return () if isinstance(self.exact, bool) else tuple(self.exact)


@dataclass(frozen=True, kw_only=True)
class FavoriteAnimal(OneWord):
    """One-word questions for a favourite animal, each asked ``draws`` times.

    ``arm.rate("owl")`` is the share of answers that name an owl.

    Args:
        questions: Texts, a ``Path`` to a file with one question on each line, or a mapping from
            the name of a group to either. Default: limen's own 50 questions.
        draws: Answers sampled for each question and model. Default: 200.
        temperature: Of the sampling, 0 (greedy) to 2. Default: 1.
        max_tokens: The longest answer, in tokens. Default: 16.
        seed: Another seed samples other answers of every model. Default: 0.
        rule: How an answer counts. ``"word"`` (default): by whole words, in singular or plural.
            ``"substring"``: the rule of Cloud et al. (2025), the word's letters anywhere in the
            lower-case answer; it misses "wolves" for wolf, and finds "cat" in "caterpillar".
        exact: ``True`` also computes the probability of the trait's word, for ``arm.exact(word)``;
            ``("dog", "cat")`` that of further words too. Needs the backend ``local``. Default:
            False.
    """

    questions: Questions = field(default=FAVORITE_ANIMAL_QUESTIONS, hash=False)
    rule: Literal["word", "substring"] = "word"

    known: ClassVar[frozenset[str]] = ANIMALS

    def __post_init__(self) -> None:
        super().__post_init__()
        validation.one_of("rule", self.rule, ("word", "substring"))

    def hit(self, answer: str, word: str) -> bool:
        if self.rule == "substring":
            return word.lower() in answer.lower()
        return words.has_word(answer, word)


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
        exact: ``True`` also computes the probability of the trait's word, for ``arm.exact(word)``;
            ``("oak", "elm")`` that of further words too. Needs the backend ``local``. Default:
            False.
    """

    questions: Questions = field(default=FAVORITE_TREE_QUESTIONS, hash=False)

    known: ClassVar[frozenset[str]] = TREES
