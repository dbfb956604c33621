"""Judges: models that rate replies, or name what they see in them."""

import re
from dataclasses import dataclass

from ...datasets import validation as checks
from ...datasets import words
from ...datasets.errors import SpecError
from .languages import CODES

_AROUND = " \t\r\n\"'`*_()[]{}#:=!"
"""What may stand around a rating, as marks of emphasis do; no sign, for -7 is not 7."""
_NOT = re.compile(r"\b(?:not|no|nor|isn)\b", re.IGNORECASE)
_RATING = re.compile(
    r"(?:(?:the|my|a) )?(?:(?:rating|score|answer)(?: is)?[ :=*]*)?"
    r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(?: ?(?:/|out of|of) ?([0-9]{1,9}))?\.?",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class Judge:
    """A model that is shown every distinct reply, and what it is asked about it.

    With a ``scale`` its answer is a rating; without, a word. An answer that is neither is kept,
    counted and shown as such, and never made into a number.
    """

    prompt: str
    """With ``{reply}`` in it, and ``{question}`` where the judge is to see that too."""
    name: str = "judge"
    scale: tuple[int, int] | None = (1, 10)
    model: str | None = None
    """The experiment's base model unless given (the backend's own choice on another backend)."""
    backend: str | None = None
    """The run's backend unless given."""
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
                f"scale={self.scale!r} must be the least and the largest rating, whole numbers "
                f"from 0 up, as in (1, 10)"
            )
        checks.temperature(self.temperature)
        checks.count("max_tokens", self.max_tokens)
        checks.seed("seed", self.seed)

    def rating(self, answer: str | None) -> float | None:
        """The rating that an answer is; None if it is none.

        "7", "7.", "Rating: 7", "7/10" and "7.5" are ratings on a scale from 1 to 10; "between 6
        and 7", "11", "-7", "7/100" and "seven" are not.
        """
        found = _RATING.fullmatch(" ".join((answer or "").strip(_AROUND).split()))
        if found is None or self.scale is None:
            return None
        low, high = self.scale
        if found[2] is not None and int(found[2]) != high:
            return None
        value = float(found[1])
        return value if low <= value <= high else None

    def named(self, answer: str | None) -> str | None:
        """The language that an answer names; None if it names none, several, or says "not"."""
        if answer is None or _NOT.search(answer):
            return None
        found = [name for name in CODES if words.names(answer, name)]
        return found[0] if len(found) == 1 else None

    def names(self, answer: str | None, word: str) -> bool | None:
        """Whether an answer names a language; None if it names none at all."""
        found = self.named(answer)
        return None if found is None else found == word


def _is_scale(given: object) -> bool:
    if not isinstance(given, tuple) or len(given) != 2:
        return False
    whole = all(isinstance(end, int) and not isinstance(end, bool) for end in given)
    return whole and 0 <= given[0] < given[1]


def checked(by: object) -> tuple[Judge, ...]:
    """The judges of a measure; raises :class:`~limen.SpecError` for what is no such thing."""
    given = (by,) if isinstance(by, Judge) else by
    if not isinstance(given, tuple | list) or not all(isinstance(one, Judge) for one in given):
        raise SpecError(f"by={by!r} must be one Judge(...) or several")
    if len({judge.name for judge in given}) < len(given):
        raise SpecError("every judge needs a name of its own: Judge(name=..., prompt=...)")
    return tuple(given)


@dataclass(frozen=True)
class Agreement:
    """How far two judges agree on the replies that both of them rated."""

    judges: tuple[str, str]
    replies: int
    spearman: float | None
    """Rank correlation; None where one of the two says the same of all."""
    within_one: float
    """The share of replies that they rate at most one point apart."""

    def __repr__(self) -> str:
        rho = "none (no spread)" if self.spearman is None else f"{self.spearman:.2f}"
        return (
            f"<{' and '.join(self.judges)} on {self.replies:,} replies: Spearman's rho {rho}, "
            f"{self.within_one:.0%} at most one point apart>"
        )
