"""What a test reads off its arms, found in its source before anything is run."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ...datasets.errors import SpecError
from .measure import Measure
from .reached_code import ReachedCode
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
    """Those that are certain to be evaluated, in the order of the source."""
    conditional: tuple[ast.AST, ...]
    """Those that are evaluated under a condition; what is expected to fail is nowhere."""
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
        return TestSource((), (), {})
    function = inspect.unwrap(test)
    hidden = function.__code__.co_varnames
    own = {name: value for name, value in function.__globals__.items() if name not in hidden}
    given = {name: value for name, value in (parameters or {}).items() if name not in _set(tree)}
    code = ReachedCode({**own, **given})
    code.read(tree)
    return TestSource(tuple(code.certain), tuple(code.conditional), code.names)


def _set(tree: ast.AST) -> frozenset[str]:
    """The names that a test sets itself."""
    names = (node for node in ast.walk(tree) if isinstance(node, ast.Name))
    return frozenset(name.id for name in names if isinstance(name.ctx, ast.Store))


def reading_faults(
    test: Callable[..., object],
    measure: Measure,
    parameters: Mapping[str, object] | None = None,
    *,
    conditional: bool = False,
) -> list[str]:
    """Why a test cannot read what it asks for: words, groups and judges that the measure does not
    have. One line for each; empty if nothing is wrong, or if the source cannot be read.

    Args:
        test: The test.
        measure: What its experiment measures.
        parameters: Its parameters.
        conditional: Look at what it reads under a condition, and not at what it reads for certain.
    """
    readings = arm_readings(test, parameters, conditional=conditional)
    return list(dict.fromkeys(fault for one in readings for fault in one.faults(measure)))


def arm_readings(
    test: Callable[..., object],
    parameters: Mapping[str, object] | None = None,
    *,
    conditional: bool = False,
) -> list[ArmReading]:
    """The calls by which a test reads its arms, in the order of its source.

    Constants may be names of the test's module, or its parameters. Calls that ``pytest.raises``
    expects to fail are left out. Those under a condition are given with ``conditional`` alone.
    """
    source = read_source(test, parameters)
    nodes = source.conditional if conditional else source.nodes
    calls = (node for node in nodes if isinstance(node, ast.Call))
    return [reading for call in calls if (reading := _reading(call, source)) is not None]


def _refusal(check: Callable[[str], object], name: str) -> str | None:
    try:
        check(name)
    except SpecError as error:
        return str(error)
    return None


def _reading(call: ast.Call, source: TestSource) -> ArmReading | None:
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in _METHODS:
        return None
    if not _is_arm(call.func.value, source):
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


def _is_arm(node: ast.expr, source: TestSource) -> bool:
    """Whether an expression is the fixture of an arm, or one of the fixture ``arms``.

    A parameter of such a name is none.
    """
    name = node.value if isinstance(node, ast.Subscript) else node
    if not isinstance(name, ast.Name) or name.id in source.names:
        return False
    return name.id == "arms" if isinstance(node, ast.Subscript) else name.id in ARMS
