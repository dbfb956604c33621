"""The latest results of each experiment in several runs, and a title of its own for each.

A title is unique within one run. In another run, or in another folder, the same experiment may have
another title (with more folders before its file), and another experiment the same one.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

from .model import Claim, Result, Run

_FILE = re.compile(r"[^:\[\]]+\.py(?=::|\[|$)")
"""The file that a title begins with, if its experiment has no name of its own."""


@dataclass(frozen=True)
class Identity:
    """What an experiment is known by from run to run: its file, and its place in it or its name."""

    title: str
    file: str = ""
    """The path of its spec; empty in records of earlier versions."""

    def is_same(self, other: "Identity") -> bool:
        """Whether both are one experiment. A path may lack folders before it, or be unknown."""
        count = min(len(self._path), len(other._path))
        alike = not count or self._path[-count:] == other._path[-count:]
        return alike and self._ending == other._ending

    @property
    def short(self) -> str:
        """Its title without the folders of the file."""
        return self.with_folders(0)

    @property
    def folders(self) -> int:
        """How many folders of its file are known."""
        return len(self._path) - 1

    def with_folders(self, count: int) -> str:
        """Its title with some folders before the file, which stand after a name of its own."""
        file = "/".join(self._path[-1 - count :])
        if self._begins_with_file:
            return f"{file}{self._ending}"
        return f"{self._ending}: {file}" if count and file else self._ending

    @cached_property
    def _begins_with_file(self) -> bool:
        known, named = _parts(self.file), _parts(self._named_file)
        return bool(named) and (not known or known[-len(named) :] == named)

    @cached_property
    def _named_file(self) -> str:
        match = _FILE.match(self.title)
        return match[0] if match else ""

    @cached_property
    def _path(self) -> tuple[str, ...]:
        return _parts(self.file or (self._named_file if self._begins_with_file else ""))

    @cached_property
    def _ending(self) -> str:
        return self.title.removeprefix(self._named_file) if self._begins_with_file else self.title


@dataclass(frozen=True)
class Latest:
    """The latest results of an experiment."""

    run: Run
    result: Result

    @property
    def identity(self) -> Identity:
        """What it is known by."""
        return Identity(self.result.title, self.result.file)

    def has(self, claim: Claim, run: Run) -> bool:
        """Whether a claim of a run is about these results."""
        return run is self.run and claim.experiment == self.result.title


def latest_of(runs: Sequence[Run]) -> list[Latest]:
    """The latest results of each experiment in some runs, the oldest first."""
    found: list[Latest] = []
    for run in reversed(runs):
        later = [one.identity for one in found]
        new = [Latest(run, result) for result in run.results]
        found += [one for one in new if not any(one.identity.is_same(other) for other in later)]
    return found[::-1]


def titles_of(found: Sequence[Latest]) -> list[str]:
    """A title for each: its own, but with folders where several differ in these alone."""
    shared = Counter(one.identity.short for one in found)
    most = max((one.identity.folders for one in found), default=0)
    titles = [one.result.title for one in found]
    for count in range(1, most + 1):
        if len(set(titles)) == len(titles):
            break
        titles = [
            one.identity.with_folders(count) if shared[one.identity.short] > 1 else one.result.title
            for one in found
        ]
    return titles


def _parts(path: str) -> tuple[str, ...]:
    return tuple(part for part in PurePosixPath(path).parts if part != "..")
