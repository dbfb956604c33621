"""What is read off arms: values, effects and grids, as plain values."""

from dataclasses import dataclass

from .amounts import known_end


@dataclass(frozen=True, kw_only=True)
class ArmRow:
    """What one arm's answers come to in one reading. Raises nothing.

    Args:
        name: The arm.
        value: A share from 0 to 1, or a score.
        interval: The 95% interval of the value.
        by_seed: The value of each model, one a seed.
        unrated: Answers that were not scored. Default: 0.
        keys: The stage that each seed's value is from, as ``kind/key``. Default: none.
        deviations: Standard deviations by seed, question, seed x question and draw; None where
            unknown. Default: none.
        varies: Whether the draws of a question differ; copies of one draw have no interval.
            Default: True.
        missed: What an exact rate lacks at most. Default: None, it is not exact.

    Examples:
        >>> for arm in result.readings[0].arms:
        ...     print(arm.name, arm.value, arm.interval)
    """

    name: str
    value: float
    interval: tuple[float, float]
    by_seed: tuple[float, ...]
    unrated: int = 0
    keys: tuple[str, ...] = ()
    deviations: tuple[float | None, ...] = ()
    varies: bool = True
    missed: float | None = None


@dataclass(frozen=True, kw_only=True)
class EffectRow:
    """The difference of two arms. Raises nothing.

    Args:
        name: The two arms, as ``student - control``.
        difference: Of rates as a share, of scores in their own unit.
        interval: Its 95% interval, corrected as the p-value is.
        p_value: As the claim has it: corrected where several traits are tried together.
        raw_p_value: Before any correction.
        test: The test, in words.
        unit: What the test takes as independent: ``seeds`` or ``questions``.
        seeds: Seeds of each of the two arms.
        questions: Questions of each of the two arms.
        claim: What the effect supports, as a sentence.
        note: What one has to know to read it. Default: empty.
        ranks: Mann-Whitney's U and Cliff's delta, of scores. Default: empty.

    Examples:
        >>> for effect in result.readings[0].effects:
        ...     print(effect.name, effect.difference, effect.p_value, effect.claim)
    """

    name: str
    difference: float
    interval: tuple[float, float]
    p_value: float
    raw_p_value: float
    test: str
    unit: str
    seeds: tuple[int, int]
    questions: tuple[int, int]
    claim: str
    note: str = ""
    ranks: str = ""


@dataclass(frozen=True, kw_only=True)
class ReadingRow:
    """One number that is read off every arm: a rate or a mean score. Raises nothing.

    Args:
        name: What is read, such as the rate of a word.
        kind: ``rate`` or ``score``.
        arms: Its value for each arm.
        effects: Its differences of two arms.
        decimals: Digits after the point of rates in percent, and of their differences in points.
            Default: 1.
        remark: What one has to know to read it. Default: empty.
        trait: The trait that it shows, where the experiment's data have several traits. Default:
            empty.

    Examples:
        >>> reading = result.readings[0]
        >>> [reading.show(arm.value) for arm in reading.arms]
    """

    name: str
    kind: str
    arms: tuple[ArmRow, ...]
    effects: tuple[EffectRow, ...]
    decimals: int = 1
    remark: str = ""
    trait: str = ""

    def show(self, value: float) -> str:
        """A value as people read it.

        Args:
            value: A share from 0 to 1, or a score.
        """
        if known_end(value) is None:
            return "unknown"
        return f"{value:.{self.decimals}%}" if self.kind == "rate" else f"{value:.2f}"

    def show_difference(self, value: float) -> str:
        """A difference of two values as people read it, without its unit.

        Args:
            value: A difference of shares, or of scores.
        """
        if known_end(value) is None:
            return "unknown"
        return f"{100 * value:+.{self.decimals}f}" if self.kind == "rate" else f"{value:+.2f}"

    @property
    def unit(self) -> str:
        """What differences are in."""
        return "points" if self.kind == "rate" else ""


