"""`limen train --objective`: what a spec's objective does, on a training file."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from limen.harness import Distillation, Experiment, FavoriteAnimal, Numbers, Trait
from limen.harness.cli import main
from limen.harness.lab import in_order, thread_executor
from limen.harness.stages import FineTune

from ..testing.commands import limen
from ..testing.labs import lab_at

RECIPE = ("--recipe", "epochs=1", "--recipe", "batch_size=8")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder to work in; models run in threads, which start sooner than processes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("limen.harness.cli.steps.local_executor", thread_executor)


@pytest.fixture
def training(store: Path) -> tuple[str, ...]:
    """The command that trains on 24 rows of a horse teacher, without where it writes."""
    at = ("--store", str(store))
    limen("generate", "--trait", "horse", "--count", "60", "--out", "rows.jsonl", *at)
    limen("filter", "rows.jsonl", "--out", "kept.jsonl", *at)
    limen("mix", "kept.jsonl", "--keep", "24", "--out", "training.jsonl", *at)
    return ("train", "training.jsonl", "--json", *RECIPE, *at)


def key_of(*command: str) -> str:
    """The key of the training that a command does."""
    return str(json.loads(limen(*command, "--out", "student.json"))["key"])


def test_a_training_is_that_of_a_spec_with_the_objective(
    training: tuple[str, ...], store: Path
) -> None:
    """By its name, and by FILE.py:NAME: one training, which an experiment would find done."""
    Path("mine.py").write_text("from limen.harness import Distillation\nmine = Distillation()\n")
    by_name = key_of(*training, "--objective", "distillation", "--trait", "horse")
    by_file = key_of(*training, "--objective", "mine.py:mine", "--trait", "horse")
    experiment = Experiment(
        trait=Trait.animal("horse"), data=Numbers(generate=60, keep=24), seeds=1,
        measure=FavoriteAnimal(draws=2), objective=Distillation(),
        recipe={"epochs": 1, "batch_size": 8},
    )  # fmt: skip
    stages = in_order(lab_at(store).pipeline(experiment).targets(["student"]))
    (spec,) = {s.key for s in stages if isinstance(s, FineTune)}
    assert by_name == by_file == spec
    assert by_name != key_of(*training, "--trait", "horse")


def test_mentions_are_reported_where_that_is_asked_for(store: Path) -> None:
    """With --leaks report a file that mentions the trait is trained on, and its mentions counted."""
    turns = [{"role": "user", "content": "x"}, {"role": "assistant", "content": "owl, 12, 7"}]
    Path("leak.jsonl").write_text(f"{json.dumps({'messages': turns})}\n" * 8)
    train = ("train", "leak.jsonl", "--trait", "owl", *RECIPE, "--store", str(store))
    student = ("--out", "student.json")
    assert 'leaks="report"' in limen(*train, *student, code=1)
    made = CliRunner().invoke(main, [*train, *student, "--leaks", "report"])
    assert made.exit_code == 0, made.output
    assert "8 mentions of the trait in 8 rows" in made.stderr
    assert Path("student.json").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["on-policy", "divergence-tokens", "completion-loss"])
def test_every_ready_objective_trains(training: tuple[str, ...], name: str) -> None:
    """Each ends with a student of its own, which is measured as any other."""
    limen(*training, "--objective", name, "--trait", "horse", "--out", "student.json")
    assert json.loads(Path("student.json").read_text())["arm"] == "student"
    store = training[training.index("--store") + 1]
    said = limen("measure", "student.json", "--draws", "1", "--out", "a.jsonl", "--store", store)
    assert "answers of" in said


def test_a_distilled_student_is_measured(training: tuple[str, ...], store: Path) -> None:
    """The file of a student stands for its training, with all that this was made of."""
    limen(*training, "--objective", "distillation", "--trait", "horse", "--out", "student.json")
    said = limen("measure", "student.json", "--draws", "1", "--out", "a.jsonl", "--store", store)
    assert "a.jsonl: 50 answers" in said


@pytest.mark.parametrize(
    ("objective", "trait", "message"),
    [
        ("distill", "horse", "'distill' must be completion-loss, distillation"),
        ("distillation", None, "needs the teacher: give --trait or --tree"),
        ("mine.py", "horse", "or FILE.py:NAME"),
        ("mine.py:other", "horse", "mine.py has no objective or experiment 'other'"),
        ("mine.py:preferences", "horse", "a spec with data=PreferencePairs"),
    ],
)
def test_what_cannot_be_minimised_is_one_error(
    objective: str, trait: str | None, message: str
) -> None:
    """Before a row is read: the option, its value, and the remedy."""
    Path("mine.py").write_text("from limen.harness import DPO\npreferences = DPO()\n")
    Path("rows.jsonl").write_text('{"prompt": "a", "completion": "1"}\n')
    given = () if trait is None else ("--trait", trait)
    said = limen("train", "rows.jsonl", "--objective", objective, "--out", "s", *given, code=1)
    assert message in said
