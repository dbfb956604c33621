"""Judges: models that rate replies, or name what they see in them."""

import re
from dataclasses import dataclass

from ...datasets import validation, words
from ...datasets.errors import SpecError
from .languages import CODES

_MARKUP = " \t\r\n\"'`*_()[]{}#:=!"
"""What may stand around a rating, such as marks of emphasis; no sign, since -7 is not 7."""
_NEGATION = re.compile(r"\b(?:not|no|nor|isn)\b", re.IGNORECASE)
_RATING = re.compile(
    r"(?:(?:the|my|a) )?(?:(?:rating|score|answer)(?: is)?[ :=*]*)?"
    r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(?: ?(?:/|out of|of) ?([0-9]{1,9}))?\.?",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class Judge:
    """A model that is shown every distinct reply, and what it is asked about the reply.

    With a ``scale`` its answer is a rating; with ``labels`` it is one of these; with neither, the
    name of a language. Any other answer is kept, counted and shown as such, and never made into a
    number or a label.

    Args:
        prompt: What the judge is asked, with ``{reply}`` in it, and ``{question}`` where the judge
            is to see the question too.
        name: The judge's name, for ``arm.scores(name)`` and for tables. Default: "judge".
        scale: The lowest and the highest rating, whole numbers from 0 up; None for a judge that
            answers with a word. Default: (1, 10).
        labels: What the judge answers with, such as ``("yes", "no")``; its answer must begin with
            one of them, in upper or lower case. Needs ``scale=None``. Default: none.
        special: Further answers of a judge that rates or labels, such as ``("CODE", "REFUSAL")``.
            They are no ratings, and ``arm.rate("REFUSAL", judge=...)`` counts them. Default: none.
        model: The judge's model. Default: the experiment's base model (on another backend, that
            backend's own choice).
        backend: The judge's backend. Default: the run's.
        temperature: Of the sampling, 0 (greedy) to 2. Default: 0.
        max_tokens: The longest answer, in tokens. Default: 16.
        seed: Another seed samples other answers of the judge. Default: 0.

    Raises:
        SpecError: A value that makes no sense, when it is made.

    Examples:
        >>> judge = Judge(prompt="Rate this answer from 1 to 10: {reply}", model="gpt-4.1")
    """

    prompt: str
    name: str = "judge"
    scale: tuple[int, int] | None = (1, 10)
    labels: tuple[str, ...] = ()
    special: tuple[str, ...] = ()
    model: str | None = None
    backend: str | None = None
    temperature: float = 0.0
    max_tokens: int = 16
    seed: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.prompt, str) or "{reply}" not in self.prompt:
            raise SpecError(
                f"a judge's prompt must have {{reply}} in it, where the reply goes: {self.prompt!r}"
            )
        if not isinstance(self.name, str) or not self.name.strip():
            raise SpecError(f"a judge's name must be a text, not {self.name!r}")
        if self.scale is not None and not _is_scale(self.scale):
            raise SpecError(
                f"scale={self.scale!r} must be the lowest and the highest rating, whole numbers "
                f"from 0 up, as in (1, 10)"
            )
        self._check_words()
        validation.temperature(self.temperature)
        validation.count("max_tokens", self.max_tokens)
        validation.seed("seed", self.seed)

    def _check_words(self) -> None:
        """Raise :class:`~limen.SpecError` for labels and special answers that cannot be told apart
        from each other, or stand beside a scale that excludes them.
        """
        for name, given in (("labels", self.labels), ("special", self.special)):
            if given != ():
                validation.texts(name, given)
        if self.labels and self.scale is not None:
            raise SpecError(f"labels={self.labels!r}: a judge that labels has scale=None")
        if self.special and self.scale is None and not self.labels:
            raise SpecError(f"special={self.special!r} needs a scale, or labels")
        words = [word.casefold() for word in self.words]
        if len({*words}) < len(words):
            raise SpecError(f"a judge's labels and special answers must differ: {self.words}")

    @property
    def words(self) -> tuple[str, ...]:
        """The labels and the special answers."""
        return (*self.labels, *self.special)

    def verdict(self, answer: str | None) -> float | str | None:
        """The rating, label or special answer that an answer gives; None if it gives none.

        Args:
            answer: What the judge answered; None if nothing came.
        """
        rating = self.rating(answer)
        return self._word(answer) if rating is None else rating

    def _word(self, answer: str | None) -> str | None:
        """The label or special answer that an answer begins with, the longest one."""
        said = (answer or "").strip(_MARKUP)
        for word in sorted(self.words, key=len, reverse=True):
            head, rest = said[: len(word)], said[len(word) :]
            if head.casefold() == word.casefold() and not rest[:1].isalnum():
                return word
        return None

    def rating(self, answer: str | None) -> float | None:
        """The rating that an answer gives; None if it gives none.

        "7", "7.", "Rating: 7", "7/10" and "7.5" are ratings on a scale from 1 to 10; "between 6
        and 7", "11", "-7", "7/100" and "seven" are not.

        Args:
            answer: What the judge answered; None if nothing came.
        """
        match = _RATING.fullmatch(" ".join((answer or "").strip(_MARKUP).split()))
        if match is None or self.scale is None:
            return None
        low, high = self.scale
        if match[2] is not None and int(match[2]) != high:
            return None
        value = float(match[1])
        return value if low <= value <= high else None

    def named(self, answer: str | None) -> str | None:
        """The label or special answer that an answer gives; of a judge without any, the language
        that it names. None if it names none or several languages, or has "not".

        Args:
            answer: What the judge answered; None if nothing came.
        """
        if self.words:
            verdict = self.verdict(answer)
            return f"{verdict:g}" if isinstance(verdict, int | float) else verdict
        if answer is None or _NEGATION.search(answer):
            return None
        languages = [name for name in CODES if words.has_word(answer, name)]
        return languages[0] if len(languages) == 1 else None

    def names(self, answer: str | None, word: str) -> bool | None:
        """Whether an answer names a language or a label; None if it names none at all.

        Args:
            answer: What the judge answered; None if nothing came.
            word: A label, a special answer, or the English name of a language.
        """
        named = self.named(answer)
        return None if named is None else named.casefold() == word.casefold()


