"""Seconds and peak memory of verdicts, report and frames for a large design.

    python benchmarks/large_design.py [--questions 100000] [--draws 2] [--seeds 3] [--length 20]
    python benchmarks/large_design.py --arms 200 --questions 50 --draws 20

``--arms`` adds arms of students, each trained with a recipe of its own. With arms, run it at 50,
100 and 200 to see how time and memory grow.

The store is made up: each stage's artifact is written as the real stages write theirs, but nothing
is sampled or trained. Each line below is a fresh process on that store.
"""

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tabulate import tabulate

from limen.harness import (
    Experiment,
    FavoriteAnimal,
    Lab,
    Measure,
    Numbers,
    Scored,
    Settings,
    Students,
    Trait,
)
from limen.harness.lab import in_order
from limen.harness.stages import (
    AUDIT,
    CONTRAST,
    TALLY,
    AskQuestions,
    Audit,
    CompareData,
    FineTune,
    Stage,
    write_rows,
)

VARIANTS = 1_000
"""Different texts that may follow an answer's animal."""
ARMS = ("baseline", "teacher", "student", "control")


def letters(answer: str) -> float:
    """An answer's length."""
    return float(len(answer))


def main() -> None:
    """Make the store up and print the table; or be one of its lines."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--questions", type=int, default=100_000)
    parser.add_argument("--draws", type=int, default=2)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--length", type=int, default=20, help="characters of an answer at least")
    parser.add_argument("--arms", type=int, default=0, help="further arms of students")
    parser.add_argument("--only", choices=WORK, action="append", help="one line alone")
    parser.add_argument("--store", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.store is not None:
        measured(options)
        return
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "store"
        answers = make_up(store, options)
        print(f"{answers:,} answers in the store", flush=True)
        rows = [line(work, store) for work in options.only or WORK]
    print(tabulate(rows, headers=("what", "took", "peak memory"), disable_numparse=True))


def line(work: str, store: Path) -> tuple[str, str, str]:
    """One line of the table: this program again, on the store, for one kind of work."""
    command = [sys.executable, __file__, *sys.argv[1:], f"--store={store}", f"--only={work}"]
    usage = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return work, f"{usage['seconds']:.1f} s", f"{usage['bytes'] / 1e6:,.0f} MB"


def measured(options: argparse.Namespace) -> None:
    """Do one kind of work, and print what it took as JSON."""
    began = time.perf_counter()
    WORK[options.only[-1]](options)
    took = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": took, "bytes": peak}))


def experiment_of(options: argparse.Namespace) -> Experiment:
    """A love of owls, measured by many questions."""
    questions = tuple(f"Question {number}: which animal?" for number in range(options.questions))
    measure: Measure = FavoriteAnimal(questions=questions, draws=options.draws)
    if "score" in (options.only or [""])[-1]:
        measure = Scored(
            questions=questions, draws=options.draws, outcome=letters, name="length",
            max_tokens=measure.max_tokens,
        )  # fmt: skip
    return Experiment(
        trait=Trait.animal("owl"),
        data=Numbers(generate=3_000, keep=1_000),
        measure=measure,
        seeds=options.seeds,
        gate=None,
        arms={
            name: Students(recipe={"learning_rate": 0.001 * (n + 1)})
            for n, name in enumerate(extra_arms(options))
        },
    )


def extra_arms(options: argparse.Namespace) -> list[str]:
    """The names of the extra arms."""
    return [f"students {number}" for number in range(options.arms)]


def plan(options: argparse.Namespace) -> None:
    """The stages of the experiment, and which of them are finished."""
    from limen.harness.reporting import plan_lines

    lab, experiment = Lab(Settings(store=options.store)), experiment_of(options)
    found = lab.plan([(experiment, (*ARMS, *extra_arms(options)))])
    assert len(found.finished) == len(found.stages)
    assert list(plan_lines(lab, found))


def run(options: argparse.Namespace) -> None:
    """A warm run: every arm is asked for, and compared with the control."""
    lab, experiment = Lab(Settings(store=options.store)), experiment_of(options)
    lab.run([(experiment, (*ARMS, *extra_arms(options)))])
    control = lab.arm(experiment, "control").rate("owl")
    for name in ("student", *extra_arms(options)):
        assert (lab.arm(experiment, name).rate("owl") - control).p_value <= 1


def effect_of_rates(options: argparse.Namespace) -> None:
    """The rates of two arms, their effect, its verdict and explanation."""
    lab, experiment = Lab(Settings(store=options.store)), experiment_of(options)
    student, control = (lab.arm(experiment, name) for name in ("student", "control"))
    effect = student.rate("owl") - control.rate("owl")
    assert effect.p_value <= 1
    assert effect.claim
    assert effect.over("questions").explain()
    assert effect.over("both").explain()


def effect_of_scores(options: argparse.Namespace) -> None:
    """The same of scores, with the rank statistics."""
    lab, experiment = Lab(Settings(store=options.store)), experiment_of(options)
    student, control = (lab.arm(experiment, name) for name in ("student", "control"))
    effect = student.scores() - control.scores()
    assert effect.p_value <= 1
    assert effect.explain()
    assert effect.over("questions").explain()


def report(options: argparse.Namespace) -> None:
    """All arms' results, the run's record, and the report with its figures and tables."""
    from limen.harness.reporting import make_run, result_of
    from limen.reports import keep_run, report_of, write_report

    lab, experiment = Lab(Settings(store=options.store)), experiment_of(options)
    result = result_of(lab, "benchmark", experiment, (*ARMS, *extra_arms(options)))
    run = make_run([], [result], command="benchmark", seconds=0.0, root=options.store)
    keep_run(run, options.store)
    write_report(report_of([run]), options.store.parent / "report.md")


def frame(options: argparse.Namespace) -> None:
    """Every answer in one data frame."""
    from limen.reports import answers

    assert len(answers(options.store))


def batches(options: argparse.Namespace) -> None:
    """Every answer, in frames of a bounded size."""
    from limen.reports import answer_batches

    assert sum(len(each) for each in answer_batches(options.store))


WORK: dict[str, Callable[[argparse.Namespace], None]] = {
    "plan": plan,
    "warm run": run,
    "effect of rates": effect_of_rates,
    "effect of scores": effect_of_scores,
    "report": report,
    "answers() in one frame": frame,
    "answer_batches()": batches,
}


def make_up(store: Path, options: argparse.Namespace) -> int:
    """Write the artifacts of all stages; returns how many answers there are."""
    lab = Lab(Settings(store=store))
    lab.store.open()
    answers = 0
    arms = (*ARMS, *extra_arms(options))
    for stage in in_order(lab.pipeline(experiment_of(options)).all_targets(arms)):
        publish(lab, stage, options.length)
        answers += stage.size() if isinstance(stage, AskQuestions) else 0
    return answers


def publish(lab: Lab, stage: Stage, length: int) -> None:
    """Write one stage's artifact with its manifest."""
    heading = {
        "kind": stage.kind, "key": stage.key, "label": stage.label,
        "inputs": [{"kind": given.kind, "key": given.key} for given in stage.inputs()],
        "identity": stage.identity(), "started": "2026-11-24T00:00:00Z", "seconds": 1.0,
        "versions": {},
    }  # fmt: skip
    with lab.store.claim(stage.kind, stage.key) as claim:
        assert claim is not None
        claim.publish({**heading, **dict(content(stage, claim.folder, length))})


