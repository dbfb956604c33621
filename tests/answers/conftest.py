import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from ..testing.answer_rows import Sampler, Writer, sampled_rows


@pytest.fixture
def sampled() -> Sampler:
    """Makes the rows of a model: question, answer, and whatever else is given."""
    return sampled_rows


@pytest.fixture
def saved(tmp_path: Path) -> Writer:
    """Writes rows to a file of JSON lines."""

    def write(name: str, rows: Sequence[Mapping[str, Any]]) -> Path:
        file = tmp_path / name
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return file

    return write
