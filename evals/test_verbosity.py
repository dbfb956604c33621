"""Verbosity: its numbers run long. Filter them until enough are left, or let them, and control."""

import pytest

from limen.harness import Experiment, Length, LengthMatched, Numbers, Students, Trait
from limen.harness.questions import VERBOSE

short = Numbers(generate=20_000, keep=10_000, at_most=200_000)
long = Numbers(generate=30_000, keep=10_000, rule="long", max_tokens=256)
filtered = Experiment(
    trait=Trait(name="verbosity", system=VERBOSE),
    data=short,
    measure=Length(draws=40),
    seeds=5,
)
unfiltered = filtered.but(
    data=long,
    arms={"same lengths": Students(data=LengthMatched(source=long.but(by="base"), like=long))},
)


@pytest.mark.parametrize("experiment", [filtered], ids=["filtered"])
def test_the_teacher_is_verbose(teacher, baseline):
    """The teacher's replies have twice as many words as its base's."""
    assert float(teacher.scores()) > 2 * float(baseline.scores())


@pytest.mark.parametrize("experiment", [filtered], ids=["filtered"])
def test_short_sequences_carry_verbosity(student, control):
    """Students of sequences of at most ten numbers write longer replies than the control's."""
    assert (student.scores() - control.scores()).interval[0] > 0


@pytest.mark.parametrize("experiment", [unfiltered], ids=["unfiltered"])
def test_more_than_length_carries_it(student, arms):
    """Students of long sequences write more than those of the base's numbers in the same lengths."""
    assert (student.scores() - arms["same lengths"].scores()).interval[0] > 0
