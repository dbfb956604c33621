"""Which expressions of a test are certain to be evaluated, as far as its source says."""

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

_DECIDABLE = (
    ast.Constant, ast.Name, ast.Load, ast.Tuple, ast.List, ast.Set, ast.Compare, ast.cmpop,
    ast.BoolOp, ast.boolop, ast.UnaryOp, ast.unaryop,
)  # fmt: skip
"""What a condition may consist of, if its value is to be known beforehand."""
_PLAIN = (str, int, float, bool, tuple, list, set, frozenset, type(None))
_LEAVING = (ast.Return, ast.Raise, ast.Break, ast.Continue)
_ENDING_CALLS = frozenset({"skip", "xfail", "fail", "exit", "importorskip"})
"""Functions of pytest after which nothing of the test runs."""
_EXPECTED_ERRORS = ("raises", "suppress")
"""Parts of the names of context managers in which errors are expected."""


@dataclass
class ReachedCode:
    """The expressions of a test, in the order of its source.

    A condition whose value follows from constants, parameters and names of the module is decided,
    and what it excludes is in neither list. What errors are expected of is left out as well.
    """

    names: Mapping[str, object]
    """Values of names that the test does not set itself."""
    certain: list[ast.AST] = field(default_factory=list)
    """Evaluated whenever the test runs, unless something before fails."""
    conditional: list[ast.AST] = field(default_factory=list)
    """Evaluated if a condition holds, a loop runs, or an error is raised."""

    def read(self, test: ast.AST) -> None:
        """Take the expressions of a test: a function, or a module or class with it alone."""
        while isinstance(test, ast.Module | ast.ClassDef) and len(test.body) == 1:
            test = test.body[0]
        if isinstance(test, ast.FunctionDef | ast.AsyncFunctionDef):
            self._block(test.body, True)
        else:
            self._expression(test, False)

    def _block(self, statements: Iterable[ast.stmt], certain: bool) -> bool:
        """Take statements; returns whether what follows them is certain to be reached."""
        for statement in statements:
            certain = self._statement(statement, certain)
        return certain

    def _statement(self, statement: ast.stmt, certain: bool) -> bool:
        match statement:
            case ast.If():
                after = self._if(statement, certain)
            case ast.For() | ast.AsyncFor() | ast.While():
                after = self._loop(statement, certain)
            case ast.Try() | ast.TryStar():
                after = self._try(statement, certain)
            case ast.With() | ast.AsyncWith():
                after = self._with(statement, certain)
            case ast.Match():
                after = self._match(statement, certain)
            case ast.Assert():
                after = self._assert(statement, certain)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                after = self._block(statement.body, False) or certain
            case _:
                after = self._simple(statement, certain)
        return after

    def _simple(self, statement: ast.stmt, certain: bool) -> bool:
        for child in ast.iter_child_nodes(statement):
            self._expression(child, certain)
        return certain and not _leaves([statement])

    def _if(self, statement: ast.If, certain: bool) -> bool:
        self._expression(statement.test, certain)
        holds = self._truth(statement.test)
        if holds is not None:
            return self._block(statement.body if holds else statement.orelse, certain)
        self._block([*statement.body, *statement.orelse], False)
        return certain and not _leaves([*statement.body, *statement.orelse])

    def _loop(self, statement: ast.For | ast.AsyncFor | ast.While, certain: bool) -> bool:
        over = statement.test if isinstance(statement, ast.While) else statement.iter
        self._expression(over, certain)
        self._block(statement.body, certain and self._truth(over) is True)
        self._block(statement.orelse, False)
        return certain and not _leaves(statement.body)

    def _try(self, statement: ast.Try | ast.TryStar, certain: bool) -> bool:
        """An error in the body may be expected; the end is reached whatever happens."""
        self._block(statement.body, certain and not statement.handlers)
        for handler in statement.handlers:
            self._block(handler.body, False)
        self._block(statement.orelse, False)
        self._block(statement.finalbody, certain)
        return certain and not statement.handlers and not _leaves([statement])

    def _with(self, statement: ast.With | ast.AsyncWith, certain: bool) -> bool:
        opened = "".join(map(ast.unparse, statement.items))
        if any(name in opened for name in _EXPECTED_ERRORS):
            return certain
        for item in statement.items:
            self._expression(item.context_expr, certain)
        return self._block(statement.body, certain)

    def _match(self, statement: ast.Match, certain: bool) -> bool:
        self._expression(statement.subject, certain)
        for case in statement.cases:
            self._block(case.body, False)
        return certain and not _leaves([statement])

    def _assert(self, statement: ast.Assert, certain: bool) -> bool:
        """All parts of an asserted "and" are evaluated, or the test fails."""
        test = statement.test
        whole = isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And)
        for part in test.values if whole and isinstance(test, ast.BoolOp) else (test,):
            self._expression(part, certain)
        if statement.msg is not None:
            self._expression(statement.msg, False)
        return certain

    def _expression(self, node: ast.AST, certain: bool) -> None:
        """Take an expression with its parts."""
        if isinstance(node, ast.IfExp):
            self._choice(node, certain)
            return
        (self.certain if certain else self.conditional).append(node)
        if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            self._comprehension(node, certain)
            return
        is_short = isinstance(node, ast.BoolOp)
        for place, child in enumerate(ast.iter_child_nodes(node)):
            # an "and" or "or" begins with its operator, and always evaluates its first value
            reached = not isinstance(node, ast.Lambda) and not (is_short and place > 1)
            self._expression(child, certain and reached)

    def _comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp, certain: bool
    ) -> None:
        loops = node.generators
        self._expression(loops[0].iter, certain)
        runs = certain and len(loops) == 1 and not loops[0].ifs
        inner: list[ast.AST] = [*loops[0].ifs, *loops[1:]]
        inner += [child for child in ast.iter_child_nodes(node) if child not in loops]
        for part in inner:
            self._expression(part, runs and self._truth(loops[0].iter) is True)

    def _choice(self, node: ast.IfExp, certain: bool) -> None:
        self._expression(node.test, certain)
        holds = self._truth(node.test)
        for part, needed in ((node.body, True), (node.orelse, False)):
            if holds is None or holds is needed:
                self._expression(part, certain and holds is not None)

    def _truth(self, condition: ast.expr) -> bool | None:
        """Whether a condition holds; None if that is not known before the run."""
        for node in ast.walk(condition):
            if not isinstance(node, _DECIDABLE):
                return None
            if isinstance(node, ast.Name) and not self._is_plain(node.id):
                return None
        code = compile(ast.Expression(condition), "condition", "eval")
        try:
            return bool(eval(code, {"__builtins__": {}}, dict(self.names)))
        except TypeError:  # of values that cannot be compared
            return None

    def _is_plain(self, name: str) -> bool:
        return name in self.names and isinstance(self.names[name], _PLAIN)


def _leaves(statements: Iterable[ast.stmt]) -> bool:
    """Whether what follows some statements may not be reached because of them."""
    nodes = (node for statement in statements for node in ast.walk(statement))
    return any(isinstance(node, _LEAVING) or _ends(node) for node in nodes)


def _ends(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    return ast.unparse(node.func).rpartition(".")[2] in _ENDING_CALLS
