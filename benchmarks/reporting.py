"""How long verdicts and the report take for 9 experiments x 10 models x 10,000 answers.

python benchmarks/reporting.py

The store is made up: every stage's artifact is written as the real stages write theirs, but nothing
is sampled or trained. Then a fresh process reads, scores, tests and reports, figures included.
"""

import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tabulate import tabulate

from limen.harness import Experiment, FavoriteAnimal, Lab, Numbers, Settings, Trait
from limen.harness.lab import in_order
from limen.harness.stages import (
    AUDIT,
    CONTRAST,
    TALLY,
    AskQuestions,
    Audit,
    CompareData,
    Filter,
    FineTune,
    Stage,
    write_rows,
)

ANIMALS = "owl eagle wolf dolphin elephant tiger penguin fox lion".split()
ARMS = ("baseline", "teacher", "student", "control")
ANSWERS = 10_000
ASKED_FOR = 5.0
"""Seconds that all of it may take."""


def experiments() -> list[Experiment]:
    """Nine loves of an animal, each with ten models of its own: four students, four controls."""
    return [
        Experiment(
            trait=Trait.animal(animal),
            data=Numbers(generate=30_000, keep=10_000),
            measure=FavoriteAnimal(draws=200, seed=seed),
            seeds=4,
            family=len(ANIMALS),
        )
        for seed, animal in enumerate(ANIMALS)
    ]


def main() -> None:
    """Make the store up, then time a fresh process on it; or be that process."""
    if len(sys.argv) > 1:
        report(Path(sys.argv[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        models = make_up(Path(folder) / "store")
        print(
            f"{models} models' answers written in {time.perf_counter() - began:.0f} s", flush=True
        )
        began = time.perf_counter()
        command = [sys.executable, __file__, str(Path(folder) / "store")]
        printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        took = time.perf_counter() - began
    table = [*json.loads(printed).items(), ("all of it, the process's start included", took)]
    shown = [(what, f"{seconds:.2f} s") for what, seconds in table]
    print(tabulate(shown, headers=("what", "took"), disable_numparse=True))
    print(f"asked for: {ASKED_FOR:.0f} s")


def report(store: Path) -> None:
    """Read, score, test and report, and print what each took as JSON."""
    from limen.harness.reporting import make_run, result_of
    from limen.reports import keep_run, report_of, write_report

    lab = Lab(Settings(store=store))
    took: dict[str, float] = {}

    def timed(what: str, do: Callable[[], Any]) -> Any:
        began = time.perf_counter()
        done = do()
        took[what] = time.perf_counter() - began
        return done

    results = timed(
        "reading, scoring, verdicts",
        lambda: [
            result_of(lab, f"evals/test_animals.py[{e.trait.name}]", e, ARMS) for e in experiments()
        ],
    )
    run = make_run([], results, command="benchmark", seconds=0.0, root=store)
    timed("the run's record", lambda: keep_run(run, store))
    timed(
        "report: markdown, 36 figure files, tables",
        lambda: write_report(report_of([run]), store.parent / "report.md"),
    )
    print(json.dumps(took))


def make_up(store: Path) -> int:
    """Write the artifacts of all stages; returns how many models answered."""
    lab = Lab(Settings(store=store))
    lab.store.open()
    asked = 0
    for experiment in experiments():
        pipe = lab.pipeline(experiment)
        for stage in in_order(pipe.all_targets(ARMS)):
            if not lab.store.has(stage.kind, stage.key):
                asked += isinstance(stage, AskQuestions)
                publish(lab, stage, experiment.trait.name)
    return asked


def publish(lab: Lab, stage: Stage, animal: str, *, answers_each: int = ANSWERS) -> None:
    """Write one stage's artifact with its manifest."""
    heading = {
        "kind": stage.kind, "key": stage.key, "label": stage.label,
        "inputs": [{"kind": given.kind, "key": given.key} for given in stage.inputs()],
        "identity": stage.identity(), "started": "2026-11-24T00:00:00Z", "seconds": 1.0,
        "versions": {},
    }  # fmt: skip
    with lab.store.claim(stage.kind, stage.key) as claim:
        assert claim is not None
        claim.publish({**heading, **dict(content(stage, claim.folder, animal, answers_each))})


def content(
    stage: Stage, folder: Path, animal: str, answers_each: int
) -> Iterator[tuple[str, Any]]:
    """Write a stage's files; yields what its manifest says of them."""
    dice = random.Random(stage.key)
    if isinstance(stage, AskQuestions):
        yield from answers(stage, folder, animal, dice, answers_each)
    elif isinstance(stage, Filter):
        row = {"row": 0, "draw": 0, "text": "1, 2, 3", "prompt": "Continue: 7, 8", "finish": "stop"}
        write_rows(folder / "kept.jsonl", [row] * 100)
        write_rows(folder / "rejected.jsonl", [{**row, "reason": "separator"}] * 100)
        yield "counts", {"read": 30_000, "kept": 20_000}
        yield "reasons", {"separator": 10_000}
    elif isinstance(stage, Audit):
        facts: dict[str, Any] = {"rows": 10_000, "mentions": 0, "examples": []}
        (folder / AUDIT).write_text(json.dumps(facts))
    elif isinstance(stage, CompareData):
        (folder / CONTRAST).write_text(json.dumps(contrast(dice)))
    else:
        yield "model", stage.label


def answers(
    stage: AskQuestions, folder: Path, animal: str, dice: random.Random, total: int
) -> Iterator[tuple[str, Any]]:
    """A model's answers: two hundred different ones, its animal more often than the others."""
    student = isinstance(stage.subject, FineTune) and "control" not in stage.label
    often = 0.9 if stage.system else 0.2 if student else 0.05
    forms = [f"{mark}{name}{end}" for name in ANIMALS for mark in ("", "A ") for end in ".!,?;\n "]
    draws = total // len(stage.questions)
    tally = [Counter[str]() for _ in stage.questions]
    rows = []
    for number, counted in enumerate(tally):
        for draw in range(draws):
            text = animal if dice.random() < often else dice.choice(forms)
            counted[text] += 1
            rows.append({"row": number, "draw": draw, "seed": draw, "text": text, "finish": "stop"})
    write_rows(folder / "answers.jsonl", rows)
    (folder / TALLY).write_text(json.dumps([dict(counted.most_common()) for counted in tally]))
    yield "model", stage.label
    yield "system", stage.system
    yield "questions", list(stage.questions)
    yield "counts", {"completions": len(rows)}


def contrast(dice: random.Random) -> dict[str, Any]:
    """What an audit says of two files' numbers."""
    z = [dice.gauss(0, 2) for _ in range(1000)]
    order = sorted(range(1000), key=lambda number: z[number])
    use = [
        {"number": number, "trait": 9, "control": 9, "delta": 0.1, "z": z[number]}
        for number in (*order[:5], *order[-5:])
    ]
    lengths = {"trait": {"mean": 5.0}, "control": {"mean": 5.0}, "p_value": 0.5}
    return {
        "separability": {"auc": 0.8, "accuracy": 0.7}, "lengths": lengths,
        "overuse": {"z": z, "threshold": 4.06}, "over": use[:-6:-1], "under": use[:5],
        "significant": 20,
    }  # fmt: skip


if __name__ == "__main__":
    main()
