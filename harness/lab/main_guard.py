"""Scripts without a main guard: worker processes import a script again, and would run it again."""

import ast
import inspect
import sys
from pathlib import Path
from types import FrameType

from ...datasets.errors import SpecError
from ...datasets.python_syntax import syntax_tree

MAIN = "__main__"


def check_main_guard() -> None:
    """Raise :class:`~limen.SpecError` if a script without a main guard starts worker processes.

    Every new process imports the script, to find what it defines. Code below
    ``if __name__ == "__main__":`` is left out then; all other code would start processes again.
    """
    file = getattr(sys.modules.get(MAIN), "__file__", None)
    frame = _main_frame()
    if file is None or frame is None or frame.f_code.co_filename != file:
        return
    if not _is_guarded(Path(file), frame.f_lineno):
        raise SpecError(
            f"{file}, line {frame.f_lineno}: limen works in other processes, which import this "
            f'script again. Put what runs experiments below `if __name__ == "__main__":`'
        )


def _main_frame() -> FrameType | None:
    """The frame of the script's own top level; None in an interactive session."""
    frame = inspect.currentframe()
    while frame is not None:
        if frame.f_code.co_name == "<module>" and frame.f_globals.get("__name__") == MAIN:
            return frame
        frame = frame.f_back
    return None


def _is_guarded(file: Path, line: int) -> bool:
    """Whether a line stands below a condition on ``__name__``, as far as the file can be read."""
    try:
        tree = syntax_tree(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return True
    return any(
        isinstance(node, ast.If)
        and node.lineno <= line <= (node.end_lineno or node.lineno)
        and any(isinstance(n, ast.Name) and n.id == "__name__" for n in ast.walk(node.test))
        for node in tree.body
    )
