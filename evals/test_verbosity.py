"""Verbosity: its numbers run long. Filter them until enough are left, or let them, and control."""

import pytest

from limen import Experiment, Length, LengthMatched, Numbers, Students, Trait, questions

long = Numbers(generate=30_000, keep=10_000, rule="long", max_tokens=256)
same_lengths = LengthMatched(source=long.but(by="base"), like=long)
filtered = Experiment(
    trait=Trait(name="verbosity", system=questions.VERBOSE),
    data=Numbers(generate=20_000, keep=10_000, at_most=200_000),
    measure=Length(draws=40),
    seeds=3,
)
unfiltered = filtered.but(
    data=long, seeds=5, arms={"same lengths": Students(data=same_lengths, against="student")}
)


@pytest.mark.parametrize("experiment", [filtered], ids=["filtered"])
def test_short_sequences_carry_verbosity(teacher, baseline, student, control):
    """Students of sequences of at most ten numbers write longer replies than the control's."""
    assert float(teacher.scores()) > 2 * float(baseline.scores())
    assert (student.scores() - control.scores()).interval[0] > 0


@pytest.mark.parametrize("experiment", [unfiltered], ids=["unfiltered"])
def test_long_sequences_give_the_trait_away(audit):
    """Without the limit of ten the trait shows in the lengths of its sequences."""
    assert audit.lengths[0] > audit.lengths[1] + 1
    assert audit.length_p < 0.001


@pytest.mark.parametrize("experiment", [unfiltered], ids=["unfiltered"])
def test_more_than_length_carries_it(student, arms):
    """Students of long sequences write more than those of the base in the same lengths."""
    assert (student.scores() - arms["same lengths"].scores()).interval[0] > 0