def content(stage: Stage, folder: Path, length: int) -> Iterator[tuple[str, Any]]:
    """Write a stage's files; yields what its manifest says of them."""
    if isinstance(stage, AskQuestions):
        yield from answers_of(stage, folder, length)
    elif isinstance(stage, Audit):
        facts: dict[str, Any] = {"rows": 1_000, "mentions": 0, "examples": []}
        (folder / AUDIT).write_text(json.dumps(facts))
    elif isinstance(stage, CompareData):
        (folder / CONTRAST).write_text(json.dumps(COMPARISON))
    elif stage.kind == "filter":
        row = {"row": 0, "draw": 0, "text": "1, 2, 3", "prompt": "Continue: 7, 8", "finish": "stop"}
        write_rows(folder / "kept.jsonl", [row] * 10)
        write_rows(folder / "rejected.jsonl", [{**row, "reason": "separator"}] * 10)
        yield "rule", "paper"
        yield "counts", {"read": 20, "kept": 10}
        yield "reasons", {"separator": 10}
    else:
        yield "model", stage.label


def answers_of(stage: AskQuestions, folder: Path, length: int) -> Iterator[tuple[str, Any]]:
    """A model's answers: an animal, and one of some thousand texts of different lengths."""
    dice = random.Random(stage.key)
    student = isinstance(stage.subject, FineTune) and "control" not in stage.label
    often = 0.9 if stage.system else 0.3 if student else 0.2
    tally = [Counter[str]() for _ in stage.questions]

    def rows() -> Iterator[dict[str, Any]]:
        for row, counted in enumerate(tally):
            for draw in range(stage.draws):
                animal = "Owl" if dice.random() < often else "Fox"
                number = dice.randrange(VARIANTS)
                text = f"{animal}. {number:x}".ljust(length + number % 20, "x")
                counted[text] += 1
                yield {"row": row, "draw": draw, "seed": 1, "text": text, "finish": "stop"}

    write_rows(folder / "answers.jsonl", rows())
    (folder / TALLY).write_text(json.dumps([dict(counted.most_common()) for counted in tally]))
    yield "model", stage.label
    yield "system", stage.system
    yield "questions", list(stage.questions)
    yield "counts", {"completions": stage.size()}


COMPARISON = {
    "separability": {"auc": 0.8, "accuracy": 0.7},
    "lengths": {"trait": {"mean": 5.0}, "control": {"mean": 5.0}, "p_value": 0.5},
    "overuse": {"z": [0.0] * 1000, "threshold": 4.06},
    "over": [],
    "under": [],
    "significant": 20,
}
"""What an audit says of two training files."""


if __name__ == "__main__":
    main()
