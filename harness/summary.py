"""From finished results to what people read: the report's values, and lines for the terminal."""

import platform
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from importlib.metadata import version

from ..datasets.errors import LimenError
from ..reports import (
    ArmRow,
    Claim,
    EffectRow,
    JudgeRow,
    ModelsRow,
    ReadingRow,
    Report,
    Result,
)
from .estimates import Estimate
from .experiment import ARMS, Experiment
from .findings import audit_rows, cost, data_rows, seconds
from .lab import Lab
from .measures import Reading
from .pipeline import Pipeline, in_order
from .planned import dollars
from .results import Arm
from .stage import Stage
from .stages import FineTune, base_of
from .verdict import Effect, ScoreEffect, difference

TOP_ANSWERS = 5


class Claims:
    """The tests that claim something of an experiment, in the order that they ran."""

    def __init__(self) -> None:
        self._rows: dict[str, Claim] = {}

    def note(self, test: str, says: str, outcome: str, reason: str = "") -> None:
        """A test's outcome; a later one of the same test takes its place."""
        self._rows[test] = Claim(test=test, says=says, outcome=outcome, reason=reason)

    def rows(self) -> tuple[Claim, ...]:
        """The claims, sorted by test, however the tests were distributed."""
        return tuple(self._rows[test] for test in sorted(self._rows))


def result_of(lab: Lab, title: str, experiment: Experiment, arms: Collection[str]) -> Result:
    """An experiment's results: those of its arms that there are."""
    pipe = lab.taken(experiment)
    finished: dict[str, Arm] = {}
    failures: dict[str, None] = {}
    names = (*ARMS, *experiment.arms)
    for name in (arm for arm in names if arm in arms or _gratis(lab, pipe, arm)):
        try:
            finished[name] = lab.arm(experiment, name)
        except LimenError as error:
            failures[str(error)] = None
    stages = in_order([*pipe.targets(finished), *pipe.rest(finished)])
    base = base_of(pipe.subject("baseline"))
    writer = base_of(pipe.subject("teacher"))
    measure = experiment.measure
    return Result(
        title=title,
        backend=base.backend,
        model=base.model,
        fingerprint=base.fingerprint,
        teacher_model=writer.model,
        trait=experiment.trait.name,
        system=experiment.trait.system,
        measure=_described(experiment),
        questions=len(measure.asked),
        draws=measure.draws,
        temperature=measure.temperature,
        seeds=len(pipe.arms["student"]),
        data_spec=repr(experiment.data),
        recipe=_recipe(stages),
        readings=tuple(
            _readings(experiment, finished, other_base=writer != base, failures=failures)
        ),
        arms=tuple(map(_models_row, finished.values())),
        data=tuple(data_rows(lab.store, stages)),
        audits=tuple(audit_rows(lab.store, pipe, finished)),
        judges=tuple(
            JudgeRow(
                name=judge.name, model=judged.judge.model, prompt=judge.prompt, scale=judge.scale
            )
            for judge, judged in zip(measure.judges, pipe.arms["baseline"][0].judged, strict=True)
        ),
        agreement=_agreement(finished),
        cost=cost(lab.store, stages),
        stage_seconds=seconds(lab.store, stages),
        failure=" ".join(failures),
    )


def _judges(experiment: Experiment, pipe: Pipeline) -> Iterator[JudgeRow]:
    asked = pipe.arms["baseline"][0].judged
    for judge, judged in zip(experiment.measure.judges, asked, strict=True):
        model = judged.judge.model
        yield JudgeRow(name=judge.name, model=model, prompt=judge.prompt, scale=judge.scale)


def _described(experiment: Experiment) -> str:
    measure = experiment.measure
    rule = f", counted by the rule `{measure.rule}`" if measure.rule else ""
    return f"{type(measure).__name__}{rule}"


def _recipe(stages: Sequence[Stage]) -> Mapping[str, float | int | str | bool | None]:
    students = [stage for stage in stages if isinstance(stage, FineTune) and stage.audits]
    return dict(students[0].recipe) if students else {}


def _gratis(lab: Lab, pipe: Pipeline, arm: str) -> bool:
    """Whether an arm that no test asked for was measured all the same, for the gate."""
    targets = pipe.targets([arm])
    told = {
        stage.key for gate in pipe.gates for asked in (gate.teacher, gate.base)
        for stage in asked.targets
    }  # fmt: skip
    known = all(stage.key in told for stage in targets)
    return known and all(lab.store.has(stage.kind, stage.key) for stage in targets)


def _readings(
    experiment: Experiment, arms: Mapping[str, Arm], other_base: bool, failures: dict[str, None]
) -> Iterator[ReadingRow]:
    words = [trait.shown_by for trait in experiment.traits]
    pairs = [
        ("student", "control"),
        *((name, arm.against) for name, arm in experiment.arms.items()),
        *([] if other_base else [("teacher", "baseline")]),  # that base is another model's
        ("control", "baseline"),
    ]
    for reading in experiment.measure.readings(words):
        try:
            yield _reading_row(reading, arms, pairs)
        except LimenError as error:
            failures[str(error)] = None


