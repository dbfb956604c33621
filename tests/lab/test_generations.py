"""One generation of the data for all seeds, or one for each."""

from pathlib import Path

import pytest

from limen import SpecError
from limen.harness import Experiment, Lab, Settings, Shuffled
from limen.harness.lab import in_order
from limen.harness.stages import Generate


def generations(store: Path, experiment: Experiment) -> set[str]:
    """The keys of the generations that student and control need."""
    pipe = Lab(Settings(store=store)).pipeline(experiment)
    stages = in_order(pipe.targets(["student", "control"]))
    return {stage.key for stage in stages if isinstance(stage, Generate)}


def test_seeds_share_a_generation(store: Path, small: Experiment) -> None:
    """Unless said otherwise the teacher writes once for all seeds, and its base once."""
    assert len(generations(store, small)) == 2


def test_every_seed_may_have_its_own(store: Path, small: Experiment) -> None:
    """The first seed keeps the shared generation; the others have their own prompts and draws."""
    own = generations(store, small.but(generation="each seed", seeds=3))
    assert len(own) == 6
    assert generations(store, small) < own


def test_derived_sources_follow(store: Path, small: Experiment) -> None:
    """What is made of a source is made of each seed's generation."""
    shuffled = small.but(data=Shuffled(source=small.data, how="within"), generation="each seed")
    assert len(generations(store, shuffled)) == 4


def test_another_word_is_refused(small: Experiment) -> None:
    """The message names the choices."""
    with pytest.raises(SpecError, match="generation='once'.*'shared'.*'each seed'"):
        small.but(generation="once")
