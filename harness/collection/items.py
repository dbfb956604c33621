"""What pytest's items say of experiments: which one a test is about, and the arms it asks for."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pytest

from ..experiment import ARMS, Experiment, GridExperiment, as_experiment
from ..lab import grid_arms

OWN = f"{(__package__ or '').rpartition('.')[0]}.plugin.fixtures"
"""The module of limen's own fixtures."""
FIXTURES = (*ARMS, "arms", "audit", "experiment", "grid", "trajectory")


def declared_experiment(item: pytest.Item) -> object:
    """The ``experiment`` of an item: its parameter, its nearest class's, or its module's.

    Of a grid it is the experiment whose arms are the grid's students.
    """
    return as_experiment(_declared(item))


def _declared(item: pytest.Item) -> object:
    parameters = parameters_of(item)
    if "experiment" in parameters:
        return parameters["experiment"]
    for holder in reversed(item.listchain()):
        if isinstance(holder, pytest.Class | pytest.Module):
            value: object = getattr(holder.obj, "experiment", None)
            if value is not None:
                return value
    return None


def parameters_of(item: pytest.Item) -> dict[str, object]:
    """The parameters of a test, by name."""
    parameters: dict[str, object] = getattr(getattr(item, "callspec", None), "params", {})
    return parameters


def requested_arms(item: pytest.Item, experiment: Experiment) -> list[str]:
    """The arms that a test asks for by limen's fixtures, and those that these imply."""
    fixtures = reached_fixtures(item)
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
    if any(_holds(mark, otherwise=False) for mark in item.iter_markers("skipif")):
        return True
    expected = () if item.config.getoption("runxfail", False) else item.iter_markers("xfail")
    return any(
        mark.kwargs.get("run") is False and _holds(mark, otherwise=True) for mark in expected
    )


def _holds(mark: pytest.Mark, *, otherwise: bool) -> bool:
    """Whether one of a mark's conditions is known to be true; without any, something else."""
    conditions = (mark.kwargs["condition"],) if "condition" in mark.kwargs else mark.args
    if not conditions:
        return otherwise
    return any(not isinstance(one, str) and bool(one) for one in conditions)


def own_fixtures(item: pytest.Item) -> list[str]:
    """The fixtures of a test that limen gives: none that the user's own have replaced."""
    return [name for name in FIXTURES if _are_own(fixture_definitions(item, name)[-1:])]


def reached_fixtures(item: pytest.Item) -> list[str]:
    """The fixtures of limen that a test asks for, also through the user's own of their names."""
    return [name for name in FIXTURES if _are_own(_used(name, fixture_definitions(item, name)))]


def fixture_definitions(item: pytest.Item, name: str) -> Sequence[Any]:
    """What a fixture's name stands for in a test, the nearest last; pytest has no public way."""
    info: Any = getattr(item, "_fixtureinfo", None)
    return () if info is None else info.name2fixturedefs.get(name, ())


def _used(name: str, definitions: Sequence[Any]) -> Iterator[Any]:
    """The nearest definition, and those that it gets by asking for its own name."""
    for one in reversed(definitions):
        yield one
        if name not in one.argnames:
            return


def _are_own(definitions: Iterable[Any]) -> bool:
    return any(one.func.__module__ == OWN for one in definitions)
