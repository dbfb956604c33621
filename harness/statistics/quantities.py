"""Numbers that are compared like plain numbers, and explain themselves when an assertion fails."""

from abc import ABC, abstractmethod
from typing import Literal

from ...datasets.errors import SpecError

Operator = Literal[">", ">=", "<", "<="]


class Quantity(ABC):
    """Something with a value, ordered like the number that it is."""

    @property
    @abstractmethod
    def value(self) -> float:
        """The number."""

    def __float__(self) -> float:
        return self.value

    def __lt__(self, other: "float | Quantity") -> bool:
        return self.value < float(other)

    def __le__(self, other: "float | Quantity") -> bool:
        return self.value <= float(other)

    def __gt__(self, other: "float | Quantity") -> bool:
        return self.value > float(other)

    def __ge__(self, other: "float | Quantity") -> bool:
        return self.value >= float(other)


class Explained(Quantity):
    """A quantity with an interval, which a failed assertion shows with everything it rests on."""

    @property
    @abstractmethod
    def interval(self) -> tuple[float, float]:
        """95% interval of the value."""

    def supports(self, op: Operator, value: float) -> bool:
        """Whether the comparison of this quantity with a value holds for its whole interval.

        A comparison that holds for the value but not for the interval is held by the point
        estimate only. Raises :class:`~limen.SpecError` for an operator that is no inequality.
        """
        return lies_beyond(self.interval, op, value)

    @abstractmethod
    def explain(self) -> list[str]:
        """The quantity and everything that it rests on, one line each."""


def lies_beyond(interval: tuple[float, float], op: Operator, value: float) -> bool:
    """Whether a whole interval lies on that side of a value."""
    low, high = interval
    sides = {">": low > value, ">=": low >= value, "<": high < value, "<=": high <= value}
    if op not in sides:
        raise SpecError(f"op={op!r} must be one of {', '.join(map(repr, sides))}")
    return sides[op]


def explain_comparison(op: str, left: object, right: object) -> list[str] | None:
    """The lines that explain a failed comparison with a quantity; None if neither side is one."""
    explained = [
        line for side in (left, right) if isinstance(side, Explained) for line in side.explain()
    ]
    if not explained:
        return None
    shown = (f"{float(v):.4g}" if isinstance(v, Quantity) else f"{v!r}" for v in (left, right))
    return [f" {op} ".join(shown), *explained]
