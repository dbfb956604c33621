"""Run records: what each pytest run found, one JSON file a run in ``STORE/runs/``.

A record has all that a report shows, so that reports can be made again from the store at any time,
without a rerun. Names begin with the time, so that they sort by it.
"""

import hashlib
import json
import math
import os
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from functools import lru_cache
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

from ..datasets.errors import DamageError, SpecError, StoreError
from ..datasets.store_layout import StoreLayout
from .latest import Identity, Latest, latest_of, titles_of
from .model import Claim, Report, Run

if TYPE_CHECKING:
    from pydantic import TypeAdapter

_NAME = re.compile(r"\d{8}T\d{6}Z-([0-9a-f]{8})")
"""The name of a run's record: when it was made, and the beginning of its content's hash."""
_TITLE = re.compile(rb'^   "title": (".*"),?$(?:\n   "file": (".*"),?$)?', re.MULTILINE)
"""The title and the file of each experiment in a record, as :func:`keep_run` writes them. A record
without such a line is read whole."""


def keep_run(run: Run, store: Path) -> Path:
    """Write a run's record into a store, whole or not at all; returns the file.

    Args:
        run: The record.
        store: A store's folder.

    Raises:
        OSError: The folder cannot be written.

    Examples:
        >>> file = reports.keep_run(run, store)
    """
    data = _as_json(replace(run, id=""))
    text = f"{json.dumps(data, indent=1, ensure_ascii=False)}\n"
    content = text.encode("utf-8", "replace")  # an argument of the command may be no UTF-8
    stamp = run.created.replace("-", "").replace(":", "")
    folder = StoreLayout(store).runs
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{stamp}-{_short_hash(content)}.json"
    scratch = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with scratch.open("wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        scratch.replace(file)
    finally:
        scratch.unlink(missing_ok=True)
    return file


def read_run(file: Path) -> Run:
    """The run of a record; raises :class:`~limen.StoreError` for a file that is none.

    Args:
        file: A file of the store's ``runs/``.

    Examples:
        >>> run = reports.read_run(reports.run_files(store)[-1])
    """
    from pydantic import ValidationError

    content = _content(file)
    try:
        return replace(_adapter().validate_json(content), id=file.stem)
    except ValidationError as error:
        first = error.errors()[0]
        raise StoreError(
            f"{file} is no run record of this version of limen ({first['msg']} at "
            f"{'.'.join(map(str, first['loc'])) or 'its start'}): run the experiments again, "
            f"which takes seconds where the store has their stages, or delete the file"
        ) from None


def _content(file: Path) -> bytes:
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        raise StoreError(f"there is no run {file.stem} in {file.parent}") from None
    except OSError as error:
        raise StoreError(f"cannot read the run {file}: {error.strerror or error}") from None
    _check_unchanged(file, content)
    return content


def _check_unchanged(file: Path, content: bytes) -> None:
    """Compare a record with the hash that its name ends with; raises :class:`~limen.DamageError`.

    A file by another name is a copy that somebody made, and is taken as it is.
    """
    if (match := _NAME.fullmatch(file.stem)) and match[1] != _short_hash(content):
        raise DamageError(
            f"{file} is damaged: its content is not what was written (its hash differs). Run the "
            f"experiments again, which takes seconds where the store has their stages, or delete "
            f"the file"
        )


def _short_hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:8]


def _as_json(value: object) -> object:
    """A value of a run as JSON has it; null for what is no finite number."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _as_json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): _as_json(part) for name, part in value.items()}
    if isinstance(value, tuple | list):
        return [_as_json(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


@lru_cache(maxsize=1)
def _adapter() -> "TypeAdapter[Run]":
    """Reads runs from JSON; it takes 15 ms to build, after 70 ms for pydantic."""
    from pydantic import TypeAdapter

    return TypeAdapter(Run)


def run_files(store: str | Path) -> list[Path]:
    """The records of a store, the oldest first.

    Args:
        store: A store's folder.

    Raises:
        OSError: The folder cannot be read; one without runs has no files.

    Examples:
        >>> newest = reports.run_files(store)[-1]
    """
    return sorted(StoreLayout(Path(store)).runs.glob("[!.]*.json"), key=_age)


def _age(file: Path) -> tuple[str, int, str]:
    """By the second in a record's name; of those of one second by when they were written."""
    second, _, rest = file.name.partition("-")
    return second, file.lstat().st_mtime_ns, rest


def runs_of(store: str | Path, ids: Sequence[str] = ()) -> list[Run]:
    """The runs of a store, the oldest first; or those that some ids, or their beginnings, name.

    Records that cannot be read are left out with a warning, unless it is all of them. Raises
    :class:`~limen.StoreError` where there are none, and :class:`~limen.SpecError` for an id that
    names no run or several.

    Args:
        store: A store's folder.
        ids: Ids of runs, or any parts that no other id has. Default: none, all runs.

    Examples:
        >>> newest = reports.runs_of(store)[-1]
    """
    files = _some_files(store)
    named = dict.fromkeys(_named(files, id) for id in ids)
    return [read_run(file) for file in named] if ids else _readable(files)


