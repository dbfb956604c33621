"""Properties of test reports: they reach pytest-xdist's controller and junit files as texts."""

from collections.abc import Mapping

import pytest

from ...datasets.visible import visible

CLAIM, EXPERIMENT, SUPPORT = "limen_says", "limen_experiment", "limen_support"
DIGEST, FINDING = "limen_claim_digest", "limen_finding"
"""The properties that hold what a test claims, of which experiment, how it is supported, the hash
of the claim, and the effect that a failed assertion was about."""


def set_properties(item: pytest.Item, properties: Mapping[str, str]) -> None:
    """Set properties of an item; they replace earlier ones of the same names.

    Control characters in their values are spelt out.
    """
    item.user_properties[:] = [
        *(known for known in item.user_properties if known[0] not in properties),
        *((name, visible(value)) for name, value in properties.items()),
    ]


def claim_of(report: pytest.TestReport) -> dict[str, str] | None:
    """The properties of a report that claims something; None if it does not."""
    properties = {name: str(value) for name, value in report.user_properties}
    return properties if CLAIM in properties else None
