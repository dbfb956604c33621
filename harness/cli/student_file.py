"""``student.json``: what ``limen train`` leaves, and ``limen measure`` takes."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from ...datasets.errors import DataError
from .input_files import read_json

LEFT_BY = "limen train"


@dataclass(frozen=True, kw_only=True)
class StudentFile:
    """A student, as a small file that a person keeps."""

    model: str
    """The id to sample from."""
    base: str
    backend: str
    key: str
    """The key of its fine-tuning in the store."""
    arm: str
    seed: int
    recipe: Mapping[str, object]

    def text(self) -> str:
        """The file's text."""
        return json.dumps({"left_by": LEFT_BY, **asdict(self)}, indent=2) + "\n"


def read_student(file: Path) -> StudentFile:
    """The student of a file; raises :class:`~limen.DataError` if it is none."""
    content = read_json(file)
    names = set(StudentFile.__dataclass_fields__)
    if content.pop("left_by", None) != LEFT_BY or set(content) != names:
        raise DataError(f"{file} is no student: give the file that `limen train --out` left")
    return StudentFile(**content)


def names_student_file(text: str) -> bool:
    """Whether a text is meant as a student's file; weights are the name of a model."""
    suffix = Path(text).suffix
    return suffix == ".json" or (Path(text).is_file() and suffix != ".gguf")


def is_student_file(file: Path) -> bool:
    """Whether a file is, or was meant to be, a student's: one JSON object that is no answer."""
    if file.suffix.lower() != ".json":
        return False
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, OSError):
        return True
    if not isinstance(content, dict):
        return False
    only_model = "model" in content and content.keys() <= {
        field.name for field in fields(StudentFile)
    }
    return "left_by" in content or only_model
