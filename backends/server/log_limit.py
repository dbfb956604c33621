"""A limit to what the server logs, so that no client can fill a disk with it."""

import logging
import time
from collections.abc import Callable

LOGGERS = ("asyncio", "uvicorn.error")
"""Loggers of the libraries that write something for each connection or request that fails."""
RECORDS = 60
"""Records a minute at most."""


class LogLimit(logging.Filter):
    """Lets some records a minute through, and says how many it has left out."""

    def __init__(self, records: int = RECORDS, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._records, self._clock = records, clock
        self._minute = -1
        self._count = 0

    def filter(self, record: logging.LogRecord) -> bool:
        """See :class:`logging.Filter`."""
        minute = int(self._clock() // 60)
        left_out = max(0, self._count - self._records)
        if minute != self._minute:
            self._minute, self._count = minute, 0
            if left_out:
                record.msg = f"{left_out} log records were left out. {record.getMessage()}"
                record.args = ()
        self._count += 1
        return self._count <= self._records


def limit_logs() -> None:
    """Limit what is logged from now on."""
    limit = LogLimit()
    for name in LOGGERS:
        logging.getLogger(name).addFilter(limit)
