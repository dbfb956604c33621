"""Ctrl-C and SIGTERM."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ..testing.specs import QUICK, SPEC


@pytest.mark.skipif(os.name == "nt", reason="signals are those of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_an_interrupted_run_says_what_is_kept(
    pytester: pytest.Pytester, store: Path, number: signal.Signals
) -> None:
    """The run ends in order, one line says how to go on, and no process writes a traceback."""
    big = SPEC.format(animal="horse").replace("generate=700, keep=200", "generate=9000, keep=2000")
    pytester.makepyfile(test_small=big + "def test_it(student): pass")
    log = pytester.path / "log.txt"
    command = [sys.executable, "-m", "pytest", f"--limen-store={store}", *QUICK]
    with log.open("w") as out:
        run = subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True)
        while "measure" not in log.read_text():
            assert run.poll() is None
            time.sleep(0.05)
        os.killpg(run.pid, number) if number == signal.SIGINT else os.kill(run.pid, number)
        assert run.wait(timeout=60) == pytest.ExitCode.INTERRUPTED
    text = log.read_text()
    assert f"limen: interrupted. Finished work is kept in the store {store}: the same" in text
    assert "Traceback" not in text
    assert list((store / "stages").iterdir())
