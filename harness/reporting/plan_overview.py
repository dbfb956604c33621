"""The plan of several experiments: a line for each, or for each file; and all of it as data."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ...reports.wording import dollars
from ..lab import Lab, Plan
from ..stages import FineTune, Stage
from ..statistics import Design
from .assertions import EffectAssertion
from .plan_text import known_sum, total_lines
from .power_warnings import Selected, planned_design, underpowered

MOST_LINES = 14
"""Experiments that have a line each; of more, each file has one."""
HEAD = ("what", "stages to do", "completions", "fine-tunings", "requests", "about", "80% power for")
SERVICE_COLUMNS = slice(4, 6)
"""The columns that only services have."""


@dataclass(frozen=True, kw_only=True)
class _Part:
    """One experiment of the plan, or those of one file."""

    title: str
    stages: tuple[Stage, ...]
    designs: tuple[Design, ...]


def overview_lines(
    lab: Lab,
    plan: Plan,
    selected: Selected,
    asserted: Mapping[str, Sequence[EffectAssertion]],
) -> Iterator[str]:
    """The plan of several experiments; shared stages are counted where they are first needed."""
    from tabulate import tabulate

    parts = _parts(lab, plan, selected)
    rows = [_row(part, plan) for part in (parts if len(parts) <= MOST_LINES else _by_file(parts))]
    head = list(HEAD)
    align = ["left", *["right"] * (len(HEAD) - 2), "left"]
    if not plan.quotes:
        for row in (head, align, *rows):
            del row[SERVICE_COLUMNS]
    yield from tabulate(rows, headers=head, colalign=align, disable_numparse=True).splitlines()
    yield from total_lines(lab, plan)
    yield from _warning_lines(parts, asserted)
    yield "limen: --limen-plan-all has a line for each stage, and what each assertion can find"


def _parts(lab: Lab, plan: Plan, selected: Selected) -> list[_Part]:
    designs = [planned_design(lab, experiment, arms) for _, experiment, arms in selected]
    return [
        _Part(title=title, stages=stages, designs=(design,) if design else ())
        for (title, *_), stages, design in zip(selected, plan.by_experiment, designs, strict=True)
    ]


def _by_file(parts: Sequence[_Part]) -> list[_Part]:
    """The experiments of each file together."""
    files: dict[str, list[_Part]] = {}
    for part in parts:
        files.setdefault(part.title.partition("[")[0], []).append(part)
    return [
        _Part(
            title=file if len(group) == 1 else f"{file} ({len(group)} experiments)",
            stages=tuple(stage for part in group for stage in part.stages),
            designs=tuple(design for part in group for design in part.designs),
        )
        for file, group in files.items()
    ]


def _row(part: _Part, plan: Plan) -> list[str]:
    left = [stage for stage in part.stages if stage.key not in plan.finished]
    quotes = [plan.quotes[stage.key] for stage in left if stage.key in plan.quotes]
    return [
        part.title,
        f"{len(left)} of {len(part.stages)}",
        f"{sum(stage.size() for stage in left):,}",
        str(sum(isinstance(stage, FineTune) for stage in left)),
        f"{sum(quote.calls for quote in quotes):,}",
        dollars(known_sum(quote.usd for quote in quotes)),
        _found(part.designs),
    ]


def _found(designs: Sequence[Design]) -> str:
    """The smallest true effects that designs find, from the best to the worst."""
    if not designs:
        return ""
    ordered = sorted(designs, key=lambda design: design.detectable)
    shown = [design.show(design.detectable) for design in (ordered[0], ordered[-1])]
    return " to ".join(dict.fromkeys(shown))


def _warning_lines(
    parts: Sequence[_Part], asserted: Mapping[str, Sequence[EffectAssertion]]
) -> Iterator[str]:
    weak = points = 0
    for part in parts:
        given = asserted.get(part.title, ())
        weak += sum(len(underpowered(design, given)) for design in part.designs)
        if part.designs and not any(one.kind == "at_least" for one in given):
            points += sum(one.kind == "value" for one in given)
    if weak:
        yield (
            f"limen: {weak} assertions ask for an effect that the design would often miss: "
            f"raise seeds, or ask for more"
        )
    if points:
        yield (
            f"limen: {points} assertions compare a point estimate alone: effect.at_least(...) "
            f"tests whether an effect is that large"
        )


def plan_as_data(lab: Lab, plan: Plan, selected: Selected) -> dict[str, object]:
    """The whole plan, for a JSON file: experiments with their stages, and what each one takes."""
    return {
        "backend": lab.settings.backend,
        "store": str(lab.settings.store),
        "stages": [_stage_data(stage, plan) for stage in plan.stages],
        "experiments": [
            {
                "title": part.title,
                "first_needed_here": [stage.key for stage in part.stages],
                "detectable_effects": [design.detectable for design in part.designs],
            }
            for part in _parts(lab, plan, selected)
        ],
    }


def _stage_data(stage: Stage, plan: Plan) -> dict[str, object]:
    quote = plan.quotes.get(stage.key)
    service = (
        {"requests": quote.calls, "tokens": quote.tokens, "usd": quote.usd,
         "usd_at_most": quote.usd_at_most, "minutes": quote.minutes}
        if quote
        else {}
    )  # fmt: skip
    return {
        "key": stage.key,
        "kind": stage.kind,
        "label": stage.label,
        "finished": stage.key in plan.finished,
        "shared": stage.key in plan.shared,
        "completions": stage.size(),
        "inputs": [needed.key for needed in stage.inputs()],
        **service,
    }
