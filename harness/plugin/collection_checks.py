"""Errors of selected tests that are found before anything is run: names that do not exist."""

import ast
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from ...datasets.errors import SpecError
from ...datasets.suggestions import did_you_mean
from ..experiment import ARMS, Experiment, TestSource, read_source, reading_faults
from ..lab import Lab, teacher_arms
from .items import declared_experiment, is_skipped, parameters_of, requested_arms

FIXTURES = (*ARMS, "arms", "audit", "experiment", "grid", "trajectory")


def errors_of(items: Iterable[pytest.Item], lab: Lab) -> list[str]:
    """What is wrong with the selected tests of experiments, each once."""
    found: dict[str, None] = {}
    for item in items:
        experiment = declared_experiment(item)
        if isinstance(experiment, Experiment) and not is_skipped(item):
            test = item.nodeid.partition("[")[0]
            for error in _errors(item, experiment, lab):
                found[f"{test}: {error}"] = None
    return list(found)


def _errors(item: pytest.Item, experiment: Experiment, lab: Lab) -> Iterator[str]:
    for name in _missing_fixtures(item):
        yield f"fixture {name!r} not found{near(name, FIXTURES)}"
    for arm in requested_arms(item, experiment):
        if error := _refusal(lab.unavailable, experiment, arm):
            yield error
    if isinstance(item, pytest.Function):
        parameters = parameters_of(item)
        yield from _unknown_arms(read_source(item.function, parameters), experiment)
        yield from reading_faults(item.function, experiment.measure, parameters)


def near(name: str, known: Iterable[str]) -> str:
    """The end of a message that proposes a name that is much like another."""
    return f": {did_you_mean(name, known)}".rstrip(": ")


def _missing_fixtures(item: pytest.Item) -> list[str]:
    """The fixtures of a test that do not exist; pytest has no public way to ask for them."""
    info: Any = getattr(item, "_fixtureinfo", None)
    if info is None:
        return []
    known = {"request", *info.name2fixturedefs, *parameters_of(item)}
    return [name for name in info.names_closure if name not in known]


def _refusal(check: Any, *values: object) -> str | None:
    """The message of a check that refuses some values; None if it accepts them."""
    try:
        check(*values)
    except SpecError as error:
        return str(error)
    return None


def _unknown_arms(source: TestSource, experiment: Experiment) -> Iterator[str]:
    """The arms that a test takes from the fixture ``arms`` and that do not exist."""
    known = (*teacher_arms(experiment), *experiment.all_arms)
    for node in source.nodes:
        if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "arms":
            name = source.text(node.slice)
            if name is not None and name not in known:
                listed = ", ".join(map(repr, known)) or "none"
                close = near(name, known)
                yield f"the experiment has no further arm {name!r}{close or ':'} it has {listed}"
