"""Python source as a syntax tree, also where Python's own parser is disturbed."""

import ast

TRIES = 5


def syntax_tree(source: str | bytes) -> ast.Module:
    """What ``ast.parse`` gives.

    In Python 3.11 and 3.12 it raises SystemError ("AST constructor recursion depth mismatch") if
    garbage is collected meanwhile whose clean-up parses something itself, as the traceback of a
    warning does. Nothing is wrong with the source then, and the next try is undisturbed.
    """
    for _ in range(TRIES - 1):
        try:
            return ast.parse(source)
        except SystemError:
            continue
    return ast.parse(source)
