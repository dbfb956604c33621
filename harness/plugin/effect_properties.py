"""What test reports say of effects: properties that junit files have too."""

from collections.abc import Collection

import pytest

from ...reports import CostRow, wording
from ..experiment import Experiment
from ..lab import Lab
from ..reporting import StatedClaim, headline_of, stages_of, times_and_cost
from .report_properties import CLAIM, DIGEST, EXPERIMENT, FINDING, SUPPORT, set_properties

_REQUESTED = pytest.StashKey[tuple[Experiment, dict[str, None]]]()
"""The experiment of a test, and the arms that it got."""


class EffectProperties:
    """Sets the properties of tests; all of them are strings, which travel between processes."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._known: dict[tuple[int, tuple[str, ...]], dict[str, str]] = {}

    def set_claim(self, item: pytest.Item, claim: StatedClaim) -> None:
        """A test claims something of an experiment."""
        names = {CLAIM: claim.says, EXPERIMENT: claim.experiment, DIGEST: claim.digest}
        set_properties(item, names)

    def add_arm(self, item: pytest.Item, experiment: Experiment, arm: str) -> None:
        """A test got an arm."""
        item.stash.setdefault(_REQUESTED, (experiment, {}))[1][arm] = None

    def set_effect(self, item: pytest.Item) -> None:
        """Set the effect of the arms that a test got; without an effect only the cost."""
        if _REQUESTED in item.stash:
            experiment, arms = item.stash[_REQUESTED]
            key = id(experiment), tuple(arms)  # not every part of an experiment can be hashed
            if key not in self._known:
                self._known[key] = self._properties(experiment, arms)
            set_properties(item, self._known[key])

    def set_support(self, item: pytest.Item, support: str, finding: str) -> None:
        """Set how well a test's claim is supported, and what was found."""
        if support and CLAIM in dict(item.user_properties):
            found = {FINDING: finding} if finding else {}
            set_properties(item, {SUPPORT: support, **found})

    def _properties(self, experiment: Experiment, arms: Collection[str]) -> dict[str, str]:
        try:
            headline = headline_of(self._lab, experiment, arms)
        except Exception:  # the test itself fails with it
            headline = None
        pipe = self._lab.pipeline_as_run(experiment)
        _, paid = times_and_cost(self._lab.store, stages_of(pipe, arms))
        cost = {"limen_cost_usd": _usd(paid)}
        if headline is None:
            return cost
        reading, effect = headline
        return {
            "limen_effect": f"{effect.name}, {reading.name} {wording.difference(reading, effect)}",
            "limen_interval": wording.interval(reading, effect),
            "limen_p_value": wording.p_value(effect.p_value),
            "limen_claim": effect.claim,
            **cost,
        }


def _usd(paid: CostRow | None) -> str:
    if paid is None:
        return "0"
    return "unknown" if paid.usd is None else f"{paid.usd:.6f}"
