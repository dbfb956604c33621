"""A chain of students that is killed, and begun again."""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ..testing.specs import QUICK, TINY_SPEC

CHAIN = """
from limen.harness import Hop

experiment = Hop(Hop(experiment))


def test_answers(teacher, student, control):
    '''The third generation answers.'''
    assert student.rate("horse") - control.rate("horse") > -1
"""
CIRCUMSTANCES = ("started", "seconds", "checksum")
"""Fields of a manifest that differ between equal artifacts."""


def begin(folder: Path, store: str, *options: str) -> "subprocess.Popen[bytes]":
    """Run the chain on a store."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *QUICK]
    return subprocess.Popen(
        [*command, "test_chain.py", f"--limen-store={store}", *options],
        cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def manifests(store: Path) -> list[Path]:
    """The manifests of the stages that are finished."""
    return list(store.glob("stages/*/*/manifest.json"))


def started(store: Path) -> dict[str, str]:
    """When each finished training started."""
    files = store.glob("stages/fine-tune/*/manifest.json")
    return {file.parent.name: json.loads(file.read_bytes())["started"] for file in files}


def content(file: Path) -> str:
    """A hash of a file; of a manifest without its circumstances."""
    data = file.read_bytes()
    if file.name == "manifest.json":
        kept = {k: v for k, v in json.loads(data).items() if k not in CIRCUMSTANCES}
        data = json.dumps(kept, sort_keys=True).encode()
    return hashlib.sha256(data).hexdigest()


def contents(store: Path) -> dict[str, str]:
    """What the store's stages and models are, file by file."""
    files = (file for part in ("stages", "models") for file in (store / part).rglob("*"))
    return {
        str(file.relative_to(store)): content(file)
        for file in files
        if file.is_file() and file.suffix != ".lock"
    }


def killed_at(folder: Path, finished: int) -> None:
    """Kill a run on the store "killed" as soon as so many stages are finished."""
    run = begin(folder, "killed")
    while len(manifests(folder / "killed")) < finished and run.poll() is None:
        time.sleep(0.005)
    os.kill(run.pid, signal.SIGKILL)
    run.wait()


@pytest.mark.slow
def test_a_killed_chain_goes_on(tmp_path: Path) -> None:
    """Killed twice, a chain of depth 3 ends with the same files, and trains no student twice."""
    (tmp_path / "test_chain.py").write_text(TINY_SPEC + CHAIN)
    assert begin(tmp_path, "whole", "--limen-report=whole.md").wait() == 0
    whole = manifests(tmp_path / "whole")
    chance, before = random.Random(21), dict[str, str]()
    for finished in sorted(chance.sample(range(4, len(whole)), 2)):
        killed_at(tmp_path, finished)
        before = started(tmp_path / "killed")
    assert begin(tmp_path, "killed", "--limen-report=killed.md").wait() == 0
    after = started(tmp_path / "killed")
    assert before.items() <= after.items()
    assert len(after) == 6  # of three generations, student and control
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")
    drawn = [tmp_path / f"{n}.files" / "test-chain-py-generations.png" for n in ("whole", "killed")]
    assert drawn[0].read_bytes() == drawn[1].read_bytes()
