"""Answers that were given elsewhere, as the subject of ``limen measure``."""

import json
from collections.abc import Iterator
from pathlib import Path

from ...datasets.errors import SpecError
from ...datasets.shards import DATA
from ..lab import AnswerTable, Columns, arm_of_tables, read_tables
from .echo import echo
from .steps import save_text
from .student_file import is_student_file

ANSWERS = DATA | {".eval"}
"""The ends of names of files that may have answers; a student's file ends in .json, too."""
OF_MODELS = ("config.json", "adapter_config.json")
"""Files that a folder of weights, or of an adapter, has, and no data set."""


def is_answer_file(path: Path) -> bool:
    """Whether a path is a file of answers, and not the name of a model or a student's file."""
    if path.is_dir():
        return not any((path / name).is_file() for name in OF_MODELS)
    named = any(suffix.lower() in ANSWERS for suffix in path.suffixes)
    return path.is_file() and named and not is_student_file(path)


def given_answers(file: Path, columns: Columns, word: str | None, out: Path) -> Iterator[str]:
    """Write a file's answers to ``out``; what to print of them, a line a model.

    Raises :class:`~limen.SpecError` if no word is to be counted.
    """
    if word is None:
        raise SpecError(
            f"{file} has answers that were given already: name what to count by --word. What a "
            f"judge says of each answer: limen judge {file} --ask ...; a measure asks a model"
        )
    tables, understood = read_tables(file, columns)
    echo(understood, err=True)
    save_text("".join(_lines(tables)), out)
    yield f"{out}: {sum(table.size for table in tables):,} answers of {file.name}"
    for table in tables:
        name = table.model or "answers"
        arm = arm_of_tables(name, [table], list(table.counts), word=word)
        yield repr(arm.rate(word))


def _lines(tables: list[AnswerTable]) -> Iterator[str]:
    """The answers as JSON lines, with the question and the model of each."""
    for table in tables:
        for question, counts in table.counts.items():
            for text in counts.elements():
                row = {"question": question, "answer": text, "model": table.model}
                known = {name: value for name, value in row.items() if value is not None}
                yield json.dumps(known, ensure_ascii=False) + "\n"
