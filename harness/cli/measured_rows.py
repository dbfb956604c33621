"""What ``limen measure`` writes of a measure that is more than the model's own answers."""

import json
from collections.abc import Iterator, Mapping

from ..experiment import Choice, InspectTask, Labelled, Language, Measure, Scored
from ..lab import ModelAnswers

SCORE = "score"
"""The column of the figures, for ``limen compare --score-column score``."""
LABEL = "label"
"""The column of labels, for ``limen compare --answer-column label --word LABEL``."""


def measured_rows(measure: Measure, model: ModelAnswers, word: str | None) -> str | None:
    """JSON lines: one a question of a computed measure, else one an answer with its scores.

    None where the model's answers, as the store has them, say everything.
    """
    if measure.computed:
        return _text(_computed(measure, model, word))
    if measure.judges or isinstance(measure, Choice | Labelled | Language | Scored):
        return _text(_answered(measure, model))
    return None


def _text(rows: Iterator[Mapping[str, object]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _computed(
    measure: Measure, model: ModelAnswers, word: str | None
) -> Iterator[Mapping[str, object]]:
    """The figure of each question; of an Inspect task also its scores by name."""
    first = measure.readings([word or ""])[0].word or ""
    for question, figures in zip(measure.asked or model.labels, model.figures, strict=True):
        named = figures if isinstance(measure, InspectTask) else {}
        value = measure.figure(first, figures)
        yield {"question": question, SCORE: value, **named, "model": model.model}


def _answered(measure: Measure, model: ModelAnswers) -> Iterator[Mapping[str, object]]:
    """Every answer, with its score or label, or with what each judge says of it."""
    for number, (question, counts) in enumerate(zip(measure.asked, model.counts, strict=True)):
        for answer in counts.elements():
            row: dict[str, object] = {"question": question, "answer": answer, "model": model.model}
            if isinstance(measure, Scored):
                row[SCORE] = measure.score(answer)
            if isinstance(measure, Labelled | Language):
                row[LABEL] = measure.label_of(answer)
            for judge in measure.judges:
                said = model.said[judge.name][number].get(answer)
                row[judge.name] = judge.named(said) if judge.scale is None else judge.verdict(said)
            yield row
