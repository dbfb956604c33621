"""What a test's report tells of its experiment: properties that junit files have too."""

from collections.abc import Collection

import pytest

from ...datasets.errors import LimenError
from ...reports import CostRow, wording
from ..experiment import Experiment
from ..lab import Lab
from ..reporting import headline_of, stages_of, times_and_cost
from . import hooks as plugin

_ASKED = pytest.StashKey[tuple[Experiment, dict[str, None]]]()
"""The experiment of a test, and the arms that it got."""


class TestProperties:
    """Tells of tests' experiments; all of it strings, which travel between processes."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._known: dict[tuple[int, tuple[str, ...]], dict[str, str]] = {}

    def note(self, item: pytest.Item, says: str, experiment: str) -> None:
        """A test claims something of an experiment, named by its title."""
        _put(item, {plugin.SAYS: says, plugin.EXPERIMENT: experiment})

    def asked(self, item: pytest.Item, experiment: Experiment, arm: str) -> None:
        """A test got an arm."""
        item.stash.setdefault(_ASKED, (experiment, {}))[1][arm] = None

    def tell(self, item: pytest.Item) -> None:
        """Have the item tell what its arms came to; of arms without an effect only the cost."""
        if _ASKED in item.stash:
            experiment, arms = item.stash[_ASKED]
            known = id(experiment), tuple(arms)  # not every part of one can be hashed
            if known not in self._known:
                self._known[known] = self._properties(experiment, arms)
            _put(item, self._known[known])

    def _properties(self, experiment: Experiment, arms: Collection[str]) -> dict[str, str]:
        try:
            found = headline_of(self._lab, experiment, arms)
        except LimenError:  # the test itself has been told
            found = None
        pipe = self._lab.taken(experiment)
        _, paid = times_and_cost(self._lab.store, stages_of(pipe, arms))
        cost = {"limen_cost_usd": _usd(paid)}
        if found is None:
            return cost
        reading, effect = found
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


def _put(item: pytest.Item, properties: dict[str, str]) -> None:
    """Set properties of an item, in place of what it had under these names."""
    item.user_properties[:] = [
        *(known for known in item.user_properties if known[0] not in properties),
        *properties.items(),
    ]
