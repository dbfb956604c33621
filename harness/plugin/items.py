"""What pytest's items and reports say of claims."""

import pytest

from ...datasets.visible import visible_line


def claim_text(item: pytest.Item) -> str:
    """What a test claims: the first line of its docstring, or its name in words."""
    text = (getattr(getattr(item, "function", None), "__doc__", None) or "").strip()
    if text:
        return visible_line(text.splitlines()[0].rstrip("."))
    return item.name.removeprefix("test_").replace("_", " ")


def outcome_of(report: pytest.TestReport) -> str:
    """The outcome in a word; expected failures have words of their own."""
    if hasattr(report, "wasxfail"):
        return "failed as expected" if report.skipped else "passed unexpectedly"
    return "stopped" if report.failed and report.when == "setup" else report.outcome


def reason_of(report: pytest.TestReport) -> str:
    """Why a test was expected to fail, or was skipped."""
    if expected := getattr(report, "wasxfail", ""):
        return str(expected).removeprefix("reason: ")
    if report.skipped and isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    return ""
