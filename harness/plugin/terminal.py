"""Writing to the terminal of a pytest run."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import pytest

from ...datasets.visible import visible
from ..lab import ProgressListener, progress_on


class Terminal:
    """The terminal of a pytest run; a worker of pytest-xdist has none."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def write(self, line: str) -> None:
        """Write a line of its own, whatever pytest has written before.

        It is there at once, also in a file or a pipe: a run lasts long, and may be killed.
        """
        reporter = self._config.pluginmanager.getplugin("terminalreporter")
        if isinstance(reporter, pytest.TerminalReporter):
            reporter.ensure_newline()
            reporter.write_line(visible(line))
            reporter.flush()

    @contextmanager
    def uncaptured(self) -> Iterator[None]:
        """Suspend pytest's capture, for which it has no public way outside of a test."""
        manager: Any = self._config.pluginmanager.getplugin("capturemanager")
        with manager.global_and_fixture_disabled() if manager else nullcontext():
            yield

    def progress(self) -> ProgressListener:
        """Shows the progress of a run, unless it is quiet."""
        quiet = self._config.get_verbosity() < 0 or hasattr(self._config, "workerinput")
        if quiet or not self._config.pluginmanager.hasplugin("terminalreporter"):
            return ProgressListener()
        with self.uncaptured():
            return progress_on(sys.stdout, self.write)
