"""The progress of a run in a notebook: one output that changes, with the failures kept."""

import sys
from importlib import import_module
from typing import Any

from .progress import ProgressLines, ProgressListener


class _ChangingOutput:
    """Shows the latest line in place of the one before; lines on failures stay."""

    def __init__(self) -> None:
        self._kept: list[str] = []
        self._handle: Any = None

    def write(self, line: str) -> None:
        """Show a line."""
        if "FAILED" in line:
            self._kept.append(line)
        shown = {"text/plain": "\n".join(dict.fromkeys([*self._kept, line]))}
        if self._handle is None:
            display = import_module("IPython.display").display
            self._handle = display(shown, raw=True, display_id=True)
        else:
            self._handle.update(shown, raw=True)


def default_listener() -> ProgressListener:
    """Progress in a notebook; else, in a script, nothing."""
    if "ipykernel" not in sys.modules:
        return ProgressListener()
    return _NotebookProgress()


class _NotebookProgress(ProgressLines):
    """Has an output of its own for each part of a run."""

    def __init__(self) -> None:
        self._output = _ChangingOutput()
        super().__init__(self._show)

    def _show(self, line: str) -> None:
        self._output.write(line)

    def end(self) -> None:
        super().end()
        self._output = _ChangingOutput()