def latest_runs(store: str | Path) -> list[Run]:
    """Those runs of a store that :func:`report_of` needs, the oldest first.

    They are the last run, and of each experiment the last one that has it. All others are left
    unread, so that a report of many runs takes little longer than one of few. Raises and warns as
    :func:`runs_of` does.

    Args:
        store: A store's folder.

    Examples:
        >>> report = reports.report_of(reports.latest_runs(store))
    """
    return _readable(_some_files(store), latest=True)


def _some_files(store: str | Path) -> list[Path]:
    files = run_files(store)
    inner = Path(store) / ".limen"
    if not files and inner.is_dir():
        raise StoreError(f"there are no runs in {store}: it is no store, but has one, {inner}")
    if not files:
        raise StoreError(
            f"there are no runs in {store}: run some experiments into it with pytest first, or "
            f"name the store that has them with --store (a run that was interrupted before an "
            f"experiment had ended is none: the same command goes on from what is kept)"
        )
    return files


def _readable(files: Sequence[Path], *, latest: bool = False) -> list[Run]:
    """The runs of all records, but for those of another version of limen.

    ``latest``: only those that have an experiment which no later run has, and the last one.
    """
    runs: list[Run] = []
    errors: list[StoreError] = []
    titles: set[tuple[bytes, bytes]] = set()
    for file in reversed(files):
        try:
            found = set(_TITLE.findall(_content(file))) if latest else set()
            if not runs or not found or found - titles:
                runs.insert(0, read_run(file))
                titles |= found
        except StoreError as error:
            errors.insert(0, error)
    if not runs:
        raise errors[0]
    for unread in errors:
        warnings.warn(f"left out: {unread}", stacklevel=3)
    return runs


def _named(files: Iterable[Path], id: str) -> Path:
    matches = [file for file in files if id and (id in file.stem)]
    if len(matches) == 1:
        return matches[0]
    problem = "names no run" if not matches else f"names {len(matches)} runs"
    raise SpecError(f"--run {id!r} {problem} of the store: limen report --list shows their names")


def report_of(runs: Iterable[Run], *, wanted: Callable[[str], bool] = lambda title: True) -> Report:
    """The latest results of each experiment, with that run's claims, as their specs have them.

    Experiments stand by title; those of files that differ in their folders alone have these in it,
    though each was alone in its run. ``wanted`` tells by its title whether an experiment is to be
    in the report. Claims about experiments without results are the last run's. Raises nothing.

    Args:
        runs: Runs, the oldest first.
        wanted: Whether the experiment of a title is to be in it. Default: all are.

    Examples:
        >>> report = reports.report_of(reports.latest_runs(store))
    """
    known = list(runs)
    found = latest_of(known)
    named = [pair for pair in zip(titles_of(found), found, strict=True) if wanted(pair[0])]
    results = [replace(one.result, title=title) for title, one in named]
    last = known[-1:]
    shown = {id(run) for run in (*(one.run for _, one in named), *last)}
    claims = [
        *(
            replace(claim, experiment=title)
            for run in known
            for claim in run.claims
            for title, one in named
            if one.has(claim, run)
        ),
        *(
            claim
            for run in last
            for claim in _without_results(run, found)
            if wanted(claim.experiment)
        ),
    ]
    return Report(
        claims=tuple(sorted(claims, key=attrgetter("file"))),
        results=tuple(sorted(results, key=lambda result: result.title.replace("]", ""))),
        runs=tuple(run for run in known if id(run) in shown),
    )


def claims_about(runs: Iterable[Run], title: str, file: str = "") -> tuple[Claim, ...]:
    """The latest claims about an experiment, whatever its title was beside others. Raises nothing.

    Args:
        runs: Runs, the oldest first.
        title: The experiment's title.
        file: The path of its spec. Default: it is not known.

    Examples:
        >>> claims = reports.claims_about(reports.latest_runs(store), "test_owl.py")
    """
    known, wanted = list(runs), Identity(title, file)
    found = latest_of(known)
    about = [one for one in found if one.identity.is_same(wanted)]
    for one in about[-1:]:
        return tuple(claim for claim in one.run.claims if one.has(claim, one.run))
    return tuple(
        claim
        for run in known[-1:]
        for claim in _without_results(run, found)
        if Identity(claim.experiment, claim.file).is_same(wanted)
    )


def _without_results(run: Run, found: Sequence[Latest]) -> Iterator[Claim]:
    """The claims of a run about experiments that have results in none."""
    for claim in run.claims:
        about = Identity(claim.experiment, claim.file)
        own = any(one.has(claim, run) for one in found)
        if not own and not any(about.is_same(one.identity) for one in found):
            yield claim
