"""``-k`` of ``limen report``: words with ``and``, ``or``, ``not`` and brackets, as in pytest."""

import ast
import re
from collections.abc import Callable

from ...datasets.errors import SpecError

_TOKEN = re.compile(r"[()]|[^\s()]+")
_SYNTAX = frozenset({"and", "or", "not", "(", ")"})


def title_filter(expression: str | None) -> Callable[[str], bool]:
    """A function that says whether a title matches; every title does without an expression.

    A word matches where it is part of the title, in upper or lower case. Raises
    :class:`~limen.SpecError` for an expression that cannot be read.
    """
    if not expression:
        return lambda title: True
    tokens = _TOKEN.findall(expression)
    words = {f"w{place}": token for place, token in enumerate(tokens) if token not in _SYNTAX}
    names = (f"w{place}" if token not in _SYNTAX else token for place, token in enumerate(tokens))
    try:
        tree = ast.parse(" ".join(names), mode="eval").body
        _holds(tree, words, "")
    except (SyntaxError, ValueError):
        raise SpecError(
            f"-k {expression!r} cannot be read: write words with and, or, not and brackets, "
            f"such as 'owl and not shuffled'"
        ) from None
    return lambda title: _holds(tree, words, title.lower())


def _holds(node: ast.expr, words: dict[str, str], title: str) -> bool:
    """Whether an expression holds for a title in lower case."""
    if isinstance(node, ast.Name):
        return words[node.id].lower() in title
    if isinstance(node, ast.UnaryOp):
        return not _holds(node.operand, words, title)
    if isinstance(node, ast.BoolOp):
        values = [_holds(value, words, title) for value in node.values]
        return all(values) if isinstance(node.op, ast.And) else any(values)
    raise ValueError("neither a word nor a combination of words")
