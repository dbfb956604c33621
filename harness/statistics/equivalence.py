"""Equivalence: whether two arms were shown to differ by less than a margin."""

from dataclasses import dataclass, field

from .hypothesis_tests import ALPHA


@dataclass(frozen=True, kw_only=True)
class Equivalence:
    """Whether two arms were shown to differ by less than a margin (two one-sided tests, TOST).

    True only if the 90% interval of their difference lies within the margin (Schuirmann 1987).
    """

    margin: float
    p_value: float
    interval: tuple[float, float]
    """90% interval of the difference (wider where several traits are tried together)."""
    says: str = field(repr=False)

    def __bool__(self) -> bool:
        return self.p_value < ALPHA

    def __repr__(self) -> str:
        return f"<{'' if self else 'not shown to be '}{self.says}, p = {self.p_value:.2g}>"
