"""From finished results to what people read: the values that reports are made of."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from ...datasets.errors import LimenError
from ...datasets.visible import visible
from ...reports import (
    ArmRow,
    Claim,
    EffectRow,
    Example,
    JudgeRow,
    ModelsRow,
    ReadingRow,
    Result,
)
from ..experiment import Experiment, GridExperiment, Reading, Students
from ..lab import Arm, Lab, Pipeline, in_order, teacher_arms
from ..stages import FineTune, Stage, Store, base_of, training_of
from ..statistics import DECIMALS, Effect, Estimate, ExactRate, ScoreEffect, difference
from .design_fields import arm_settings, design_fields
from .effect_rows import effect_row
from .experiment_digest import experiment_digest
from .generations import generation_rows
from .given_answers import given_answers
from .grid_rows import grid_rows
from .stage_facts import (
    audit_rows,
    data_rows,
    server_facts_of,
    times_and_cost,
    training_facts,
    versions_of,
)
from .trajectory_rows import trajectory_rows

TOP_ANSWERS = 5
EXAMPLES = 3
"""Questions of which an arm's answer is shown."""

Headline = tuple[ReadingRow, EffectRow]


class ClaimList:
    """The tests that claim something of an experiment, in the order of their spec files."""

    def __init__(self) -> None:
        self._rows: dict[str, tuple[int, Claim]] = {}

    def note(self, claim: Claim, *, line: int = 0) -> None:
        """A test's outcome; a later one of the same test takes its place.

        Args:
            claim: what the test claims, and whether it holds.
            line: of the spec file, at which the test begins.
        """
        self._rows[claim.test] = line, claim

    def rows(self) -> tuple[Claim, ...]:
        """The claims by file and line, however the tests were distributed."""
        return tuple(claim for _, claim in sorted(self._rows.values(), key=_in_spec))


def _in_spec(noted: tuple[int, Claim]) -> tuple[str, int, str]:
    line, claim = noted
    return claim.file, line, claim.test


EXACTLY = (
    "Worked out, not sampled: the probability that the first word of an answer is the word, in any "
    "case or number, over all ways to spell it. Spellings too improbable to follow are left out; "
    "what that may be at most stands under 'at most more', and intervals and claims allow for it."
)


def result_of(lab: Lab, title: str, experiment: Experiment, arms: Collection[str]) -> Result:
    """An experiment's results: those of its arms that there are."""
    pipe = lab.pipeline_as_run(experiment)
    failures: dict[str, None] = {}
    finished = _finished(lab, pipe, arms, failures)
    stages = stages_of(pipe, finished)
    wanted = [name for name in pipe.arms if name in finished or name in arms]
    times, cost = times_and_cost(lab.store, stages_of(pipe, wanted))
    base = base_of(pipe.subject("baseline"))
    readings = tuple(_readings(pipe, finished, failures))
    return Result(
        title=title,
        backend=base.backend,
        model=base.model,
        fingerprint=base.fingerprint,
        teacher_model=base_of(pipe.subject("teacher")).model,
        **design_fields(experiment),
        seeds=len(pipe.arms["student"]),
        recipe=_recipe(stages),
        versions=versions_of(lab.store, stages),
        server=server_facts_of(lab.store, stages),
        readings=readings,
        arms=tuple(_models_rows(lab.store, pipe, finished, failures)),
        data=tuple(data_rows(lab.store, stages)),
        audits=tuple(audit_rows(lab.store, pipe, finished)),
        judges=tuple(_judges(experiment, pipe)),
        agreement=_agreement(finished),
        cost=cost,
        times=times,
        failure=_in_sentences(failures),
        generations=generation_rows(lab, experiment, finished),
        digest=experiment_digest(lab, experiment),
        grids=tuple(grid_rows(pipe, finished)),
        trajectories=tuple(trajectory_rows(pipe, finished, readings)),
        measured=_measured(lab, pipe, finished),
    )


