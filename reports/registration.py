"""Where a reader can check that claims were stated before their data."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class RegistrationRow:
    """A file of claims that were stated beforehand, for readers to check."""

    file: str
    """Relative to the root of the run."""
    created: str
    """UTC, as the file has it."""
    sha256: str
    commit: str = ""
    """The git commit that has the file as it is now; empty if none has."""
    committed: str = ""
    """When that commit was made, UTC, by the clock of the committer."""
