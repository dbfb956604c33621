"""What pytest's items say of experiments: which one a test is about, and the arms it asks for."""

from typing import Any

import pytest

from ..experiment import ARMS, Experiment, GridExperiment, as_experiment
from ..lab import grid_arms

OWN = f"{(__package__ or '').rpartition('.')[0]}.plugin.fixtures"
"""The module of limen's own fixtures."""
FIXTURES = (*ARMS, "arms", "audit", "experiment", "grid", "trajectory")


def declared_experiment(item: pytest.Item) -> object:
    """The ``experiment`` of an item: its parameter, its class's, or its module's.

    Of a grid it is the experiment whose arms are the grid's students.
    """
    return as_experiment(_declared(item))


def _declared(item: pytest.Item) -> object:
    parameters = parameters_of(item)
    if "experiment" in parameters:
        return parameters["experiment"]
    for holder in (getattr(item, "cls", None), getattr(item, "module", None)):
        value: object = getattr(holder, "experiment", None)
        if value is not None:
            return value
    return None


def parameters_of(item: pytest.Item) -> dict[str, object]:
    """The parameters of a test, by name."""
    parameters: dict[str, object] = getattr(getattr(item, "callspec", None), "params", {})
    return parameters


def requested_arms(item: pytest.Item, experiment: Experiment) -> list[str]:
    """The arms that a test asks for by its fixtures, and those that these imply."""
    fixtures = getattr(item, "fixturenames", ())
    implied = list(experiment.all_arms) if "arms" in fixtures else []
    if "grid" in fixtures and isinstance(experiment, GridExperiment):
        implied += grid_arms(experiment)
    if "trajectory" in fixtures and experiment.trajectory is not None:
        implied += ["student", "control"]
    arms = [arm for arm in ARMS if arm in fixtures] + implied
    return list(dict.fromkeys([*arms, *experiment.implied_by(arms)]))


def is_skipped(item: pytest.Item) -> bool:
    """Whether marks keep a test from running: skip, a true skipif, or xfail without a run.

    Conditions that are texts are left to pytest: the stages of such a test run in any case.
    """
    if item.get_closest_marker("skip"):
        return True
    conditions = [mark.args for mark in item.iter_markers("skipif")]
    if any(not isinstance(c, str) and bool(c) for args in conditions for c in args):
        return True
    return any(mark.kwargs.get("run") is False for mark in item.iter_markers("xfail"))


def own_fixtures(item: pytest.Item) -> list[str]:
    """The fixtures of a test that limen gives: none that the user's own have replaced."""
    info: Any = getattr(item, "_fixtureinfo", None)
    definitions = {} if info is None else info.name2fixturedefs
    return [
        name for name in FIXTURES
        if name in definitions and definitions[name][-1].func.__module__ == OWN
    ]  # fmt: skip
