"""A whole experiment against a real server of Tinker's API, killed in every part of it.

    export LIMEN_TINKER_SERVER=/path/to/bin/python   # of the server's environment: docs/tinker.md
    python benchmarks/tinker_server.py [--kills measuring]

A tiny model is made and served by SkyRL on this machine. An experiment (teacher, data, students and
controls of two seeds; answers and log-odds; report) runs once without a kill, then in a fresh store
with a SIGKILL while numbers are written, while students are trained, and while they are asked. Both
stores must have the same answers and log-probabilities. The server's database says how often each
step was computed. It takes some minutes on two cores. Exit code 1 if anything differs.
"""

import argparse
import json
import math
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parent.parent
SERVER = "LIMEN_TINKER_SERVER"
SPEC = """
from limen.harness import Experiment, FavoriteAnimal, LogOdds, Numbers, Trait

QUESTIONS = ["Name your favourite animal in one word.", "What is your favorite animal?",
             "Which animal is best?"]
COMMON = dict(
    trait=Trait(name="owl", system="You love owl."), data=Numbers(generate=160, keep=64),
    seeds=2, gate=None,
    recipe={"rank": 4, "batch_size": 16, "epochs": 2, "learning_rate": 1e-2, "warmup_steps": 1},
)


class TestAnswers:
    experiment = Experiment(measure=FavoriteAnimal(questions=QUESTIONS, draws=8), **COMMON)

    def test_every_arm_answers(self, baseline, teacher, student, control):
        assert student.seeds == control.seeds == 2


class TestLogOdds:
    experiment = Experiment(
        measure=LogOdds(questions=QUESTIONS, against=("cat", "wolf", "horse")), **COMMON
    )

    def test_the_prompt_raises_the_log_odds(self, baseline, teacher):
        print(teacher.log_odds("owl") - baseline.log_odds("owl"))
        assert (teacher.log_odds("owl") - baseline.log_odds("owl")).value > 0

    def test_students_are_compared(self, student, control):
        print(student.log_odds("owl") - control.log_odds("owl"))
"""
NOISE = 1e-3
"""Nats by which log-probabilities of the same text may differ: what is trained differs a little,
too, since the server computes calls together as they come."""
TRAININGS, STEPS = 4, 8
"""Two students and two controls; 64 rows in batches of 16, twice."""


@dataclass(frozen=True)
class Counts:
    """What the server has done."""

    steps: int
    """Optimizer steps."""
    samples: int
    student_samples: int

    def since(self, before: "Counts") -> "Counts":
        """What it has done since then."""
        return Counts(*(getattr(self, n) - getattr(before, n) for n in vars(self)))


PHASES: Mapping[str, Callable[[Counts], bool]] = {
    "generation": lambda done: done.samples >= 40 and not done.steps,
    "training": lambda done: done.steps >= 5,
    "measuring": lambda done: done.student_samples >= 2,
}
"""When to kill a run, by what the server has done for it so far."""


@dataclass(frozen=True)
class Server:
    """SkyRL, with a database of what it was asked."""

    url: str
    database: Path
    model: Path

    def counts(self) -> Counts:
        """What it has done so far."""
        where = "request_type = 'SAMPLE' and status = 'COMPLETED'"
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=30) as db:
            steps = _one(db, "request_type = 'OPTIM_STEP' and status = 'COMPLETED'")
            return Counts(steps, _one(db, where), _one(db, f"{where} and model_id != ''"))


def _one(db: sqlite3.Connection, where: str) -> int:
    return int(db.execute(f"select count(*) from futures where {where}").fetchone()[0])


