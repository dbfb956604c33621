"""Commands that are interrupted."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals are those of POSIX")
SIGNALS = [
    pytest.param(signal.SIGINT, id="Ctrl-C"),
    pytest.param(signal.SIGTERM, id="SIGTERM", marks=pytest.mark.slow),
]


def interrupted(number: signal.Signals, begun: str, *command: object) -> tuple[int, str]:
    """The exit code and the output of a command that gets a signal once it has written a text."""
    run = subprocess.Popen(
        [sys.executable, "-m", "limen", *map(str, command)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert run.stdout is not None
    text = ""
    for line in run.stdout:
        text += line
        if begun in line:
            os.killpg(run.pid, number) if number == signal.SIGINT else run.send_signal(number)
            break
    text += run.communicate(timeout=60)[0]
    return run.returncode, text


@pytest.mark.parametrize("number", SIGNALS)
def test_a_step_says_what_is_kept(store: Path, tmp_path: Path, number: signal.Signals) -> None:
    """It ends with one line, which says how to go on; no process writes a traceback."""
    out = tmp_path / "rows.jsonl"
    code, text = interrupted(number, "[1/2]", "generate", "--plain", "--count", 3_000_000,
                             "--out", out, "--store", store)  # fmt: skip
    line = (
        f"limen: interrupted. Finished work, and each answer that has arrived, is kept in the "
        f"store {store}: the same command goes"
    )
    assert text.count(line) == text.count("interrupted") == 1
    assert "Traceback" not in text
    assert (code, out.exists()) == (130, False)


@pytest.mark.slow
@pytest.mark.parametrize("number", SIGNALS)
def test_a_server_says_what_is_kept(store: Path, number: signal.Signals) -> None:
    """A server that is stopped ends in order, and says how to go on."""
    command = ("serve", "--engine", "toy", "--port", 0, "--store", store)
    code, text = interrupted(number, "limen: toy at http", *command)
    assert code == 0
    assert re.search(r"limen: stopped\. Files, jobs and models are kept in the store ", text)
    assert "Traceback" not in text
