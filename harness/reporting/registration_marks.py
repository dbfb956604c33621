"""Which claims of a run were registered before its data were seen, and which were not, and why."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ...reports import Claim, RegistrationRow, Result
from .registration import RegisteredClaim, Registration

REGISTERED = "registered"
ADDED = "added after data were seen"
NOT_COMMITTED = "not committed"
COMMITTED_LATER = "committed after data were seen"

Pair = tuple[RegisteredClaim, Registration]


def marked(
    claims: Sequence[Claim],
    results: Sequence[Result],
    registrations: Sequence[Registration],
    paths: Mapping[str, Path] | None = None,
    commits: Mapping[Path, str] | None = None,
) -> tuple[Claim, ...]:
    """The claims, each *registered* or *added after data were seen*; neither without any file.

    A claim is registered if a file has it with the same sentence, assertions and experiment, and is
    older than the answers of the experiment's trained models. A note says if no commit shows that,
    or why a claim is not registered. ``paths`` are the spec files, by test: with them neither the
    folder of a run nor what else is selected in it matters. ``commits`` are the times of the
    files' commits, empty for a file that none has; without them nothing is said of commits.
    """
    by_title = {result.title: result for result in results}
    known = paths or {}

    def mark(claim: Claim) -> Claim:
        if not registrations or not claim.digest:
            return claim
        named = [
            (one, file)
            for file in registrations
            for one in file.claims
            if one.is_of(claim.test, known.get(claim.test))
        ]
        return _marked(claim, by_title.get(claim.experiment), named, commits)

    return tuple(map(mark, claims))


def _marked(
    claim: Claim, result: Result | None, named: Sequence[Pair], commits: Mapping[Path, str] | None
) -> Claim:
    """A claim with its mark; ``named`` are the registered claims of its test."""
    same = [pair for pair in named if pair[0].states(claim.digest)]
    before = [pair for pair in same if result is None or _is_before(*pair, result)]
    if not before:
        return replace(claim, registration=ADDED, registration_note=_why_not(named, same, result))
    notes = {_commit_note(file, result, commits) for _, file in before}
    return replace(claim, registration=REGISTERED, registration_note=min(notes))


def _is_before(claim: RegisteredClaim, registration: Registration, result: Result) -> bool:
    """Whether a registration has this experiment as it is, and is older than its data."""
    same = claim.experiment == result.digest
    return same and (not result.measured or registration.created <= result.measured)


def _commit_note(
    registration: Registration, result: Result | None, commits: Mapping[Path, str] | None
) -> str:
    """What a commit does not show of a registration; empty if it shows that it is older."""
    if commits is None:
        return ""
    committed = commits.get(registration.file, "")
    if not committed:
        return NOT_COMMITTED
    late = result is not None and result.measured and committed > result.measured
    return COMMITTED_LATER if late else ""


def _why_not(named: Sequence[Pair], same: Sequence[Pair], result: Result | None) -> str:
    if not named:
        return "no registration has its test"
    if not same:
        return "its sentence, its test or what that uses is not as registered"
    if result is not None and all(one.experiment != result.digest for one, _ in same):
        return "its experiment is not as registered"
    return "its registration is newer than the data"


def with_untested(
    rows: Sequence[RegistrationRow],
    registrations: Sequence[Registration],
    claims: Sequence[Claim],
    paths: Mapping[str, Path],
) -> tuple[RegistrationRow, ...]:
    """The rows of some registrations, each with its claims that the run did not test as registered.

    Of the spec files that the run took, whether their other tests were selected or not.
    """
    specs = {path.resolve() for path in paths.values()}
    kept = [claim for claim in claims if claim.registration == REGISTERED]
    return tuple(
        replace(row, untested=tuple(_untested(file, kept, paths, specs)))
        for row, file in zip(rows, registrations, strict=True)
    )


def _untested(
    registration: Registration,
    kept: Sequence[Claim],
    paths: Mapping[str, Path],
    specs: Collection[Path],
) -> Iterator[str]:
    for one in registration.claims:
        tested = any(
            one.states(claim.digest) and one.is_of(claim.test, paths.get(claim.test))
            for claim in kept
        )
        if one.path in specs and not tested:
            yield one.test
