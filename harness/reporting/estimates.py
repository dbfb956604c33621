"""What unfinished stages are estimated to take, and what finished ones took."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict

from ...backends import Usage
from ...reports import Effort
from ..lab import Lab, Plan, TimeEstimate, estimated_time, service_time
from ..stages import Manifest, Stage


def unfinished(plan: Plan) -> list[Stage]:
    """The stages of a plan that are to be done."""
    return [stage for stage in plan.stages if stage.key not in plan.finished]


def time_of(lab: Lab, plan: Plan) -> TimeEstimate:
    """How long the unfinished stages of a plan take."""
    left = unfinished(plan)
    if lab.backend.capabilities.service is None:
        return estimated_time(lab.store, left, lab.workers)
    return service_time(left, plan.quotes)


def estimate_of(lab: Lab, plan: Plan) -> Effort:
    """What the unfinished stages of a plan are estimated to take."""
    time, quotes = time_of(lab, plan), list(plan.quotes.values())
    return Effort(
        stages=len(unfinished(plan)),
        requests=sum(quote.calls for quote in quotes),
        tokens=sum(quote.tokens for quote in quotes),
        usd=known_sum(quote.usd for quote in quotes),
        seconds=time.seconds if time.basis else None,
        basis=basis_of(time),
        partial=bool(time.unknown),
    )


def basis_of(time: TimeEstimate) -> str:
    """What an estimated time rests on, and what is not in it."""
    without = f"without {' and '.join(sorted(time.unknown))}" if time.unknown else ""
    return ", ".join(filter(None, (time.basis and f"by {time.basis}", time.basis and without)))


def spent_on(
    lab: Lab, stages: Sequence[Stage], seconds: float, before: Mapping[str, Usage]
) -> Effort:
    """What those of some stages that are finished now took, whose run lasted ``seconds``.

    ``before`` is what earlier runs had spent on them, by key.
    """
    known = ((stage, lab.store.manifest(stage.kind, stage.key)) for stage in stages)
    finished = [(stage, manifest) for stage, manifest in known if manifest is not None]
    paid = [(stage, manifest) for stage, manifest in finished if "cost" in manifest]
    costs = [manifest["cost"] for _, manifest in paid]
    costs += [
        _earlier(lab, stage, manifest, before[stage.key])
        for stage, manifest in paid
        if stage.key in before
    ]
    tokens = ("input_tokens", "output_tokens", "trained_tokens")
    return Effort(
        stages=len(finished),
        requests=sum(cost.get("calls", 0) for cost in costs),
        tokens=sum(cost.get(name, 0) for cost in costs for name in tokens),
        usd=known_sum(cost["usd"] for cost in costs),
        seconds=seconds,
    )


def _earlier(lab: Lab, stage: Stage, manifest: Manifest, used: Usage) -> Manifest:
    """What an earlier run spent on a stage, to be taken from its cost."""
    service = lab.backend_of(stage).capabilities.service
    usd = service.cost(manifest["model"], used, batch=lab.settings.batch) if service else 0.0
    counts = {name: -count for name, count in asdict(used).items()}
    return {**counts, "usd": None if usd is None else -usd}


def known_sum(amounts: Iterable[float | None]) -> float | None:
    """The sum of amounts, or None if one of them is not known."""
    every = list(amounts)
    known = [amount for amount in every if amount is not None]
    return sum(known) if len(known) == len(every) else None
