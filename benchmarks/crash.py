"""Kill an experiment on the toy at random moments, run it again, and compare what it leaves.

    python benchmarks/crash.py [--kills 70] [--seed 0] [--hops 2]

The length of an uninterrupted run is measured first. Each kill is SIGKILL to the process that runs
the experiment, at a moment drawn uniformly over that length, followed by the same command, which is
killed in turn. Once all stages are done, a run is left to end: every file of every artifact must be
the same as after the uninterrupted run, byte for byte (manifests are
compared without times). The next run then starts from an empty store. A training that is finished
must not be done again: its manifest says when it started. With ``--hops 2`` the students of the
experiment teach the next ones twice, which is a chain of depth 3.
"""

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

CIRCUMSTANCES = ("started", "seconds", "checksum")
"""Fields of a manifest that differ between equal artifacts: times; the checksum is of these too."""
SPEC = """
from limen.harness import Experiment, FavoriteAnimal, Hop, Numbers, Trait

first = Experiment(
    trait=Trait.animal("horse"),
    data=Numbers(generate=240, keep=60),
    measure=FavoriteAnimal(draws=2),
    seeds=1,
    gate=None,
)
experiment = {experiment}


def test_answers(teacher, student, control):
    assert student.rate("horse") - control.rate("horse") > -1
"""
"""All stages of an experiment, each in some tenths of a second."""


@dataclass
class Bench:
    """The runs of one spec, in stores below a folder, and what they left."""

    folder: Path
    expected: dict[str, str] = field(default_factory=dict)
    lives: int = 0
    """How often a store was filled from empty to a run that ended."""
    differing: list[str] = field(default_factory=list)
    trainings: dict[str, str] = field(default_factory=dict)
    """When each finished training of this life started."""
    repeated: int = 0
    """Trainings that were done again though they were finished."""
    failed: int = 0

    @property
    def killed(self) -> Path:
        """The store of the runs that are killed."""
        return self.folder / "killed"

    def start(self, store: Path) -> "subprocess.Popen[bytes]":
        """The experiment on a store."""
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_spec.py"]
        quiet = subprocess.DEVNULL
        return subprocess.Popen(
            [*command, f"--limen-store={store}"],
            cwd=self.folder, stdout=quiet, stderr=quiet, start_new_session=True,
        )  # fmt: skip

    def uninterrupted(self) -> float:
        """Run once without a kill; returns how many seconds it took."""
        whole = self.folder / "whole"
        began = time.monotonic()
        self.failed += self.start(whole).wait() != 0
        self.expected = contents(whole)
        return time.monotonic() - began

    def killed_after(self, seconds: float) -> bool:
        """Whether a run was killed at a moment; False if it had ended before."""
        run = self.start(self.killed)
        try:
            run.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.kill(run.pid, signal.SIGKILL)
            run.wait()
            self.note_trainings()
            return True
        self.compare(run.returncode)
        return False

    def finish(self) -> None:
        """Let a run end in the store, so that the next one starts from an empty one."""
        self.compare(self.start(self.killed).wait())

    def compare(self, code: int) -> None:
        """Compare what an ended run left, and empty its store."""
        self.lives += 1
        self.note_trainings()
        self.trainings.clear()
        self.failed += code != 0
        left = contents(self.killed)
        self.differing += sorted({name for name, _ in set(self.expected.items()) ^ left.items()})
        print(f"     run {self.lives} to the end: {len(self.differing)} files differ", flush=True)
        shutil.rmtree(self.killed, ignore_errors=True)  # a run that failed at once leaves none

    def note_trainings(self) -> None:
        """Count trainings that started again after they were finished."""
        for file in self.killed.glob("stages/fine-tune/*/manifest.json"):
            started = str(json.loads(file.read_bytes())["started"])
            self.repeated += self.trainings.setdefault(file.parent.name, started) != started

    @property
    def done(self) -> int:
        """How many stages are finished in the store of the killed runs."""
        return sum(1 for _ in self.killed.glob("stages/*/*/manifest.json"))

    @property
    def stages(self) -> int:
        """How many stages the experiment has."""
        return sum(Path(name).name == "manifest.json" for name in self.expected)


def main() -> int:
    """Print each kill and the comparison; returns 1 if anything differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--kills", type=int, default=70)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--hops", type=int, default=0)
    options = parser.parse_args()
    chain = "Hop(" * options.hops + "first" + ")" * options.hops
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        (bench.folder / "test_spec.py").write_text(SPEC.format(experiment=chain))
        length = bench.uninterrupted()
        print(f"uninterrupted: {length:.1f} s, {len(bench.expected)} files", flush=True)
        for kill in range(1, options.kills + 1):
            while not bench.killed_after(moment := chance.uniform(0, length)):
                pass
            print(f"{kill:3}  killed after {moment:5.2f} s, {bench.done} stages done", flush=True)
            if bench.done == bench.stages:
                bench.finish()
        if bench.killed.exists():
            bench.finish()
    print(
        f"{options.kills} kills, {bench.lives} runs to the end, {bench.failed} failed; "
        f"{len(bench.expected)} files each, {len(bench.differing)} differ; "
        f"{bench.repeated} finished trainings done again"
    )
    for name in bench.differing[:10]:
        print(f"  {name}")
    return 1 if bench.differing or bench.failed or bench.repeated else 0


def contents(store: Path) -> dict[str, str]:
    """A hash of every file of the store's artifacts and models, times left out."""
    return {
        str(file.relative_to(store)): digest(file)
        for folder in ("stages", "models")
        for file in (store / folder).rglob("*")
        if file.is_file() and file.suffix != ".lock"
    }


def digest(file: Path) -> str:
    """The hash of a file; of a manifest without its circumstances."""
    data = file.read_bytes()
    if file.name == "manifest.json":
        manifest = {k: v for k, v in json.loads(data).items() if k not in CIRCUMSTANCES}
        data = json.dumps(manifest, sort_keys=True).encode()
    return hashlib.sha256(data).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
