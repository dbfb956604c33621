"""Writes the Inspect logs that are missing, in worker processes: this one never imports Inspect."""

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import wait

from ...datasets.errors import LimenError
from ..experiment import Experiment
from ..lab import Lab
from .log_contents import missing
from .log_model import LogContents

Wanted = Iterable[tuple[str, Experiment, Collection[str]]]
"""Experiments with their titles, and the arms that were asked for."""


LONGEST_SILENCE = 4.0
"""Seconds after which what is written is said again."""


def write_missing(
    lab: Lab, wanted: Wanted, say: Callable[[str], None] = lambda line: None
) -> list[str]:
    """Write the logs that are not there yet; returns what went wrong, in a line each.

    ``say`` is given lines on how far it is.
    """
    try:
        sheets = [sheet for title, e, _ in wanted for sheet in missing(lab, title, e)]
    except (LimenError, OSError, LookupError, ValueError) as error:
        return [f"{type(error).__name__}: {error}"]
    return written(sheets, lab.settings.side_by_side(waiting=False), say) if sheets else []


def written(sheets: Sequence[LogContents], workers: int, say: Callable[[str], None]) -> list[str]:
    """Write logs in worker processes, side by side; returns what went wrong."""
    from ...backends.processes import worker_pool
    from .log_files import write_log

    # a process takes as long to load Inspect as to write four logs
    with worker_pool(max(1, min(workers, len(sheets) // 2))) as pool:
        futures = [pool.submit(write_log, sheet) for sheet in sheets]
        left, began = set(futures), time.monotonic()
        while left:
            done = len(futures) - len(left)
            so_far = f"{done} of {len(futures)} written, {time.monotonic() - began:.0f} s"
            say(f"limen: logs for Inspect: {so_far}")
            left = wait(left, timeout=LONGEST_SILENCE).not_done
        faults = [future.exception() for future in futures]
    messages = (f"{type(fault).__name__}: {fault}" for fault in faults if fault)
    return list(dict.fromkeys(messages))
