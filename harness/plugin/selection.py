"""The experiments of the selected tests, and the arms that these ask for."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from ...backends import Backend
from ...datasets.errors import SpecError
from ..collection import declared_experiment, is_skipped, place_of, requested_arms, titles_of
from ..experiment import ARMS, Experiment
from ..lab import Lab
from ..reporting import EffectAssertion, effect_assertions


class SelectedExperiment(NamedTuple):
    """An experiment, its title, and the arms that the selected tests ask for."""

    title: str
    experiment: Experiment
    arms: Mapping[str, None]


class Selection:
    """The experiments of a run, each once."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self.experiments: list[SelectedExperiment] = []
        self.paths: dict[str, Path] = {}
        """Their spec files, by title."""

    def collect(self, items: Iterable[pytest.Item]) -> None:
        """Take the experiments of some items, with the arms that there can be."""
        found: list[tuple[pytest.Item, Experiment, set[str]]] = []
        for item in items:
            experiment = declared_experiment(item)
            if isinstance(experiment, Experiment) and not is_skipped(item):
                arms = {a for a in requested_arms(item, experiment) if self._has(experiment, a)}
                known = next((one for one in found if one[1] == experiment), None)
                if known:
                    known[2].update(arms)
                elif arms:
                    found.append((item, experiment, arms))
        titles = titles_of([place_of(item) for item, _, _ in found])
        self.experiments = [
            SelectedExperiment(title, experiment, _sorted(experiment, arms))
            for title, (_, experiment, arms) in zip(titles, found, strict=True)
        ]
        items = (item for item, _, _ in found)
        self.paths = {title: item.path for title, item in zip(titles, items, strict=True)}

    def _has(self, experiment: Experiment, arm: str) -> bool:
        """Whether an arm can be had; the test that asks for it says why not."""
        try:
            return self._lab.unavailable(experiment, arm) is None
        except SpecError:
            return False

    def find(self, experiment: object) -> SelectedExperiment | None:
        """The selected experiment that equals this one."""
        return next((one for one in self.experiments if one.experiment == experiment), None)

    def of_item(self, item: pytest.Item) -> SelectedExperiment | None:
        """The selected experiment that a test is about; None if it asks for no arm."""
        experiment = declared_experiment(item)
        if not isinstance(experiment, Experiment) or not requested_arms(item, experiment):
            return None
        return self.find(experiment)

    def title_of(self, item: pytest.Item, experiment: Experiment) -> str:
        """The title of a test's experiment, as reports have it."""
        selected = self.find(experiment)
        return selected.title if selected else place_of(item).title()

    def notes(self, backend: Backend) -> list[str]:
        """What to know before the run, each once."""
        lines = []
        for title, experiment, _ in self.experiments:
            if experiment.note:
                lines.append(f"limen: note: {experiment.note}")
            if experiment.exact_words and backend.capabilities.probabilities is None:
                lines.append(
                    f"limen: {title}: no exact rates, since the backend {backend.name!r} "
                    f"cannot tell probabilities: --limen-backend local can"
                )
        return list(dict.fromkeys(lines))

    def assertions(self, items: Iterable[pytest.Item]) -> dict[str, list[EffectAssertion]]:
        """What the tests of each experiment assert of effects, by title."""
        found: dict[str, dict[EffectAssertion, None]] = {}
        for item in items:
            selected, test = self.find(declared_experiment(item)), getattr(item, "function", None)
            if selected and test is not None:
                found.setdefault(selected.title, {}).update(dict.fromkeys(effect_assertions(test)))
        return {title: list(assertions) for title, assertions in found.items()}


def _sorted(experiment: Experiment, arms: set[str]) -> dict[str, None]:
    return {
        arm: None for arm in (*ARMS, *experiment.all_arms, *experiment.epoch_arms) if arm in arms
    }
