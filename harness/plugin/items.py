"""What pytest's items and reports say of experiments."""

from collections.abc import Sequence
from typing import Any

import pytest

from ...datasets.visible import visible_line
from ..experiment import ARMS, Experiment, GridExperiment, as_experiment
from ..lab import grid_arms

PARAM: Any = type(pytest.param())
"""The class of the rows that ``pytest.param(...)`` makes, which pytest exports no name for."""


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


def title_of(item: pytest.Item, parents: int = 0) -> str:
    """The title of an item's experiment: its own name, or the file, class and parameter.

    It does not depend on the folder that pytest takes for its root. ``parents`` folders stand
    before the file, for files of one name.
    """
    experiment = declared_experiment(item)
    if isinstance(experiment, Experiment) and experiment.name:
        return visible_line(experiment.name)
    file = "/".join(item.path.parts[-1 - parents :])
    holder = "::".join([file, *item.nodeid.split("[")[0].split("::")[1:-1]])
    if "experiment" not in parameters_of(item):
        return visible_line(holder)
    return visible_line(f"{holder}[{_experiment_id(item)}]")


def title_with_test(item: pytest.Item, parents: int = 0) -> str:
    """The title of an item's experiment that no other test of its file has: with the test's id."""
    file = "/".join(item.path.parts[-1 - parents :])
    test = "::".join([file, *item.nodeid.split("::")[1:]])
    experiment = declared_experiment(item)
    named = isinstance(experiment, Experiment) and experiment.name
    return visible_line(f"{named}: {test}" if named else test)


def _experiment_id(item: pytest.Item) -> str:
    """The id of the parameter ``experiment``, as its parametrize mark gives it."""
    experiment = parameters_of(item)["experiment"]
    for mark in item.iter_markers("parametrize"):
        names = _names(mark.args[0]) if mark.args else []
        if "experiment" in names:
            rows = list(mark.args[1] if len(mark.args) > 1 else mark.kwargs["argvalues"])
            values = [_row_values(row, len(names))[names.index("experiment")] for row in rows]
            for index, value in enumerate(values):
                if value is experiment:
                    return _row_id(rows[index], index, value, mark.kwargs.get("ids"))
    return item.name.partition("[")[2].removesuffix("]")


def _row_values(row: Any, count: int) -> Sequence[object]:
    """The values of a row of a parametrize mark, one a name."""
    if isinstance(row, PARAM):
        return tuple(row.values)
    return (row,) if count == 1 else tuple(row)


def _row_id(row: Any, index: int, value: object, ids: Any) -> str:
    """The id of a row: its own, the mark's, or the one that pytest makes."""
    given = row.id if isinstance(row, PARAM) else None
    if given is None and ids is not None:
        given = ids(value) if callable(ids) else list(ids)[index]
    return f"experiment{index}" if given is None else str(given)


def _names(argnames: str | Sequence[str]) -> list[str]:
    """The names that a parametrize mark gives values to."""
    names = argnames.split(",") if isinstance(argnames, str) else argnames
    return [name.strip() for name in names]


def claim_text(item: pytest.Item) -> str:
    """What a test claims: the first line of its docstring, or its name in words."""
    text = (getattr(getattr(item, "function", None), "__doc__", None) or "").strip()
    if text:
        return visible_line(text.splitlines()[0].rstrip("."))
    return item.name.removeprefix("test_").replace("_", " ")


def outcome_of(report: pytest.TestReport) -> str:
    """The outcome in a word; expected failures have words of their own."""
    if hasattr(report, "wasxfail"):
        return "failed as expected" if report.skipped else "passed unexpectedly"
    return "stopped" if report.failed and report.when == "setup" else report.outcome


def reason_of(report: pytest.TestReport) -> str:
    """Why a test was expected to fail, or was skipped."""
    if expected := getattr(report, "wasxfail", ""):
        return str(expected).removeprefix("reason: ")
    if report.skipped and isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    return ""
