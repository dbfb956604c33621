"""Numbers that are compared like plain numbers, and explain themselves when an assertion fails."""

from abc import ABC, abstractmethod


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
    """A quantity that a failed assertion shows with everything that it rests on."""

    @abstractmethod
    def explain(self) -> list[str]:
        """The quantity and everything that it rests on, one line each."""


def explain_comparison(op: str, left: object, right: object) -> list[str] | None:
    """The lines that explain a failed comparison with a quantity; None if neither side is one."""
    explained = [
        line for side in (left, right) if isinstance(side, Explained) for line in side.explain()
    ]
    if not explained:
        return None
    shown = (f"{float(v):.4g}" if isinstance(v, Quantity) else f"{v!r}" for v in (left, right))
    return [f" {op} ".join(shown), *explained]
