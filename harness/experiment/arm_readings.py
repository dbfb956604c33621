"""What a test reads off its arms, found in its source before anything is run."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from ...datasets.errors import SpecError
from .measure import Measure
from .students import ARMS

_METHODS = frozenset({"rate", "exact", "scores", "log_odds"})


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

    def faults(self, measure: Measure) -> list[str]:
        """What the measure cannot give, a line for each."""
        checks: list[tuple[Callable[[str], object], str | None]] = [
            (measure.check, self.word), (measure.places, self.group), (measure.judge, self.judge),
        ]  # fmt: skip
        messages = (_refusal(check, name) for check, name in checks if name is not None)
        return [f"{self.source}: {message}" for message in messages if message]


@dataclass(frozen=True)
class TestSource:
    """The source of a test: its expressions, and the texts that its names stand for."""

    __test__ = False  # pytest would take it for a class of tests

    nodes: tuple[ast.AST, ...]
    """In the order of the source, without those that ``pytest.raises`` expects to fail."""
    names: Mapping[str, object]
    """Of the module, where no variable of the test hides them; and of its parameters."""

    def text(self, node: ast.expr) -> str | None:
        """The text that an expression stands for; None if that is not known before the run."""
        value = self.names.get(node.id) if isinstance(node, ast.Name) else None
        if isinstance(node, ast.Constant):
            value = node.value
        return value if isinstance(value, str) else None


def read_source(
    test: Callable[..., object], parameters: Mapping[str, object] | None = None
) -> TestSource:
    """The source of a test with its parameters; without expressions where it cannot be read."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(test)))
    except (OSError, TypeError, SyntaxError):
        return TestSource((), {})
    function = inspect.unwrap(test)
    hidden = function.__code__.co_varnames
    own = {name: value for name, value in function.__globals__.items() if name not in hidden}
    return TestSource(tuple(_expected_to_work(tree)), {**own, **(parameters or {})})


def reading_faults(
    test: Callable[..., object], measure: Measure, parameters: Mapping[str, object] | None = None
) -> list[str]:
    """Why a test cannot read what it asks for: words, groups and judges that the measure does not
    have. One line for each; empty if nothing is wrong, or if the source cannot be read.
    """
    readings = arm_readings(test, parameters)
    return list(dict.fromkeys(fault for one in readings for fault in one.faults(measure)))


def arm_readings(
    test: Callable[..., object], parameters: Mapping[str, object] | None = None
) -> list[ArmReading]:
    """The calls by which a test reads its arms, in the order of its source.

    Constants may be names of the test's module, or its parameters. Calls that ``pytest.raises``
    expects to fail are left out.
    """
    source = read_source(test, parameters)
    calls = (node for node in source.nodes if isinstance(node, ast.Call))
    return [reading for call in calls if (reading := _reading(call, source)) is not None]


def _refusal(check: Callable[[str], object], name: str) -> str | None:
    try:
        check(name)
    except SpecError as error:
        return str(error)
    return None


def _expected_to_work(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.With) and "raises" in "".join(map(ast.unparse, node.items)):
            continue
        yield node
        yield from _expected_to_work(node)


def _reading(call: ast.Call, source: TestSource) -> ArmReading | None:
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in _METHODS:
        return None
    if not _is_arm(call.func.value):
        return None
    given = {keyword.arg: source.text(keyword.value) for keyword in call.keywords}
    first = source.text(call.args[0]) if call.args else None
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