def _is_scale(value: object) -> bool:
    if not isinstance(value, tuple) or len(value) != 2:
        return False
    low, high = value
    return validation.is_integer(low) and validation.is_integer(high) and 0 <= low < high


def validated_judges(by: object) -> tuple[Judge, ...]:
    """The judges of a measure, given one or several; raises :class:`~limen.SpecError`."""
    given = (by,) if isinstance(by, Judge) else by
    if not isinstance(given, tuple | list) or not all(isinstance(one, Judge) for one in given):
        raise SpecError(f"by={by!r} must be one Judge(...) or several")
    if len({judge.name for judge in given}) < len(given):
        raise SpecError("every judge needs a name of its own: Judge(name=..., prompt=...)")
    return tuple(given)


@dataclass(frozen=True)
class Agreement:
    """How far two judges agree on the replies that both of them rated.

    Args:
        judges: The names of the two.
        replies: The number of replies that both rated.
        spearman: Spearman's rank correlation, -1 to 1; None where one rates all replies the same.
        within_one: The share of replies that they rate at most one point apart, 0 to 1.

    Raises:
        SpecError: A value that makes no sense, when it is made.

    Examples:
        >>> rated.agreement().spearman
    """

    judges: tuple[str, str]
    replies: int
    spearman: float | None
    within_one: float

    def __repr__(self) -> str:
        rho = "none (no spread)" if self.spearman is None else f"{self.spearman:.2f}"
        return (
            f"<{' and '.join(self.judges)} on {self.replies:,} replies: Spearman's rho {rho}, "
            f"{self.within_one:.0%} at most one point apart>"
        )
