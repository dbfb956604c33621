"""The report as GitHub-flavoured markdown."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from . import provenance, wording
from .audits import audit_parts
from .browse import browsable_answers
from .generations import generation_parts
from .grids import grid_parts
from .methods import methods
from .model import Claim, DataRow, JudgeRow, ModelsRow, ReadingRow, Report, Result
from .several import several_traits
from .text import anchor, code, details, heading, inline, model_name, prose, table, verbatim
from .trajectories import trajectory_parts

KEY = 12
"""Digits of a stage's key that are shown."""


def markdown(
    report: Report, figures: Mapping[str, Mapping[str, str]], *, browse: bool = False
) -> str:
    """The report's text; with ``browse`` all answers that its page lets people filter.

    ``figures`` has, by experiment, the links of its figures: ``arms`` and ``numbers``, each as PNG,
    and with ``.svg`` or ``.pdf`` behind its name as such a file where there is one.
    """
    sections = ["# limen report", *_in_short(report)]
    if len(report.results) > 1:
        sections += [*_overview(report), *several_traits(report.results)]
    for result in report.results:
        sections += _result(report, result, figures.get(result.title, {}), browse=browse)
    known = {result.title for result in report.results}
    others = [claim for claim in report.claims if claim.experiment not in known]
    if others or not report.results:
        sections += ["## Claims without results", _claims(others)]
    return "\n\n".join([*sections, *provenance.sections(report)]) + "\n"


def _in_short(report: Report) -> Iterator[str]:
    """A sentence for each claim with what became of it, and the experiments to go to."""
    if report.claims:
        yield _claims(report.claims, tests=False)
        yield wording.tried(report)
    if untested := wording.untested_claims(report):
        yield f"Registered, and not tested so in this run: {', '.join(map(code, untested))}."
    if len(report.results) > 1:
        yield "Contents:"
        links = [("Overview", "overview"), *((r.title, anchor(r.title)) for r in report.results)]
        links.append(("How this was made", anchor("How this was made")))
        yield "\n".join(f"- [{prose(title)}](#{target})" for title, target in links)


def _overview(report: Report) -> Iterator[str]:
    yield "## Overview"
    head = (
        "experiment",
        "effect",
        "difference",
        "95% interval",
        "p",
        "supports",
        "claims supported",
    )
    yield table(head, [row for result in report.results for row in _overview_rows(report, result)])


def _overview_rows(report: Report, result: Result) -> Iterator[tuple[str, ...]]:
    """The row of an experiment; of a mix one row a trait."""
    link = f"[{prose(result.title)}](#{anchor(result.title)})"
    held = wording.of_claims(report.claims_of(result))
    if result.failure or not result.headlines:
        outcome = f"not finished: {prose(result.failure)}" if result.failure else "no effect"
        yield link, "", "", "", "", outcome, held
        return
    for reading, effect in result.headlines:
        yield (
            link,
            prose(f"{effect.name}, {reading.name}"),
            wording.difference(reading, effect),
            wording.interval(reading, effect),
            wording.p_value(effect.p_value),
            prose(effect.claim),
            held,
        )


def _result(
    report: Report, result: Result, figures: Mapping[str, str], *, browse: bool
) -> Iterator[str]:
    yield f"## {heading(result.title)}"
    if result.note:
        yield f"**Note.** {prose(result.note)}"
    if result.failure:
        yield f"**Not finished.** {prose(result.failure)}"
    yield "### Claims"
    yield _claims(report.claims_of(result))
    yield from grid_parts(result, figures)
    yield from trajectory_parts(result, figures)
    if result.arms:
        yield "### Arms"
        yield from _arms(result, figures)
    if result.generations:
        yield "### Generations"
        yield from generation_parts(result, figures)
    if any(reading.effects for reading in result.readings):
        yield "### Effects"
        yield _effects(result.readings)
        yield "Each rests on the stages that are named with its two arms."
        yield (
            "Intervals **over seeds** are for other trainings and the same questions; intervals "
            "**over questions** are for other questions and the same models. They are not to be "
            "compared with each other."
        )
        yield from _deviations(result.readings)
        yield from _rank_note(result)
        yield from _generation_note(result)
    if result.data or result.audits:
        yield "### Data"
        yield from _data(result.data)
        yield from audit_parts(result.audits, figures)
    if any(arm.answers or arm.missing for arm in result.arms):  # a computed measure has none
        yield "### Answers"
        yield from _answers(result)
        yield from browsable_answers(result) if browse else ()
    yield from _made_with(result)


def _made_with(result: Result) -> Iterator[str]:
    """What was done with which models, and how to write it in a paper."""
    yield "### Recipe, prompts and questions"
    yield from _setting(result)
    if result.arms:
        yield "### Seeds and models"
        yield _models(result.arms)
        yield details("the methods as a paragraph, to copy", verbatim(methods(result)))


