"""Properties of test reports: they reach pytest-xdist's controller and junit files as texts."""

from collections.abc import Mapping

import pytest

CLAIM, EXPERIMENT = "limen_says", "limen_experiment"
"""The properties that hold what a test claims, and the title of its experiment."""


def set_properties(item: pytest.Item, properties: Mapping[str, str]) -> None:
    """Set properties of an item; they replace earlier ones of the same names."""
    item.user_properties[:] = [
        *(known for known in item.user_properties if known[0] not in properties),
        *properties.items(),
    ]


def claim_of(report: pytest.TestReport) -> tuple[str, str] | None:
    """The claim of a report and the title of its experiment; None if it has none."""
    properties = dict(report.user_properties)
    if CLAIM not in properties:
        return None
    return str(properties[CLAIM]), str(properties.get(EXPERIMENT, ""))
