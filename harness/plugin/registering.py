"""Registering claims: what the selected tests state, written to a file before any data are seen."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from ...datasets.errors import LimenError, SpecError
from ..experiment import Experiment
from ..lab import Lab
from ..reporting import (
    SUFFIX,
    StatedClaim,
    experiment_digest,
    measured_since,
    stated_claim,
    write_registration,
)
from .items import claim_text
from .selection import Selection


def register_claims(
    file: Path, items: Sequence[pytest.Item], selection: Selection, lab: Lab
) -> str:
    """Write the claims of some tests to a file; returns a line that says so."""
    if not file.name.endswith(SUFFIX):
        raise SpecError(f"{file} must end in {SUFFIX}, by which reports find it beside the spec")
    claims = []
    experiments: dict[str, tuple[Experiment, str]] = {}
    for item in items:
        selected = selection.of_item(item)
        if selected is None:
            continue
        claims.append(claim_of_item(item, selected.title))
        if selected.title not in experiments:
            digest = experiment_digest(lab, selected.experiment)
            experiments[selected.title] = (selected.experiment, digest)
    write_registration(file, claims, experiments)
    count = "1 claim" if len(claims) == 1 else f"{len(claims)} claims"
    late = [title for title, (one, _) in experiments.items() if _has_data(lab, one)]
    if not late:
        return f"limen: {count} registered in {file}: commit it before the experiment runs"
    return (
        f"limen: {count} registered in {file}, and the store has answers of students of "
        f"{', '.join(late)} already: reports will mark what is claimed of them as added after "
        f"data were seen"
    )


def _has_data(lab: Lab, experiment: Experiment) -> bool:
    """Whether a model that an experiment trains has been measured."""
    try:
        return bool(measured_since(lab, experiment))
    except LimenError:
        return False


def claim_of_item(item: pytest.Item, title: str) -> StatedClaim:
    """What a test states."""
    test = item.function if isinstance(item, pytest.Function) else None
    says = claim_text(item)
    return stated_claim(test, name=item.nodeid, experiment=title, says=says, path=item.path)
