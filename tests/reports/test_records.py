"""Records of runs: what stands in them whatever a command was given."""

import json
from pathlib import Path

from limen import reports


def test_a_run_with_an_argument_that_is_no_utf_8_is_recorded(tmp_path: Path) -> None:
    """Its record is UTF-8, and is read; what cannot be written is a question mark."""
    odd = "pytest --junitxml=r\udce9.xml"
    run = reports.Run(created="2026-11-24T00:00:00Z", command=odd, seconds=1.0, versions={},
                      git="", claims=(), results=())  # fmt: skip
    file = reports.keep_run(run, tmp_path)
    assert json.loads(file.read_text(encoding="utf-8"))
    assert reports.read_run(file).command == "pytest --junitxml=r?.xml"
