"""One step on plain files: do a stage unless it is done, and copy the file that it left."""

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ...backends import Backend
from ...datasets.errors import DamageError, DataError, ExperimentError, LimenError
from ..lab import (
    ProgressListener,
    Settings,
    execute,
    interruptible,
    local_executor,
    progress_on,
    thread_executor,
)
from ..stages import (
    Manifest,
    Stage,
    Store,
    backend_of,
    calls_user_function,
    forget_backends,
    set_aside_damage,
)
from .echo import echo
from .options import is_special


@dataclass(frozen=True)
class Done:
    """A finished stage."""

    folder: Path
    manifest: Manifest
    before: bool
    """Whether it was done already."""

    @property
    def note(self) -> str:
        """What to say of it beside its file."""
        cost = self.manifest.get("cost", {}).get("usd")
        cost_note = f", ${cost:,.4f}" if cost else ""
        return f"{cost_note}{' (done before)' if self.before else ''}"

    def as_json(self, out: Path, **extra: object) -> str:
        """What was done as one JSON object: the file, the stage, its counts and its cost."""
        known = ("kind", "key", "model", "counts", "reasons", "sources", "cost", "seconds")
        stage = {name: self.manifest[name] for name in known if name in self.manifest}
        made = {"out": str(out), "done_before": self.before, **stage, **extra}
        return json.dumps(made, indent=2, ensure_ascii=False)


def backend_for(settings: Settings) -> Backend:
    """The backend of a command."""
    return backend_of(settings.backend, Store(settings.store), settings.terms)


def done(settings: Settings, stage: Stage) -> Done:
    """Have a stage done, and what it needs; raises what made it fail."""
    store = Store(settings.store)
    _set_aside_damage(settings, store, stage)
    todo = undone(store, stage)
    if todo:
        store.open()
        _run(settings, todo)
    folder = store.artifact(stage.kind, stage.key)
    return Done(folder, store.manifest(stage.kind, stage.key) or {}, before=not todo)


def _set_aside_damage(settings: Settings, store: Store, stage: Stage) -> None:
    """Check what is read; raise :class:`~limen.DamageError` if it would be paid for again."""

    def is_paid(stage: Stage) -> bool:
        name = stage.asks()
        return bool(name) and (
            backend_of(name, store, settings.terms).capabilities.service is not None
        )

    for damage in set_aside_damage(store, [stage], is_paid=is_paid, deep=False):
        if damage.lost:
            raise DamageError(str(damage))
        echo(f"limen: {damage}", err=True)


def undone(store: Store, target: Stage) -> list[Stage]:
    """What is to be done for a stage, inputs first; what finished stages rest on is not asked."""
    if store.has(target.kind, target.key):
        return []
    needs = (*target.inputs(), *target.guards())
    before = {stage.key: stage for given in needs for stage in undone(store, given)}
    return [*before.values(), target]


def _run(settings: Settings, todo: Sequence[Stage]) -> None:
    asks = any(stage.asks() for stage in todo)
    backend = backend_for(settings) if asks else None
    with interruptible(settings.store), _stopping(backend):
        service = None if backend is None else backend.capabilities.service
        if service is not None:
            for work in filter(None, (stage.work() for stage in todo)):
                service.quote(work)  # refuses what the budget forbids, before anything is sent
        calls = any(map(calls_user_function, todo))  # these may end their process
        processes = service is None if backend is not None else calls
        executor = local_executor if processes else thread_executor
        with executor(1) as pool:
            failures = execute(todo, settings, watcher(), pool, {}, workers=1)
    failure = failures.get(todo[-1].key)
    if isinstance(failure, LimenError):
        raise failure
    if failure is not None:
        raise ExperimentError(f"{todo[-1].label}: {type(failure).__name__}: {failure}")


@contextmanager
def _stopping(backend: Backend | None) -> Iterator[None]:
    """Have nothing wait for a service any longer once the command is being ended."""
    try:
        yield
    except BaseException:
        if backend is not None and (service := backend.capabilities.service):
            service.stop()
            forget_backends()
        raise


def watcher() -> ProgressListener:
    """Progress on the standard error stream: bars on a terminal, lines elsewhere."""
    return progress_on(sys.stderr, lambda line: echo(line, err=True))


def save(file: Path, out: Path) -> None:
    """Copy a file; the copy is there whole or not at all."""
    with _whole(out) as scratch:
        shutil.copyfile(file, scratch)


def save_text(text: str, out: Path) -> None:
    """Write a small file of JSON; it is there whole or not at all.

    Halves of characters, which UTF-8 does not have, are written as JSON's escapes.
    """
    with _whole(out) as scratch:
        scratch.write_text(text, encoding="utf-8", errors="backslashreplace")


@contextmanager
def _whole(out: Path) -> Iterator[Path]:
    """A file to write to, which then takes the place of another at once.

    A link stays, and what it leads to is replaced; a device or a pipe is written to.
    """
    try:
        with _through(out) if is_special(out) else _in_place_of(out.resolve()) as scratch:
            yield scratch
    except OSError as error:
        raise DataError(f"cannot write {out}: {error.strerror or error}") from None


@contextmanager
def _in_place_of(file: Path) -> Iterator[Path]:
    scratch = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        yield scratch
        with scratch.open("rb") as written:
            os.fsync(written.fileno())
        scratch.replace(file)
    finally:
        scratch.unlink(missing_ok=True)


@contextmanager
def _through(device: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder) / "written"
        yield scratch
        with scratch.open("rb") as written, device.open("wb") as target:
            shutil.copyfileobj(written, target)
