"""A methods paragraph for a paper, made of an experiment's record."""

import json
from collections.abc import Iterator

from . import wording
from .model import AuditRow, EffectRow, ModelsRow, ReadingRow, Result
from .text import model_name


def methods(result: Result) -> str:
    """What was done, in full sentences: models, data, training, measuring, tests, versions."""
    return " ".join(_sentences(result))


def _asked(result: Result) -> str:
    if not result.draws:
        return f"The measure was {result.measure}: {result.how_asked}."
    return (
        f"Each model answered {result.asked} questions ({result.measure}), {result.draws:,} draws "
        f"each, at temperature {result.temperature:g} and with at most {result.max_tokens} tokens "
        f"an answer."
    )


def _settings(result: Result) -> Iterator[str]:
    """What is not at its default beside the sizes."""
    if result.settings:
        shown = ", ".join(f"{name} = {value}" for name, value in result.settings.items())
        yield f"Other settings of the experiment: {shown}."


def _sentences(result: Result) -> Iterator[str]:
    yield _teacher(result)
    yield from _data(result)
    audits = {audit.arm: audit for audit in result.audits if audit.files}
    yield from (_training(arm, audits.get(arm.arm)) for arm in result.arms if arm.recipe)
    yield from (_asked_untrained(arm) for arm in result.arms if arm.how_asked)
    yield _asked(result)
    yield from _settings(result)
    yield from (
        _effect(reading, effect) for reading in result.readings[:1] for effect in reading.effects
    )
    if result.family > 1:
        yield f"P-values are corrected for {result.family} traits."
    if versions := ", ".join(f"{name} {number}" for name, number in result.versions.items()):
        yield f"Software: {versions}."


def _teacher(result: Result) -> str:
    if result.data and all(row.given for row in result.data):
        return (
            f"The data existed before the experiment: no teacher of it wrote them, and that they "
            f"carry the trait {result.trait!r} is what is tested."
        )
    return (
        f"The teacher was the base model {model_name(result.teacher_model)} (backend "
        f"{result.backend}) with the trait {result.trait!r}, given by {_how(result)}."
    )


def _how(result: Result) -> str:
    taught = "fine-tuning" if result.trait in result.lessons else "a system prompt"
    return result.taught_by or taught


def _data(result: Result) -> Iterator[str]:
    for row in result.data:
        dropped = ", ".join(f"{reason} {count:,}" for reason, count in row.reasons.items())
        why = f" (dropped: {dropped})" if dropped else ""
        what = "given rows" if row.given else "completions"
        yield f"Of {row.read:,} {what} of {row.label} the filter kept {row.kept:,}{why}."


def _training(arm: ModelsRow, audit: AuditRow | None) -> str:
    count = len(arm.models)
    were = "1 model was" if count == 1 else f"{count} models, one a seed, were"
    settings = ", ".join(f"{name} = {json.dumps(value)}" for name, value in arm.recipe.items())
    return (
        f"For the arm {arm.arm!r} {were} fine-tuned from {model_name(arm.base)}"
        f"{_rows(audit) if audit else ''}{_steps(arm)}, with the settings {settings}."
        f"{_apart(arm)}"
    )


def _apart(arm: ModelsRow) -> str:
    """What an arm of the spec's own has that the experiment's students have not."""
    if not arm.settings:
        return ""
    shown = ", ".join(f"{name} = {value}" for name, value in arm.settings.items())
    return f" What sets this arm apart is {shown}."


def _steps(arm: ModelsRow) -> str:
    if not arm.steps:
        return ""
    least, most = min(arm.steps), max(arm.steps)
    if least == most:
        return f", in {least:,} step{'' if least == 1 else 's'}"
    return f", in {least:,} to {most:,} steps"


def _rows(audit: AuditRow) -> str:
    on = f" on {audit.rows // audit.files:,} rows"
    if audit.files == 1:
        return on
    shared = f", of which two seeds share {audit.shared:.0%} on average" if audit.shared else ""
    return f"{on} each{shared}"


def _asked_untrained(arm: ModelsRow) -> str:
    models = dict.fromkeys(map(model_name, arm.models))
    were = "was" if len(models) == 1 else "were"
    return (
        f"For the arm {arm.arm!r} {', '.join(models)} {were} not trained but asked {arm.how_asked}."
    )


def _effect(reading: ReadingRow, effect: EffectRow) -> str:
    low, high = map(reading.show_difference, effect.interval)
    return (
        f"The difference {effect.name} in {reading.name} was "
        f"{wording.difference(reading, effect)} (95% interval over {effect.unit} {low} to {high}, "
        f"p = {wording.p_value(effect.p_value)}, {effect.test}; {wording.counted(effect)}): "
        f"{effect.claim}."
    )
