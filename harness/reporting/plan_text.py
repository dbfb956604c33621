"""The plan as lines for a terminal: what is to be done, what it takes, and what would take less."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ...backends import Service
from ...reports.amounts import dollars, duration
from ..lab import Lab, Plan, Settings
from ..stages import Base, FineTune, Generate, GenerateEnough, Stage
from .estimates import basis_of, known_sum, time_of, unfinished

MOST_STAGES = 25
"""Stages that have a line each; of more, each kind has one."""
SERVICE_COLUMNS = slice(3, 6)
"""The columns of kinds that only services have."""
PER_PROMPT = (1, 4, 10)
"""Completions a prompt that the plan compares."""
NO_EPOCHS = 'the service chooses the number of epochs; recipe={"epochs": 10} would set it'
"""Why training has no upper bound where its price is known."""


def plan_lines(lab: Lab, plan: Plan, *, each_stage: bool = False) -> Iterator[str]:
    """The plan, as lines: a line for each stage, or for each kind if there are many."""
    if not plan.stages:
        yield "limen: no experiment is selected"
        return
    by_kind = len(plan.stages) > MOST_STAGES and not each_stage
    yield from _kind_table(lab, plan) if by_kind else _stage_table(plan)
    yield from total_lines(lab, plan)
    if by_kind:
        yield "limen: --limen-plan-all has a line for each stage"


def _stage_table(plan: Plan) -> list[str]:
    """A line for each stage."""
    rows = [_row(stage, plan) for stage in plan.stages]
    head = ["state", "stage", "what", "completions", ""]
    align = ["left", "left", "left", "right", "left"]
    if plan.quotes:
        head[4:4], align[4:4] = ["requests", "tokens", "about"], ["right"] * 3
    else:
        rows = [(*row[:4], row[-1]) for row in rows]
    return _table(rows, head, align)


def _kind_table(lab: Lab, plan: Plan) -> list[str]:
    """A line for each kind of stage, in the order in which they are first needed."""
    kinds = dict.fromkeys(stage.kind for stage in plan.stages)
    seconds = time_of(lab, plan).by_stage
    rows = [_kind_row([s for s in plan.stages if s.kind == kind], plan, seconds) for kind in kinds]
    head = ["stage", "to do", "completions", "requests", "tokens", "about", "time, one by one"]
    align = ["left", *["right"] * (len(head) - 1)]
    if not plan.quotes:
        for row in (head, align, *rows):
            del row[SERVICE_COLUMNS]
    return _table(rows, head, align)


def _kind_row(stages: Sequence[Stage], plan: Plan, seconds: Mapping[str, float]) -> list[str]:
    left = [stage for stage in stages if stage.key not in plan.finished]
    quotes = [plan.quotes[stage.key] for stage in left if stage.key in plan.quotes]
    known = [seconds[stage.key] for stage in left if stage.key in seconds]
    return [
        stages[0].kind,
        f"{len(left)} of {len(stages)}",
        _completions(left, plan),
        f"{sum(quote.calls for quote in quotes):,}" if quotes else "",
        f"{sum(quote.tokens for quote in quotes):,}" if quotes else "",
        dollars(known_sum(quote.usd for quote in quotes)) if quotes else "",
        duration(sum(known)) if known else "",
    ]


def _completions(stages: Sequence[Stage], plan: Plan) -> str:
    """How many completions some stages have still to sample; empty if none."""
    most = "up to " if any(isinstance(stage, GenerateEnough) for stage in stages) else ""
    count = sum(map(plan.completions, stages))
    return f"{most}{count:,}" if count else ""


def _table(rows: Sequence[Sequence[str]], head: Sequence[str], align: Sequence[str]) -> list[str]:
    from tabulate import tabulate

    return tabulate(rows, headers=head, colalign=align, disable_numparse=True).splitlines()


def total_lines(lab: Lab, plan: Plan) -> Iterator[str]:
    """What is left to do in all, what it costs, and how long it takes."""
    left = unfinished(plan)
    completions = _completions(left, plan) or "0"
    yield (
        f"limen: {len(left)} of {len(plan.stages)} stages to do on {lab.settings.backend}: "
        f"{completions} completions, {_trainings(left)}; store {lab.settings.store}"
    )
    yield from _cost_lines(plan, lab.settings)
    for service, stages in _asked_services(lab, left):
        yield from _service_lines(service, plan, stages, batch=lab.settings.batch)
    if left:
        yield from _time_lines(lab, plan)
    yield from _model_notes(lab, plan)


def _model_notes(lab: Lab, plan: Plan) -> Iterator[str]:
    """What is unusual about how a base model is asked."""
    bases = (stage for stage in plan.stages if isinstance(stage, Base))
    for stage in {(each.backend, each.model): each for each in bases}.values():
        if note := lab.backend_of(stage).describe(stage.model).note:
            yield f"limen: {stage.model}: {note}"


def _trainings(stages: Sequence[Stage]) -> str:
    """How many fine-tunings there are, and of how many optimizer steps: too few teach nothing.

    Where a service chooses the steps of one of them, they are left out.
    """
    counts = [stage.steps for stage in stages if isinstance(stage, FineTune)]
    known = [count for count in counts if count is not None]
    said = f"{len(counts)} fine-tunings"
    if not known or None in counts:
        return said
    return (
        f"{said} of {' to '.join(f'{count:,}' for count in sorted({min(known), max(known)}))} steps"
    )


def _time_lines(lab: Lab, plan: Plan) -> Iterator[str]:
    """How long it takes, as far as is known."""
    time = time_of(lab, plan)
    if time.basis:
        how = "at least" if time.unknown else "about"
        yield f"limen: estimated time: {how} {duration(time.seconds)} ({basis_of(time)})"
    else:
        yield "limen: estimated time: not known"


def _row(stage: Stage, plan: Plan) -> tuple[str, ...]:
    quote = plan.quotes.get(stage.key)
    return (
        "done" if stage.key in plan.finished else "to do",
        stage.kind,
        stage.label,
        f"{plan.completions(stage):,}" if stage.size() else "",
        f"{quote.calls:,}" if quote and quote.calls else "",
        f"{quote.tokens:,}" if quote else "",
        dollars(quote.usd) if quote else "",
        ", ".join(_notes(stage, plan)),
    )


def _notes(stage: Stage, plan: Plan) -> Iterator[str]:
    if stage.key in plan.shared:
        yield "shared"
    if kept := plan.kept.get(stage.key):
        yield f"{kept:,} are there"


def _cost_lines(plan: Plan, settings: Settings) -> Iterator[str]:
    """What all services together will charge; nothing where none is asked."""
    quotes = list(plan.quotes.values())
    if not quotes:
        return
    expected, most = known_sum(q.usd for q in quotes), known_sum(q.usd_at_most for q in quotes)
    held = "" if settings.budget is None else f"; budget {dollars(settings.budget)}"
    bound = f"at most {dollars(most)}" if most is not None else "with no upper bound"
    if most is None and expected is not None:
        bound += f" ({NO_EPOCHS})"
    if settings.budget is not None and expected is not None and expected > settings.budget:
        held += ", which is not enough: the run will stop before its end, and keep what it has"
    yield f"limen: it will cost about {dollars(expected)}, {bound}{held}"


def _asked_services(lab: Lab, left: Sequence[Stage]) -> Iterator[tuple[Service, list[Stage]]]:
    """The services that stages ask, the run's own and those of judges, each with its stages."""
    for backend in dict.fromkeys(filter(None, (stage.asks() for stage in left))):
        stages = [stage for stage in left if stage.asks() == backend]
        if service := lab.backend_of(stages[0]).capabilities.service:
            yield service, stages


