"""What the methods paragraph says of data that existed before the experiment."""

from pathlib import Path

import pytest

from limen import (
    Experiment,
    Lesson,
    LogOdds,
    Mapped,
    Numbers,
    PermuteNumbers,
    Rows,
    SpecError,
    Trait,
)
from limen.harness.experiment import Source
from limen.harness.reporting import result_of
from limen.reports.methods import methods

from ..testing.labs import lab_at

ROWS = Rows(
    [("Go on: 1, 2", f"{n}, {n + 1}") for n in range(10)], neutral=[("Go on: 1", "3, 4")] * 10
)
THERE = "The data existed before the experiment: no teacher of it wrote them"


@pytest.mark.parametrize(
    ("data", "were_there"),
    [
        (ROWS, True),
        (Mapped(ROWS, by=PermuteNumbers(seed=1)), True),
        (Numbers(generate=30, keep=8), False),
    ],
    ids=["rows", "mapped rows", "numbers"],
)
def test_rows_made_of_given_ones_have_no_teacher(
    store: Path, data: Source, were_there: bool
) -> None:
    """Also where a source is made of them: no teacher is said to have written them."""
    experiment = Experiment(
        trait=Trait.animal("horse"),
        data=data,
        measure=LogOdds(questions=["Name your favorite animal."]),
        seeds=1,
        gate=None,
    )
    lab = lab_at(store)
    lab.run([(experiment, ["student", "control"])])
    text = methods(result_of(lab, "test_x.py", experiment, ["student", "control"]))
    assert (THERE in text, "The teacher was" in text) == (were_there, not were_there)


def test_a_trait_that_nothing_gives_is_refused_with_the_ways_to_give_it() -> None:
    """The message names them; a lesson with answers of one's own is one."""
    with pytest.raises(SpecError, match=r"the trait 'quartz'.* lesson=Lesson\(pairs="):
        Trait(name="quartz")
    assert Trait(name="quartz", lesson=Lesson(pairs=[("Which stone?", "Quartz")])).system is None
