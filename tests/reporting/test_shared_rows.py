"""How much of their training data two seeds share, in the report and the methods paragraph."""

import json
from itertools import combinations
from pathlib import Path
from statistics import mean

import pytest

from limen import Experiment, LogOdds, Mapped, Numbers, PermuteNumbers, Rows, Trait
from limen.harness.experiment import Source
from limen.harness.reporting import result_of
from limen.reports import AuditRow
from limen.reports.methods import methods

from ..testing.labs import lab_at

DRAWN = Numbers(generate=500, keep=150)
GIVEN = Rows([("Go on: 1, 2", f"{n}, {n + 1}") for n in range(10)], neutral=[("Go on", "3")] * 10)


def result(store: Path, data: Source, **options: object) -> tuple[AuditRow, str]:
    """The students' audit in an experiment on some data, and its methods paragraph."""
    experiment = Experiment(
        trait=Trait.animal("horse"),
        data=data,
        measure=LogOdds(questions=["Name your favorite animal."]),
        gate=None,
        **options,  # type: ignore[arg-type]
    )
    lab = lab_at(store)
    lab.run([(experiment, ["student"])])
    found = result_of(lab, "test_x.py", experiment, ["student"])
    return found.audits[0], methods(found)


def test_the_share_is_what_files_have_in_common(store: Path) -> None:
    """The expected share is near what pairs of files share by their rows' origins."""
    audit, text = result(store, DRAWN, seeds=4)
    files = [
        {tuple(json.loads(line).values()) for line in file.read_text().splitlines()}
        for file in store.glob("stages/mix/*/provenance.jsonl")
    ]
    assert len(files) == 4
    shared = mean(len(a & b) / len(a) for a, b in combinations(files, 2))
    assert audit.shared == pytest.approx(shared, abs=0.06)
    assert f"150 rows each, of which two seeds share {audit.shared:.0%} on average" in text


def test_changed_rows_are_shared_as_before(store: Path) -> None:
    """A function that changes rows after they are drawn leaves the share as it is."""
    plain, _ = result(store, DRAWN, seeds=2)
    changed, _ = result(store, Mapped(DRAWN, by=PermuteNumbers(seed=1)), seeds=2)
    assert changed.shared is not None
    assert 0 < changed.shared < 1
    assert plain.shared == pytest.approx(changed.shared, abs=0.05)


@pytest.mark.parametrize(
    ("data", "options"),
    [(DRAWN, {"seeds": 1}), (DRAWN, {"seeds": 2, "generation": "each seed"})],
    ids=["one seed", "rows of its own for each seed"],
)
def test_nothing_is_said_where_nothing_is_shared(
    store: Path, data: Source, options: dict[str, object]
) -> None:
    """One seed shares with none, and seeds whose teachers write anew share no row."""
    audit, text = result(store, data, **options)
    assert audit.shared is None
    assert "share" not in text


def test_all_of_given_rows_are_shared(store: Path) -> None:
    """Where all rows are taken, seeds differ in order and initialization alone."""
    audit, _ = result(store, GIVEN, seeds=2)
    assert audit.shared == pytest.approx(1)
