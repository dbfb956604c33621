"""Errors of spec files that are shown as one message, in place of a traceback."""

import ast
import inspect
import re
import traceback
from pathlib import Path
from types import FrameType, TracebackType

import pytest

from ...datasets.errors import LimenError
from ...datasets.python_syntax import syntax_tree
from ...datasets.suggestions import did_you_mean

SPECS = f"{(__package__ or '').rpartition('.')[0]}.experiment"
"""The package whose classes and functions make a spec."""
_UNKNOWN = re.compile(r"unexpected keyword argument '(\w+)'")


def is_spec_error(error: BaseException) -> bool:
    """Whether an error is limen's own, or comes from a spec class called with wrong arguments."""
    if isinstance(error, LimenError):
        return True
    return isinstance(error, TypeError) and _is_spec(_callee(error))


def message_of(error: BaseException) -> str:
    """The text of a spec's error; that of an unknown argument ends with those that there are."""
    unknown = _UNKNOWN.search(str(error)) if isinstance(error, TypeError) else None
    callee = _callee(error) if isinstance(error, TypeError) and unknown else None
    if unknown is None or not callable(callee):
        return str(error)
    known = list(inspect.signature(callee).parameters)
    said = str(error)[: unknown.end()]  # Python 3.13 and later go on with a name of their own
    return f"{said}: {did_you_mean(unknown[1], known)}it has {', '.join(known)}"


def place_of(excinfo: "pytest.ExceptionInfo[BaseException]", path: Path) -> str:
    """The file and line of a test file that an exception came from."""
    lines = [entry.lineno + 1 for entry in excinfo.traceback if Path(str(entry.path)) == path]
    return f"{path.name}:{lines[-1]}" if lines else path.name


def _is_spec(callee: object) -> bool:
    module = inspect.getmodule(callee)
    return module is not None and module.__name__.startswith(SPECS)


def _callee(error: TypeError) -> object:
    """What was called where an error was raised; None if that was no call.

    Wrong arguments raise the error in the frame of the caller, at the call.
    """
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return None
    call = _call_at(trace)
    return _resolved(call.func, trace.tb_frame) if call else None


def _call_at(trace: TracebackType) -> ast.Call | None:
    """The call in the source that a traceback's last instruction belongs to."""
    (place,) = traceback.StackSummary.extract([(trace.tb_frame, trace.tb_lineno)])
    positions = list(trace.tb_frame.f_code.co_positions())[trace.tb_lasti // 2]
    try:
        tree = syntax_tree(Path(place.filename).read_bytes())
    except (OSError, SyntaxError, ValueError):
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and positions == (
            node.lineno,
            node.end_lineno,
            node.col_offset,
            node.end_col_offset,
        ):
            return node
    return None


def _resolved(expression: ast.expr, frame: FrameType) -> object:
    """The value of a name, or of an attribute of one, in a frame; None if it has none."""
    if isinstance(expression, ast.Name):
        return {**frame.f_globals, **frame.f_locals}.get(expression.id)
    if isinstance(expression, ast.Attribute):
        return getattr(_resolved(expression.value, frame), expression.attr, None)
    return None
