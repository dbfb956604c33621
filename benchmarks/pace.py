"""How long the toy's stages take: seconds a unit, by kind, as harness/lab/shipped_paces.py.

python benchmarks/pace.py [SPEC ...]

Runs the stages of the experiments of some spec files (without: the owl's) one after another in this
process, in a new store, and divides their processor time by what they did. A kind's first stage
pays its imports and is left out where there are others.
"""

import argparse
import runpy
import tempfile
import time
from collections import defaultdict
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
    took: Took = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder, threadpool_limits(1):
        lab = Lab(Settings(store=Path(folder) / "store"))
        for spec in parser.parse_args().specs:
            _run(lab, spec, took)
    for (kind, model), stages in sorted(took.items()):
        counted = stages[1:] or stages
        seconds, units = (sum(column) for column in zip(*counted, strict=True))
        pace = seconds / max(units, 1)
        print(f"{kind:18} {model or '-':8} {pace:.1e} s a unit, {len(stages)} stages")


def _run(lab: Lab, spec: Path, took: Took) -> None:
    given = runpy.run_path(str(spec)).get("experiment")
    if not isinstance(given, Experiment | Grid):
        return
    experiment = as_experiment(given)
    arms = [arm for arm in (*ARMS, *experiment.all_arms) if _has(lab, experiment, arm)]
    for stage in lab.plan([(experiment, arms)]).stages:
        try:
            _time(lab, stage, took)
        except Exception as error:  # what reads it fails as well
            print(f"{spec.name}: {stage.label}: {error}")


def _has(lab: Lab, experiment: Experiment, arm: str) -> bool:
    try:
        return lab.unavailable(experiment, arm) is None
    except Exception:
        return False


def _time(lab: Lab, stage: Stage, took: Took) -> None:
    if not lab.store.has(stage.kind, stage.key):
        began = time.process_time()
        run_stage(stage, lab.store.root)
        load = load_of(stage)
        took[load.kind, load.model].append((time.process_time() - began, load.units))


if __name__ == "__main__":
    main()
