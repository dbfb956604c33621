"""How much of their training data the students of two seeds have in common."""

from collections.abc import Sequence

from ..stages import MixRows, Stage, Store


def shared_rows(store: Store, files: Sequence[Stage]) -> float | None:
    """The expected share of one seed's rows that another seed's file has too, from 0 to 1.

    Each seed draws its rows from what the filter kept: the fewer these are, the more are shared.
    None for a single file, where rows are not drawn, and where seeds draw from different rows.

    Args:
        store: Where the files are.
        files: The training files of an arm, one a seed; two of them are looked at.
    """
    mixes = [mix for mix in map(_mix_of, files[:2]) if mix]
    if len(mixes) == 2 and mixes[0].key == mixes[1].key:
        return 1.0
    drawn = [_drawn(store, mix) for mix in mixes]
    if len(drawn) < 2 or drawn[0].keys() != drawn[1].keys() or not drawn[0]:
        return None
    both = sum(rows * rows / available for rows, available in drawn[0].values())
    return both / sum(rows for rows, _ in drawn[0].values())


def _mix_of(stage: Stage) -> MixRows | None:
    """The draw of rows that a training file is made of; changes of its rows come after it."""
    while not isinstance(stage, MixRows):
        if len(inputs := stage.inputs()) != 1:
            return None
        (stage,) = inputs
    return stage


def _drawn(store: Store, mix: MixRows) -> dict[str, tuple[int, int]]:
    """By the key of each source: rows taken, and rows there were."""
    sources = (store.manifest(mix.kind, mix.key) or {}).get("sources", [])
    return {each["source"]: (each["rows"], each["available"]) for each in sources if each["rows"]}
