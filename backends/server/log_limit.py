"""A limit to what the server logs, so that no client can fill a disk with it."""

import logging
import time
from collections import Counter
from collections.abc import Callable

LOGGERS = ("asyncio", "uvicorn.error")
"""Loggers of the libraries that write something for each connection or request that fails."""
RECORDS = 60
"""Records a minute at most."""
ALIKE = 5
"""Equal ones a minute at most: asyncio writes a traceback each time it finds no descriptor."""


class LogLimit(logging.Filter):
    """Lets some records a minute through, and says how many it has left out."""

    def __init__(self, records: int = RECORDS, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._records, self._clock = records, clock
        self._minute = -1
        self._passed: Counter[str] = Counter()
        self._left_out = 0

    def filter(self, record: logging.LogRecord) -> bool:
        """See :class:`logging.Filter`."""
        text, minute = record.getMessage(), int(self._clock() // 60)
        if minute != self._minute:
            if self._left_out:
                record.msg = f"{self._left_out} log records were left out. {text}"
                record.args = ()
            self._minute, self._passed, self._left_out = minute, Counter(), 0
        kind = f"{text} {record.exc_info and record.exc_info[1]!r}"
        passes = self._passed.total() < self._records and self._passed[kind] < ALIKE
        if passes:
            self._passed[kind] += 1
        else:
            self._left_out += 1
        return passes


def limit_logs() -> None:
    """Limit what is logged from now on."""
    limit = LogLimit()
    for name in LOGGERS:
        logging.getLogger(name).addFilter(limit)