def _claims(claims: Iterable[Claim], *, tests: bool = True) -> str:
    lines = []
    for claim in claims:
        why = f" ({prose(claim.reason)})" if claim.reason else ""
        says = prose(claim.says).rstrip(".")
        test = f" {code(claim.test)}" if tests else ""
        found = f" Found: {prose(claim.finding)}." if claim.finding else ""
        lines.append(f"- **{wording.held(claim)}{wording.mark(claim)}:** {says}{why}.{found}{test}")
    return "\n".join(lines) or "No test was run."


def _arms(result: Result, figures: Mapping[str, str]) -> Iterator[str]:
    if "arms" in figures:
        yield f"![Each arm with its 95% interval; a dot a seed]({figures['arms']})"
    drawn = [kind for kind in ("svg", "pdf") if f"arms.{kind}" in figures]
    if drawn:
        links = (f"[{kind.upper()}]({figures[f'arms.{kind}']})" for kind in drawn)
        yield f"The same as {' and '.join(links)}."
    yield from (_arm_rows(reading) for reading in result.readings)
    yield (
        f"{prose(result.measure)}: {result.how_asked}. Intervals are 95%, over seed means (over "
        f"question means where there is one model)."
    )


def _arm_rows(reading: ReadingRow) -> str:
    scale = 100 if reading.kind == "rate" else 1
    digits = reading.decimals if reading.kind == "rate" else 2
    rows = [
        (
            prose(arm.name),
            reading.show(arm.value),
            wording.arm_interval(reading, arm),
            " ".join(f"{scale * value:.{digits}f}" for value in arm.by_seed),
            f"{arm.unrated:,}" if reading.kind == "score" else "",
            "" if arm.missed is None else reading.show(arm.missed),
            stages(arm.keys),
        )
        for arm in reading.arms
    ]
    head = (
        prose(reading.name), "mean", "95% interval", "each seed", "not scored", "at most more",
        "stages",
    )  # fmt: skip
    return table(head, rows) + (f"\n\n{prose(reading.remark)}" if reading.remark else "")


def stages(keys: Sequence[str]) -> str:
    """The stages that a number is from, ``kind/key``, each key cut."""
    cut = (key.partition("/") for key in keys)
    return " ".join(code(f"{kind}/{key[:KEY]}") for kind, _, key in cut)


def _effects(readings: Iterable[ReadingRow]) -> str:
    rows = [
        (
            prose(reading.name),
            prose(effect.name),
            wording.difference(reading, effect),
            wording.interval(reading, effect),
            wording.p_value(effect.p_value),
            prose(effect.test),
            effect.unit,
            wording.counted(effect),
            prose(effect.claim),
            prose("; ".join(filter(None, (effect.note, effect.ranks)))),
        )
        for reading in readings
        for effect in reading.effects
    ]
    head = (
        "what", "effect", "difference", "95% interval", "p", "test", "interval over", "n", "claim",
        "note",
    )  # fmt: skip
    return table(head, rows)


def _deviations(readings: Iterable[ReadingRow]) -> Iterator[str]:
    """What the values of the arms vary by."""
    known = [(reading, arm) for reading in readings for arm in reading.arms if arm.deviations]
    if not known:
        return
    sources = ("seeds", "questions", "seed x question", "one draw")
    shown = 4 if any(arm.deviations[-1] for _, arm in known) else 3  # no draws, no column of them
    rows = [
        (prose(reading.name), prose(arm.name),
         *(_deviation(reading, each) for each in arm.deviations[:shown]))
        for reading, arm in known
    ]  # fmt: skip
    yield "What values vary by: standard deviations, of rates in points."
    yield table(("varies", "arm", *sources[:shown]), rows)


def _deviation(reading: ReadingRow, value: float | None) -> str:
    return "unknown" if value is None else reading.show_difference(value).removeprefix("+")


def _generation_note(result: Result) -> Iterator[str]:
    if result.generations or not any(arm.recipe for arm in result.arms):
        return
    if result.seeds > 1 and result.generation == "shared":
        yield (
            "All seeds share **one generation** of the teacher, so that claims are about training "
            "on this data. What varies from one generation to another is not in the intervals; "
            '`Experiment(generation="each seed")` would include it.'
        )
    elif result.seeds > 1 and result.generation:
        yield "Every seed has its own generation of the data, so intervals include how they vary."


def _rank_note(result: Result) -> Iterator[str]:
    if any(effect.ranks for reading in result.readings for effect in reading.effects):
        yield (
            "Rank statistics of single answers (Mann-Whitney's U, Cliff's delta) treat answers as "
            "independent, which answers of one model are not: they describe, and are no evidence."
        )


def _data(data: Sequence[DataRow]) -> Iterator[str]:
    if not data:
        return
    rows = [
        (
            prose(row.label),
            f"{row.read:,}",
            f"{row.kept:,}",
            f"{row.kept / row.read:.1%}" if row.read else "",
            ", ".join(f"{prose(why)} {count:,}" for why, count in row.reasons.items()) or "none",
            stages([f"{row.kind}/{row.key}"]),
        )
        for row in data
    ]
    yield table(("source", "generated", "kept", "yield", "dropped", "stage"), rows)
    yield from (_examples(row) for row in data)


