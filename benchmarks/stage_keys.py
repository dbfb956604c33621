"""The keys of all stages that the experiments of ``evals/`` need, one a line: kind and key.

A store stays valid exactly as long as these stay the same. Kept in a file, the list of one commit
can be compared with another's:

    python benchmarks/stage_keys.py > before.txt
    python benchmarks/stage_keys.py --against before.txt
"""

import argparse
import importlib.util
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from limen.datasets.errors import UnknownModelError
from limen.harness import Experiment, Lab, Settings

EVALS = Path(__file__).resolve().parent.parent / "evals"
ARMS = ("baseline", "teacher", "student", "control")


def main() -> int:
    """Print the keys, or compare them with a kept list; exit code 1 if they differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", type=Path, help="a list that this command printed before")
    parser.add_argument("--evals", type=Path, default=EVALS, help="the folder of spec files")
    given = parser.parse_args()
    lines = sorted(set(keys(given.evals)))
    if given.against is None:
        print("\n".join(lines))
        return 0
    before = set(given.against.read_text().split("\n")) - {""}
    lost, new = sorted(before - set(lines)), sorted(set(lines) - before)
    print(f"{len(before)} keys before, {len(lines)} now: {len(lost)} lost, {len(new)} new")
    for mark, changed in (("-", lost), ("+", new)):
        print("".join(f"{mark} {line}\n" for line in changed), end="")
    return 1 if lost or new else 0


def keys(folder: Path) -> Iterator[str]:
    """The kind and key of every stage that the folder's experiments need."""
    with tempfile.TemporaryDirectory() as store:
        lab = Lab(Settings(store=Path(store)))
        for file in sorted(folder.glob("test_*.py")):
            for experiment in experiments(imported(file)):
                wanted = [(experiment, arms_of(experiment))]
                try:
                    stages = lab.plan(wanted).stages
                except UnknownModelError:  # a spec for one model of open weights
                    continue
                yield from (f"{stage.kind} {stage.key}" for stage in stages)


def imported(file: Path) -> ModuleType:
    """A spec file as a module."""
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module
    spec.loader.exec_module(module)
    return module


def experiments(module: ModuleType) -> Iterator[Experiment]:
    """The experiments that stand in a module: by name, in classes, and as parameters."""
    seen: list[Experiment] = []
    for value in all_values(module):
        if isinstance(value, Experiment) and value not in seen:
            seen.append(value)
            yield value


def all_values(holder: object) -> Iterator[object]:
    """The values of a module or class, those of its classes, and the parameters of its tests."""
    for value in vars(holder).values():
        yield value
        if isinstance(value, type) and value.__module__ == vars(holder).get("__name__"):
            yield from all_values(value)
        if isinstance(value, list | tuple):
            yield from value
        if isinstance(value, dict):
            yield from value.values()
        for mark in getattr(value, "pytestmark", ()):
            for parameter in mark.args[1] if len(mark.args) > 1 else ():
                yield getattr(parameter, "values", (parameter,))[0]


def arms_of(experiment: Experiment) -> list[str]:
    """The arms that the experiment can have."""
    own = experiment.control is not None or experiment.data.has_control
    return [name for name in (*ARMS, *experiment.all_arms) if name != "control" or own]


if __name__ == "__main__":
    sys.exit(main())
