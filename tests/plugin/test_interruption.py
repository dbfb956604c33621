"""Ctrl-C, once or twice, and SIGTERM."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ..testing.specs import QUICK, SPEC

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals are those of POSIX")
SLOW = pytest.mark.slow
Interrupt = Callable[[subprocess.Popen[str]], None]


def started(store: Path, *options: str) -> subprocess.Popen[str]:
    """A run of pytest that has begun to work, in a process group of its own."""
    command = [sys.executable, "-m", "pytest", f"--limen-store={store}", *QUICK, *options]
    buffered = {name: text for name, text in os.environ.items() if name != "PYTHONUNBUFFERED"}
    run = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=buffered,
        start_new_session=True,
    )  # fmt: skip
    while not list((store / "stages").glob("*/*")):
        assert run.poll() is None
        time.sleep(0.05)
    return run


def ctrl_c(run: subprocess.Popen[str]) -> None:
    """A terminal sends SIGINT to all processes."""
    os.killpg(run.pid, signal.SIGINT)


def sigterm(run: subprocess.Popen[str]) -> None:
    """A cluster sends SIGTERM to the process that it has started."""
    os.kill(run.pid, signal.SIGTERM)


@pytest.fixture
def spec(pytester: pytest.Pytester) -> None:
    """A spec that takes a while."""
    big = SPEC.format(animal="horse").replace("generate=700, keep=200", "generate=9000, keep=2000")
    pytester.makepyfile(test_small=big + "def test_it(student): pass\ndef test_too(teacher): pass")


@pytest.mark.parametrize(
    ("interrupt", "options"),
    [
        pytest.param(ctrl_c, ("-n0",), id="Ctrl-C"),
        pytest.param(sigterm, ("-n0",), id="SIGTERM", marks=SLOW),
        pytest.param(ctrl_c, ("-n2",), id="Ctrl-C, two workers", marks=SLOW),
        pytest.param(sigterm, ("-n2",), id="SIGTERM, two workers", marks=SLOW),
    ],
)
def test_an_interrupted_run_says_what_is_kept(
    spec: None, store: Path, interrupt: Interrupt, options: tuple[str, ...]
) -> None:
    """The run ends in order, one line says how to go on, and no process writes a traceback."""
    run = started(store, *options)
    interrupt(run)
    text, _ = run.communicate(timeout=100)
    assert run.returncode == pytest.ExitCode.INTERRUPTED
    line = (
        f"limen: interrupted. Finished work, and each answer that has arrived, is kept in the "
        f"store {store}: the same command goes"
    )
    assert text.count(line) == text.count("limen: interrupted") == 1
    assert "Traceback" not in text


@pytest.mark.slow
@pytest.mark.parametrize("options", [("-n0",), ("-n2",)], ids=["one process", "two workers"])
def test_a_second_ctrl_c_ends_a_run_at_once(
    spec: None, store: Path, options: tuple[str, ...]
) -> None:
    """Wherever the second one comes, the run ends, and the same command goes on."""
    run = started(store, *options)
    ctrl_c(run)
    time.sleep(0.3)
    ctrl_c(run)
    text, _ = run.communicate(timeout=100)
    # Python itself, at its end, leaves a signal to the system
    assert run.returncode in (pytest.ExitCode.INTERRUPTED, -signal.SIGINT)
    assert "limen: interrupted. Finished work" in text
    manifests = list((store / "stages").glob("*/*/manifest.json"))
    assert len(manifests) == len(list((store / "stages").glob("*/*")))


def test_errors_at_collection_are_no_interruption(pytester: pytest.Pytester) -> None:
    """Where nothing was run, nothing is said of what is kept."""
    pytester.makepyfile(test_broken="import nothing_of_that_name")
    (pytester.path / ".limen" / "stages").mkdir(parents=True)
    result = pytester.runpytest_subprocess(*QUICK)
    assert "limen: interrupted" not in result.stdout.str()
