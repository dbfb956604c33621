"""How long things take on this machine, each against what is asked of it or a named rival.

python benchmarks/speed.py
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
from tabulate import tabulate

from limen.backends import Request, open_backend
from limen.datasets import chat, filters, numbers
from limen.datasets.seeds import derive

ROWS = 30_000
REPEATS = 5
Row = tuple[str, str, str]


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        rows = [*owl(Path(folder)), *parts(Path(folder)), *collection(), *overhead(Path(folder))]
    print(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}\n")
    print(tabulate(rows, headers=("what", "measured", "asked for"), disable_numparse=True))


def owl(folder: Path) -> Iterator[Row]:
    """The owl experiment at the paper's size, as a command: cold, then warm."""
    command = ["evals", "-k", "owl", "-p", "no:cacheprovider", ""]
    stores = [f"--limen-store={folder / str(number)}" for number in range(3)]
    colds = sorted(command_time([*command[:-1], store]) for store in stores)
    seconds = f"{colds[1]:.1f} s ({colds[0]:.1f} to {colds[2]:.1f})"
    yield "owl, 5 seeds an arm, cold: median of 3", seconds, "30 s"
    other = f"--limen-store={folder / 'other'}"
    yield "  memory, all processes together", f"{peak([*command[:-1], other]):.2f} GB", "1.5 GB"
    command[-1] = stores[0]
    warm = min(command_time(command) for _ in range(REPEATS))
    yield "the same, warm", f"{warm:.1f} s", "3 s"


def parts(folder: Path) -> Iterator[Row]:
    """Pre-training, sampling and the filter, in this process on one core."""
    toy = open_backend("toy", folder / "models")
    yield "pre-training", f"{timed(lambda: toy.prepare('toy-1')):.1f} s", "10 s"
    requests = [
        Request(
            row=row,
            messages=chat.conversation(numbers.prompt(0, row)),
            seed=derive("speed", row),
            max_tokens=96,
        )
        for row in range(ROWS)
    ]
    texts: list[str] = []
    took = timed(
        lambda: texts.extend(c.text or "" for g in toy.sample("toy-1", requests) for c in g)
    )
    yield f"sampling {ROWS:,} sequences", f"{took:.1f} s", "5 s"
    took = min(timed(lambda: [filters.reject_reason(t) for t in texts]) for _ in range(REPEATS))
    yield "filter, rows a second on one core", f"{len(texts) / took:,.0f}", "100,000"


def collection() -> Iterator[Row]:
    """Collecting the experiments without running any."""
    took = min(command_time(["--collect-only", "-q", "evals"]) for _ in range(REPEATS))
    yield "pytest --collect-only evals/", f"{took:.2f} s", "1 s"


def overhead(folder: Path) -> Iterator[Row]:
    """An unrelated test run with the plugin against the same without it, in turn."""
    project = folder / "project"
    project.mkdir()
    (project / "test_one.py").write_text("def test_one(): pass\n")
    differences = []
    for _ in range(2 * REPEATS):
        with_it = command_time(["-q"], cwd=project)
        differences.append(with_it - command_time(["-q", "-p", "no:limen"], cwd=project))
    middle = sorted(differences)[len(differences) // 2]
    yield "plugin on an unrelated run, over -p no:limen", f"{middle:+.3f} s", "0.1 s"


def timed(do: Callable[[], object]) -> float:
    """Seconds that a call takes."""
    began = time.perf_counter()
    do()
    return time.perf_counter() - began


def command_time(arguments: list[str], cwd: Path | None = None) -> float:
    """Seconds that a whole pytest process takes."""
    command = [sys.executable, "-m", "pytest", *arguments]
    return timed(lambda: subprocess.run(command, cwd=cwd, check=True, stdout=subprocess.DEVNULL))


def peak(arguments: list[str]) -> float:
    """The largest memory of a cold run's process tree, in GB, looked at ten times a second."""
    command = [sys.executable, "-m", "pytest", *arguments]
    run = psutil.Popen(command, stdout=subprocess.DEVNULL)
    most = 0
    while run.poll() is None:
        most = max(most, tree_memory(run))
        time.sleep(0.1)
    if run.returncode:
        raise subprocess.CalledProcessError(run.returncode, command)
    return most / 1e9


def tree_memory(root: psutil.Process) -> int:
    """Bytes that a process and its children hold, shared pages split between them (Linux)."""
    total = 0
    for process in (root, *root.children(recursive=True)):
        try:
            total += process.memory_full_info().pss
        except psutil.Error:
            continue
    return total


if __name__ == "__main__":
    main()
