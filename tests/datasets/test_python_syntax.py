"""Python source that is read while the parser is disturbed."""

import ast

import pytest

from limen.datasets.python_syntax import syntax_tree


def disturbed(monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """Have the parser fail so often, as it does when clean-up parses something meanwhile."""
    parse, left = ast.parse, [times]

    def failing(source: str) -> ast.Module:
        if left[0]:
            left[0] -= 1
            raise SystemError("AST constructor recursion depth mismatch (before=123, after=38)")
        return parse(source)

    monkeypatch.setattr(ast, "parse", failing)


def test_a_disturbed_parser_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The source is as good as before."""
    with monkeypatch.context() as patched:  # pytest itself reads sources once the test has ended
        disturbed(patched, 2)
        tree = syntax_tree("x = 1")
    assert ast.dump(tree) == ast.dump(ast.parse("x = 1"))


def test_a_parser_that_never_works_is_no_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails every time is an error."""
    with monkeypatch.context() as patched:
        disturbed(patched, 1_000)
        with pytest.raises(SystemError, match="recursion depth"):
            syntax_tree("x = 1")


def test_what_is_no_python_is_said_at_once() -> None:
    """Other errors are those of ``ast.parse``."""
    with pytest.raises(SyntaxError):
        syntax_tree("x =")