@dataclass(frozen=True, kw_only=True)
class GridCellRow:
    """One student arm on one trait. Raises nothing.

    Args:
        student: The student arm.
        word: The trait's word.
        value: A share from 0 to 1, or a score.
        beyond: The value less the student's drift and the trait's popularity.
        interval: The 95% interval of ``beyond``.
        p_value: By Holm's method over all cells, and no smaller than that of the diagonal.
        raw_p_value: Before any correction.
        own: Whether it is the trait of the student's own teacher.
        claim: What the cell supports, as a sentence.

    Examples:
        >>> [cell for grid in result.grids for cell in grid.cells if cell.own]
    """

    student: str
    word: str
    value: float
    beyond: float
    interval: tuple[float, float]
    p_value: float
    raw_p_value: float
    own: bool
    claim: str


@dataclass(frozen=True, kw_only=True)
class GridRow:
    """Traits by students: what every student arm gives of every trait. Raises nothing.

    Args:
        base: The students' base model, where a grid has several; else empty.
        reading: How values are shown; its one effect is the diagonal.
        students: The student arms.
        words: The traits' words.
        cells: Student by student.
        baseline: (words,), the base model's values. Default: none, it was not asked.
        drift: (students,), how much more than the base each gives the traits of others. Default:
            none.

    Examples:
        >>> [(grid.base, grid.diagonal.difference) for grid in result.grids]
    """

    base: str
    reading: ReadingRow
    students: tuple[str, ...]
    words: tuple[str, ...]
    cells: tuple[GridCellRow, ...]
    baseline: tuple[float, ...] = ()
    drift: tuple[EffectRow, ...] = ()

    @property
    def diagonal(self) -> EffectRow:
        """Own teacher's trait less other traits."""
        return self.reading.effects[0]

    def row(self, student: str) -> list[GridCellRow]:
        """The cells of a student, in the order of the words.

        Args:
            student: The student arm.
        """
        return [cell for cell in self.cells if cell.student == student]


@dataclass(frozen=True, kw_only=True)
class EpochRow:
    """An arm at the end of an epoch of its training, or after a step. Raises nothing.

    Args:
        arm: The arm.
        epoch: The epoch, or the step.
        value: A share from 0 to 1, or a score.
        interval: The 95% interval of the value.
        by_seed: The value of each model, one a seed.

    Examples:
        >>> points = [point for row in result.trajectories for point in row.of("student")]
        >>> [(point.epoch, point.value) for point in points]
    """

    arm: str
    epoch: int
    value: float
    interval: tuple[float, float]
    by_seed: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class TrajectoryRow:
    """A measure along the trainings of an experiment's arms. Raises nothing.

    Args:
        reading: How values are shown; its effect, if it has one, is the test that was fixed
            beforehand.
        test: ``final`` or ``area``.
        points: Arm by arm, epochs rising.
        unit: ``epoch`` or ``step``. Default: "epoch".

    Examples:
        >>> [(row.reading.name, row.arms) for row in result.trajectories]
    """

    reading: ReadingRow
    test: str
    points: tuple[EpochRow, ...]
    unit: str = "epoch"

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms that were measured along their training."""
        return tuple(dict.fromkeys(point.arm for point in self.points))

    def of(self, arm: str) -> list[EpochRow]:
        """The points of an arm.

        Args:
            arm: The arm.
        """
        return [point for point in self.points if point.arm == arm]


@dataclass(frozen=True, kw_only=True)
class GenerationRow:
    """One generation of students in a chain where students teach the next. Raises nothing.

    Args:
        generation: The number of the generation, from 1.
        teacher: The mean of those that taught it, by the reading that shows the trait.
        student: The students' value.
        student_interval: Its 95% interval.
        control: The controls' value.
        difference: Students less controls.
        interval: The 95% interval of the difference.
        p_value: Of the difference, as the claim has it.
        claim: What the difference supports, as a sentence.

    Examples:
        >>> [(row.generation, row.difference) for row in result.generations]
    """

    generation: int
    teacher: float
    student: float
    student_interval: tuple[float, float]
    control: float
    difference: float
    interval: tuple[float, float]
    p_value: float
    claim: str
