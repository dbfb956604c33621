"""Commands of limen, called as a shell would call them."""

from pathlib import Path

from click.testing import CliRunner

from limen.harness.cli import main


def limen(*args: str | Path, code: int = 0) -> str:
    """What a command prints on the standard output; its exit code must be as expected."""
    result = CliRunner().invoke(main, [str(one) for one in args])
    assert result.exit_code == code, result.output
    return result.stdout if code == 0 else result.output
