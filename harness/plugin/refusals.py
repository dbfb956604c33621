"""Why arms could not be had, as failed tests say it: the whole reason once."""

import pytest

from ...reports import wording

START = "limen: "
"""How the message of a test begins whose arm could not be had."""
CUT = ("no", "line")
"""The styles of tracebacks (``--tb``) that do not show whole messages."""


class Refusals:
    """The reasons of one process for which tests had no arm, each with the first such test."""

    def __init__(self) -> None:
        self._first: dict[str, str] = {}

    def message(self, item: pytest.Item, reason: str) -> str:
        """What a test fails with: the reason, or where it stands if another test had it before."""
        first = self._first.setdefault(reason, item.nodeid)
        if first == item.nodeid:
            return f"{START}{reason}"
        return f"{START}{wording.first_clause(reason)}: the whole reason stands at {first}"


def shown_reason(report: pytest.TestReport, config: pytest.Config) -> str:
    """The reason that pytest shows of a test whose arm could not be had; empty if there is none."""
    text = str(report.longrepr) if report.failed and config.option.tbstyle not in CUT else ""
    return text.removeprefix(START) if text.startswith(START) else ""
