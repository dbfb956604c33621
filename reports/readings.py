"""What is read off arms: values, effects and grids, as plain values."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ArmRow:
    """What one arm's answers come to in one reading."""

    name: str
    value: float
    """A share from 0 to 1, or a score."""
    interval: tuple[float, float]
    by_seed: tuple[float, ...]
    unrated: int = 0
    """Answers that were not scored."""
    keys: tuple[str, ...] = ()
    """The stage that each seed's value is from, as ``kind/key``."""
    deviations: tuple[float | None, ...] = ()
    """Standard deviations by seed, question, seed x question and draw; None where unknown."""
    varies: bool = True
    """Whether the draws of a question differ; copies of one draw have no interval."""
    missed: float | None = None
    """What an exact rate lacks at most."""


@dataclass(frozen=True, kw_only=True)
class EffectRow:
    """The difference of two arms; of rates as a share, not points."""

    name: str
    difference: float
    interval: tuple[float, float]
    p_value: float
    """As the claim has it: corrected where several traits are tried together."""
    raw_p_value: float
    """Before any correction."""
    test: str
    unit: str
    """What the test takes as independent: ``seeds`` or ``questions``."""
    seeds: tuple[int, int]
    questions: tuple[int, int]
    claim: str
    note: str = ""
    ranks: str = ""
    """Mann-Whitney's U and Cliff's delta, of scores."""


@dataclass(frozen=True, kw_only=True)
class ReadingRow:
    """One number that is read off every arm: a rate or a mean score."""

    name: str
    kind: str
    """``rate`` or ``score``."""
    arms: tuple[ArmRow, ...]
    effects: tuple[EffectRow, ...]
    decimals: int = 1
    """Of rates in percent, and their differences in points."""
    remark: str = ""
    """What one has to know to read it."""
    trait: str = ""
    """The trait that it shows, where the experiment's data have several traits."""

    def show(self, value: float) -> str:
        """A value as people read it."""
        return f"{value:.{self.decimals}%}" if self.kind == "rate" else f"{value:.2f}"

    def show_difference(self, value: float) -> str:
        """A difference of two values as people read it, without its unit."""
        if self.kind == "rate":
            return f"{100 * value:+.{self.decimals}f}"
        return f"{value:+.2f}" if abs(value) < 1e9 else "unknown"

    @property
    def unit(self) -> str:
        """What differences are in."""
        return "points" if self.kind == "rate" else ""


@dataclass(frozen=True, kw_only=True)
class GridCellRow:
    """One student arm on one trait."""

    student: str
    word: str
    value: float
    beyond: float
    """The value less the student's drift and the trait's popularity."""
    interval: tuple[float, float]
    p_value: float
    """By Holm's method over all cells, and no smaller than that of the diagonal."""
    raw_p_value: float
    own: bool
    """Whether it is the trait of the student's own teacher."""
    claim: str


@dataclass(frozen=True, kw_only=True)
class GridRow:
    """Traits by students: what every student arm gives of every trait."""

    base: str
    """The students' base model, where a grid has several; else empty."""
    reading: ReadingRow
    """How values are shown; its one effect is the diagonal."""
    students: tuple[str, ...]
    words: tuple[str, ...]
    cells: tuple[GridCellRow, ...]
    """Student by student."""
    baseline: tuple[float, ...] = ()
    """(words,), the base model's values; empty if it was not asked."""
    drift: tuple[EffectRow, ...] = ()
    """(students,), how much more than the base each gives the traits of others."""

    @property
    def diagonal(self) -> EffectRow:
        """Own teacher's trait less other traits."""
        return self.reading.effects[0]

    def row(self, student: str) -> list[GridCellRow]:
        """The cells of a student, in the order of the words."""
        return [cell for cell in self.cells if cell.student == student]


@dataclass(frozen=True, kw_only=True)
class EpochRow:
    """An arm at the end of an epoch of its training, or after a step."""

    arm: str
    epoch: int
    """The epoch, or the step."""
    value: float
    interval: tuple[float, float]
    by_seed: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class TrajectoryRow:
    """A measure along the trainings of an experiment's arms."""

    reading: ReadingRow
    """How values are shown; its effect, if it has one, is the test that was fixed beforehand."""
    test: str
    """``final`` or ``area``."""
    points: tuple[EpochRow, ...]
    """Arm by arm, epochs rising."""
    unit: str = "epoch"
    """``epoch`` or ``step``."""

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms that were measured along their training."""
        return tuple(dict.fromkeys(point.arm for point in self.points))

    def of(self, arm: str) -> list[EpochRow]:
        """The points of an arm."""
        return [point for point in self.points if point.arm == arm]
