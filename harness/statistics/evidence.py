"""Evidence: the statements that a test makes of quantities, and whether a verdict supports them.

A comparison such as ``effect > 0.3`` is of the point estimate. Whoever wants to know if the data
support it as well gives arms a listener, which receives every comparison that is made.
"""

from collections.abc import Callable
from dataclasses import dataclass

from .hypothesis_tests import ALPHA


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """A statement about a quantity, and whether a statistical verdict supports it."""

    statement: str
    """The statement, such as ``effect > 0.3``."""
    supported: bool | None
    """None: it counts neither for nor against a claim, as a p-value that is not small."""
    outcome: bool | None
    """What the comparison gave; None: a conclusion in words was read."""
    quantity: object
    """What the statement is about, which describes itself by its ``repr``."""


EvidenceListener = Callable[[Evidence], None]


class PValue(float):
    """A p-value: a float whose comparisons are evidence. ``p < 0.05`` is a verdict."""

    listener: EvidenceListener | None
    is_conclusive: Callable[[], bool]
    """Whether there is a verdict besides: a small p-value alone may rest on missing answers."""
    quantity: object
    """What it is the p-value of."""

    def __new__(
        cls,
        value: float,
        listener: EvidenceListener | None = None,
        *,
        quantity: object,
        is_conclusive: Callable[[], bool] = lambda: True,
    ) -> "PValue":
        made = super().__new__(cls, value)
        made.listener = listener
        made.is_conclusive = is_conclusive
        made.quantity = quantity
        return made

    def __reduce__(self) -> tuple[type[float], tuple[float]]:
        return float, (float(self),)

    def __lt__(self, other: float) -> bool:
        return self._noted("<", other, super().__lt__(other), supported=self._is_significant)

    def __le__(self, other: float) -> bool:
        return self._noted("<=", other, super().__le__(other), supported=self._is_significant)

    def __gt__(self, other: float) -> bool:
        return self._noted(">", other, super().__gt__(other), supported=False)

    def __ge__(self, other: float) -> bool:
        return self._noted(">=", other, super().__ge__(other), supported=False)

    @property
    def _is_significant(self) -> bool:
        return self.listener is not None and float(self) < ALPHA and self.is_conclusive()

    def _noted(self, op: str, other: float, outcome: bool, *, supported: bool) -> bool:
        """Note a comparison. That a p-value is large supports nothing."""
        if self.listener is not None and outcome is not NotImplemented:
            self.listener(
                Evidence(
                    statement=f"p = {float(self):.2g} {op} {other:g}",
                    supported=supported if outcome else None,
                    outcome=outcome,
                    quantity=self.quantity,
                )
            )
        return outcome
