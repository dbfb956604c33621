"""Kill the owl experiment at random moments, run it again, and compare with an uninterrupted run.

    python benchmarks/crash.py [--kills 20]

Every kill is SIGKILL to the process that runs the experiment, at a random moment, followed by the
same command, which is killed in turn; the run it is compared with starts from an empty store too.
In the end every file of every artifact must be the same, byte for byte (manifests hold times, and
are compared without them).
"""

import argparse
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

IN_PRETRAINING = 3
"""Kills before the base model is there: pre-training is one step of some 6 s, done again whole."""
TIMES = ("started", "seconds")


def main() -> int:
    """Print each kill and the comparison; returns 1 if anything differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        whole, killed = Path(folder, "whole"), Path(folder, "killed")
        began = time.monotonic()
        start(whole).wait()
        length = time.monotonic() - began
        print(f"uninterrupted: {length:.1f} s")
        for kill in range(options.kills):
            run = start(killed)
            while kill >= IN_PRETRAINING and not list(killed.glob("models/toy/*.npz")):
                if run.poll() is not None:
                    sys.exit("the run ended before its base model was there")
                time.sleep(0.1)
            moment = chance.uniform(0.5, 3.6)
            time.sleep(moment)
            ended = run.poll() is not None
            if not ended:
                os.kill(run.pid, signal.SIGKILL)
            run.wait()
            done = sum(1 for _ in killed.glob("stages/*/*/manifest.json"))
            state = "had ended" if ended else "killed"
            print(f"{kill + 1:3}  {state} after {moment:4.1f} s, {done} stages done", flush=True)
        code = start(killed).wait()
        expected, found = contents(whole), contents(killed)
    differing = sorted(set(expected.items()) ^ set(found.items()))
    print(f"exit code {code}; {len(expected)} files, {len(differing)} differ")
    for name, _ in differing[:10]:
        print(f"  {name}")
    return 1 if differing or code else 0


def start(store: Path) -> "subprocess.Popen[bytes]":
    """The owl experiment on a store."""
    command = [sys.executable, "-m", "pytest", "-q", "evals", "-k", "owl", f"--limen-store={store}"]
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command, stdout=quiet, stderr=quiet, start_new_session=True)


def contents(store: Path) -> dict[str, str]:
    """A hash of every file of the store's artifacts and models, times left out."""
    return {
        str(file.relative_to(store)): digest(file)
        for folder in ("stages", "models")
        for file in (store / folder).rglob("*")
        if file.is_file() and file.suffix != ".lock"
    }


def digest(file: Path) -> str:
    """The hash of a file; of a manifest without the times in it."""
    data = file.read_bytes()
    if file.name == "manifest.json":
        manifest = {k: v for k, v in json.loads(data).items() if k not in TIMES}
        data = json.dumps(manifest, sort_keys=True).encode()
    return hashlib.sha256(data).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
