"""Rows of an Inspect log: a sample is a question, its choices and epochs are the draws."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ...datasets.errors import DataError

if TYPE_CHECKING:
    from inspect_ai.log import EvalSample

    from .flatten import AnswerRow


def log_rows(file: Path) -> "Iterator[AnswerRow]":
    """The answers of a log; raises :class:`~limen.DataError` for a file that is none."""
    from inspect_ai.log import read_eval_log

    try:
        log = read_eval_log(str(file))
    except Exception as error:  # of whatever kind: Inspect reads zip, JSON and older layouts
        raise DataError(f"{file} cannot be read as an Inspect log: {error}") from None
    for sample in log.samples or ():
        yield from _sample_rows(sample, log.eval.model)


def _sample_rows(sample: "EvalSample", model: str) -> "Iterator[AnswerRow]":
    shared: dict[str, object] = {
        "question": _question(sample),
        "model": model,
        **{name: score.value for name, score in (sample.scores or {}).items()
           if isinstance(score.value, int | float | str)},
    }  # fmt: skip
    choices = [] if sample.error else [choice.message.text for choice in sample.output.choices]
    failed = sample.metadata.get("missing", 0) if choices else 1
    texts = [*choices, *(None for _ in range(int(failed)))]
    for number, text in enumerate(texts):
        yield {**shared, "answer": text, "draw": (sample.epoch - 1) * len(texts) + number}


def _question(sample: "EvalSample") -> str:
    """The question: as limen's tasks note it, else what the user said last."""
    if "question" in sample.metadata:
        return str(sample.metadata["question"])
    if isinstance(sample.input, str):
        return sample.input
    said = [message.text for message in sample.input if message.role == "user"]
    return said[-1] if said else ""