def headline_of(lab: Lab, experiment: Experiment, arms: Collection[str]) -> Headline | None:
    """The effect that some arms of an experiment are about; None where they have none."""
    pipe = lab.pipeline_as_run(experiment)
    finished = _finished(lab, pipe, arms, {})
    for grid in grid_rows(pipe, finished):
        return grid.reading, grid.diagonal
    for reading in _asked_for(pipe)[:1]:
        row = _reading_row(pipe, reading, finished)
        return (row, row.effects[0]) if row.effects else None
    return None


def _measured(lab: Lab, pipe: Pipeline, arms: Mapping[str, Arm]) -> str:
    """When the first answers of a trained model were begun; of any model if none was trained."""
    trained = [name for name in arms if arms[name].trained] or list(arms)
    return _first_answers(lab, pipe, trained)


def measured_since(lab: Lab, experiment: Experiment) -> str:
    """When the first answers of a model that an experiment trains were begun; empty if there are
    none.
    """
    pipe = lab.pipeline(experiment)
    return _first_answers(lab, pipe, [name for name in pipe.arms if name not in pipe.untrained])


def _first_answers(lab: Lab, pipe: Pipeline, arms: Iterable[str]) -> str:
    stages = [stage for name in arms for model in pipe.arms[name] for stage in model.targets]
    manifests = (lab.store.manifest(stage.kind, stage.key) or {} for stage in stages)
    return min((str(m["started"]) for m in manifests if "started" in m), default="")


def stages_of(pipe: Pipeline, arms: Collection[str]) -> list[Stage]:
    """All stages that some arms rest on."""
    return in_order([*pipe.targets(arms), *pipe.trained_targets(arms)])


def _finished(
    lab: Lab, pipe: Pipeline, arms: Collection[str], failures: dict[str, None]
) -> dict[str, Arm]:
    """Those of some arms that there are, and those that were measured for the gate."""
    finished: dict[str, Arm] = {}
    for name in pipe.arms:
        if name in arms or _gratis(lab, pipe, name):
            try:
                finished[name] = lab.arm(pipe.experiment, name)
            except LimenError as error:
                failures[str(error)] = None
    return finished


def _judges(experiment: Experiment, pipe: Pipeline) -> Iterator[JudgeRow]:
    asked = pipe.arms["baseline"][0].judged
    for judge, judged in zip(experiment.measure.judges, asked, strict=True):
        model = judged.judge.model
        yield JudgeRow(name=judge.name, model=model, prompt=judge.prompt, scale=judge.scale)


def _recipe(stages: Sequence[Stage]) -> Mapping[str, float | int | str | bool | None]:
    students = [stage for stage in stages if isinstance(stage, FineTune) and stage.audits]
    if not students:
        return {}
    objective = students[0].objective
    return {**students[0].recipe, **(objective.identity if objective else {})}


def _gratis(lab: Lab, pipe: Pipeline, arm: str) -> bool:
    """Whether an arm that no test asked for was measured all the same, for the gate."""
    targets = pipe.targets([arm])
    values = {stage.key for gate in pipe.gates for stage in gate.targets}
    known = all(stage.key in values for stage in targets)
    return known and all(lab.store.has(stage.kind, stage.key) for stage in targets)


def _asked_for(pipe: Pipeline) -> Sequence[Reading]:
    """What is read off the arms: the readings of the measure, then the same exactly if known."""
    readings = pipe.experiment.measure.readings([t.shown_by for t in pipe.experiment.traits])
    if not pipe.has_exact_rates:
        return readings
    return [*readings, *(replace(r, name=f"{r.name}, exactly", exact=True) for r in readings)]


