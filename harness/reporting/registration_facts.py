"""What lets a reader check when claims were registered: time, hash and commit of each file."""

import hashlib
import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

from ...reports import RegistrationRow
from .registration import Registration


def registration_rows(
    registrations: Iterable[Registration], root: Path
) -> tuple[RegistrationRow, ...]:
    """The registrations, each with its hash and the commit that has it as it is now."""
    return tuple(_row(one, root) for one in registrations)


def _row(registration: Registration, root: Path) -> RegistrationRow:
    file = registration.file
    commit, _, committed = _commit(file).partition(" ")
    inside = file.is_relative_to(root)
    return RegistrationRow(
        file=file.relative_to(root).as_posix() if inside else file.name,
        created=registration.created,
        sha256=hashlib.sha256(file.read_bytes()).hexdigest(),
        commit=commit,
        committed=committed,
    )


def _commit(file: Path) -> str:
    """The commit that last changed a file, and its time in UTC; empty if the file differs."""
    if _git(file, "status", "--porcelain", "--ignored"):
        return ""
    return _git(file, "log", "-1", "--date=format-local:%Y-%m-%dT%H:%M:%SZ", "--format=%H %cd")


def _git(file: Path, *arguments: str) -> str:
    command = ["git", *arguments, "--", file.name]
    environment = {**os.environ, "TZ": "UTC0"}
    try:
        done = subprocess.run(
            command, cwd=file.parent, env=environment, capture_output=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode(errors="replace").strip()
