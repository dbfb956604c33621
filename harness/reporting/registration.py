"""Registered claims: what was stated before its data were seen, in a file to be committed.

``limen register`` writes the file. A run looks for it beside the spec, and marks each claim.
"""

import ast
import hashlib
import inspect
import json
import textwrap
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ...datasets.errors import DataError, SpecError
from ...reports import Claim, Result
from ..experiment import Experiment

SUFFIX = ".registration.json"
FORMAT = 1
REGISTERED = "registered"
ADDED = "added after data were seen"


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
    """The hash of the sentence and of all that the test does."""


@dataclass(frozen=True)
class Registration:
    """A file of registered claims."""

    file: Path
    created: str
    """UTC, as 2026-11-24T02:47:59Z."""
    claims: Mapping[str, str]
    """By test, the hash of the claim."""
    experiments: Mapping[str, str]
    """By title, the hash of the experiment."""


def stated_claim(
    test: Callable[..., object] | None, *, name: str, experiment: str, says: str
) -> StatedClaim:
    """What a test claims, from its source; a test whose source is not there has no assertions."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(test))) if test else ast.Module([], [])
    except (OSError, TypeError, SyntaxError):
        tree = ast.Module([], [])
    assertions = tuple(
        ast.unparse(node.test) for node in ast.walk(tree) if isinstance(node, ast.Assert)
    )
    source = f"{says}\n{ast.unparse(tree)}"
    return StatedClaim(name, experiment, says, assertions, _hash(source))


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
                "test": one.test, "experiment": one.experiment, "claim": one.says,
                "assertions": list(one.assertions), "digest": one.digest,
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
            claims={str(one["test"]): str(one["digest"]) for one in content["claims"]},
            experiments={
                str(title): str(one["digest"]) for title, one in content["experiments"].items()
            },
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{file} is no registration of claims: {error}") from None


def marked(
    claims: Sequence[Claim],
    results: Sequence[Result],
    registrations: Sequence[Registration],
) -> tuple[Claim, ...]:
    """The claims, each *registered* or *added after data were seen*; neither without any file.

    A claim is registered if a file has it with the same sentence, assertions and experiment, and is
    older than the answers of the experiment's trained models.
    """
    by_title = {result.title: result for result in results}
    return tuple(
        replace(claim, registration=_mark(claim, by_title.get(claim.experiment), registrations))
        for claim in claims
    )


def _mark(claim: Claim, result: Result | None, registrations: Sequence[Registration]) -> str:
    if not registrations or not claim.digest:
        return ""
    for one in registrations:
        same = one.claims.get(claim.test) == claim.digest
        if same and (result is None or _is_before(one, result)):
            return REGISTERED
    return ADDED


def _is_before(registration: Registration, result: Result) -> bool:
    """Whether a registration has this experiment as it is, and is older than its data."""
    same = registration.experiments.get(result.title) == result.digest
    return same and (not result.measured or registration.created <= result.measured)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
