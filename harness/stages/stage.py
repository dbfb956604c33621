"""What a stage is, and how one is run.

A stage is a frozen value that holds its inputs, which are stages themselves, so it knows its whole
history. Its key is the hash of that history; equal stages are one stage. :func:`run_stage` is a
plain function of a stage and a store's folder: it can run in any process, any number of times.
"""

import hashlib
import json
import platform
import time
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ...backends import Backend, ServiceTerms, WorkRequest, open_backend
from ...backends.budget import Budget
from ...datasets.artifacts import Manifest
from ...datasets.errors import ExperimentError, LimenError
from .row_log import Row
from .side_effects import UNCHANGED, SideEffectError, watched_calls
from .store import ArtifactDraft, Store, canonical
from .user_trials import is_expendable

FORMAT = 1
"""Raise it when artifacts change their form: every key changes with it."""
LIBRARIES = {
    "inspect": ("inspect-ai",),
    "local": ("torch", "transformers", "peft", "trl", "gguf"),
    "openai": ("openai",),
    "tinker": ("tinker",),
}
"""By backend, the libraries whose versions may matter to what its stages leave, beside NumPy's."""
DECIDING = ("numpy", *LIBRARIES["local"])
"""Libraries that all nodes of a cluster should have in one version."""


@dataclass(frozen=True)
class Workspace:
    """Where a stage works: the store it reads from, and its claim on the folder it writes to."""

    store: Store
    claim: ArtifactDraft
    terms: ServiceTerms = field(default_factory=ServiceTerms)

    @property
    def folder(self) -> Path:
        """The folder whose files become the artifact."""
        return self.claim.folder

    def backend(self, name: str) -> Backend:
        """The backend of that name, its models kept in the store."""
        return backend_of(name, self.store, self.terms)

    def file(self, stage: "Stage", name: str) -> Path:
        """A file of a finished stage."""
        return self.store.file(stage.kind, stage.key, name)

    def rows(self, stage: "Stage", name: str) -> Iterator[Row]:
        """The rows of a file of a finished stage."""
        return self.store.rows(stage.kind, stage.key, name)

    def json(self, stage: "Stage", name: str) -> Any:
        """The value in a JSON file of a finished stage."""
        return self.store.json(stage.kind, stage.key, name)

    def write_json(self, name: str, value: object) -> None:
        """Write a JSON file of the artifact."""
        text = json.dumps(value, allow_nan=False)
        (self.folder / name).write_text(text, encoding="utf-8")

    def manifest(self, stage: "Stage") -> Manifest:
        """The manifest of a finished stage."""
        return self.store.finished(stage.kind, stage.key)


class _Kind:
    """Declares the kind outside the dataclass: most classes have one, :class:`.StoredFile` many."""

    kind: str
    """The kind of stage; with the key it names the artifact."""


@dataclass(frozen=True, kw_only=True)
class Stage(_Kind):
    """One cached step."""

    label: str = field(compare=False)
    """The name that people read; no part of the key."""

    def inputs(self) -> tuple["Stage", ...]:
        """The stages whose artifacts this one reads."""
        return ()

    def guards(self) -> tuple["Stage", ...]:
        """Stages that must succeed before this one is run, though it reads none of them."""
        return ()

    def identity(self) -> dict[str, object]:
        """All else that the artifact depends on, as JSON."""
        raise NotImplementedError

    def run(self, workspace: Workspace) -> Manifest:
        """Write the artifact's files; returns the facts that the manifest records."""
        raise NotImplementedError

    def asks(self) -> str:
        """The name of the backend that it uses; empty if none."""
        return ""

    def size(self) -> int:
        """How many completions it samples."""
        return 0

    def work(self) -> WorkRequest | None:
        """What it would request from a service; None if nothing."""
        return None

    @property
    def key(self) -> str:
        """The hash of what the stage is and of all that it is given, 32 hex digits."""
        return self._key

    @cached_property
    def _key(self) -> str:
        inputs = [stage.key for stage in self.inputs()]
        facts = {"format": FORMAT, "kind": self.kind, "inputs": inputs, **self.identity()}
        return hashlib.sha256(canonical(facts)).hexdigest()[:32]


def run_stage(
    stage: Stage, root: Path, terms: ServiceTerms | None = None, *, node: str = ""
) -> bool:
    """Build a stage's artifact unless it exists; False if another process is building it now.

    ``node`` is the node of a cluster on which this runs, for its progress.
    """
    store = Store(root)
    with store.claim(stage.kind, stage.key, node=node) as claim:
        if claim is None:
            return False
        if not store.has(stage.kind, stage.key):
            began = time.time()
            if node:
                claim.progress(0, 0)
            facts = _facts_of(stage, Workspace(store, claim, terms or ServiceTerms()))
            claim.publish({**_heading(stage, began), **facts})
        return True


def _facts_of(stage: Stage, workspace: Workspace) -> Manifest:
    """What a stage returns. What a user's function raises becomes one of limen's errors.

    Exceptions of other classes may not survive the way to another process, and ``sys.exit()`` in
    a user's function must end this stage alone.
    """
    try:
        with watched_calls() if is_expendable() else nullcontext():
            return stage.run(workspace)
    except (LimenError, OSError):
        raise
    except SideEffectError as effect:
        raise ExperimentError(f"{stage.label}: a function {effect}: {UNCHANGED}") from None
    except (Exception, SystemExit) as error:
        raise ExperimentError(f"{stage.label}: {type(error).__name__}: {error}") from error


def _heading(stage: Stage, began: float) -> Manifest:
    ended = time.time()
    return {
        "kind": stage.kind,
        "key": stage.key,
        "label": stage.label,
        "inputs": [{"kind": given.kind, "key": given.key} for given in stage.inputs()],
        "identity": stage.identity(),
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(began)),
        "seconds": round(ended - began, 3),
        "versions": {
            "limen": version("limen"),
            "python": platform.python_version(),
            **_library_versions(stage.asks()),
        },
    }


@lru_cache
def _library_versions(backend: str) -> dict[str, str]:
    """The versions of NumPy and of a backend's libraries, as far as they are installed.

    Whether a process happens to have loaded them makes no difference.
    """
    versions: dict[str, str] = {}
    for name in ("numpy", *LIBRARIES.get(backend, ())):
        with suppress(PackageNotFoundError):
            versions[name] = version(name)
    return versions


def backend_of(name: str, store: Store, terms: ServiceTerms) -> Backend:
    """The backend of that name, its models kept in the store; one for all stages of a process."""
    return _backend(name, store.models(name).resolve(), terms, _budget(store.root.resolve(), terms))


def forget_backends() -> None:
    """Have :func:`backend_of` open backends anew: those that were stopped stay stopped."""
    _backend.cache_clear()
    _budget.cache_clear()


@lru_cache(maxsize=8)
def _backend(name: str, home: Path, terms: ServiceTerms, budget: Budget) -> Backend:
    return open_backend(name, home, replace(terms, shared_budget=budget))


@lru_cache(maxsize=8)
def _budget(store: Path, terms: ServiceTerms) -> Budget:
    """What all services of a run on a store spend from: its own, and those of judges."""
    return Budget(terms.budget)
