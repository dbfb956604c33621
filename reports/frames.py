"""Results as pandas data frames, for notebooks. pandas is imported when one is asked for."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from . import tables
from .answer_frames import manifests
from .model import Report, Run
from .records import latest_runs, read_run, report_of

if TYPE_CHECKING:
    from pandas import DataFrame

Source = str | Path | Run | Report | Iterable[Run]
"""A store's folder (of each experiment the latest run), a run record's file, or runs at hand."""


def effects(source: Source) -> "DataFrame":
    """The difference of two arms in one reading: a row each.

    Columns: experiment, trait, reading, kind (``rate`` or ``score``), effect (such as
    ``student - control``), difference and its 95% interval low and high (of rates a share from -1
    to 1), p_value (corrected for the family), raw_p_value, test, unit (``seeds`` or
    ``questions``), seeds and questions (of the first arm), seeds_reference and
    questions_reference (of the second), claim, note, ranks.

    Args:
        source: A store's folder, a run, a report, or several runs.

    Raises:
        StoreError: A folder without runs.

    Examples:
        >>> table = reports.effects(store)
    """
    return _frame(tables.effects(_report(source).results))


def arms(source: Source) -> "DataFrame":
    """What an arm's answers come to in one reading: a row a seed.

    Columns: experiment, trait, reading, kind, arm, seed, value (of this seed), mean (of the arm)
    and its 95% interval low and high, unrated (answers of the arm without a score), stage
    (``measure/KEY``, or ``judge/KEY`` where a judge scored).

    Args:
        source: A store's folder, a run, a report, or several runs.

    Raises:
        StoreError: A folder without runs.

    Examples:
        >>> table = reports.arms(store)
    """
    return _frame(tables.arms(_report(source).results))


def models(source: Source) -> "DataFrame":
    """The models that answered: a row each. Joins :func:`answers` by ``stage`` and ``model``.

    Columns: experiment, arm, seed, model, base, fingerprint, steps, loss (the last epoch's),
    stage (``measure/KEY``).

    Args:
        source: A store's folder, a run, a report, or several runs.

    Raises:
        StoreError: A folder without runs.

    Examples:
        >>> table = reports.models(store)
    """
    return _frame(tables.models(_report(source).results))


def claims(source: Source) -> "DataFrame":
    """What was claimed: a row a test. Columns: experiment, test, claim, outcome,
    support, registration, registration_note, reason, found.

    Args:
        source: A store's folder, a run, a report, or several runs.

    Raises:
        StoreError: A folder without runs.

    Examples:
        >>> table = reports.claims(store)
    """
    return _frame(tables.claims(_report(source).claims))


def stages(store: str | Path) -> "DataFrame":
    """The finished stages of a store: a row each.

    Columns: stage (``KIND/KEY``), kind, label, inputs (stages), model, system, started (UTC),
    seconds, usd (None where no service was paid), and what it counted, as JSON (counts).
    Raises :class:`~limen.StoreError` for a folder without stages.

    Args:
        store: A store's folder.

    Examples:
        >>> table = reports.stages(store)
    """
    return _frame(
        {
            "stage": f"{manifest['kind']}/{manifest['key']}",
            "kind": manifest["kind"],
            "label": manifest["label"],
            "inputs": " ".join(f"{given['kind']}/{given['key']}" for given in manifest["inputs"]),
            "model": manifest.get("model"),
            "system": manifest.get("system"),
            "started": manifest["started"],
            "seconds": manifest["seconds"],
            "usd": manifest.get("cost", {}).get("usd"),
            "counts": json.dumps(manifest.get("counts", {})),
        }
        for manifest in manifests(Path(store), "*")
    )


def _frame(rows: Iterable[object]) -> "DataFrame":
    from pandas import DataFrame

    return DataFrame(list(rows))


def _report(source: Source) -> Report:
    if isinstance(source, Report):
        return source
    if isinstance(source, Run):
        return report_of([source])
    if isinstance(source, str | Path):
        path = Path(source)
        return report_of([read_run(path)] if path.suffix == ".json" else latest_runs(path))
    return report_of(source)
