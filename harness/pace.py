"""How long stages take on this machine, by the pace of past ones of the same model in the store."""

from collections.abc import Sequence

from .stage import Stage
from .stages import Collect, Exact, FineTune
from .store import Manifest, Store

LASTING = ("generate", "collect", "measure", "exact", "fine-tune")
"""The kinds of stages that take long, in proportion to what there is to do."""


def about(store: Store, stages: Sequence[Stage], model: str) -> tuple[float, frozenset[str]]:
    """Seconds that stages will take one after another, and the kinds of which no past one tells."""
    paces = {kind: _pace(store, kind, model) for kind in LASTING}
    lasting = [stage for stage in stages if stage.kind in paces]
    known = [paces[stage.kind] * _units(stage) for stage in lasting if paces[stage.kind]]
    return sum(known), frozenset(stage.kind for stage in lasting if not paces[stage.kind])


def _units(stage: Stage) -> int:
    """What a stage has to do: completions, rows to learn times epochs, or questions."""
    if isinstance(stage, FineTune):
        return stage.data.count * int(stage.recipe["epochs"] or 1)
    if isinstance(stage, Exact):
        return len(stage.of.questions)
    return stage.count if isinstance(stage, Collect) else stage.size()


def _pace(store: Store, kind: str, model: str) -> float:
    """Seconds a unit; 0 where nothing is known."""
    seconds = units = 0.0
    found = (store.manifest(kind, key) for key in store.keys(kind))
    for manifest in filter(None, found):
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
