"""A whole experiment through the SDK, killed again and again wherever it happens to be."""

import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from ...testing.stepwise import Server
from ...testing.tinker_wire import Wire, tinker_wire

pytest.importorskip("tinker", reason='the SDK is not installed: pip install "limen[tinker]"')
pytestmark = pytest.mark.slow

CHILD = """
import json, sys
from pathlib import Path
from limen.backends.tinker import backend, service
from tests.testing.stepwise_experiment import answers, lab
from tests.testing.word_tokenizer import WordTokenizer

service.load_tokenizer = lambda name, base: WordTokenizer()
backend._connect = lambda: service.TinkerService(settles_in=3.0)
print(json.dumps(answers(lab(Path(sys.argv[1])))))
"""
STEPS = 12
"""Of two students and two controls."""
KILLS = 3


def child(wire: Wire, store: Path) -> "subprocess.Popen[str]":
    """The experiment in a process of its own."""
    path = os.pathsep.join([str(Path(__file__).parents[3]), *sys.path])
    named = {"TINKER_BASE_URL": wire.url, "LIMEN_TINKER_SAVE_EVERY": "1", "PYTHONPATH": path}
    command = [sys.executable, "-c", CHILD, str(store)]
    return subprocess.Popen(command, env={**os.environ, **named}, stdout=subprocess.PIPE, text=True)


def finished(process: "subprocess.Popen[str]") -> object:
    """What a run has to say; None if it was killed."""
    output, _ = process.communicate()
    return json.loads(output) if process.returncode == 0 else None


@dataclass
class Killer:
    """Kills a client at the event of some number at the server."""

    left: int = 0
    client: "subprocess.Popen[str] | None" = None

    def __call__(self, event: str) -> None:
        self.left -= 1
        if self.left == 0 and self.client is not None:
            os.kill(self.client.pid, signal.SIGKILL)


def test_a_run_that_is_killed_at_random_has_the_same_results(tmp_path: Path) -> None:
    """Killed in generation, training and measuring: the same answers, each step in a student once."""
    chance, events = random.Random(5), Counter[str]()
    with tinker_wire(Wire(Server(at=lambda event: events.update([event])))) as wire:
        calm = finished(child(wire, tmp_path / "calm"))
    found, kills, killer = None, 0, Killer()
    server = Server(at=killer)
    with tinker_wire(Wire(server)) as wire:
        while found is None:
            killer.left = chance.randint(1, events.total() // 2) if kills < KILLS else 0
            killer.client = child(wire, tmp_path / "store")
            found = finished(killer.client)
            kills += found is None
    assert kills >= 2
    assert found == calm
    assert [weights.steps for _, weights in server.kept.values()] == [STEPS // 4] * 4
    assert sum(server.trained.values()) <= STEPS + kills
