"""What a test reads off its arms, found in its source before anything is run."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ...datasets.python_syntax import syntax_tree
from .measure import Measure
from .reached_code import ReachedCode
from .reading_checks import METHODS, refusals_of
from .students import ARMS

_NAMES = {"scores": "judge", "score": "name"}
"""The first parameter of a method, where it is no word."""


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
    judge_is_named: bool = False
    """Whether a judge is given at all."""

    def faults(self, measure: Measure, words: Sequence[str] = ()) -> list[str]:
        """What the measure cannot give, a line for each; the words are those of the traits."""
        return [f"{self.source}: {message}" for message in refusals_of(self, measure, words)]


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
    bound: frozenset[str] = frozenset()
    """Names that the test gives values to: what they stand for is known at its run alone."""

    def is_fixture(self, name: str) -> bool:
        """Whether a name of a fixture stands for it wherever the test has it."""
        return name not in self.names and name not in self.bound

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
        tree = syntax_tree(textwrap.dedent(inspect.getsource(test)))
    except (OSError, TypeError, SyntaxError):
        return TestSource((), (), {})
    function = inspect.unwrap(test)
    hidden = function.__code__.co_varnames
    own = {name: value for name, value in function.__globals__.items() if name not in hidden}
    bound = frozenset(_bound(tree.body[0])) if tree.body else frozenset[str]()
    given = {name: value for name, value in (parameters or {}).items() if name not in bound}
    code = ReachedCode({**own, **given})
    code.read(tree)
    return TestSource(tuple(code.certain), tuple(code.conditional), code.names, bound)


def _bound(test: ast.AST) -> Iterator[str]:
    """The names that a test gives values to, those of functions in it included."""
    for node in ast.walk(test):
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                yield name
            case ast.alias():
                yield node.asname or node.name.partition(".")[0]
            case ast.ExceptHandler() | ast.MatchAs() | ast.MatchStar() if node.name:
                yield node.name
            case ast.MatchMapping(rest=str(name)):
                yield name
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() if node is not test:
                yield node.name
        if (
            isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            and node is not test
        ):
            yield from (inner.arg for inner in ast.walk(node.args) if isinstance(inner, ast.arg))


def reading_faults(
    test: Callable[..., object],
    measure: Measure,
    parameters: Mapping[str, object] | None = None,
    *,
    conditional: bool = False,
    words: Sequence[str] = (),
) -> list[str]:
    """Why a test cannot read what it asks for: words, groups and judges that the measure does not
    have. One line for each; empty if nothing is wrong, or if the source cannot be read.

    Args:
        test: The test.
        measure: What its experiment measures.
        parameters: Its parameters.
        conditional: Look at what it reads under a condition, and not at what it reads for certain.
        words: The words of the experiment's traits.
    """
    readings = arm_readings(test, parameters, conditional=conditional)
    return list(dict.fromkeys(fault for one in readings for fault in one.faults(measure, words)))


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


def _reading(call: ast.Call, source: TestSource) -> ArmReading | None:
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in METHODS:
        return None
    if not _is_arm(call.func.value, source):
        return None
    method = call.func.attr
    given = {str(keyword.arg): keyword.value for keyword in call.keywords}
    if call.args:
        given[_NAMES.get(method, "word")] = call.args[0]
    texts = {name: source.text(node) for name, node in given.items()}
    return ArmReading(
        source=ast.unparse(call),
        method=method,
        word=texts.get("word") or texts.get("name"),
        group=texts.get("group"),
        judge=texts.get("judge"),
        judge_is_named=any(
            name in given and not _is_none(given[name]) for name in ("judge", "name", "None")
        ),
    )


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _is_arm(node: ast.expr, source: TestSource) -> bool:
    """Whether an expression is the fixture of an arm, one of the fixture ``arms``, or an arm along
    the fixture ``trajectory``.

    A parameter of such a name is none, and neither is a variable of the test.
    """
    if isinstance(node, ast.Call):
        return ast.unparse(node.func) == "trajectory.at" and source.is_fixture("trajectory")
    name = node.value if isinstance(node, ast.Subscript) else node
    if not isinstance(name, ast.Name) or not source.is_fixture(name.id):
        return False
    return name.id == "arms" if isinstance(node, ast.Subscript) else name.id in ARMS
