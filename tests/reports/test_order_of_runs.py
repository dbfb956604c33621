"""The order of a store's runs, of which the last is reported."""

import os
from dataclasses import replace
from pathlib import Path

from limen import reports

RUN = reports.Run(
    created="2026-12-01T00:00:05Z", command="pytest", seconds=1.0, versions={}, git="", claims=(),
    results=(),
)  # fmt: skip


def test_runs_of_one_second_stand_in_the_order_of_writing(tmp_path: Path) -> None:
    """Their names, which end in a hash, say nothing of it; other seconds go before."""
    for number in range(8):
        file = reports.keep_run(replace(RUN, seconds=float(number)), tmp_path)
        os.utime(file, ns=(0, number))
    reports.keep_run(replace(RUN, created="2026-12-01T00:00:04Z", seconds=99.0), tmp_path)
    assert [run.seconds for run in reports.runs_of(tmp_path)] == [99.0, *map(float, range(8))]
