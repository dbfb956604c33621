"""What students were trained on and how, their seeds aside: whether students may be pooled."""

import json
from dataclasses import dataclass

from ..stages import FineTune, Manifest, Store


@dataclass(frozen=True)
class TrainingOrigin:
    """Where a student is from, without what differs between students of one arm."""

    how: str
    """Its base model, recipe and objective, and those of the training that it goes on from."""
    data: str
    """The key of its training file."""
    data_kind: str
    """The kind of stage that left it."""
    sources: str
    """What that file was sampled from, whose targets an objective has, and all before it."""


def training_origin(store: Store, key: str) -> TrainingOrigin:
    """Where the student of a fine-tuning is from, by the manifests that the store still has.

    Raises :class:`~limen.StoreError` if the fine-tuning is not in it.
    """
    made = store.finished(FineTune.kind, key)
    base, data, *others = made["inputs"]  # targets and a teacher, and the training before
    identity = made["identity"]
    how: list[object] = [base["key"], identity["recipe"]]
    sources = _sampled(store, data)
    if "objective" in identity:
        how.append({n: v for n, v in identity.items() if n not in ("recipe", "seed", "after")})
        sources.append(_how_made(store, others[0]))
    if "after" in identity:
        earlier = training_origin(store, identity["after"])
        how.append(earlier.how)
        sources.append(earlier.sources)
    return TrainingOrigin(
        how=json.dumps(how, sort_keys=True),
        data=data["key"],
        data_kind=data["kind"],
        sources=json.dumps(sources, sort_keys=True),
    )


def _how_made(store: Store, targets: Manifest) -> list[object]:
    """What an objective's targets are, but for the training file, which is the seed's own."""
    made = store.manifest(targets["kind"], targets["key"]) or {}
    return [targets["kind"], made.get("identity")]


def _sampled(store: Store, data: Manifest) -> list[object]:
    """What a training file was sampled from, and how."""
    made = store.manifest(data["kind"], data["key"]) or {}
    identity = {name: value for name, value in made.get("identity", {}).items() if name != "seed"}
    return [identity, made.get("inputs")]