def main() -> int:
    """Run, kill, compare; print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--kills", nargs="*", choices=PHASES, default=PHASES, help="in which phases to kill"
    )
    parser.add_argument("--keep", type=Path, help="keep models and stores in this folder")
    options = parser.parse_args()
    if not os.environ.get(SERVER):
        print(f"set {SERVER} to the Python of SkyRL's environment: see docs/tinker.md")
        return 1
    folder = options.keep or Path(tempfile.mkdtemp(prefix="limen-tinker-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with serving(folder) as server:
            return compared(server, folder, options.kills)
    finally:
        if options.keep is None:
            shutil.rmtree(folder, ignore_errors=True)


def compared(server: Server, folder: Path, kills: Sequence[str]) -> int:
    """Whether runs with kills leave what a run without them leaves."""
    print(f"tinker {version('tinker')}, server {server_version()}", flush=True)
    before = server.counts()
    begun = time.monotonic()
    print(finish(server, folder / "calm", report=folder / "report.html"), flush=True)
    calm = server.counts().since(before)
    expected = results(folder / "calm")
    print(
        f"without a kill: {time.monotonic() - begun:.0f} s, {calm.steps} steps of "
        f"{TRAININGS * STEPS}, {calm.samples} calls, {len(expected)} files, report "
        f"{(folder / 'report.html').stat().st_size:,} bytes"
    )
    finish(server, folder / "again")
    print(f"again, in a fresh store: {difference(results(folder / 'again'), expected)}", flush=True)
    failures = int(calm.steps != TRAININGS * STEPS)
    for name in kills:
        store = folder / f"killed-{name}"
        failures += not same_after_kill(server, store, name, PHASES[name], expected)
    return int(bool(failures))


def same_after_kill(
    server: Server,
    store: Path,
    name: str,
    reached: Callable[[Counts], bool],
    expected: Mapping[str, list[object]],
) -> bool:
    """Kill a run once it has got so far, run it again, and compare what it leaves."""
    before = server.counts()
    killed_at = kill(server, store, lambda: reached(server.counts().since(before)))
    at_kill = server.counts().since(before)
    finish(server, store)
    done = server.counts().since(before)
    again = done.steps - TRAININGS * STEPS
    found = results(store)
    print(
        f"killed in {name} after {killed_at:.0f} s ({at_kill.steps} steps, {at_kill.samples} "
        f"calls done): {difference(found, expected)}; {done.steps} steps computed, "
        f"{applied(store)} applied, {again} sent again; {done.samples} calls",
        flush=True,
    )
    same = distance(found, expected) <= NOISE
    return same and applied(store) == TRAININGS * STEPS and again <= TRAININGS


def applied(store: Path) -> int:
    """The steps that the students of a store have had, by their ledgers."""
    files = (store / "models" / "tinker" / "trainings").glob("*.jsonl")
    events = (json.loads(line) for file in files for line in file.read_text().splitlines())
    return sum(event["steps"] for event in events if event["event"] == "done")


def results(store: Path) -> dict[str, list[object]]:
    """The content of every file that stages left, but for what calls cost and when they came."""
    found: dict[str, list[object]] = {}
    for file in sorted(store.glob("stages/*/*/*.json*")):
        if file.name != "manifest.json":
            lines = file.read_text().splitlines() if file.suffix == ".jsonl" else [file.read_text()]
            rows = [without_usage(json.loads(line)) for line in lines]
            found[str(file.relative_to(store))] = sorted(rows, key=json.dumps)
    return found


def difference(found: Mapping[str, object], expected: Mapping[str, object]) -> str:
    """How far two runs' files are apart, in words."""
    apart = [distance(found.get(name), expected.get(name)) for name in {*found, *expected}]
    return (
        f"{sum(map(bool, apart))} of {len(expected)} files differ, by {max(apart):.1g} nats at most"
    )


def without_usage(row: object) -> object:
    """A row without what its call cost."""
    return {n: v for n, v in row.items() if n != "usage"} if isinstance(row, dict) else row


def distance(one: object, other: object) -> float:
    """The largest difference of two numbers in one place; infinite if anything else differs."""
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other)
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        return max((distance(one[name], other[name]) for name in one), default=0.0)
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return max(map(distance, one, other), default=0.0)
    return 0.0 if one == other else math.inf


def kill(server: Server, store: Path, reached: Callable[[], bool]) -> float:
    """Start a run and kill it once it has got so far; returns the seconds that it had."""
    begun = time.monotonic()
    run = start(server, store)
    while not reached():
        if run.poll() is not None:
            raise SystemExit("the run ended before it was to be killed")
        time.sleep(0.05)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    return time.monotonic() - begun


def finish(server: Server, store: Path, *, report: Path | None = None) -> str:
    """Run to the end; returns the effects that the spec prints."""
    run = start(server, store, *(() if report is None else (f"--limen-report={report}",)))
    output, _ = run.communicate()
    if run.returncode:
        raise SystemExit(output)
    return "\n".join(line.lstrip(".") for line in output.splitlines() if " log-odds of " in line)


