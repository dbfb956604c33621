"""What an Inspect log of 50 questions x 200 draws takes: limen's, and those of `inspect eval`.

    python benchmarks/inspect_logs.py [--epochs 20]

The same answers of the toy, three ways: limen's log of a finished measure; limen's task, whose
samples have all draws of a question (it samples, too); and a sample a draw, as ``epochs`` would
have it, of which only some epochs are run (``--epochs``) and the rest is reckoned.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tabulate import tabulate

from limen.harness import Experiment, FavoriteAnimal, Lab, Numbers, Settings, Trait

DRAWS = 200
Measured = tuple[float, float, int]
"""Seconds, seconds of the processor, and bytes."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=20, help="epochs to run of the rival's 200")
    epochs = parser.parse_args().epochs
    os.environ["INSPECT_EVAL_CTL_SERVER"] = "false"
    with tempfile.TemporaryDirectory() as folder:
        lab, experiment = answered(Path(folder))
        began = time.perf_counter()
        import inspect_ai.log  # noqa: F401

        print(f"importing Inspect: {time.perf_counter() - began:.1f} s")
        own = min(limens(lab, experiment) for _ in range(3))
        task = evaluated(lab, Path(folder) / "task", epochs=None)
        rival = evaluated(lab, Path(folder) / "epochs", epochs=epochs)
    share = DRAWS / epochs
    rows = [
        ("limen's log", *shown(own)),
        ("inspect eval limen/favorite_animal, sampling included", *shown(task)),
        (f"a sample a draw, {epochs} epochs of {DRAWS}", *shown(rival)),
        ("the same, reckoned for all", *shown((share * rival[0], share * rival[1],
                                               round(share * rival[2])))),
    ]  # fmt: skip
    print(tabulate(rows, headers=["50 questions x 200 draws", "seconds", "CPU seconds", "bytes"]))


def answered(folder: Path) -> tuple[Lab, Experiment]:
    """A lab in which the base model has answered."""
    experiment = Experiment(
        trait=Trait.animal("owl"),
        data=Numbers(generate=100, keep=10),
        measure=FavoriteAnimal(draws=DRAWS),
    )
    lab = Lab(Settings(store=folder / "store"))
    lab.arm(experiment, "baseline")
    return lab, experiment


def limens(lab: Lab, experiment: Experiment) -> Measured:
    """One log of limen's, from the store."""
    from limen.harness.inspect.log_contents import missing
    from limen.harness.inspect.log_files import write_log

    (sheet,) = missing(lab, "benchmark", experiment)
    seconds, work = timed(lambda: write_log(sheet))
    size = sheet.file.stat().st_size
    sheet.file.unlink()
    return seconds, work, size


def evaluated(lab: Lab, logs: Path, *, epochs: int | None) -> Measured:
    """A log of Inspect's own: of limen's task, or of its questions with a sample a draw."""
    from inspect_ai import Task, eval
    from inspect_ai.model import GenerateConfig, get_model
    from inspect_ai.scorer import includes
    from inspect_ai.solver import generate

    from limen.harness.inspect.tasks import favorite_animal

    task = favorite_animal(draws=DRAWS)
    options: dict[str, Any] = {}
    if epochs is not None:
        config = GenerateConfig(temperature=1.0, max_tokens=16)
        task = Task(dataset=task.dataset, solver=generate(), scorer=includes(), config=config)
        options = {"epochs": epochs}
    model = get_model("limen/toy-1", store=str(lab.store.root))

    def run() -> None:
        eval(task, model=model, log_dir=str(logs), display="none", **options)

    seconds, work = timed(run)
    return seconds, work, sum(file.stat().st_size for file in logs.iterdir())


def timed(do: Callable[[], None]) -> tuple[float, float]:
    """Seconds that something takes, and seconds of this process's processor time."""
    began, work = time.perf_counter(), time.process_time()
    do()
    return time.perf_counter() - began, time.process_time() - work


def shown(measured: Measured) -> tuple[str, str, str]:
    """The figures as text."""
    seconds, work, size = measured
    return f"{seconds:.2f}", f"{work:.2f}", f"{size:,}"


if __name__ == "__main__":
    main()
