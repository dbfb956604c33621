"""Amounts of money and time in words, and the ends of intervals."""

UNBOUNDED = 1e9
"""The end of an interval where nothing bounds it, since JSON has no infinity."""


def known_end(end: float) -> float | None:
    """The end of an interval; None where nothing bounds it."""
    return end if abs(end) < UNBOUNDED else None


def dollars(amount: float | None) -> str:
    """An amount in US dollars; small ones with more digits."""
    if amount is None:
        return "an unknown amount"
    return f"${amount:,.2f}" if amount >= 1 or amount == 0 else f"${amount:.4f}"


def duration(seconds: float | None) -> str:
    """A time in the unit that suits it."""
    if seconds is None:
        return "a time not known"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:,.0f} min" if seconds < 7200 else f"{seconds / 3600:,.1f} h"