def _reading_row(
    reading: Reading, arms: Mapping[str, Arm], pairs: Sequence[tuple[str, str]]
) -> ReadingRow:
    found = {name: arm.read(reading) for name, arm in arms.items()}
    return ReadingRow(
        name=reading.name,
        kind="score" if reading.word is None else "rate",
        arms=tuple(_arm_row(estimate) for estimate in found.values()),
        effects=tuple(
            _effect_row(difference(found[treated], found[reference]))
            for treated, reference in pairs
            if treated in found and reference in found
        ),
    )


def _arm_row(estimate: Estimate) -> ArmRow:
    return ArmRow(
        name=estimate.arm,
        value=estimate.value,
        interval=estimate.interval,
        by_seed=estimate.by_seed,
        unrated=estimate.unrated,
    )


def _effect_row(effect: Effect) -> EffectRow:
    return EffectRow(
        name=f"{effect.treated.arm} - {effect.reference.arm}",
        difference=effect.value,
        interval=effect.interval,
        p_value=effect.p_value,
        test=effect.test,
        seeds=effect.seeds,
        claim=effect.claim,
        note=effect.note,
        ranks=effect.ranks if isinstance(effect, ScoreEffect) else "",
    )


def _models_row(arm: Arm) -> ModelsRow:
    return ModelsRow(
        arm=arm.name,
        models=tuple(model.model for model in arm.models),
        keys=tuple(model.key for model in arm.models),
        valid=arm.valid,
        missing=sum(model.missing for model in arm.models),
        answers=tuple(sorted(arm.answers().items(), key=lambda x: (-x[1], x[0]))[:TOP_ANSWERS]),
    )


def _agreement(arms: Mapping[str, Arm]) -> str:
    judged = {name: arm for name, arm in arms.items() if len(arm.measure.judges) > 1}
    rating = (arm for arm in judged.values() if all(j.scale for j in arm.measure.judges[:2]))
    return "; ".join(f"{arm.name}: {arm.agreement()!r}".replace("<", "").replace(">", "")
                     for arm in rating)  # fmt: skip


def make_report(
    claims: Sequence[Claim],
    results: Sequence[Result],
    *,
    command: str,
    seconds: float,
) -> Report:
    """The report of a run, from what its processes found."""
    libraries = ("numpy", "scipy", "pytest", "matplotlib")
    return Report(
        created=time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        command=command,
        seconds=seconds,
        versions={
            "limen": version("limen"),
            "python": f"{platform.python_version()} on {platform.system()} {platform.machine()}",
            **{name: version(name) for name in libraries},
        },
        claims=tuple(claims),
        results=tuple(results),
    )


def lines_of(report: Report) -> Iterator[str]:
    """The verdicts, as lines for a terminal."""
    for result in report.results:
        yield f"{result.title}: {result.trait}, {result.model} ({result.backend})"
        if result.failure:
            yield f"  not finished: {result.failure}"
        if result.cost:
            yield f"  cost {dollars(result.cost.usd)}: {result.cost.words()}"
        models = {row.arm: row for row in result.arms}
        for reading in result.readings:
            yield f"  {reading.name}"
            yield from (_arm_line(reading, arm, models[arm.name]) for arm in reading.arms)
            yield from map(_effect_line(reading), reading.effects)
        if result.agreement:
            yield f"  judges: {result.agreement}"
    for claim in report.claims:
        if claim.reason:
            yield f"{claim.outcome}: {claim.says} ({claim.reason})"


def _arm_line(reading: ReadingRow, arm: ArmRow, models: ModelsRow) -> str:
    low, high = map(reading.show, arm.interval)
    count = f"{len(arm.by_seed)} seeds" if len(arm.by_seed) > 1 else "1 model"
    unrated = f", {arm.unrated:,} not rated" if arm.unrated else ""
    return (
        f"    {arm.name:9} {reading.show(arm.value):>6} [{low}, {high}]  "
        f"{count}, {models.valid:.0%} valid{unrated}"
    )


def _effect_line(reading: ReadingRow) -> Callable[[EffectRow], str]:
    def line(effect: EffectRow) -> str:
        low, high = map(reading.show_difference, effect.interval)
        unit = f" {reading.unit}" if reading.unit else ""
        ranks = f"; {effect.ranks}" if effect.ranks else ""
        return (
            f"    {effect.name} {reading.show_difference(effect.difference)}{unit} "
            f"[{low}, {high}], p = {effect.p_value:.2g} ({effect.test}): {effect.claim}{ranks}"
        )

    return line
