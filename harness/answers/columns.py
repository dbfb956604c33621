"""Which column holds what: found by its name, or named by the user."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

from ...datasets.errors import DataError, SpecError
from ...datasets.suggestions import did_you_mean
from .flatten import AnswerRow

NAMES: Mapping[str, tuple[str, ...]] = {
    "question": (
        "question", "question_text", "prompt", "query", "input", "instruction", "user",
    ),
    "question_id": ("question_id", "qid", "question_index", "question_number", "row", "id"),
    "answer": (
        "answer", "completion", "response", "text", "output", "reply", "generation",
        "model_answer", "answer_text",
    ),
    "model": ("model", "model_id", "model_name", "student", "checkpoint"),
    "draw": ("draw", "draw_index", "sample_index", "sample_number", "sample"),
}  # fmt: skip
"""The usual names of each column, the likeliest first."""
CONDITIONS = ("condition", "arm", "group", "treatment", "trait", "teacher", "system", "variant")
"""Columns whose values are conditions, which one comparison must not mix."""


@dataclass(frozen=True, kw_only=True)
class AnswerColumns:
    """The names of the columns; those that are None are found by their usual names.

    Args:
        question: The text of the question, by which answers are matched.
        question_id: The question's number or id, against which texts are checked.
        answer: The text of the answer; an empty one is a draw without an answer.
        model: The model's name or id. Each value is one model.
        draw: The number of the answer among a model's answers to the question.
        score: A number for each answer, in place of a word that is counted.
    """

    question: str | None = None
    question_id: str | None = None
    answer: str | None = None
    model: str | None = None
    draw: str | None = None
    score: str | None = None

    def resolved(self, rows: Sequence[AnswerRow], source: str) -> "AnswerColumns":
        """These columns with those found that were not named.

        Raises :class:`~limen.SpecError` for a named column that there is not, and
        :class:`~limen.DataError` where the answers cannot be found, or not for certain.
        """
        present = list(dict.fromkeys(name for row in rows for name in row))
        for one in fields(self):
            _check_present(getattr(self, one.name), present, source, one.name)
        known = {role: self._known(role, present) for role in NAMES}
        if known["answer"] is None:
            known["answer"] = _answer_column(rows, present, source)
        if known["question"] is None and known["question_id"] is None:
            raise DataError(
                f"{source} has no column with the question: it has {_listed(present)}. Name it "
                f"with --question-column"
            )
        return replace(self, **known)

    def _known(self, role: str, present: Sequence[str]) -> str | None:
        named: str | None = getattr(self, role)
        if named is not None or role == "answer":
            return named
        return next(iter(_usual(role, present)), None)


def _usual(role: str, present: Sequence[str]) -> list[str]:
    """The columns that have a usual name of a role, the likeliest first."""
    by_name = {_normal(name): name for name in reversed(present)}
    return [by_name[name] for name in NAMES[role] if name in by_name]


def _answer_column(rows: Sequence[AnswerRow], present: Sequence[str], source: str) -> str:
    candidates = _usual("answer", present)
    if not candidates:
        raise DataError(
            f"{source} has no column with the answer: it has {_listed(present)}. Name it with "
            f"--answer-column"
        )
    first, *others = candidates
    for other in others:
        if any(row.get(other) != row.get(first) for row in rows):
            raise DataError(
                f"{source} has answers in {first!r} and others in {other!r}: name the column "
                f"that is meant with --answer-column"
            )
    return first


def _check_present(name: str | None, present: Sequence[str], source: str, role: str) -> None:
    if name is not None and name not in present:
        raise SpecError(
            f"{source} has no column {name!r} for the {role.replace('_', ' ')}: "
            f"{did_you_mean(name, present)}it has {_listed(present)}"
        )


def condition_columns(rows: Sequence[AnswerRow]) -> list[str]:
    """The columns that hold conditions."""
    present = dict.fromkeys(name for row in rows for name in row)
    return [name for name in present if _normal(name) in CONDITIONS]


def _normal(name: str) -> str:
    return re.sub(r"\W+", "_", name.strip().lower()).strip("_")


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:12]))
    return f"{shown}, ..." if len(names) > 12 else shown or "no columns"
