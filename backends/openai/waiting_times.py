"""How long a server asks us to wait: in headers, in the fields of an error, or in its words."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

MAX_RETRY_AFTER = 300.0
"""Seconds that a server may ask to be left alone; beyond, the run ends and can be gone on with."""
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_NUMBER_WITH_UNIT = (
    r"([0-9]+(?:\.[0-9]+)?) ?(ms|milliseconds?|s|sec(?:ond)?s?|m|min(?:ute)?s?|h|hours?)"
)
_ASKED = re.compile(
    rf"\b(?:retry|try again|wait)\b[a-z ]{{0,24}}?((?:{_NUMBER_WITH_UNIT}(?![a-z])[ ,]*)+)"
)


def parse_duration(text: str) -> float | None:
    """The seconds in a duration as the headers have it: ``120ms``, ``1.2s``, ``6m0s``."""
    parts = re.findall(r"([0-9.]+)(ms|s|m|h|d)", text)
    try:
        return sum(float(number) * _UNITS[unit] for number, unit in parts) if parts else None
    except ValueError:
        return None


def wait_in_words(text: str) -> float | None:
    """The seconds in "Please try again in 7.66s", "retry after 2 minutes"; None without such."""
    found = _ASKED.search(text.lower())
    if found is None:
        return None
    parts = re.findall(_NUMBER_WITH_UNIT, found[1])
    return sum(float(number) * _UNITS[_short(unit)] for number, unit in parts)


def _short(unit: str) -> str:
    """The unit as :data:`_UNITS` has it."""
    return "ms" if unit.startswith(("ms", "milli")) else unit[0]


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds that a server asks us to wait; None if it says nothing that can be read.

    A date is taken by the server's own clock, where it says what that is.
    """
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        seconds = _seconds(headers.get(name, ""), headers.get("date", ""))
        if seconds is not None:
            return max(0.0, seconds / unit)
    return None


def _seconds(text: str, sent: str) -> float | None:
    """A number of seconds, or the seconds until an HTTP date."""
    try:
        seconds = float(text)
        return seconds if math.isfinite(seconds) else None
    except ValueError:
        pass
    until = _date(text)
    return (
        None
        if until is None
        else (until - (_date(sent) or datetime.now(UTC))) / timedelta(seconds=1)
    )


def _date(text: str) -> datetime | None:
    """An HTTP date; one without a zone is in UTC."""
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
