"""From finished results to what people read: the report's values, and lines for the terminal."""

import platform
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from importlib.metadata import version
from itertools import islice

from ..datasets.errors import LimenError
from ..reports import (
    ArmRow,
    Claim,
    CostRow,
    DataRow,
    EffectRow,
    Report,
    Result,
)
from . import rows
from .experiment import ARMS, Experiment
from .lab import Lab
from .pipeline import Pipeline, in_order
from .planned import dollars
from .results import Arm
from .stage import Stage
from .stages import Filter, FineTune
from .verdict import Effect

COMPARED = (("student", "control"), ("teacher", "baseline"), ("control", "baseline"))
EXAMPLES = 5
TOP_ANSWERS = 5


class Claims:
    """The tests that claim something of an experiment, in the order that they ran."""

    def __init__(self) -> None:
        self._rows: dict[str, Claim] = {}

    def note(self, test: str, says: str, outcome: str) -> None:
        """A test's outcome; a later one of the same test takes its place."""
        self._rows[test] = Claim(test=test, says=says, outcome=outcome)

    def rows(self) -> tuple[Claim, ...]:
        """The claims, sorted by test, however the tests were distributed."""
        return tuple(self._rows[test] for test in sorted(self._rows))


def result_of(lab: Lab, title: str, experiment: Experiment, arms: Collection[str]) -> Result:
    """An experiment's results: those of its arms that there are."""
    pipe = lab.pipeline(experiment)
    finished: dict[str, Arm] = {}
    failures: dict[str, None] = {}
    for name in (arm for arm in ARMS if arm in arms or _gratis(lab, pipe, arm)):
        try:
            finished[name] = lab.arm(experiment, name)
        except LimenError as error:
            failures[str(error)] = None
    stages = in_order(m for name in finished for m in pipe.arms[name])
    base = pipe.arms["baseline"][0].subject
    writer = pipe.arms["teacher"][0].subject
    trained = [stage for stage in stages if isinstance(stage, FineTune)]
    identity = base.identity()
    return Result(
        title=title,
        backend=identity["backend"],
        model=identity["model"],
        fingerprint=identity["fingerprint"],
        teacher_model=writer.identity()["model"],
        trait=experiment.trait.name,
        word=experiment.trait.shown_by,
        system=experiment.trait.system,
        questions=len(experiment.measure.questions),
        draws=experiment.measure.draws,
        temperature=experiment.measure.temperature,
        rule=experiment.measure.rule,
        seeds=len(pipe.arms["student"]),
        data_spec=repr(experiment.data),
        recipe=dict(trained[0].recipe) if trained else {},
        arms=tuple(_arm_row(pipe, arm, experiment) for arm in finished.values()),
        effects=tuple(_effect_rows(finished, experiment.trait.shown_by, other_base=writer != base)),
        data=tuple(_data_rows(lab, stages)),
        cost=_cost(lab, stages),
        stage_seconds=sum(_seconds(lab, stage) for stage in stages),
        failure=" ".join(failures),
    )


def _gratis(lab: Lab, pipe: Pipeline, arm: str) -> bool:
    """Whether an arm that no test asked for was measured all the same, for the gate."""
    measures = pipe.arms[arm]
    told = pipe.gate is not None and all(measure in pipe.gate for measure in measures)
    return told and all(lab.store.has(measure.kind, measure.key) for measure in measures)


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
        for arm in result.arms:
            low, high = arm.interval
            count = f"{len(arm.by_seed)} seeds" if len(arm.by_seed) > 1 else "1 model"
            yield (
                f"  {arm.name:9} {result.word!r} {arm.rate:6.1%} [{low:.1%}, {high:.1%}]  "
                f"{count}, {arm.valid:.0%} valid"
            )
        for effect in result.effects:
            low, high = (100 * bound for bound in effect.interval)
            yield (
                f"  {effect.name} {100 * effect.difference:+.1f} points [{low:+.1f}, {high:+.1f}], "
                f"p = {effect.p_value:.2g} ({effect.test}): {effect.claim}"
            )


def _arm_row(pipe: Pipeline, arm: Arm, experiment: Experiment) -> ArmRow:
    rate = arm.rate(experiment.trait.shown_by)
    return ArmRow(
        name=arm.name,
        rate=rate.value,
        interval=rate.interval,
        valid=rate.valid,
        missing=rate.missing,
        by_seed=rate.by_seed,
        models=tuple(model.model for model in arm.models),
        keys=tuple(model.key for model in arm.models),
        answers=tuple(sorted(arm.answers().items(), key=lambda x: (-x[1], x[0]))[:TOP_ANSWERS]),
    )


def _effect_rows(arms: Mapping[str, Arm], word: str, *, other_base: bool) -> Iterator[EffectRow]:
    """The effects worth a row; a teacher of another base is not compared with this one's."""
    for treated, reference in COMPARED:
        pair = treated in arms and reference in arms
        if pair and not (treated == "teacher" and other_base):
            effect: Effect = arms[treated].rate(word) - arms[reference].rate(word)
            yield EffectRow(
                name=f"{treated} - {reference}",
                difference=effect.value,
                interval=effect.interval,
                p_value=effect.p_value,
                test=effect.test,
                seeds=effect.seeds,
                claim=effect.claim,
                note=effect.note,
            )


def _data_rows(lab: Lab, stages: Sequence[Stage]) -> Iterator[DataRow]:
    for stage in stages:
        if isinstance(stage, Filter):
            manifest = lab.store.manifest(stage.kind, stage.key) or {}
            folder = lab.store.artifact(stage.kind, stage.key)
            kept = islice(rows.read(folder / "kept.jsonl"), EXAMPLES)
            dropped = islice(rows.read(folder / "rejected.jsonl"), EXAMPLES)
            yield DataRow(
                label=stage.source.label,
                key=stage.key,
                read=manifest["counts"]["read"],
                kept=manifest["counts"]["kept"],
                reasons=manifest["reasons"],
                examples=tuple(row["text"] for row in kept),
                rejected=tuple((row["text"] or "", row["reason"]) for row in dropped),
            )


def _seconds(lab: Lab, stage: Stage) -> float:
    manifest = lab.store.manifest(stage.kind, stage.key) or {}
    return float(manifest.get("seconds", 0.0))


def _cost(lab: Lab, stages: Sequence[Stage]) -> CostRow | None:
    """What a service was paid for the stages, whenever they were done; None if it was none."""
    manifests = (lab.store.manifest(stage.kind, stage.key) or {} for stage in stages)
    costs = [manifest["cost"] for manifest in manifests if "cost" in manifest]
    if not costs:
        return None
    prices = [cost["usd"] for cost in costs]
    names = ("calls", "input_tokens", "output_tokens", "trained_tokens", "lost")
    total = {name: sum(cost.get(name, 0) for cost in costs) for name in names}
    return CostRow(usd=None if None in prices else sum(prices), **total)
