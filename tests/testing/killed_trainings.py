"""Trainings of a script that are killed, and begun again."""

import os
import signal
import subprocess
import sys
from pathlib import Path


def adapters_with_and_without_kill(
    script: str, folder: Path, *given: str | Path, step: int
) -> tuple[bytes, bytes]:
    """The last adapter of a whole training, and of one that was killed after a step.

    The script gets a folder for its store and what is ``given``, and prints each step's number.
    """

    def start(home: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", script, str(folder / home), *map(str, given)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    whole, killed = start("whole"), start("killed")
    assert killed.stdout is not None
    for line in killed.stdout:
        if line.strip() == str(step):
            os.kill(killed.pid, signal.SIGKILL)
            break
    assert killed.wait(60) == -signal.SIGKILL
    assert start("killed").wait(120) == 0
    assert whole.wait(120) == 0
    return _last_adapter(folder / "whole"), _last_adapter(folder / "killed")


def _last_adapter(home: Path) -> bytes:
    files = (home / "learned").glob("*/epoch-*/adapter_model.safetensors")
    last = max(files, key=lambda file: int(file.parent.name.partition("-")[2]))
    return last.read_bytes()
