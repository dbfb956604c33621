"""Errors of selected tests that are found before anything is run: names that do not exist."""

import ast
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from ...datasets.errors import SpecError
from ...datasets.suggestions import did_you_mean
from ..collection import (
    FIXTURES,
    declared_experiment,
    fixture_definitions,
    is_skipped,
    own_fixtures,
    parameters_of,
    reached_fixtures,
    requested_arms,
)
from ..experiment import Experiment, Grid, TestSource, read_source, reading_faults
from ..lab import Lab, teacher_arms
from .result_readings import missing_results, result_faults, trait_words


def errors_of(items: Iterable[pytest.Item], lab: Lab) -> list[str]:
    """What is wrong with the selected tests of experiments, each once."""
    every = list(items)
    unplanned = (error for item in every for error in _unplanned(item))
    found = _each_once(every, lambda item, experiment: _errors(item, experiment, lab))
    return list(dict.fromkeys([*unplanned, *found]))


def conditional_errors_of(items: Iterable[pytest.Item]) -> list[str]:
    """What is wrong in parts of the tests that a run may not reach, each once."""
    return _each_once(items, _conditional_errors)


def _each_once(
    items: Iterable[pytest.Item], find: Callable[[pytest.Item, Experiment], Iterable[str]]
) -> list[str]:
    found: dict[str, None] = {}
    for item in items:
        experiment = declared_experiment(item)
        if isinstance(experiment, Experiment) and not is_skipped(item):
            test = item.nodeid.partition("[")[0]
            for error in find(item, experiment):
                found[f"{test}: {error}"] = None
    return list(found)


def _unplanned(item: pytest.Item) -> Iterator[str]:
    """That a test's experiment is the user's fixture: what it needs could not be planned."""
    functions = [one.func for one in fixture_definitions(item, "experiment")[-1:]]
    is_known = isinstance(parameters_of(item).get("experiment"), Experiment | Grid)
    arms = [name for name in reached_fixtures(item) if name != "experiment"]
    if "experiment" in own_fixtures(item) or is_known or not arms or is_skipped(item):
        return
    for function in functions:
        if not function.__module__.startswith("_pytest."):  # pytest's own stands for a parameter
            yield (
                f"{item.nodeid.partition('[')[0]}: the experiment of {arms[0]!r} is that of your "
                f"own fixture {function.__name__!r} in {function.__module__}, which is known at "
                f"its run alone: put experiment = ... into the module or the class, or parametrize"
            )


def _errors(item: pytest.Item, experiment: Experiment, lab: Lab) -> Iterator[str]:
    for name in _missing_fixtures(item):
        yield f"fixture {name!r} not found{near(name, FIXTURES)}"
    yield from missing_results(own_fixtures(item), experiment)
    for arm in requested_arms(item, experiment):
        if error := _refusal(lab.unavailable, experiment, arm):
            yield error
    if isinstance(item, pytest.Function):
        parameters = _known_values(item)
        source = read_source(item.function, parameters)
        yield from _unknown_arms(source, source.nodes, experiment)
        words = trait_words(experiment)
        yield from reading_faults(item.function, experiment.measure, parameters, words=words)
        yield from result_faults(source.nodes, source, experiment)


def _conditional_errors(item: pytest.Item, experiment: Experiment) -> Iterator[str]:
    if isinstance(item, pytest.Function):
        test, parameters = item.function, _known_values(item)
        source = read_source(test, parameters)
        yield from _unknown_arms(source, source.conditional, experiment)
        words = trait_words(experiment)
        yield from reading_faults(
            test, experiment.measure, parameters, conditional=True, words=words
        )
        yield from result_faults(source.conditional, source, experiment)


def near(name: str, known: Iterable[str]) -> str:
    """The end of a message that proposes a name that is much like another."""
    return f": {did_you_mean(name, known)}".rstrip(": ")


def _known_values(item: pytest.Item) -> dict[str, object]:
    """The parameters of a test; and the fixtures of limen's names that are not limen's, unknown."""
    replaced = dict.fromkeys(set(FIXTURES) - set(own_fixtures(item)))
    return {**replaced, **parameters_of(item)}


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


def _unknown_arms(
    source: TestSource, nodes: Iterable[ast.AST], experiment: Experiment
) -> Iterator[str]:
    """The arms that a test takes from the fixture ``arms`` and that do not exist."""
    known = (*teacher_arms(experiment), *experiment.all_arms)
    for node in nodes if source.is_fixture("arms") else ():
        if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "arms":
            name = source.text(node.slice)
            if name is not None and name not in known:
                listed = ", ".join(map(repr, known)) or "none"
                close = near(name, known)
                yield f"the experiment has no arm {name!r}{close or ':'} it has {listed}"
