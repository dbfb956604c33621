"""Where a reader can check that claims were stated before their data."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class RegistrationRow:
    """A file of claims that were stated beforehand, for readers to check. Raises nothing.

    Args:
        file: The file, relative to the root of the run.
        created: When the claims were registered: UTC, as the file has it.
        sha256: The SHA-256 of the file.
        commit: The git commit that has the file as it is. Default: empty, none has.
        committed: When that commit was made: UTC, by the clock of its author. Default: empty.
        untested: The claims in the file that the run did not test as they were registered: node
            ids of tests of its spec files. Default: (), all were.

    Examples:
        >>> [(one.file, one.created, one.commit) for one in run.registrations]
    """

    file: str
    created: str
    sha256: str
    commit: str = ""
    committed: str = ""
    untested: tuple[str, ...] = ()
