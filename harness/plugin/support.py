"""How well a test's claim is supported: by a verdict, by the point estimate only, or not at all."""

import ast
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from ..reporting import source_tree
from ..statistics import Evidence

SHOWN = 3
"""Effects and rates that are shown of a claim that holds."""
SUPPORTED = "supported"
POINT_ESTIMATE = "held by point estimate only"
NOT_HELD = "not held"
ERROR = "error"


class EvidenceRecorder:
    """Keeps the comparisons that are made while a test is called."""

    def __init__(self) -> None:
        self._evidence: list[Evidence] = []
        self._is_open = False

    def __call__(self, evidence: Evidence) -> None:
        """Receive one comparison; those outside of tests are ignored."""
        if self._is_open:
            self._evidence.append(evidence)

    def start(self) -> None:
        """A test is about to be called."""
        self._evidence, self._is_open = [], True

    def stop(self) -> list[Evidence]:
        """The test has ended: what was compared in it."""
        self._is_open = False
        return self._evidence


def support_of(
    error: BaseException | None, evidence: Sequence[Evidence], test: Callable[..., Any] | None
) -> str:
    """How well a test's claim is supported, by how the test ended; empty if it was skipped.

    It is *supported* if every comparison with a number is supported by an interval, and there is
    such a comparison or another verdict (a p-value, ``within``, ``at_least``).
    """
    if isinstance(error, pytest.skip.Exception):
        return ""
    if error is not None:
        return NOT_HELD if isinstance(error, AssertionError | pytest.fail.Exception) else ERROR
    verdicts = [one.supported for one in evidence if one.supported is not None]
    if test is not None and _asserts_interval(test):
        verdicts.append(True)
    return SUPPORTED if verdicts and all(verdicts) else POINT_ESTIMATE


def finding_of(error: BaseException | None, evidence: Sequence[Evidence]) -> str:
    """The effects and rates that a claim is about; of a failed assertion the last one compared.

    Where that comparison came out true, the assertion was about something else: then it is empty.
    """
    if error is None:
        every = tuple(dict.fromkeys(map(_shown, evidence)))
        more = f"and {len(every) - SHOWN} more" if len(every) > SHOWN else ""
        return "; ".join(filter(None, (*every[:SHOWN], more)))
    failed = isinstance(error, AssertionError) and evidence and evidence[-1].outcome is not True
    return _shown(evidence[-1]) if failed else ""


def _shown(evidence: Evidence) -> str:
    """What a statement is about, in words; a test's result is its own sentence."""
    return repr(evidence.quantity).strip("<>")


def _asserts_interval(test: Callable[..., Any]) -> bool:
    """Whether a test asserts something of an interval itself."""
    return any(
        isinstance(node, ast.Attribute) and node.attr.endswith("interval")
        for statement in ast.walk(source_tree(test))
        if isinstance(statement, ast.Assert)
        for node in ast.walk(statement.test)
    )
