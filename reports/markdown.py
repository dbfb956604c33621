"""The report: GitHub-flavoured markdown, with the figures beside it."""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from .audit_figure import draw_overuse
from .audits import audit_sections
from .figures import draw_arms
from .model import Claim, CostRow, DataRow, JudgeRow, ReadingRow, Report, Result
from .text import inline, slug, table


def write_report(report: Report, file: Path) -> list[Path]:
    """Write a report and its figures (PNG and SVG) beside it; returns all the files."""
    file.parent.mkdir(parents=True, exist_ok=True)
    figures: list[Path] = []
    sections = [*_claims(report.claims)]
    for result in report.results:
        stem = file.with_name(f"{file.stem}-{slug(result.title)}")
        figures += _figures(result, stem)
        sections += _result(result, stem.name)
    text = "\n\n".join(["# limen report", *sections, *_provenance(report)])
    file.write_text(text + "\n", encoding="utf-8")
    return [file, *figures]


def _figures(result: Result, stem: Path) -> list[Path]:
    """The arms, and the numbers that the student's data overuse."""
    made = draw_arms(result, stem) if result.arms else []
    for audit in result.audits:
        if audit.arm == "student" and audit.z:
            name = stem.with_name(f"{stem.name}-numbers")
            title = f"{result.title}: numbers in the student's data against the control's"
            numbers = range(len(audit.z))
            made += draw_overuse(numbers, audit.z, name, title, threshold=audit.threshold)
    return made


def _claims(claims: Sequence[Claim]) -> Iterator[str]:
    yield "## What was claimed"
    rows = [
        (claim.outcome, f"{claim.says}: {claim.reason}" if claim.reason else claim.says,
         f"`{claim.test}`")
        for claim in claims
    ]  # fmt: skip
    yield table(("outcome", "claim", "test"), rows) if rows else "No test was run."


def _result(result: Result, figure: str) -> Iterator[str]:
    yield f"## {result.title}"
    if result.failure:
        yield f"**Not finished.** {result.failure}"
    if any(reading.effects for reading in result.readings):
        yield "### Verdict"
        yield _effects(result.readings)
    if result.arms:
        yield f"![Each arm with its 95% interval; a dot a seed]({figure}.png)"
        yield f"The same as [SVG]({figure}.svg)."
        yield "### Arms"
        yield from (_arms(reading) for reading in result.readings)
        yield (
            f"{result.measure}: each model answered {result.questions} questions, "
            f"{result.draws} draws each, at temperature {result.temperature:g}. Intervals are 95%, "
            f"over seed means (over question means where there is one model)."
        )
        yield "### Answers"
        yield _answers(result)
    if result.judges:
        yield "### Judges"
        yield from _judges(result.judges, result.agreement)
    if result.data:
        yield "### Data"
        yield _data(result.data)
        yield from (_examples(row) for row in result.data)
    yield from audit_sections(result.audits, figure)
    yield "### Setting"
    yield _setting(result)


def _effects(readings: Iterable[ReadingRow]) -> str:
    rows = [
        (
            reading.name,
            effect.name,
            f"{reading.show_difference(effect.difference)} {reading.unit}".strip(),
            " to ".join(map(reading.show_difference, effect.interval)),
            f"{effect.p_value:.2g}",
            f"{effect.test} ({effect.seeds[0]} v {effect.seeds[1]})",
            ". ".join(filter(None, (effect.claim, effect.note, effect.ranks))),
        )
        for reading in readings
        for effect in reading.effects
    ]
    return table(("what", "effect", "difference", "95% interval", "p", "test", "claim"), rows)


def _arms(reading: ReadingRow) -> str:
    scale = 100 if reading.kind == "rate" else 1
    digits = 1 if reading.kind == "rate" else 2
    rows = [
        (
            arm.name,
            reading.show(arm.value),
            " to ".join(map(reading.show, arm.interval)),
            " ".join(f"{scale * value:.{digits}f}" for value in arm.by_seed),
            f"{arm.unrated:,}" if reading.kind == "score" else "",
        )
        for arm in reading.arms
    ]
    return table((reading.name, "mean", "95% interval", "each seed", "not scored"), rows)


def _answers(result: Result) -> str:
    rows = [
        (
            arm.arm,
            f"{arm.valid:.1%}",
            f"{arm.missing:,}",
            ", ".join(f"{inline(text)} {count:,}" for text, count in arm.answers),
        )
        for arm in result.arms
    ]
    return table(("arm", "valid", "missing", "top answers"), rows)


def _judges(judges: Sequence[JudgeRow], agreement: str) -> Iterator[str]:
    rows = [
        (
            judge.name,
            judge.model,
            "a word" if judge.scale is None else f"{judge.scale[0]} to {judge.scale[1]}",
            inline(judge.prompt),
        )
        for judge in judges
    ]
    yield table(("judge", "model", "answers with", "prompt"), rows)
    yield "Every distinct reply to a question is judged once; answers that are none are not scored."
    if agreement:
        yield f"Agreement: {agreement}."


def _data(data: Iterable[DataRow]) -> str:
    rows = [
        (
            row.label,
            f"{row.read:,}",
            f"{row.kept:,}",
            f"{row.kept / row.read:.1%}" if row.read else "",
            ", ".join(f"{reason} {count:,}" for reason, count in row.reasons.items()) or "none",
        )
        for row in data
    ]
    return table(("source", "generated", "kept", "share", "dropped"), rows)


def _examples(row: DataRow) -> str:
    kept = [("kept", inline(text)) for text in row.examples]
    dropped = [(reason, inline(text)) for text, reason in row.rejected]
    shown = table(("filter", "completion"), kept + dropped)
    return f"<details><summary>{row.label}: example rows</summary>\n\n{shown}\n\n</details>"


def _setting(result: Result) -> str:
    rows = [
        ("trait", result.trait),
        ("teacher's system prompt", inline(result.system)),
        ("backend", result.backend),
        ("base model", f"{result.model} (fingerprint `{result.fingerprint}`)"),
        ("teacher's base", result.teacher_model),
        ("training data", f"`{result.data_spec}`"),
        ("seeds an arm", str(result.seeds)),
        ("recipe", f"`{json.dumps(dict(result.recipe))}`"),
        ("cost", _cost(result.cost)),
        ("time in stages", f"{result.stage_seconds:.1f} s, summed over all stages"),
    ]
    models = [
        (f"models of {arm.arm}", ", ".join(f"`{model}`" for model in dict.fromkeys(arm.models)))
        for arm in result.arms
    ]
    keys = [
        (f"answers of {arm.arm}", " ".join(f"`{key[:12]}`" for key in arm.keys))
        for arm in result.arms
    ]
    return table(("what", "value"), rows + models + keys)


def _cost(cost: CostRow | None) -> str:
    if cost is None:
        return "none: no service was asked"
    amount = "unknown" if cost.usd is None else f"${cost.usd:,.4f}"
    return f"{amount} ({cost.words()})"


def _provenance(report: Report) -> Iterator[str]:
    yield "## How this was made"
    rows = [
        ("command", f"`{report.command}`"),
        ("written", report.created),
        ("wall time", f"{report.seconds:.1f} s"),
        *((name, version) for name, version in report.versions.items()),
    ]
    yield table(("what", "value"), rows)
    yield (
        "Every figure is computed from the answers of the stages named above; "
        "they lie in the store under `stages/measure/`, each with its manifest."
    )
