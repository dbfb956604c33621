"""The plan of several experiments: a line for each, or for each file; and all of it as data."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isfinite

from ...reports.amounts import dollars, duration
from ..lab import Lab, Plan
from ..stages import FineTune, Stage
from ..statistics import Design
from .assertions import EffectAssertion
from .estimates import estimate_of, known_sum, time_of
from .gate_lines import gate_texts
from .plan_text import total_lines
from .power_warnings import Selected, planned_design, underpowered

MOST_LINES = 10
"""Experiments that have a line each; of more, each file has one; of more files, the largest."""
HEAD = (
    "what", "stages to do", "completions", "fine-tunings", "requests", "tokens", "about",
    "time, one by one", "80% power for",
)  # fmt: skip
SERVICE_COLUMNS = slice(4, 7)
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
    parts = _parts(lab, plan, selected)
    seconds = time_of(lab, plan).by_stage
    yield from _table(_few(parts, plan, seconds), plan, seconds)
    yield from total_lines(lab, plan)
    yield (
        f"limen: {_warnings(parts, asserted)}--limen-plan-all has a line for each experiment and "
        f"stage, and what each assertion can find"
    )


def experiment_table(lab: Lab, plan: Plan, selected: Selected) -> list[str]:
    """A line for each experiment."""
    return _table(_parts(lab, plan, selected), plan, time_of(lab, plan).by_stage)


def _table(parts: Sequence[_Part], plan: Plan, seconds: Mapping[str, float]) -> list[str]:
    from tabulate import tabulate

    rows = [_row(part, plan, seconds) for part in parts]
    head = list(HEAD)
    align = ["left", *["right"] * (len(HEAD) - 2), "left"]
    if not plan.quotes:
        for row in (head, align, *rows):
            del row[SERVICE_COLUMNS]
    return tabulate(rows, headers=head, colalign=align, disable_numparse=True).splitlines()


def _few(parts: Sequence[_Part], plan: Plan, seconds: Mapping[str, float]) -> Sequence[_Part]:
    """The experiments, or their files, or of many files the largest and the rest together."""
    if len(parts) <= MOST_LINES:
        return parts
    files = _by_file(parts)
    if len(files) <= MOST_LINES:
        return files

    def size(part: _Part) -> tuple[float, int]:
        left = [stage for stage in part.stages if stage.key not in plan.finished]
        return sum(seconds.get(s.key, 0.0) for s in left), sum(map(plan.completions, left))

    largest = sorted(files, key=size, reverse=True)[: MOST_LINES - 1]
    rest = [part for part in files if part not in largest]
    return [
        *(part for part in files if part in largest),
        _together(f"{len(rest)} smaller files", rest),
    ]


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
        group[0] if len(group) == 1 else _together(f"{file} ({len(group)} experiments)", group)
        for file, group in files.items()
    ]


def _together(title: str, parts: Sequence[_Part]) -> _Part:
    return _Part(
        title=title,
        stages=tuple(stage for part in parts for stage in part.stages),
        designs=tuple(design for part in parts for design in part.designs),
    )


def _row(part: _Part, plan: Plan, seconds: Mapping[str, float]) -> list[str]:
    left = [stage for stage in part.stages if stage.key not in plan.finished]
    quotes = [plan.quotes[stage.key] for stage in left if stage.key in plan.quotes]
    return [
        part.title,
        f"{len(left)} of {len(part.stages)}",
        f"{sum(map(plan.completions, left)):,}",
        str(sum(isinstance(stage, FineTune) for stage in left)),
        f"{sum(quote.calls for quote in quotes):,}",
        f"{sum(quote.tokens for quote in quotes):,}",
        dollars(known_sum(quote.usd for quote in quotes)),
        duration(sum(seconds.get(stage.key, 0.0) for stage in left)) if left else "",
        _found(part.designs),
    ]


def _found(designs: Sequence[Design]) -> str:
    """The smallest true effects that designs find, from the best to the worst; none if none is."""
    units: dict[str, list[Design]] = {}
    able = [design for design in designs if isfinite(design.detectable)]
    if designs and not able:
        return "none"
    for design in sorted(able, key=lambda design: design.detectable):
        units.setdefault(design.show(design.detectable).partition(" ")[2], []).append(design)
    return ", ".join(
        " to ".join(dict.fromkeys(each.show(each.detectable) for each in (ordered[0], ordered[-1])))
        for ordered in units.values()
    )


def _warnings(parts: Sequence[_Part], asserted: Mapping[str, Sequence[EffectAssertion]]) -> str:
    """How many assertions the plan warns of; empty where there are none."""
    weak = points = 0
    for part in parts:
        given = asserted.get(part.title, ())
        weak += sum(len(underpowered(design, given)) for design in part.designs)
        if part.designs and not any(one.kind == "at_least" for one in given):
            points += sum(one.kind == "value" for one in given)
    said = []
    if weak:
        said.append(f"{weak} assertions ask for an effect that the design would often miss")
    if points:
        said.append(f"{points} compare a point estimate alone (effect.at_least(...) tests)")
    return f"{'; '.join(said)}; " if said else ""


def plan_as_data(lab: Lab, plan: Plan, selected: Selected) -> dict[str, object]:
    """The whole plan, for a JSON file: experiments with their stages, and what each one takes."""
    seconds = time_of(lab, plan).by_stage
    experiments = {title: experiment for title, experiment, _ in selected}
    return {
        "backend": lab.settings.backend,
        "model": lab.settings.model,
        "store": str(lab.settings.store),
        "estimate": asdict(estimate_of(lab, plan)),
        "stages": [_stage_data(stage, plan, seconds.get(stage.key)) for stage in plan.stages],
        "experiments": [
            {
                "title": part.title,
                "first_needed_here": [stage.key for stage in part.stages],
                "detectable_effects": [
                    design.detectable if isfinite(design.detectable) else None
                    for design in part.designs
                ],
                "gates": list(gate_texts(experiments[part.title])),
            }
            for part in _parts(lab, plan, selected)
        ],
    }


def _stage_data(stage: Stage, plan: Plan, seconds: float | None) -> dict[str, object]:
    quote = plan.quotes.get(stage.key)
    service = (
        {"requests": quote.calls, "tokens": quote.tokens, "usd": quote.usd,
         "usd_at_most": quote.usd_at_most, "minutes": quote.minutes or None}
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
        "answers_kept": plan.kept.get(stage.key, 0),
        "steps": stage.steps if isinstance(stage, FineTune) else None,
        "seconds": None if seconds is None else round(seconds, 3),
        "inputs": [needed.key for needed in stage.inputs()],
        **service,
    }
