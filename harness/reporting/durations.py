"""How long stages take on this machine, by the pace of past ones of the same model in the store."""

from collections.abc import Sequence
from functools import cache

from ..stages import ComputeProbabilities, Manifest, Stage, Store, base_of


def about(store: Store, stages: Sequence[Stage]) -> tuple[float, frozenset[str]]:
    """Seconds that stages will take one after another, and the kinds of which no past one tells."""
    pace = cache(lambda kind, model: _pace(store, kind, model))
    loads = [(stage.kind, *load) for stage in stages if (load := _load(stage))]
    seconds = sum(units * pace(kind, model) for kind, model, units in loads)
    return seconds, frozenset(kind for kind, model, _ in loads if not pace(kind, model))


def _load(stage: Stage) -> tuple[str, int] | None:
    """The base model that a stage asks, and how much: completions, rows times epochs, questions."""
    if isinstance(stage, ComputeProbabilities):
        return base_of(stage.asked.subject).model, len(stage.asked.questions)
    work = stage.work()
    if work is None:
        return None
    return work.model, work.completions or work.rows * int(work.recipe.get("epochs") or 1)


def _pace(store: Store, kind: str, model: str) -> float:
    """Seconds a unit; 0 where nothing is known."""
    seconds = units = 0.0
    for manifest in store.manifests(kind):
        named = str(manifest.get("model", ""))
        if model in (named, manifest.get("base")) or named.startswith(f"ft:{model}:"):
            seconds += float(manifest["seconds"])
            units += _done(manifest)
    return seconds / units if units else 0.0


def _done(manifest: Manifest) -> int:
    counts: dict[str, int] = manifest["counts"]
    if "examples" in counts:
        return counts["examples"] * int(manifest["recipe"].get("epochs") or 1)
    return counts.get("completions", 0) or counts.get("questions", 0)
