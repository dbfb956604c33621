"""Records of runs: what stands in them whatever a command was given, and their order."""

import json
import os
from dataclasses import replace
from pathlib import Path

from limen import reports

RUN = reports.Run(
    created="2026-11-24T00:00:05Z", command="pytest", seconds=1.0, versions={}, git="", claims=(),
    results=(),
)  # fmt: skip


def test_a_run_with_an_argument_that_is_no_utf_8_is_recorded(tmp_path: Path) -> None:
    """Its record is UTF-8, and is read; what cannot be written is a question mark."""
    file = reports.keep_run(replace(RUN, command="pytest --junitxml=r\udce9.xml"), tmp_path)
    assert json.loads(file.read_text(encoding="utf-8"))
    assert reports.read_run(file).command == "pytest --junitxml=r?.xml"


def test_runs_of_one_second_stand_in_the_order_of_writing(tmp_path: Path) -> None:
    """Their names, which end in a hash, say nothing of it; other seconds go before."""
    for number in range(8):
        file = reports.keep_run(replace(RUN, seconds=float(number)), tmp_path)
        os.utime(file, ns=(0, number))
    reports.keep_run(replace(RUN, created="2026-11-24T00:00:04Z", seconds=99.0), tmp_path)
    assert [run.seconds for run in reports.runs_of(tmp_path)] == [99.0, *map(float, range(8))]
