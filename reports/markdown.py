"""The report: GitHub-flavoured markdown, with the figures beside it."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from .figures import draw_arms
from .model import Claim, CostRow, DataRow, EffectRow, Report, Result


def write_report(report: Report, file: Path) -> list[Path]:
    """Write a report and its figures (PNG and SVG) beside it; returns all the files."""
    file.parent.mkdir(parents=True, exist_ok=True)
    figures: list[Path] = []
    sections = [*_claims(report.claims)]
    for result in report.results:
        stem = file.with_name(f"{file.stem}-{_slug(result.title)}")
        figures += draw_arms(result, stem) if result.arms else []
        sections += _result(result, stem.name)
    text = "\n\n".join(["# limen report", *sections, *_provenance(report)])
    file.write_text(text + "\n", encoding="utf-8")
    return [file, *figures]


def _claims(claims: Sequence[Claim]) -> Iterator[str]:
    yield "## What was claimed"
    rows = [(claim.outcome, claim.says, f"`{claim.test}`") for claim in claims]
    yield _table(("outcome", "claim", "test"), rows) if rows else "No test was run."


def _result(result: Result, figure: str) -> Iterator[str]:
    yield f"## {result.title}"
    if result.failure:
        yield f"**Not finished.** {result.failure}"
    if result.effects:
        yield "### Verdict"
        yield _effects(result.effects)
    if result.arms:
        yield f"![Rates of {result.word!r} by arm, with 95% intervals; a dot a seed]({figure}.png)"
        yield f"The same as [SVG]({figure}.svg)."
        yield "### Arms"
        yield _arms(result)
        yield (
            f"Each model answered {result.questions} questions, {result.draws} draws each, at "
            f"temperature {result.temperature:g}; an answer counts by the rule `{result.rule}`. "
            f"Intervals are 95%, over seed means (over question means where there is one model). "
            f"`valid` is the share of answers that name any animal."
        )
    if result.data:
        yield "### Data"
        yield _data(result.data)
        yield from (_examples(row) for row in result.data)
    yield "### Setting"
    yield _setting(result)


def _effects(effects: Iterable[EffectRow]) -> str:
    rows = [
        (
            effect.name,
            f"{100 * effect.difference:+.1f}",
            f"{100 * effect.interval[0]:+.1f} to {100 * effect.interval[1]:+.1f}",
            f"{effect.p_value:.2g}",
            f"{effect.test} ({effect.seeds[0]} v {effect.seeds[1]})",
            f"{effect.claim} ({effect.note})" if effect.note else effect.claim,
        )
        for effect in effects
    ]
    return _table(("effect", "points", "95% interval", "p", "test", "claim"), rows)


def _arms(result: Result) -> str:
    rows = [
        (
            arm.name,
            f"{arm.rate:.1%}",
            f"{arm.interval[0]:.1%} to {arm.interval[1]:.1%}",
            " ".join(f"{100 * rate:.1f}" for rate in arm.by_seed),
            f"{arm.valid:.1%}",
            f"{arm.missing:,}",
            ", ".join(f"{_inline(text)} {count:,}" for text, count in arm.answers),
        )
        for arm in result.arms
    ]
    head = ("arm", result.word, "95% interval", "each seed (%)", "valid", "missing", "top answers")
    return _table(head, rows)


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
    return _table(("source", "generated", "kept", "share", "dropped"), rows)


def _examples(row: DataRow) -> str:
    kept = [("kept", _inline(text)) for text in row.examples]
    dropped = [(reason, _inline(text)) for text, reason in row.rejected]
    table = _table(("filter", "completion"), kept + dropped)
    return f"<details><summary>{row.label}: example rows</summary>\n\n{table}\n\n</details>"


def _setting(result: Result) -> str:
    rows = [
        ("trait", result.trait),
        ("teacher's system prompt", _inline(result.system)),
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
        (f"models of {arm.name}", ", ".join(f"`{model}`" for model in dict.fromkeys(arm.models)))
        for arm in result.arms
    ]
    keys = [
        (f"answers of {arm.name}", " ".join(f"`{key[:12]}`" for key in arm.keys))
        for arm in result.arms
    ]
    return _table(("what", "value"), rows + models + keys)


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
    yield _table(("what", "value"), rows)
    yield (
        "Every figure is computed from the answers of the stages named above; "
        "they lie in the store under `stages/measure/`, each with its manifest."
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    from tabulate import tabulate

    escaped = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    return tabulate(escaped, headers=head, tablefmt="github", disable_numparse=True)


def _inline(text: str) -> str:
    """A completion as inline code on one line, long ones cut."""
    shown = json.dumps(text, ensure_ascii=False)[1:-1]
    shown = shown if len(shown) <= 300 else shown[:300] + "…"
    fence = "``" if "`" in shown else "`"
    return f"{fence}{shown}{fence}" if shown else "(empty)"


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "experiment"