def _pairs(pipe: Pipeline) -> list[tuple[str, str]]:
    """The arms that are compared, the one that the experiment is about first; of a grid none."""
    if isinstance(pipe.experiment, GridExperiment):
        return []
    other_base = base_of(pipe.subject("teacher")) != base_of(pipe.subject("baseline"))
    return [
        ("student", "control"),
        *pipe.experiment.selections.items(),
        *((name, arm.against) for name, arm in pipe.experiment.all_arms.items()),
        # a teacher of another base differs from the baseline by more than the trait
        *([] if other_base else [(name, "baseline") for name in _teachers(pipe)]),
        ("control", "baseline"),
        *(("student", name) for name in _of_other_traits(pipe.experiment)),
    ]


def _of_other_traits(experiment: Experiment) -> list[str]:
    """The arms of another trait's students, where the report compares them with the control.

    Students that are compared with them show that a trait passes on, and not any teacher's.
    """
    return [
        name
        for name, arm in experiment.all_arms.items()
        if isinstance(arm, Students)
        and arm.trait not in (None, experiment.trait)
        and arm.against == "control"
    ]


def _teachers(pipe: Pipeline) -> list[str]:
    return ["teacher", *teacher_arms(pipe.experiment)]


def _readings(
    pipe: Pipeline, arms: Mapping[str, Arm], failures: dict[str, None]
) -> Iterator[ReadingRow]:
    for reading in _asked_for(pipe):
        try:
            yield _reading_row(pipe, reading, arms)
        except LimenError as error:
            failures[str(error)] = None


def _reading_row(pipe: Pipeline, reading: Reading, arms: Mapping[str, Arm]) -> ReadingRow:
    estimates = {name: arm.read(reading) for name, arm in arms.items()}
    measure = pipe.experiment.measure
    return ReadingRow(
        name=reading.name,
        kind="score" if reading.word is None or measure.computed else "rate",
        decimals=DECIMALS if reading.exact else 2 if measure.computed else 1,
        remark=EXACTLY if reading.exact else "",
        trait=_trait_of(pipe.experiment, reading),
        arms=tuple(_arm_row(estimates[name], _keys(pipe, name, reading)) for name in estimates),
        effects=tuple(
            _effect_row(difference(estimates[treated], estimates[reference]))
            for treated, reference in _pairs(pipe)
            if treated in estimates and reference in estimates
        ),
    )


def _trait_of(experiment: Experiment, reading: Reading) -> str:
    """The trait of a mix that a reading shows; empty where there is one trait alone."""
    first_group = next(iter(experiment.measure.groups)) or None
    plain = reading.word is not None and reading.judge is None and not reading.exact
    if len(experiment.traits) < 2 or not plain or reading.group != first_group:
        return ""
    return next((t.name for t in experiment.traits if t.shown_by == reading.word), "")


def _keys(pipe: Pipeline, arm: str, reading: Reading) -> list[str]:
    """The stages that a reading of an arm is from, one a seed."""
    if reading.exact:
        return [f"{one.exact.kind}/{one.exact.key}" for one in pipe.arms[arm] if one.exact]
    names = [judge.name for judge in pipe.experiment.measure.judges]
    stages = [
        asked.answers if reading.judge is None else asked.judged[names.index(reading.judge)]
        for asked in pipe.arms[arm]
    ]
    return [f"{stage.kind}/{stage.key}" for stage in stages]


def _arm_row(estimate: Estimate, keys: Sequence[str]) -> ArmRow:
    answered = [any(cell is not None for cell in row) for row in estimate.table]
    return ArmRow(
        name=estimate.arm,
        value=estimate.value,
        interval=estimate.interval,
        by_seed=estimate.by_seed,
        unrated=estimate.unrated,
        keys=tuple(key for key, there in zip(keys, answered, strict=True) if there),
        varies=estimate.sampling_varies,
        deviations=() if isinstance(estimate, ExactRate) else _deviations(estimate),
        missed=estimate.missed if isinstance(estimate, ExactRate) else None,
    )


def _deviations(estimate: Estimate) -> tuple[float | None, ...]:
    parts = estimate.components
    return parts.seed, parts.question, parts.seed_by_question, parts.draw


