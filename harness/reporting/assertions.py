"""What the assertions of a test ask of an effect, read from its source before it is run."""

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from .claim_source import source_tree

ARM_METHODS = frozenset({"rate", "scores", "log_odds"})
"""The methods of an arm whose differences are effects."""
ORDER = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)

Kind = Literal["value", "p_value", "at_least"]


@dataclass(frozen=True)
class EffectAssertion:
    """An assertion about an effect of student over control."""

    line: str
    """The assertion, as it stands in the test."""
    number: float
    """The number in it."""
    kind: Kind = "value"
    """Whether the estimate is to be above it (``effect > 0.02``), the p-value below it
    (``effect.p_value < 0.05``), or a test is to show that the effect is at least that
    (``effect.at_least(0.02)``)."""


def effect_assertions(test: Callable[..., object]) -> list[EffectAssertion]:
    """What a test asserts of the effects of student over control, in the order of its source.

    Numbers may be names of the test's module. What cannot be read is left out, and so is what
    stands after ``not``.
    """
    tree = source_tree(test)
    values: Mapping[str, object] = getattr(test, "__globals__", {})
    reader = _Reader(_effect_names(tree), values)
    return [asserted for node in _stated(tree) for asserted in reader.read(node)]


def _stated(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a tree in the order of its source, without what is negated."""
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)):
            yield node
            yield from _stated(node)


@dataclass(frozen=True)
class _Reader:
    """Reads assertions about effects."""

    names: frozenset[str]
    """The names that effects have in the test."""
    values: Mapping[str, object]
    """The names of the test's module, with what they stand for."""

    def read(self, node: ast.AST) -> Iterator[EffectAssertion]:
        """What a node asserts of an effect, if anything."""
        if isinstance(node, ast.Compare):
            yield from self._comparison(node)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            number = self._number(node.args[0]) if node.args else None
            if node.func.attr == "at_least" and number and _is_effect(node.func.value, self.names):
                yield EffectAssertion(ast.unparse(node), number, "at_least")

    def _comparison(self, node: ast.Compare) -> Iterator[EffectAssertion]:
        sides = [node.left, *node.comparators]
        for left, op, right in zip(sides, node.ops, sides[1:], strict=False):
            if not isinstance(op, ORDER):
                continue
            larger, smaller = (right, left) if isinstance(op, ast.Lt | ast.LtE) else (left, right)
            minimum, maximum = self._number(smaller), self._number(larger)
            if minimum is not None and minimum > 0 and _is_effect(larger, self.names):
                yield EffectAssertion(ast.unparse(node), minimum)
            if maximum is not None and 0 < maximum < 1 and _is_p_value(smaller, self.names):
                yield EffectAssertion(ast.unparse(node), maximum, "p_value")

    def _number(self, node: ast.expr) -> float | None:
        value = self.values.get(node.id) if isinstance(node, ast.Name) else None
        if isinstance(node, ast.Constant):
            value = node.value
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return float(value)


def _effect_names(tree: ast.AST) -> frozenset[str]:
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
    """Whether an expression is a student's rate, scores or log-odds less the control's."""
    if isinstance(node, ast.Name):
        return node.id in names
    if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub)):
        return False
    return _arm(node.left) == "student" and _arm(node.right) == "control"


def _is_p_value(node: ast.expr, names: frozenset[str]) -> bool:
    attribute = isinstance(node, ast.Attribute) and node.attr == "p_value"
    return attribute and _is_effect(node.value, names)  # type: ignore[attr-defined]


def _arm(node: ast.expr) -> str:
    """The arm whose rate, scores or log-odds an expression reads; empty if it reads none."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return ""
    holder = node.func.value
    known = node.func.attr in ARM_METHODS and isinstance(holder, ast.Name)
    return holder.id if known else ""  # type: ignore[attr-defined]
