"""How long stages take: seconds a unit, by kind, as harness/lab/shipped_paces.py.

python benchmarks/pace.py [SPEC ...] [--backend local --model MODEL]

Runs the stages of the experiments of some spec files (without: the owl's) one after another in this
process, in a new store, and divides the time that they took by what they did: the toy's processor
time, since it runs a stage on each core; of other backends the time by the clock. A kind's first
stage pays its imports and is left out where there are others.
"""

import argparse
import runpy
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from threadpoolctl import threadpool_limits

from limen.harness import Experiment, Grid
from limen.harness.experiment import ARMS, as_experiment
from limen.harness.lab import Lab, Settings
from limen.harness.lab.durations import load_of
from limen.harness.stages import Stage, run_stage

OWL = Path(__file__).resolve().parent.parent / "evals" / "test_owl.py"
Took = dict[tuple[str, str], list[tuple[float, int]]]
"""By kind and base model: the seconds and the units of each stage."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("specs", nargs="*", type=Path, default=[OWL])
    parser.add_argument("--backend", default="toy")
    parser.add_argument("--model")
    given = parser.parse_args()
    is_toy = given.backend == "toy"
    took: Took = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder, threadpool_limits(1 if is_toy else None):
        store = Path(folder) / "store"
        lab = Lab(Settings(store=store, backend=given.backend, model=given.model))
        for spec in given.specs:
            _run(lab, spec, took, time.process_time if is_toy else time.monotonic)
    for (kind, model), stages in sorted(took.items()):
        counted = stages[1:] or stages
        seconds, units = (sum(column) for column in zip(*counted, strict=True))
        pace = seconds / max(units, 1)
        name = Path(model).name or "-"
        print(f"{kind:18} {name:8} {pace:.1e} s a unit, {len(stages)} stages", flush=True)


def _run(lab: Lab, spec: Path, took: Took, clock: Callable[[], float]) -> None:
    given = runpy.run_path(str(spec)).get("experiment")
    if not isinstance(given, Experiment | Grid):
        return
    experiment = as_experiment(given)
    arms = [arm for arm in (*ARMS, *experiment.all_arms) if _has(lab, experiment, arm)]
    for stage in lab.plan([(experiment, arms)]).stages:
        try:
            _time(lab, stage, took, clock)
        except Exception as error:  # what reads it fails as well
            print(f"{spec.name}: {stage.label}: {error}")


def _has(lab: Lab, experiment: Experiment, arm: str) -> bool:
    try:
        return lab.unavailable(experiment, arm) is None
    except Exception:
        return False


def _time(lab: Lab, stage: Stage, took: Took, clock: Callable[[], float]) -> None:
    if not lab.store.has(stage.kind, stage.key):
        began = clock()
        run_stage(stage, lab.store.root)
        load = load_of(stage)
        took[load.kind, load.model].append((clock() - began, load.units))


if __name__ == "__main__":
    main()