def _service_lines(
    service: Service, plan: Plan, left: Sequence[Stage], *, batch: bool
) -> Iterator[str]:
    """On which conditions a service is asked, how long it takes, and what would take less."""
    quotes = [plan.quotes[stage.key] for stage in left if stage.key in plan.quotes]
    if not quotes:
        return
    works = [work for stage in left if (work := stage.work())]
    for model in dict.fromkeys(work.model for work in works):
        yield f"limen: {model}: {service.conditions(model)}"
        for name, fact in service.server_facts(model).items():
            yield f"limen:   {name}: {fact}"
    minutes = sum(quote.minutes for quote in quotes)
    if minutes:
        slow = max(quotes, key=lambda quote: quote.minutes)
        yield (
            f"limen: at these limits sampling takes about {duration(60 * minutes)}; "
            f"{slow.binding} a minute are what binds"
        )
    written = {s.size(): s for s in left if isinstance(s, Generate)}
    for stage in written.values():
        yield from _alternatives(service, stage, batch=batch)


def _alternatives(service: Service, stage: Generate, *, batch: bool) -> Iterator[str]:
    """What another number of completions a prompt would make of a generation."""
    unknown = "within 24 h" if batch else "time not known"
    work = stage.work()
    for per_prompt in sorted({stage.per_prompt, *PER_PROMPT}):
        if per_prompt > stage.count:
            continue
        quote = service.quote(replace(work, per_call=per_prompt))
        mark = "  <- this plan" if per_prompt == stage.per_prompt else ""
        time = f"{duration(60 * quote.minutes)}, {quote.binding} bind" if quote.minutes else unknown
        yield (
            f"limen:   {stage.count:,} sequences at per_prompt={per_prompt}: "
            f"{quote.calls:,} requests, {time}, about {dollars(quote.usd)}{mark}"
        )
