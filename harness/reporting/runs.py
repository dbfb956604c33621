"""The record of a run: what its processes found, and with which versions."""

import platform
import subprocess
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from ...reports import Claim, Result, Run


def make_run(
    claims: Sequence[Claim],
    results: Sequence[Result],
    *,
    command: str,
    seconds: float,
    root: Path,
) -> Run:
    """The record of a run, from what its processes found; ``root`` is where its specs lie."""
    libraries = ("numpy", "scipy", "pytest", "matplotlib")
    return Run(
        created=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        command=command,
        seconds=seconds,
        versions={
            **{name: number for result in results for name, number in result.versions.items()},
            "limen": version("limen"),
            "python": f"{platform.python_version()} on {platform.system()} {platform.machine()}",
            **{name: version(name) for name in libraries},
        },
        git=commit_of(root),
        claims=tuple(claims),
        results=tuple(results),
    )


def commit_of(folder: Path) -> str:
    """The git commit of a folder, with ``-dirty`` if tracked files differ from it; or empty."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        output = subprocess.run(command, cwd=folder, capture_output=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return output.stdout.decode(errors="replace").strip()
