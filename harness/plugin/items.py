"""What pytest's items and reports say of experiments."""

from collections.abc import Sequence
from typing import Any

import pytest

from ..experiment import ARMS, Experiment


def nearest(item: pytest.Item) -> object:
    """The ``experiment`` of an item: its parameter, its class's, or its module's."""
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    if "experiment" in parameters:
        return parameters["experiment"]
    for holder in (getattr(item, "cls", None), getattr(item, "module", None)):
        found: object = getattr(holder, "experiment", None)
        if found is not None:
            return found
    return None


def arms_of(item: pytest.Item, experiment: Experiment) -> list[str]:
    """The arms that a test asks for by its fixtures."""
    fixtures = getattr(item, "fixturenames", ())
    further = list(experiment.arms) if "arms" in fixtures else []
    return [arm for arm in ARMS if arm in fixtures] + further


def will_not_run(item: pytest.Item) -> bool:
    """Whether marks keep a test from running: skip, a true skipif, or xfail without a run.

    Conditions that are texts are left to pytest: such a test's stages are done in any case.
    """
    if item.get_closest_marker("skip"):
        return True
    conditions = [mark.args for mark in item.iter_markers("skipif")]
    if any(not isinstance(c, str) and bool(c) for args in conditions for c in args):
        return True
    return any(mark.kwargs.get("run") is False for mark in item.iter_markers("xfail"))


def title_of(item: pytest.Item) -> str:
    """Where an experiment stands, as in node ids, the test's own name and parameters left out."""
    holder = "::".join(item.nodeid.split("[")[0].split("::")[:-1])
    call = getattr(item, "callspec", None)
    if call is None or "experiment" not in call.params:
        return holder
    return f"{holder}[{_experiment_id(item, call)}]"


def _experiment_id(item: pytest.Item, call: Any) -> str:
    """The id of the parameter ``experiment``: of each parametrize mark the item's id has a part."""
    parts: Sequence[str] = getattr(call, "_idlist", ())
    marks = [_names(mark.args[0]) for mark in item.iter_markers("parametrize") if mark.args]
    place = next((place for place, names in enumerate(marks) if "experiment" in names), None)
    if place is None or len(parts) < len(marks):
        return str(call.id)
    return parts[place]


def _names(argnames: str | Sequence[str]) -> list[str]:
    """The names that a parametrize mark gives values to."""
    given = argnames.split(",") if isinstance(argnames, str) else argnames
    return [name.strip() for name in given]


def says(item: pytest.Item) -> str:
    """What a test claims: the first line of its docstring, or its name in words."""
    text = (getattr(getattr(item, "function", None), "__doc__", None) or "").strip()
    if text:
        return text.splitlines()[0].rstrip(".")
    return item.name.removeprefix("test_").replace("_", " ")


def outcome_of(report: pytest.TestReport) -> str:
    """The outcome in a word, expected failures told apart."""
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
