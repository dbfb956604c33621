"""Errors of selected tests that are found before anything is run: names that do not exist."""

import ast
import inspect
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

import pytest

from ...datasets.errors import SpecError
from ..experiment import ARMS, Experiment
from ..lab import Lab, teacher_arms
from .items import declared_experiment, is_skipped, parameters_of, requested_arms

FIXTURES = (*ARMS, "arms", "audit", "experiment")
READINGS = ("rate", "exact", "scores")
"""The methods of an arm that take a word, a group or a judge."""


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
    for node in _expressions(getattr(item, "function", None)):
        yield from _source_errors(node, item, experiment)


def near(name: str, known: Iterable[str]) -> str:
    """The end of a message that proposes a name that is much like another."""
    close = get_close_matches(name, list(known), n=1)
    return f": did you mean {close[0]!r}?" if close else ""


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


def _source_errors(node: ast.AST, item: pytest.Item, experiment: Experiment) -> Iterator[str]:
    """What an expression asks for in vain: an arm, a word, a group or a judge."""
    if isinstance(node, ast.Subscript) and _is_arms(node.value):
        name = _text(node.slice, item)
        arms = (*teacher_arms(experiment), *experiment.arms)
        if name is not None and name not in arms:
            known = ", ".join(map(repr, arms)) or "none"
            close = near(name, arms)
            yield f"the experiment has no further arm {name!r}{close or ':'} it has {known}"
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _is_reading(node):
        yield from _reading_errors(node, node.func.attr, item, experiment)


def _reading_errors(
    call: ast.Call, method: str, item: pytest.Item, experiment: Experiment
) -> Iterator[str]:
    measure = experiment.measure
    given: dict[str, ast.expr] = {k.arg: k.value for k in call.keywords if k.arg}
    if call.args:
        given["judge" if method == "scores" else "word"] = call.args[0]
    checks = {"word": measure.check, "group": measure.places, "judge": measure.judge}
    for name, check in checks.items():
        text = _text(given[name], item) if name in given else None
        if text is not None and (error := _refusal(check, text)):
            yield error


def _is_arms(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "arms"


def _is_reading(call: ast.Call) -> bool:
    """Whether a call reads something off an arm: ``student.rate(...)``."""
    function = call.func
    if not isinstance(function, ast.Attribute) or function.attr not in READINGS:
        return False
    arm = function.value
    if isinstance(arm, ast.Subscript):
        return _is_arms(arm.value)
    return isinstance(arm, ast.Name) and arm.id in ARMS


def _text(node: ast.expr, item: pytest.Item) -> str | None:
    """The text that an expression stands for, where that is known before the test runs."""
    value: object = node.value if isinstance(node, ast.Constant) else None
    if isinstance(node, ast.Name):
        value = _named(node.id, item)
    return value if isinstance(value, str) else None


def _named(name: str, item: pytest.Item) -> object:
    """The value of a parameter, or of a name of the test's module."""
    parameters: Mapping[str, object] = parameters_of(item)
    if name in parameters:
        return parameters[name]
    function = getattr(item, "function", None)
    code = getattr(function, "__code__", None)
    if code is None or name in code.co_varnames:
        return None
    return getattr(function, "__globals__", {}).get(name)


def _expressions(function: object) -> Iterator[ast.AST]:
    """The expressions of a test, but for those that are expected to fail."""
    if not inspect.isfunction(function):
        return
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return
    yield from _walk(tree)


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.With) and any(_is_raises(one.context_expr) for one in node.items):
        return
    yield node
    for child in ast.iter_child_nodes(node):
        yield from _walk(child)


def _is_raises(node: ast.expr) -> bool:
    """Whether a context manager expects an error: ``pytest.raises(...)``."""
    name = node.func if isinstance(node, ast.Call) else node
    return getattr(name, "attr", getattr(name, "id", "")) == "raises"
