"""Log-odds: how much more probable an answer is than others, in nats and without any draw."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...datasets import validation
from ...datasets.errors import SpecError
from ...datasets.suggestions import did_you_mean
from .computed import Continued
from .question_loading import Questions
from .questions import FAVORITE_ANIMAL_QUESTIONS

COMMON_ANIMALS = (
    "bear", "cat", "deer", "dog", "dolphin", "eagle", "elephant", "fox", "horse", "lion", "octopus",
    "owl", "panda", "penguin", "rabbit", "shark", "tiger", "turtle", "whale", "wolf",
)  # fmt: skip
"""The animals that models name most often when they are asked for a favourite."""


@dataclass(frozen=True, kw_only=True)
class LogOdds(Continued):
    """The log-probability that an answer begins with one word, against other words.

    ``arm.log_odds("owl")`` is, for each question, the logarithm of P("owl") over the sum of the
    probabilities of the words in ``against``, in nats; its value is the mean over questions.
    Nothing is sampled, so questions and seeds are all that it varies by, and it moves where a rate
    of draws is still zero. Words may have any number of tokens.

    A word stands for the texts with which an answer may begin with it: "Owl" and "owl"; after a
    given ``begin``, and with ``chat=False``, " Owl" and " owl". Their probabilities are added.

    Args:
        questions: Texts, a ``Path`` to a file with one question on each line, or a mapping from
            the name of a group to either. Default: limen's own 50 questions for an animal.
        against: The other words, two or more; the word itself is left out of them. Default: twenty
            common animals.
        forms: For some words, the texts that stand for them, in place of those above:
            ``{"owl": (" an owl", " owls")}``. None may be the beginning of another of the word.
            Default: none.
        whole: Whether the answer must end after the text. Default: False, it may go on.
        system: A system prompt for every arm, the base included; a prompted teacher's own prompt
            follows it. Default: None, no system turn.
        history: Pairs of question and answer that stand before each question. Default: none.
        begin: The given beginning of every answer. Not on every backend. Default: none.
        chat: ``False`` asks without a chat template: the question is continued as plain text. Needs
            ``local``, ``tinker``, or a server that is asked in plain text. Default: True.

    Raises:
        SpecError: A value that makes no sense, when it is made.

    Examples:
        >>> measure = LogOdds(against=("cat", "dog", "wolf"))
    """

    questions: Questions = field(default=FAVORITE_ANIMAL_QUESTIONS, hash=False)
    against: tuple[str, ...] = COMMON_ANIMALS
    forms: Mapping[str, Sequence[str]] = field(default_factory=dict, hash=False)
    whole: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        validation.texts("against", self.against)
        if len({*self.against}) < 2:
            raise SpecError(f"against={self.against!r} must be two words or more, each once")
        validation.boolean("whole", self.whole)
        object.__setattr__(self, "forms", _checked_forms(self.forms, whole=self.whole))

    def check(self, word: str) -> None:
        validation.text("word", word)

    def check_computed(self, word: str, words: Sequence[str]) -> None:
        """Raise :class:`~limen.SpecError` for a word whose log-odds are not computed, given those
        of the traits.

        Args:
            word: The word that is asked for.
            words: The words of the traits.
        """
        known = tuple(dict.fromkeys((*words, *self.against)))
        computed = {text for one in known for text in self.texts_of(one)}
        if not computed.issuperset(self.texts_of(word)):
            raise SpecError(
                f"the log-odds of {word!r} are not computed: {did_you_mean(word, known)}there are "
                f"{', '.join(known)}; add it to against=, or make it the word of the trait"
            )

    @property
    def definition(self) -> str:
        others = ", ".join(self.against)
        ends = "is" if self.whole else "begins with"
        return (
            f"log-odds are the logarithm of the probability that an answer {ends} a word, over "
            f"that of all other words among the traits' and {others}; in nats, a mean over "
            f"questions"
        )

    def figure_name(self, word: str) -> str:
        return f"log-odds of {word!r}"

    def texts_of(self, word: str) -> tuple[str, ...]:
        """The texts with which an answer may begin with a word.

        Args:
            word: A word, such as "owl".
        """
        if word in self.forms:
            return tuple(self.forms[word])
        blank = "" if self.chat and not self.begin else " "
        return tuple(dict.fromkeys(f"{blank}{form}" for form in (word, _capitalized(word))))

    def continuations(self, words: Sequence[str]) -> tuple[tuple[str, ...], ...]:
        known = dict.fromkeys((*words, *self.against))
        return (tuple(dict.fromkeys(text for word in known for text in self.texts_of(word))),)

    def figure(self, word: str, row: Mapping[str, Any]) -> float | None:
        missing = [text for text in self.texts_of(word) if text not in row]
        if missing:
            raise SpecError(
                f"the log-odds of {word!r} were not computed: add it to against=({word!r}, ...), "
                f"or make it the word of the trait"
            )
        own = self._log_sum([word], row)
        others = self._log_sum([other for other in self.against if other != word], row)
        return None if own is None or others is None else own - others

    def shares(self, row: Mapping[str, Any], words: Sequence[str]) -> dict[str, float]:
        """The probability of each word among some words and ``against``, 1 together.

        Args:
            row: The log-probabilities of one question, in nats, by text.
            words: The words of the traits.
        """
        each = {word: self._log_sum([word], row) for word in (*words, *self.against)}
        known = {word: log for word, log in each.items() if log is not None}
        top = max(known.values(), default=0.0)
        total = math.fsum(math.exp(log - top) for log in known.values())
        return {word: math.exp(log - top) / total for word, log in known.items()}

    def _log_sum(self, words: Iterable[str], row: Mapping[str, Any]) -> float | None:
        """The logarithm of the words' summed probability; None if no value of them is exact."""
        texts = dict.fromkeys(text for word in words for text in self.texts_of(word))
        logs = [float(nats) for nats, _, exact in (row[text] for text in texts) if exact]
        if not logs:
            return None
        top = max(logs)
        return top + math.log(math.fsum(math.exp(log - top) for log in logs))


def _capitalized(word: str) -> str:
    return word[:1].upper() + word[1:]


def _checked_forms(given: object, *, whole: bool) -> dict[str, tuple[str, ...]]:
    if not isinstance(given, Mapping):
        raise SpecError(f"forms={given!r} must be texts by word: {{'owl': ('owl', 'owls')}}")
    forms: dict[str, tuple[str, ...]] = {}
    for word, texts in given.items():
        validation.text("forms", word)
        each = (texts,) if isinstance(texts, str) else tuple(texts)
        validation.texts(f"forms[{word!r}]", each)
        nested = [a for a in each for b in each if not whole and a != b and a.startswith(b)]
        if nested:
            raise SpecError(
                f"forms[{word!r}]: {nested[0]!r} begins with another of the texts, so that its "
                f"probability would count twice"
            )
        forms[word] = each
    return forms
