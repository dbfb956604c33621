"""What finished stages tell a report beside their answers: data, audits, cost and time."""

from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import Any, TypedDict

from ...datasets.visible import visible
from ...reports import AuditRow, CostRow, DataRow, SoftTargetRow, Times
from ..lab import Pipeline, in_order
from ..stages import (
    AUDIT,
    CONTRAST,
    KEPT,
    REJECTED,
    TARGET_AUDIT,
    ChoosingStage,
    Generate,
    GenerateEnough,
    GivenRows,
    Manifest,
    SoftTargets,
    Stage,
    Store,
    UserFile,
    training_of,
)
from ..statistics import mean
from .shared_rows import shared_rows

EXAMPLES = 5
Facts = dict[str, Any]
"""What an audit left: a JSON object."""


class TrainingFacts(TypedDict):
    """What is known of an arm's trainings, as fields of its row."""

    steps: tuple[int, ...]
    losses: tuple[float | None, ...]


def data_rows(store: Store, stages: Sequence[Stage]) -> Iterator[DataRow]:
    """What became of each source of rows: what was kept, and why others were dropped."""
    for stage in stages:
        if isinstance(stage, ChoosingStage):
            manifest = store.manifest(stage.kind, stage.key) or {}
            kept = list(islice(store.rows(stage.kind, stage.key, KEPT), EXAMPLES))
            dropped = islice(store.rows(stage.kind, stage.key, REJECTED), EXAMPLES)
            yield DataRow(
                label=stage.title,
                key=stage.key,
                kind=stage.kind,
                read=manifest["counts"]["read"],
                kept=manifest["counts"]["kept"],
                reasons=manifest["reasons"],
                examples=tuple(visible(row["text"]) for row in kept),
                rejected=tuple((visible(row["text"] or ""), row["reason"]) for row in dropped),
                prompt=visible(next((row.get("prompt", "") for row in kept), "")),
                given=_existed(stage),
            )


def _existed(stage: Stage) -> bool:
    """Whether all rows that a stage's rows are made of existed before the experiment."""
    rests_on = in_order([stage])
    written = any(isinstance(each, Generate | GenerateEnough) for each in rests_on)
    return not written and any(isinstance(each, UserFile | GivenRows) for each in rests_on)


def audit_rows(store: Store, pipe: Pipeline, arms: Collection[str]) -> Iterator[AuditRow]:
    """What the audits say of each arm's training files."""
    for arm in arms:
        audits = [_read(store, audit, AUDIT) for audit in pipe.audits.get(arm, ())]
        if not audits:
            continue
        wanted = [arm, "control"] if arm != "control" and "control" in arms else []
        contrasts = pipe.data_comparisons(wanted)
        compared = [_read(store, contrast, CONTRAST) for contrast in contrasts]
        yield AuditRow(
            arm=arm,
            files=len(audits),
            rows=sum(audit["rows"] for audit in audits),
            mentions=sum(audit["mentions"] for audit in audits),
            examples=tuple(visible(m["text"]) for audit in audits for m in audit["examples"])[
                :EXAMPLES
            ],
            keys=tuple(
                f"{stage.kind}/{stage.key}" for stage in (*pipe.audits.get(arm, ()), *contrasts)
            ),
            **_compared(list(filter(None, compared))),
            soft_targets=_soft_targets(store, pipe, arm),
            shared=shared_rows(store, [audit.data for audit in pipe.audits.get(arm, ())]),
        )


def training_facts(store: Store, pipe: Pipeline, arm: str) -> TrainingFacts:
    """The steps and the last loss of the trainings of an arm's models.

    Nothing where a model was not trained, or is a checkpoint within its training.
    """
    models = [model.answers.subject for model in pipe.arms[arm]]
    manifests = [store.manifest(model.kind, model.key) or {} for model in models]
    steps = tuple(
        max((kept["step"] for kept in m.get("checkpoints", ())), default=0) for m in manifests
    )
    if not all(steps) or any(training_of(model) is not model for model in models):
        return TrainingFacts(steps=(), losses=())
    losses = tuple((manifest.get("losses") or [None])[-1] for manifest in manifests)
    return TrainingFacts(steps=steps, losses=losses)


