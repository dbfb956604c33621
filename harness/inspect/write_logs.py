"""Writes the Inspect logs that are missing, in worker processes, beside the tests."""

import time
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import Future, wait
from pathlib import Path
from typing import TYPE_CHECKING

from ...datasets.errors import LimenError
from ..experiment import Experiment
from ..lab import Lab
from .log_contents import missing
from .log_model import LogContents

if TYPE_CHECKING:
    from ...backends.processes import WorkerPool

Wanted = Iterable[tuple[str, Experiment, Collection[str]]]
"""Experiments with their titles, and the arms that were asked for."""


LONGEST_SILENCE = 4.0
"""Seconds after which what is written is said again."""
WORKERS_AN_EXPERIMENT = 1
"""Starting another process takes longer than it would save among an experiment's logs."""


class LogWriting:
    """Logs that are written while the tests run, and those that are missing after them.

    :meth:`start` waits for nothing, :meth:`finish` for all of them.
    """

    def __init__(self, lab: Lab, wanted: Wanted) -> None:
        self._lab, self._wanted = lab, tuple(wanted)
        most = lab.settings.side_by_side(waiting=False)
        self._writers = _Writers(min(most, WORKERS_AN_EXPERIMENT * len(self._wanted)))

    def start(self) -> list[str]:
        """Begin with the logs of the arms that are finished; returns what went wrong so far."""
        try:
            for sheet in self._missing():
                self._writers.submit(sheet)
        except (LimenError, OSError, LookupError, ValueError) as error:
            return [f"{type(error).__name__}: {error}"]
        return []

    def finish(self, say: Callable[[str], None] = lambda line: None) -> list[str]:
        """Write the rest, and wait for all; returns what went wrong, in a line each.

        ``say`` is given lines on how far it is.
        """
        return [*self.start(), *self._writers.finish(say)]

    def _missing(self) -> Iterator[LogContents]:
        for title, experiment, _ in self._wanted:
            yield from missing(self._lab, title, experiment, begun=self._writers.begun)


class _Writers:
    """Worker processes that write logs, if there are any to write."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._pool: WorkerPool | None = None
        self._futures: dict[Path, Future[None]] = {}

    @property
    def begun(self) -> Collection[Path]:
        """The files of the logs that are written, or are being written."""
        return self._futures.keys()

    def submit(self, sheet: LogContents) -> None:
        """Have a log written by one of the processes; they are started as they are needed."""
        from ...backends.processes import worker_pool
        from .log_files import write_log

        if self._pool is None:
            self._pool = worker_pool(self._workers)
        self._futures[sheet.file] = self._pool.submit(write_log, sheet)

    def finish(self, say: Callable[[str], None]) -> list[str]:
        """Wait until all are written; returns what went wrong."""
        if self._pool is None:
            return []
        futures = list(self._futures.values())
        with self._pool:
            left, began = wait(futures, timeout=0).not_done, time.monotonic()
            while left:
                done = len(futures) - len(left)
                so_far = f"{done} of {len(futures)} so far, {time.monotonic() - began:.0f} s"
                say(f"limen: writing logs for Inspect: {so_far}")
                left = wait(left, timeout=LONGEST_SILENCE).not_done
            faults = [future.exception() for future in futures]
        return [f"{type(fault).__name__}: {fault}" for fault in faults if fault]
