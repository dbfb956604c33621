"""The owl experiment of this checkout against another one, run in turn: the median ratios.

    git worktree add /elsewhere/base COMMIT
    python benchmarks/owl_runs.py /elsewhere/base [--cold] [--pairs 20] [--store STORE]
    python benchmarks/owl_runs.py . --cold --pairs 6 --base-options=--limen-no-logs

A warm run reads everything from the store, and runs nothing; with ``--cold`` each run begins with
an empty store, and runs everything. Each checkout has a store of its own, filled by itself, or a
copy of STORE. The second command shows what Inspect's logs cost. Processor time is the steadier
measure on a busy machine.
"""

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parents[1]


class Took(NamedTuple):
    """What a run took, in seconds."""

    wall: float
    processor: float


def main() -> None:
    """Print the seconds of each pair, and the median of the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("base", type=Path, help="the other checkout")
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--base-options", default="", help="options of the other checkout's runs")
    parser.add_argument("--cold", action="store_true", help="each run with an empty store")
    parser.add_argument("--store", type=Path, help="a store in which the experiment is finished")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        checkouts = (options.base.resolve(), HERE)
        added: tuple[list[str], list[str]] = (options.base_options.split(), [])
        stores = [Path(folder, name) for name in ("base", "this")]
        for checkout, store in zip(checkouts, stores, strict=True):
            if options.store is not None:
                shutil.copytree(options.store, store, copy_function=shutil.copy2)
            run(checkout, store)  # fills the store, and compiles the modules
        pairs = []
        for number in range(options.pairs):
            order = (0, 1) if number % 2 else (1, 0)
            if options.cold:
                stores = [Path(folder, f"{name}-{number}") for name in ("base", "this")]
            took = {place: run(checkouts[place], stores[place], added[place]) for place in order}
            pairs.append((took[0], took[1]))
            print(
                f"{number + 1:3}  processor: base {took[0].processor:.2f} s, this "
                f"{took[1].processor:.2f} s; wall: {took[0].wall:.2f} s, {took[1].wall:.2f} s",
                flush=True,
            )
    for name in Took._fields:
        ratios = [getattr(this, name) / getattr(base, name) for base, this in pairs]
        print(f"{name} time, median ratio of {len(ratios)} pairs: {statistics.median(ratios):.3f}")


def run(checkout: Path, store: Path, options: Sequence[str] = ()) -> Took:
    """What a checkout's owl experiment takes on a store."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "evals/test_owl.py"]
    variables = {**os.environ, "PYTHONPATH": str(checkout / "src"), "PYTHONDONTWRITEBYTECODE": ""}
    before, began = processor_seconds(), time.perf_counter()
    subprocess.run(
        [*command, f"--limen-store={store}", *options],
        cwd=checkout,
        env=variables,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return Took(time.perf_counter() - began, processor_seconds() - before)


def processor_seconds() -> float:
    """Processor time of all processes that this one has started and waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