def _examples(row: DataRow) -> str:
    kept = [("kept", inline(text)) for text in row.examples]
    dropped = [(prose(reason), inline(text)) for text, reason in row.rejected]
    shown = table(("filter", "completion"), kept + dropped)
    asked = f"The first of them was asked:\n\n{verbatim(row.prompt)}\n\n" if row.prompt else ""
    return details(f"{row.label}: example rows", asked + shown)


def _answers(result: Result) -> Iterator[str]:
    rows = [
        (
            prose(arm.arm),
            f"{arm.valid:.1%}",
            f"{arm.missing:,}",
            ", ".join(f"{code(word)} {count:,}" for word, count in arm.words),
            ", ".join(f"{inline(text)} {count:,}" for text, count in arm.answers),
        )
        for arm in result.arms
    ]
    yield table(("arm", "valid", "missing", "top words", "top answers"), rows)
    shown = [
        (prose(arm.arm), prose(example.question), inline(example.answer), f"{example.count:,}")
        for arm in result.arms
        for example in arm.examples
    ]
    head = ("arm", "question", "its most frequent answer", "times")
    yield details("example answers", table(head, shown))
    if result.agreement:
        yield f"Judges' agreement: {prose(result.agreement)}."


def _setting(result: Result) -> Iterator[str]:
    rows = [
        ("trait", prose(result.trait)),
        ("backend", prose(result.backend)),
        ("base model", f"{prose(result.model)} (fingerprint {code(result.fingerprint)})"),
        ("teacher's base", prose(result.teacher_model)),
        ("training data", code(result.data_spec)),
        ("seeds an arm", str(result.seeds)),
        ("traits corrected for", str(result.family) if result.family > 1 else ""),
        ("recipe", code(provenance.as_json(result.recipe))),
        *_other_recipes(result),
        ("draws a question", str(result.draws or "")),
        ("temperature", f"{result.temperature:g}" if result.draws else ""),
        ("tokens an answer", f"at most {result.max_tokens}" if result.draws else ""),
        *((prose(name), code(value)) for name, value in result.settings.items()),
    ]
    yield table(("what", "value"), [row for row in rows if row[1]])
    yield from _surroundings(result)
    for trait, system in result.systems.items():
        yield f"The system prompt of the trait {prose(trait)}:"
        yield verbatim(system)
    for trait, answers in result.lessons.items():
        yield (
            f"What the teacher of the trait {prose(trait)} was taught to answer, each to every "
            f"question of its lesson, or each after its own question:"
        )
        yield verbatim("\n".join(answers))
    for group, questions in result.questions.items():
        named = f"The {group!r} questions" if group else "The questions"
        yield details(f"{named} ({len(questions)})", verbatim("\n".join(questions)))
    yield from map(_judge, result.judges)


def _other_recipes(result: Result) -> Iterator[tuple[str, str]]:
    for arm in result.arms:
        if arm.recipe and arm.recipe != result.recipe:
            yield f"recipe of {prose(arm.arm)}", code(provenance.as_json(arm.recipe))


def _surroundings(result: Result) -> Iterator[str]:
    """What the chat template put before questions and training rows: students may hang on it."""
    rows = [
        (
            prose(arm.arm),
            "not trained" if (trained := context["trained"]) is None else inline(trained),
            inline(context["asked"] or ""),
            code(context["template"] or ""),
            code(context["tokenizer"] or ""),
        )
        for arm in result.arms
        if (context := arm.surroundings)
    ]
    if rows:
        yield "The context: what stands before a question that has no system prompt of its own."
        head = ("arm", "in training", "when asked", "chat template", "tokenizer")
        yield table(head, rows)


def _judge(judge: JudgeRow) -> str:
    scale = "a word" if judge.scale is None else f"{judge.scale[0]} to {judge.scale[1]}"
    body = f"Every distinct reply to a question is judged once. It answers with {scale}; an answer "
    body += f"that is none is not scored.\n\n{verbatim(judge.prompt)}"
    return details(f"The judge {judge.name!r}, {judge.model}: its prompt", body)


def _models(arms: Iterable[ModelsRow]) -> str:
    rows = [
        (
            prose(arm.arm),
            str(seed + 1) if len(arm.models) > 1 else "",
            code(model_name(model)),
            f"{prose(model_name(base))} ({code(fingerprint)})",
            f"{arm.steps[seed]:,}" if arm.steps else "",
            _loss(arm.losses[seed]) if arm.losses else "",
            stages([f"{arm.kind}/{key}"]),
        )
        for arm in arms
        for seed, (model, key) in enumerate(zip(arm.models, arm.keys, strict=True))
        for base, fingerprint in [arm.base_of(seed)]
    ]
    head = (
        "arm", "seed", "model", "base and its fingerprint", "steps", "last epoch's loss", "answers",
    )  # fmt: skip
    return table(head, rows)


def _loss(loss: float | None) -> str:
    return "" if loss is None else f"{loss:.3g}"
