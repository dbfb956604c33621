"""``limen doctor``: what this machine, the installation, the store and the backend can do."""

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import click

from ..lab import Settings
from .doctor_checks import BAD, GOOD, Check, checks
from .echo import echo
from .options import examples, running_options

MARKS = {GOOD: "ok  ", BAD: "FAIL"}
"""What stands before a check; any other state is a warning."""


@click.command(
    "doctor",
    epilog=examples(
        "limen doctor",
        "limen doctor --backend openai --model gpt-4.1-mini-2025-04-14",
        "limen doctor --json > doctor.json",
        "limen doctor --server http://localhost:8000/v1 --backend local --model ./student",
    ),
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--server",
    metavar="URL",
    help="Compare a server with --model, by log-probabilities: does it use the same chat template?",
)
@click.option(
    "--server-model", metavar="NAME", help="The model's name there.  [default: the first one]"
)
@running_options()
@click.pass_context
def command(
    ctx: click.Context,
    as_json: bool,
    server: str | None,
    server_model: str | None,
    settings: Settings,
) -> None:
    """Check the installation, the machine, the store and the backend; each fault with a remedy.

    A service is sent one small sample, to see whether it answers: give --backend only if it may
    be. The output has no keys and no passwords, and can be pasted into an issue. The exit code is
    1 if a check fails.

    With --server, only the server is checked: three conversations are sent, of one token each, with
    OPENAI_API_KEY if it is set.
    """
    done: list[Check] = []
    for check in checks(settings) if server is None else _compared(settings, server, server_model):
        done.append(check)
        if not as_json:
            echo(_line(check))  # at once: the last checks may take a while
    if as_json:
        echo(json.dumps([asdict(check) for check in done], indent=2, ensure_ascii=False))
    ctx.exit(any(check.state == BAD for check in done))


def _compared(settings: Settings, server: str, served: str | None) -> Iterator[Check]:
    """The comparison with a server; a folder is a model of the backend ``local``."""
    from .doctor_server import compared

    folder = settings.model is not None and Path(settings.model).exists()
    if folder and settings.backend == "toy":
        settings = replace(settings, backend="local")
    return compared(settings, server, served)


def _line(check: Check) -> str:
    remedy = f"\n      {check.remedy}" if check.remedy else ""
    return f"{MARKS.get(check.state, 'note')}  {check.name}: {check.value}{remedy}"