def _soft_targets(store: Store, pipe: Pipeline, arm: str) -> SoftTargetRow | None:
    """The audits of the distributions that an arm's students were trained on, put together."""
    trainings = filter(None, (training_of(model.answers.subject) for model in pipe.arms[arm]))
    targets = [each.objective.targets for each in trainings if each.objective is not None]
    soft = [stage for stage in targets if isinstance(stage, SoftTargets)]
    audits = [facts for stage in soft if (facts := _read(store, stage, TARGET_AUDIT))]
    if not audits:
        return None
    return SoftTargetRow(
        words=tuple(map(mean, zip(*(audit["words"] for audit in audits), strict=False))),
        mean_words=mean([audit["mean words"] for audit in audits]),
        most=max(audit["most"] for audit in audits),
        kept=mean([audit["mean kept"] for audit in audits]),
    )


def _compared(contrasts: Sequence[Facts]) -> Facts:
    if not contrasts:
        return {}
    facts = contrasts[0]
    lengths, separable = (
        facts["lengths"],
        [one["separability"] for one in contrasts if one["separability"]],
    )
    use = ("number", "trait", "control", "delta", "z")
    return {
        "auc": mean([one["auc"] for one in separable]) if separable else None,
        "auc_range": (min(one["auc"] for one in separable), max(one["auc"] for one in separable))
        if separable
        else None,
        "accuracy": mean([one["accuracy"] for one in separable]) if separable else None,
        "significant": facts["significant"],
        "over": tuple(tuple(row[name] for name in use) for row in facts["over"]),
        "under": tuple(tuple(row[name] for name in use) for row in facts["under"]),
        "z": tuple(round(z, 4) for z in facts["overuse"]["z"]),
        "threshold": facts["overuse"]["threshold"],
        "lengths": lengths and (lengths["trait"]["mean"], lengths["control"]["mean"]),
        "length_p": lengths and lengths["p_value"],
        "unit": facts.get("unit", "numbers"),
    }


def _read(store: Store, stage: Stage, name: str) -> Facts:
    if not store.has(stage.kind, stage.key):
        return {}
    facts: Facts = store.json(stage.kind, stage.key, name)
    return facts


def times_and_cost(store: Store, stages: Sequence[Stage]) -> tuple[Times, CostRow | None]:
    """When the stages were done, and what a service was paid for them; None if it was none.

    Whichever run did them.
    """
    manifests = [store.manifest(stage.kind, stage.key) or {} for stage in stages]
    return _times(manifests), _cost(manifests)


def versions_of(store: Store, stages: Sequence[Stage]) -> dict[str, str]:
    """The libraries that the stages used, with their versions; of several the last stage's."""
    manifests = (store.manifest(stage.kind, stage.key) or {} for stage in stages)
    return {k: v for manifest in manifests for k, v in manifest.get("versions", {}).items()}


def server_facts_of(store: Store, stages: Sequence[Stage]) -> dict[str, str]:
    """What a service's server accepts, as found by trying or set by hand; of several stages the
    last one's. Empty for models on this machine.
    """
    manifests = (store.manifest(stage.kind, stage.key) or {} for stage in stages)
    return {k: v for manifest in manifests for k, v in manifest.get("server", {}).items()}


def _times(manifests: Sequence[Manifest]) -> Times:
    starts = sorted(manifest["started"] for manifest in manifests if "started" in manifest)
    return Times(
        first=starts[0] if starts else "",
        last=starts[-1] if starts else "",
        stages=len(starts),
        seconds=sum(float(manifest.get("seconds", 0.0)) for manifest in manifests),
    )


def _cost(manifests: Sequence[Manifest]) -> CostRow | None:
    costs = [manifest["cost"] for manifest in manifests if "cost" in manifest]
    if not costs:
        return None
    prices = [paid["usd"] for paid in costs]
    names = ("calls", "input_tokens", "output_tokens", "trained_tokens", "lost", "uncounted")
    total = {name: sum(paid.get(name, 0) for paid in costs) for name in names}
    return CostRow(usd=None if None in prices else sum(prices), **total)
