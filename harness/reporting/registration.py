"""Registered claims: what was stated before its data were seen, in a file to be committed.

``limen register`` writes the file. A run looks for it beside the spec, and marks each claim.
"""

import ast
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from ...datasets.errors import DataError, SpecError
from ..experiment import Experiment
from .claim_source import source_tree, used_outside

SUFFIX = ".registration.json"
FORMAT = 1


@dataclass(frozen=True)
class StatedClaim:
    """A test's claim, as its source states it."""

    test: str
    """The test's node id."""
    experiment: str
    """The title of its experiment."""
    says: str
    """The first line of its docstring."""
    assertions: tuple[str, ...]
    digest: str
    """The hash of the sentence and of all that the test does; after a colon that of all values and
    functions of the user's that it uses from outside itself."""
    path: Path | None = None
    """The spec file, where it is known."""
    uses: str = ""
    """The values and functions of the user's that it uses from outside itself, for readers."""


@dataclass(frozen=True, kw_only=True)
class RegisteredClaim:
    """A claim in a registration."""

    test: str
    """Its node id when it was registered, which depends on the folder that pytest had as root."""
    path: Path | None
    """The spec file; None in registrations of earlier versions."""
    digest: str
    experiment: str | None
    """The hash of its experiment."""

    def states(self, digest: str) -> bool:
        """Whether it is the claim of this hash; registrations of earlier versions have the first
        part alone.
        """
        return self.digest in (digest, digest.partition(":")[0])

    def is_of(self, test: str, path: Path | None) -> bool:
        """Whether it is that of a test: the same file has it, whatever pytest had as root."""
        file, _, name = self.test.partition("::")
        if path is None:
            return test == self.test
        if name != test.partition("::")[2]:
            return False
        if self.path is not None:
            return self.path == path.resolve()
        parts = tuple(part for part in PurePosixPath(file).parts if part != "..")
        return path.resolve().parts[-len(parts) :] == parts


@dataclass(frozen=True)
class Registration:
    """A file of registered claims."""

    file: Path
    created: str
    """UTC, as 2026-11-24T02:47:59Z."""
    claims: tuple[RegisteredClaim, ...]


def stated_claim(
    test: Callable[..., object] | None,
    *,
    name: str,
    experiment: str,
    says: str,
    path: Path | None = None,
) -> StatedClaim:
    """What a test claims, from its source; a test whose source is not there has no assertions."""
    tree = source_tree(test)
    assertions = tuple(
        ast.unparse(node.test) for node in ast.walk(tree) if isinstance(node, ast.Assert)
    )
    own = _hash(f"{says}\n{ast.unparse(tree)}")
    uses = used_outside(test)
    return StatedClaim(name, experiment, says, assertions, f"{own}:{_hash(uses)}", path, uses)


def write_registration(
    file: Path, claims: Sequence[StatedClaim], experiments: Mapping[str, tuple[Experiment, str]]
) -> None:
    """Write the claims and the designs, each with its hash, and the time.

    ``experiments`` has each experiment with its hash, by title. Raises
    :class:`~limen.SpecError` if there is nothing to register, or the file is there already.
    """
    if not claims:
        raise SpecError(
            "there is no claim to register: no selected test asks for an arm, such as student. "
            "Select others"
        )
    if file.exists():
        raise SpecError(
            f"{file} is there already: a registration is not changed afterwards. Name another "
            f"file ending in {SUFFIX}, and keep this one"
        )
    content = {
        "limen_registration": FORMAT,
        "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "claims": [
            {
                "test": one.test, "file": _relative(one.path, file),
                "experiment": one.experiment, "claim": one.says,
                "assertions": list(one.assertions), "uses": one.uses.splitlines(),
                "digest": one.digest,
            }
            for one in claims
        ],
        "experiments": {
            title: {"design": repr(experiment), "digest": digest}
            for title, (experiment, digest) in experiments.items()
        },
    }  # fmt: skip
    try:
        file.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise SpecError(f"cannot write {file}: {error.strerror or error}") from None


def _relative(path: Path | None, file: Path) -> str | None:
    """The path of a spec from the folder of a registration; None if there is no such path."""
    try:
        relative = path and os.path.relpath(path.resolve(), file.resolve().parent)
    except ValueError:  # on another drive
        return None
    return Path(relative).as_posix() if relative else None


def read_registrations(folders: Iterable[Path]) -> list[Registration]:
    """The registrations in some folders, the oldest first.

    Raises :class:`~limen.DataError` for a file that is none.
    """
    files = sorted({file for folder in folders for file in folder.glob(f"*{SUFFIX}")})
    return sorted(map(_read, files), key=lambda one: one.created)


def _read(file: Path) -> Registration:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        return Registration(
            file=file,
            created=str(content["created"]),
            claims=tuple(_claim(one, content["experiments"], file) for one in content["claims"]),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{file} is no registration of claims: {error}") from None


def _claim(one: Any, experiments: Any, file: Path) -> RegisteredClaim:
    """A claim as a file has it; those of earlier versions name no spec file."""
    spec, known = one.get("file"), experiments.get(one["experiment"])
    return RegisteredClaim(
        test=str(one["test"]),
        path=(file.resolve().parent / str(spec)).resolve() if spec else None,
        digest=str(one["digest"]),
        experiment=None if known is None else str(known["digest"]),
    )


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
