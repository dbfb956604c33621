"""What a test reads off its arms, found in its source before anything is run."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from ...datasets.errors import SpecError
from .measure import Measure
from .students import ARMS

_METHODS = frozenset({"rate", "exact", "scores"})


@dataclass(frozen=True)
class ArmReading:
    """A call such as ``student.rate("owl", group="plain")`` in a test; None for what is not there,
    or is not a constant.
    """

    source: str
    method: str
    word: str | None = None
    group: str | None = None
    judge: str | None = None

    def check(self, measure: Measure) -> None:
        """Raise :class:`~limen.SpecError` for what the measure cannot give."""
        if self.word is not None:
            measure.check(self.word)
        measure.places(self.group)
        if self.judge is not None:
            measure.judge(self.judge)


def reading_faults(test: Callable[..., object], measure: Measure) -> list[str]:
    """Why a test cannot read what it asks for: words, groups and judges that the measure does not
    have. One line for each; empty if nothing is wrong, or if the source cannot be read.
    """
    faults = []
    for reading in arm_readings(test):
        try:
            reading.check(measure)
        except SpecError as error:
            faults.append(f"{reading.source}: {error}")
    return list(dict.fromkeys(faults))


def arm_readings(test: Callable[..., object]) -> list[ArmReading]:
    """The calls by which a test reads its arms, in the order of its source.

    Constants may be names of the test's module. Calls that ``pytest.raises`` expects to fail are
    left out.
    """
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(test)))
    except (OSError, TypeError, SyntaxError):
        return []
    names: Mapping[str, object] = inspect.unwrap(test).__globals__
    calls = (node for node in _expected_to_work(tree) if isinstance(node, ast.Call))
    return [reading for call in calls if (reading := _reading(call, names)) is not None]


def _expected_to_work(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.With) and "raises" in "".join(map(ast.unparse, node.items)):
            continue
        yield node
        yield from _expected_to_work(node)


def _reading(call: ast.Call, names: Mapping[str, object]) -> ArmReading | None:
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in _METHODS:
        return None
    if not _is_arm(call.func.value):
        return None
    given = {keyword.arg: _text(keyword.value, names) for keyword in call.keywords}
    first = _text(call.args[0], names) if call.args else None
    by_judge = call.func.attr == "scores"
    return ArmReading(
        source=ast.unparse(call),
        method=call.func.attr,
        word=None if by_judge else first or given.get("word"),
        group=given.get("group"),
        judge=given.get("judge") or (first if by_judge else None),
    )


def _is_arm(node: ast.expr) -> bool:
    """Whether an expression is the fixture of an arm, or one of the fixture ``arms``."""
    if isinstance(node, ast.Subscript):
        return isinstance(node.value, ast.Name) and node.value.id == "arms"
    return isinstance(node, ast.Name) and node.id in ARMS


def _text(node: ast.expr, names: Mapping[str, object]) -> str | None:
    value = names.get(node.id) if isinstance(node, ast.Name) else None
    if isinstance(node, ast.Constant):
        value = node.value
    return value if isinstance(value, str) else None
