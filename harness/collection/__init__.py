"""What pytest collects: the experiments of tests, their titles, and those of given spec files."""

from .collect import CollectedExperiment, Collection, collect
from .imports import imported
from .items import (
    FIXTURES,
    declared_experiment,
    fixture_definitions,
    is_skipped,
    own_fixtures,
    parameters_of,
    reached_fixtures,
    requested_arms,
)
from .titles import place_of, spec_path, titles_of

__all__ = [
    "FIXTURES",
    "CollectedExperiment",
    "Collection",
    "collect",
    "declared_experiment",
    "fixture_definitions",
    "imported",
    "is_skipped",
    "own_fixtures",
    "parameters_of",
    "place_of",
    "reached_fixtures",
    "requested_arms",
    "spec_path",
    "titles_of",
]
