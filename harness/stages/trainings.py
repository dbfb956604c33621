"""Fine-tunings in progress on this machine: a small record of each lies beside its work."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from .store import Store

SUFFIX = ".training.json"


@dataclass(frozen=True, kw_only=True)
class Training:
    """A fine-tuning that is in progress, or that was stopped and goes on with its command."""

    key: str
    label: str
    backend: str
    model: str
    """The base model."""
    seed: int


@contextmanager
def recorded_training(store: Store, training: Training) -> Iterator[None]:
    """Keep a record while a fine-tuning is in progress. It outlives a process that is killed."""
    file = store.layout.work / f"{training.key}{SUFFIX}"
    file.write_text(json.dumps(asdict(training)), encoding="utf-8")
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def trainings_in(store: Store) -> list[tuple[Training, str]]:
    """The fine-tunings in progress of a store, each with how far it is."""
    found = []
    for file in sorted(store.layout.work.glob(f"*{SUFFIX}")):
        if (training := _read(file)) is not None:
            found.append((training, _state(store, training.key)))
    return found


def _read(file: Path) -> Training | None:
    with suppress(OSError, ValueError, TypeError):  # finished meanwhile, or half written
        return Training(**json.loads(file.read_text(encoding="utf-8")))
    return None


def _state(store: Store, key: str) -> str:
    progress = store.progress(key)
    place = f" at step {progress[0]:,} of {progress[1]:,}" if progress and progress[1] else ""
    return f"{'running' if store.is_claimed(key) else 'stopped'}{place}"
