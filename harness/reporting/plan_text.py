"""The plan as lines for a terminal: what is to be done, what it takes, and what would take less."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from ...backends import Service
from ...reports.wording import dollars
from ..lab import Lab, Plan
from ..stages import FineTune, Generate, Stage
from .durations import about

PER_PROMPT = (1, 4, 10)
"""Completions a prompt that the plan compares."""


def plan_lines(lab: Lab, plan: Plan) -> Iterator[str]:
    """The plan, as lines."""
    from tabulate import tabulate

    if not plan.stages:
        yield "limen: no experiment is selected"
        return
    rows = [_row(stage, plan) for stage in plan.stages]
    head = ["state", "stage", "what", "completions", ""]
    align = ["left", "left", "left", "right", "left"]
    if plan.quotes:
        head[4:4], align[4:4] = ["requests", "tokens", "about"], ["right"] * 3
    else:
        rows = [(*row[:4], row[-1]) for row in rows]
    yield from tabulate(rows, headers=head, colalign=align, disable_numparse=True).splitlines()
    yield from total_lines(lab, plan)


def total_lines(lab: Lab, plan: Plan) -> Iterator[str]:
    """What is left to do in all, what it costs, and how long it takes."""
    left = [stage for stage in plan.stages if stage.key not in plan.finished]
    completions = sum(stage.size() for stage in left)
    trainings = sum(isinstance(stage, FineTune) for stage in left)
    yield (
        f"limen: {len(left)} of {len(plan.stages)} stages to do on {lab.settings.backend}: "
        f"{completions:,} completions, {trainings} fine-tunings; store {lab.settings.store}"
    )
    able = lab.backend.capabilities
    if able.service:
        yield from _service_lines(able.service, plan, left, lab.settings.budget)
    elif able.max_parallel_stages == 1:  # one after another, so times add up
        yield from _time_lines(lab, left)


def _time_lines(lab: Lab, left: Sequence[Stage]) -> Iterator[str]:
    """How long it takes, as far as past stages tell."""
    seconds, unknown = about(lab.store, left)
    if not seconds and not unknown:
        return
    estimate = (
        f"about {_time(seconds / 60)}, by the pace of past stages" if seconds else "not known"
    )
    but = f", and of no {', no '.join(sorted(unknown))} of this model is any in the store"
    yield f"limen: the time it takes: {estimate}{but if unknown else ''}"


def _row(stage: Stage, plan: Plan) -> tuple[str, ...]:
    quote = plan.quotes.get(stage.key)
    return (
        "done" if stage.key in plan.finished else "to do",
        stage.kind,
        stage.label,
        f"{stage.size():,}" if stage.size() else "",
        f"{quote.calls:,}" if quote and quote.calls else "",
        f"{quote.tokens:,}" if quote else "",
        dollars(quote.usd) if quote else "",
        "shared" if stage.key in plan.shared else "",
    )


def _service_lines(
    service: Service, plan: Plan, left: Sequence[Stage], budget: float | None
) -> Iterator[str]:
    quotes = list(plan.quotes.values())
    if not quotes:
        return
    about, most = known_sum(q.usd for q in quotes), known_sum(q.usd_at_most for q in quotes)
    held = "" if budget is None else f"; budget {dollars(budget)}"
    bound = f"at most {dollars(most)}" if most is not None else "with no upper bound"
    yield f"limen: it will cost about {dollars(about)}, {bound}{held}"
    works = [work for stage in left if (work := stage.work())]
    for model in dict.fromkeys(work.model for work in works):
        yield f"limen: {model}: {service.conditions(model)}"
        for name, fact in service.server_facts(model).items():
            yield f"limen:   {name}: {fact}"
    minutes = sum(quote.minutes for quote in quotes)
    if minutes:
        slow = max(quotes, key=lambda quote: quote.minutes)
        yield (
            f"limen: at these limits sampling takes about {_time(minutes)}; "
            f"{slow.binding} a minute are what binds"
        )
    written = {s.size(): s for s in left if isinstance(s, Generate)}
    for stage in written.values():
        yield from _alternatives(service, stage)


def _alternatives(service: Service, stage: Generate) -> Iterator[str]:
    """What another number of completions a prompt, or batch mode, would make of a generation."""
    work = stage.work()
    for per_prompt in sorted({stage.per_prompt, *PER_PROMPT}):
        if per_prompt > stage.count:
            continue
        quote = service.quote(replace(work, per_call=per_prompt))
        mark = "  <- this plan" if per_prompt == stage.per_prompt else ""
        time = f"{_time(quote.minutes)}, {quote.binding} bind" if quote.minutes else "within 24 h"
        yield (
            f"limen:   {stage.count:,} sequences at per_prompt={per_prompt}: "
            f"{quote.calls:,} requests, {time}, about {dollars(quote.usd)}{mark}"
        )
    yield "limen:   in batch mode (--limen-batch): within 24 h, at half the price"


def known_sum(amounts: Iterable[float | None]) -> float | None:
    """The sum of amounts, or None if one of them is not known."""
    every = list(amounts)
    known = [amount for amount in every if amount is not None]
    return sum(known) if len(known) == len(every) else None


def _time(minutes: float) -> str:
    return f"{minutes * 60:.0f} s" if minutes < 2 else f"{minutes:,.0f} min"
