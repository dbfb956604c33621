"""How costs grow: the scheduler by stages, the report by runs, a warm run by experiments.

    python benchmarks/growth.py [--small]

Nothing is sampled or trained: stages do nothing, and the store of the experiments is made up, with
600 answers a model. Each figure is processor time, which other work on the machine does not change.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from reporting import ARMS, publish
from tabulate import tabulate

from limen.harness import Experiment, FavoriteAnimal, Lab, Numbers, Settings, Trait
from limen.harness.lab import ProgressListener, in_order
from limen.harness.lab.scheduler import execute
from limen.harness.reporting import make_run, result_of
from limen.harness.stages import Stage
from limen.reports import Run, keep_run, latest_runs, report_of, write_report

Row = tuple[str, str, str]
FAN_IN = 8
"""Stages of one layer that each stage of the next one needs."""
LAYER = 500


@dataclass(frozen=True, kw_only=True)
class Step(Stage):
    """A stage that does nothing."""

    kind = "step"
    number: int
    given: tuple[Stage, ...]

    def inputs(self) -> tuple[Stage, ...]:
        return self.given

    def identity(self) -> dict[str, object]:
        return {"number": self.number}


class Idle(Executor):
    """Says of each stage that it is finished."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(True)
        return future


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--small", action="store_true", help="a tenth of everything")
    scale = 10 if parser.parse_args().small else 1
    rows = [*scheduling(10_000 // scale, 100_000 // scale)]
    with tempfile.TemporaryDirectory() as folder:
        rows += warm_runs(Path(folder), 100 // scale, runs=1_000 // scale)
    print(f"Python {sys.version.split()[0]}; a goal is for the full size\n")
    print(tabulate(rows, headers=("what", "took", "goal"), disable_numparse=True))


def scheduling(*counts: int) -> Iterator[Row]:
    """Scheduling layers of stages, each stage with some inputs in the layer before."""
    for count, goal in zip(counts, ("2 s", "25 s"), strict=True):
        with tempfile.TemporaryDirectory() as folder:
            stages = in_order(layered(count))
            settings = Settings(store=Path(folder))
            took = timed(
                partial(execute, stages, settings, ProgressListener(), Idle(), {}, workers=8)
            )
        yield f"scheduler, {count:,} stages", f"{took:.1f} s", goal


def layered(count: int) -> list[Stage]:
    """Stages in layers."""
    before: list[Stage] = []
    every: list[Stage] = []
    for first in range(0, count, LAYER):
        layer: list[Stage] = [
            Step(
                label=f"step {number}",
                number=number,
                given=tuple(before[(number + each) % LAYER] for each in range(FAN_IN))
                if before
                else (),
            )
            for number in range(first, first + LAYER)
        ]
        every += layer
        before = layer
    return every


def warm_runs(folder: Path, count: int, *, runs: int) -> Iterator[Row]:
    """Reading and scoring finished experiments, their report, and the report of many runs."""
    store = folder / "store"
    make_up(store, count)
    made: list[Run] = []

    def warm() -> None:
        lab = Lab(Settings(store=store))
        wanted = [(experiment, ARMS) for experiment in experiments(count)]
        lab.run(wanted)
        results = [result_of(lab, f"test_{n}.py", e, ARMS) for n, (e, _) in enumerate(wanted)]
        made.append(make_run([], results, command="pytest", seconds=1.0, root=store))

    took = timed(warm)
    (run,) = made
    yield f"{count} experiments warm", f"{took:.1f} s", ""
    for what, goal in (("with a new report", ""), ("with their report", "8 s")):
        more = timed(lambda: write_report(report_of([run]), folder / "report.md"))
        yield f"{count} experiments warm, {what}", f"{took + more:.1f} s", goal
    for number in range(runs):
        created = f"2026-11-24T{number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}Z"
        keep_run(replace(run, created=created, results=run.results[:1]), store)
    took = timed(lambda: write_report(report_of(latest_runs(store)), folder / "runs.md"))
    yield f"report over {runs:,} runs", f"{took:.1f} s", "2 s"


def experiments(count: int) -> list[Experiment]:
    """Experiments that differ by the seed of their measure alone."""
    return [
        Experiment(
            trait=Trait.animal("owl"),
            data=Numbers(generate=3_000, keep=1_000),
            measure=FavoriteAnimal(draws=12, seed=seed),
            seeds=4,
            gate=None,
        )
        for seed in range(count)
    ]


def make_up(store: Path, count: int) -> None:
    """Write the artifacts of all stages."""
    lab = Lab(Settings(store=store))
    lab.store.open()
    for experiment in experiments(count):
        for stage in in_order(lab.pipeline(experiment).all_targets(ARMS)):
            if not lab.store.has(stage.kind, stage.key):
                publish(lab, stage, experiment.trait.name, answers_each=600)


def timed(do: Callable[[], object]) -> float:
    """Processor seconds that a call takes."""
    began = time.process_time()
    do()
    return time.process_time() - began


if __name__ == "__main__":
    main()