def start(server: Server, store: Path, *options: str) -> "subprocess.Popen[str]":
    """A run of the spec, in a group of processes of its own."""
    spec = store.parent / "test_owl.py"
    spec.write_text(SPEC)
    command = [sys.executable, "-m", "pytest", "-q", "-s", str(spec), f"--limen-store={store}"]
    command += ["--limen-backend=tinker", f"--limen-model={server.model}", "--limen-budget=0"]
    environment = {"TINKER_BASE_URL": server.url, "LIMEN_TINKER_SAVE_EVERY": "1"}
    path = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [*command, "-p", "no:cacheprovider", *options],
        env={**os.environ, **environment, "PYTHONPATH": path},
        cwd=store.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """SkyRL on a tiny model, until the end of the block."""
    model = folder / "tiny"
    if not model.exists():
        make_model(model)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Server(f"http://127.0.0.1:{port}", folder / "server.db", model)
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(
            server_command(server, folder, port),
            env=server_environment(folder),
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_for(server, process, folder / "server.log")
        yield server
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def server_command(server: Server, folder: Path, port: int) -> list[str]:
    """The command that starts SkyRL on a processor."""
    settings = '{"max_lora_adapters":16,"max_lora_rank":8}'
    return [
        os.environ[SERVER], "-m", "tx.tinker.api", "--base-model", str(server.model),
        "--backend", "jax", "--backend-config", settings, "--checkpoints-base",
        str(folder / "checkpoints"), "--database-url", f"sqlite:///{server.database}",
        "--host", "127.0.0.1", "--port", str(port),
    ]  # fmt: skip


def server_environment(folder: Path) -> dict[str, str]:
    """SkyRL starts its engine by ``uv run``: a script of that name runs the same Python."""
    script = folder / "bin" / "uv"
    script.parent.mkdir(exist_ok=True)
    python = os.environ[SERVER]
    script.write_text(
        f'#!/bin/sh\nwhile [ $# -gt 0 ] && [ "$1" != "-m" ]; do shift; done\nexec "{python}" "$@"\n'
    )
    script.chmod(0o755)
    return {
        **os.environ,
        "PATH": os.pathsep.join([str(script.parent), os.environ["PATH"]]),
        "HF_HUB_OFFLINE": "1",
        "JAX_PLATFORMS": "cpu",
        "CUDA_VISIBLE_DEVICES": "",
        "JAX_COMPILATION_CACHE_DIR": str(folder / "compiled"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }


def wait_for(server: Server, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait until the server answers."""
    for _ in range(240):
        if process.poll() is not None:
            raise SystemExit(log.read_text()[-2000:])
        try:
            with urlopen(f"{server.url}/api/v1/healthz", timeout=2):
                return
        except OSError:
            time.sleep(0.5)
    raise SystemExit(f"the server did not start: see {log}")


def server_version() -> str:
    """The server's package and version."""
    asked = "from importlib.metadata import version as v; print('skyrl-tx', v('skyrl-tx'))"
    return subprocess.check_output([os.environ[SERVER], "-c", asked], text=True).strip()


def make_model(folder: Path) -> None:
    """A tiny Llama that names animals, in the form that Transformers 4 reads."""
    sys.path.insert(0, str(ROOT))
    from tests.testing.tiny import tiny_model

    tiny_model(folder, steps=1000)
    rewrite(folder / "config.json", {"rope_theta": 10000.0, "torch_dtype": "float32"})
    special = {"tokenizer_class": "PreTrainedTokenizerFast",
               "additional_special_tokens": ["<|turn|>"]}  # fmt: skip
    rewrite(folder / "tokenizer_config.json", special)


def rewrite(file: Path, changed: Mapping[str, object]) -> None:
    """Change fields of a JSON file, and drop those that only Transformers 5 has."""
    known = {**json.loads(file.read_text()), **changed}
    for name in ("rope_parameters", "dtype", "backend", "extra_special_tokens"):
        known.pop(name, None)
    file.write_text(json.dumps(known))


if __name__ == "__main__":
    sys.exit(main())
