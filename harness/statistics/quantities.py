"""Numbers that are compared like plain numbers, and explain themselves when an assertion fails."""

from abc import ABC, abstractmethod

from ...datasets.errors import SpecError
from .evidence import Evidence, EvidenceListener, PValue

OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}


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

    @property
    def evidence_listener(self) -> EvidenceListener | None:
        """Receives the comparisons that are made with the quantity; None if nothing does."""
        return None

    def supports(self, op: str, threshold: float) -> bool:
        """Whether the whole 95% interval lies on the side of a threshold that ``op`` names.

        Whatever missing answers were; and where arms are compared, among valid answers alone too.
        An interval without any width supports nothing, and nothing is supported where no verdict
        is possible. Raises :class:`~limen.SpecError` for another ``op``.

        Args:
            op: One of ``<``, ``<=``, ``>``, ``>=``.
            threshold: In the unit of the value: 0.03 is three points of a rate.
        """
        supported = self.is_beyond(op, threshold)
        statement = f"{self.value:.4g} {op} {threshold:.4g}, by its interval"
        self._note(supported, statement, outcome=supported)
        return supported

    def is_beyond(self, op: str, threshold: float) -> bool:
        """As :meth:`supports`, but no evidence for a claim: for code that shows a quantity.

        Args:
            op: One of ``<``, ``<=``, ``>``, ``>=``.
            threshold: In the unit of the value.

        Raises:
            SpecError: Another ``op``.
        """
        return lies_beyond(self.interval, op, threshold)

    def __lt__(self, other: float | Quantity) -> bool:
        return self._noted("<", other, super().__lt__(other))

    def __le__(self, other: float | Quantity) -> bool:
        return self._noted("<=", other, super().__le__(other))

    def __gt__(self, other: float | Quantity) -> bool:
        return self._noted(">", other, super().__gt__(other))

    def __ge__(self, other: float | Quantity) -> bool:
        return self._noted(">=", other, super().__ge__(other))

    def _noted(self, op: str, other: float | Quantity, outcome: bool) -> bool:
        """Give the listener the comparison, or its opposite if it does not hold."""
        listener = self.evidence_listener
        if listener is not None:
            held = op if outcome else OPPOSITE[op]
            difference = self._less(other)
            supported = difference is not None and difference.is_beyond(held, 0.0)
            if not isinstance(other, Quantity):
                supported = self.is_beyond(held, float(other))
            statement = f"{self.value:.4g} {held} {float(other):.4g}"
            quantity = self if difference is None else difference
            listener(
                Evidence(
                    statement=statement, supported=supported, outcome=outcome, quantity=quantity
                )
            )
        return outcome

    def _note(
        self, conclusive: bool, statement: str, *, outcome: bool | None, test: object = None
    ) -> None:
        """Give the listener a conclusion, or that there is none; of a ``test`` if not of itself."""
        if self.evidence_listener is not None:
            self.evidence_listener(
                Evidence(
                    statement=statement,
                    supported=True if conclusive else None,
                    outcome=outcome,
                    quantity=self if test is None else test,
                )
            )

    def _less(self, other: object) -> "Explained | None":
        """The difference to another quantity, if there is a test of it."""
        return None

    @abstractmethod
    def explain(self) -> list[str]:
        """The quantity and everything that it rests on, one line each."""

    def _repr_html_(self) -> str:
        """What notebooks show."""
        from ...datasets.html_display import lines_as_html

        return lines_as_html(self.explain())


class Concluded(Explained):
    """A quantity with a test: its p-value, and the claim that a spec reads, are evidence."""

    @property
    @abstractmethod
    def corrected_p_value(self) -> float:
        """Two-sided, corrected for the family and the looks, as a plain number."""

    @property
    @abstractmethod
    def is_conclusive(self) -> bool:
        """Whether a verdict was found, in whatever direction."""

    @property
    @abstractmethod
    def stated_claim(self) -> str:
        """The conclusion in words, for those who only show it: reading it is no evidence."""

    @property
    def p_value(self) -> float:
        """Two-sided, corrected for the family and the looks."""
        return PValue(
            self.corrected_p_value,
            self.evidence_listener,
            quantity=self,
            is_conclusive=lambda: self.is_conclusive,
        )

    @property
    def claim(self) -> str:
        """The conclusion that it supports, in words."""
        self._note(self.is_conclusive, f"the claim is: {self.stated_claim}", outcome=None)
        return self.stated_claim


def lies_beyond(interval: tuple[float, float], op: str, threshold: float) -> bool:
    """Whether a whole interval lies on the side of a threshold that ``op`` names."""
    if op not in OPPOSITE:
        raise SpecError(f"op={op!r} must be one of {', '.join(map(repr, OPPOSITE))}")
    low, high = interval
    return low < high and (low > threshold if op in (">", ">=") else high < threshold)


def explain_comparison(op: str, left: object, right: object) -> list[str] | None:
    """The lines that explain a failed comparison with a quantity; None if neither side is one."""
    explained = [
        line for side in (left, right) if isinstance(side, Explained) for line in side.explain()
    ]
    if not explained:
        return None
    shown = (f"{float(v):.4g}" if isinstance(v, Quantity) else f"{v!r}" for v in (left, right))
    return [f" {op} ".join(shown), *explained]