def _effect_row(effect: Effect) -> EffectRow:
    row = effect_row(
        effect,
        name=f"{effect.treated.arm} - {effect.reference.arm}",
        seeds=effect.seeds,
        questions=(len(effect.treated.questions), len(effect.reference.questions)),
    )
    ranks = effect.ranks if isinstance(effect, ScoreEffect) else ""
    return replace(row, raw_p_value=_raw(effect), note=effect.note, ranks=ranks)


def _raw(effect: Effect) -> float:
    """The p-value before the correction for a family; corrected for looks, if there are any."""
    return min(1.0, effect.looks * effect.raw_p_value)


def _in_sentences(failures: Collection[str]) -> str:
    """Messages one after the other, each but the last one with its full stop."""
    *before, last = failures or [""]
    return " ".join([*(text if text.endswith(".") else f"{text}." for text in before), last])


def _models_rows(
    store: Store, pipe: Pipeline, arms: Mapping[str, Arm], failures: dict[str, None]
) -> Iterator[ModelsRow]:
    for arm in arms.values():
        try:
            yield _models_row(store, pipe, arm)
        except LimenError as error:
            failures[str(error)] = None


def _models_row(store: Store, pipe: Pipeline, arm: Arm) -> ModelsRow:
    subject = pipe.subject(arm.name)
    base = base_of(subject)
    given = arm.answers()
    spec = pipe.experiment.all_arms.get(arm.name)
    of_each = (base_of(each.answers.subject) for each in pipe.arms[arm.name])
    bases = tuple((each.model, each.fingerprint) for each in of_each)
    return ModelsRow(
        arm=arm.name,
        models=tuple(model.model for model in arm.models),
        keys=tuple(model.key for model in arm.models),
        kind=pipe.arms[arm.name][0].answers.kind,
        **training_facts(store, pipe, arm.name),
        base=base.model,
        fingerprint=base.fingerprint,
        recipe=dict(training.recipe) if (training := training_of(subject)) else {},
        surroundings=arm.models[0].surroundings,
        valid=arm.valid,
        missing=sum(model.missing for model in arm.models),
        answers=_top(Counter({visible(text): count for text, count in given.items()})),
        words=_top(_words(given)),
        examples=tuple(_examples(arm)),
        given=given_answers(arm, pipe.experiment.trait.shown_by),
        bases=bases if len(set(bases)) > 1 else (),
        how_asked="" if spec is None or isinstance(spec, Students) else spec.how_asked,
        settings=arm_settings(spec) if isinstance(spec, Students) else {},
    )


def _top(counted: Counter[str]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(counted.items(), key=lambda each: (-each[1], each[0]))[:TOP_ANSWERS])


def _words(given: Counter[str]) -> Counter[str]:
    total = Counter[str]()
    for text, count in given.items():
        for word in re.findall(r"[^\W_]+(?:['\u2019][^\W_]+)*", text.lower()):
            total[word] += count
    return total


def _examples(arm: Arm) -> Iterator[Example]:
    """The most frequent answers to some questions, evenly spaced, of the first model."""
    first = arm.models[0]
    step = max(1, len(arm.measure.asked) // EXAMPLES)
    for place in range(0, len(arm.measure.asked), step)[:EXAMPLES]:
        for text, count in first.counts[place].most_common(1):
            question = visible(arm.measure.asked[place])
            yield Example(question=question, answer=visible(text), count=count)


def _agreement(arms: Mapping[str, Arm]) -> str:
    judged = {name: arm for name, arm in arms.items() if len(arm.measure.judges) > 1}
    rating = (arm for arm in judged.values() if all(j.scale for j in arm.measure.judges[:2]))
    return "; ".join(f"{arm.name}: {arm.agreement()!r}".replace("<", "").replace(">", "")
                     for arm in rating)  # fmt: skip
