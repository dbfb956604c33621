"""What the assertions of a test ask an effect to be, read from its source before it is run."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

READ = frozenset({"rate", "scores"})
"""The methods of an arm whose differences are effects."""
ORDER = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)


@dataclass(frozen=True)
class EffectAssertion:
    """An assertion that an effect exceeds something."""

    line: str
    """The assertion as it stands."""
    least: float


def effect_assertions(test: Callable[..., Any]) -> list[EffectAssertion]:
    """What a test's comparisons of effects with numbers ask for: ``effect > 0.02``.

    Numbers may be names of the test's module. What cannot be read is left out.
    """
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(test)))
    except (OSError, TypeError, SyntaxError):
        return []
    names = _effects(tree)
    denied = {
        id(node.operand)
        for node in ast.walk(tree)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)
    }
    values = getattr(test, "__globals__", {})
    return [
        EffectAssertion(ast.unparse(node), least)
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare) and id(node) not in denied
        for least in _least(node, names, values)
    ]


def _effects(tree: ast.AST) -> frozenset[str]:
    """The names that effects are given in a test."""
    assigned = (node for node in ast.walk(tree) if isinstance(node, ast.Assign))
    return frozenset(
        target.id
        for node in assigned
        if _is_effect(node.value, frozenset())
        for target in node.targets
        if isinstance(target, ast.Name)
    )


def _is_effect(node: ast.expr, names: frozenset[str]) -> bool:
    """Whether an expression is a student's rate or scores less the control's."""
    if isinstance(node, ast.Name):
        return node.id in names
    if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub)):
        return False
    return _arm(node.left) == "student" and _arm(node.right) == "control"


def _arm(node: ast.expr) -> str:
    """The arm whose rate or scores an expression reads; empty if it is none."""
    read = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    if not read or node.func.attr not in READ:  # type: ignore[attr-defined]
        return ""
    holder = node.func.value  # type: ignore[attr-defined]
    return holder.id if isinstance(holder, ast.Name) else ""


def _least(node: ast.Compare, names: frozenset[str], values: Mapping[str, Any]) -> Iterator[float]:
    """The numbers that a comparison asks effects to exceed."""
    sides = [node.left, *node.comparators]
    for left, op, right in zip(sides, node.ops, sides[1:], strict=False):
        more, less = (right, left) if isinstance(op, ast.Lt | ast.LtE) else (left, right)
        number = _number(less, values) if isinstance(op, ORDER) else None
        if number is not None and number > 0 and _is_effect(more, names):
            yield number


def _number(node: ast.expr, values: Mapping[str, Any]) -> float | None:
    found = values.get(node.id) if isinstance(node, ast.Name) else None
    if isinstance(node, ast.Constant):
        found = node.value
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    return float(found)
