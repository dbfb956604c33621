"""Results as pandas data frames, for notebooks. pandas is imported when one is asked for."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..datasets.artifacts import checked_file, read_manifest
from ..datasets.errors import StoreError
from ..datasets.store_layout import ANSWERS, StoreLayout
from . import tables
from .model import Report, Run
from .records import read_run, report_of, runs_of

Manifest = dict[str, Any]
"""The JSON object beside an artifact."""

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
    """
    return _frame(tables.effects(_report(source).results))


def arms(source: Source) -> "DataFrame":
    """What an arm's answers come to in one reading: a row a seed.

    Columns: experiment, trait, reading, kind, arm, seed, value (of this seed), mean (of the arm)
    and its 95% interval low and high, unrated (answers of the arm without a score), stage
    (``measure/KEY``, or ``judge/KEY`` where a judge scored).
    """
    return _frame(tables.arms(_report(source).results))


def models(source: Source) -> "DataFrame":
    """The models that answered: a row each. Joins :func:`answers` by ``stage`` and ``model``.

    Columns: experiment, arm, seed, model, base, fingerprint, stage (``measure/KEY``).
    """
    return _frame(tables.models(_report(source).results))


def claims(source: Source) -> "DataFrame":
    """What was claimed: a row a test. Columns: experiment, test, claim, outcome,
    support, reason.
    """
    return _frame(tables.claims(_report(source).claims))


def answers(store: str | Path, *, stages: Iterable[str] | None = None) -> "DataFrame":
    """Every answer of a store's measures, or of some stages (``measure/KEY``): a row a draw.

    Columns: stage, label, model, system (prompt, or None), question, row (the question's number),
    draw, draw_seed (of its random stream), answer (None where none came), finish (how it ended).
    Raises :class:`~limen.StoreError` for a folder without measures.
    """
    wanted = None if stages is None else {stage.partition("/")[2] or stage for stage in stages}
    return _frame(
        row
        for manifest in _manifests(Path(store), "measure")
        if wanted is None or manifest["key"] in wanted
        for row in _answers(Path(store), manifest)
    )


def stages(store: str | Path) -> "DataFrame":
    """The finished stages of a store: a row each.

    Columns: stage (``KIND/KEY``), kind, label, inputs (stages), model, system, started (UTC),
    seconds, usd (None where no service was paid), and what it counted, as JSON (counts).
    Raises :class:`~limen.StoreError` for a folder without stages.
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
        for manifest in _manifests(Path(store), "*")
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
        return report_of([read_run(path)] if path.suffix == ".json" else runs_of(path))
    return report_of(source)


def _manifests(store: Path, kind: str) -> Iterator[Manifest]:
    files = StoreLayout(store).manifests(kind)
    if not files:
        what = "stages" if kind == "*" else f"{kind} stages"
        raise StoreError(f"there are no {what} in {store}: is it a store of limen's?")
    for file in files:
        manifest = read_manifest(StoreLayout(store), file.parent.parent.name, file.parent.name)
        if manifest is not None:
            yield manifest


def _answers(store: Path, manifest: Manifest) -> Iterator[Manifest]:
    file = checked_file(StoreLayout(store), "measure", manifest["key"], ANSWERS)
    with file.open(encoding="utf-8", errors="surrogatepass", newline="\n") as lines:
        for line in lines:
            row = json.loads(line)
            yield {
                "stage": f"measure/{manifest['key']}",
                "label": manifest["label"],
                "model": manifest["model"],
                "system": manifest["system"],
                "question": manifest["questions"][row["row"]],
                "row": row["row"],
                "draw": row["draw"],
                "draw_seed": row["seed"],
                "answer": row["text"],
                "finish": row["finish"],
            }
