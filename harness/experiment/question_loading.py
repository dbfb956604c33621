"""Questions as a researcher gives them: texts, files, or groups of either."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from ...datasets import validation
from ...datasets.errors import DataError, SpecError
from ...datasets.row_forms import read_prompts
from ...datasets.shards import DATA

QuestionList = Sequence[str] | Path
"""Questions: texts, or a file with one on each line (empty lines and ``#`` lines are left out), or
with a column of them (JSONL, JSON, CSV, TSV, Parquet)."""
Questions = QuestionList | Mapping[str, QuestionList]
"""Questions, or groups of them by name."""


def question_groups(given: Questions) -> dict[str, tuple[str, ...]]:
    """The questions by group, read if they are in files; without groups one group, named "".

    Raises :class:`~limen.SpecError` for a file that cannot be read, for what is not a text, and
    for a question that is there twice.
    """
    if not isinstance(given, Mapping):
        groups = {"": _question_list("questions", given)}
    else:
        groups = {n: _question_list(f"questions[{n!r}]", part) for n, part in given.items()}
    if not groups:
        raise SpecError("questions={} must have at least one group")
    _check_unique(groups)
    return groups


def _check_unique(groups: Mapping[str, tuple[str, ...]]) -> None:
    seen: set[str] = set()
    for question in (text for texts in groups.values() for text in texts):
        if question in seen:
            raise SpecError(f"questions: {question!r} is there twice; raise draws instead")
        seen.add(question)


def _question_list(where: str, given: object) -> tuple[str, ...]:
    if isinstance(given, Path):
        return _questions_in(where, given)
    if isinstance(given, str) or not isinstance(given, Sequence) or not given:
        raise SpecError(f"{where}={given!r} must be a tuple of texts, at least one, or a Path")
    if not all(isinstance(text, str) and text.strip() for text in given):
        raise SpecError(f"{where}: every question must be a text that is not empty")
    for text in given:
        validation.whole_characters(where, text)
    return tuple(given)


def _questions_in(where: str, file: Path) -> tuple[str, ...]:
    if file.suffix.lower() in DATA and file.exists():
        return _column_of_questions(where, file)
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"{where}: cannot read the file {file}: {error}") from None
    stripped = (line.strip() for line in lines)
    questions = tuple(line for line in stripped if line and not line.startswith("#"))
    if not questions:
        raise SpecError(f"{where}: the file {file} has no questions; write one on each line")
    return questions


def _column_of_questions(where: str, file: Path) -> tuple[str, ...]:
    """The questions of a table, each once, in order."""
    try:
        return tuple(dict.fromkeys(read_prompts(file)))
    except DataError as error:
        raise SpecError(f"{where}: {error}") from None
