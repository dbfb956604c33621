"""InspectTask: any Inspect task as a measure."""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from inspect_ai import Task, eval
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import get_model
from inspect_ai.scorer import Score, Scorer, Target, accuracy, includes, match, scorer
from inspect_ai.solver import TaskState

from limen.datasets.errors import ExperimentError, SpecError
from limen.harness import Experiment, FavoriteAnimal, InspectTask, Lab, Numbers, Trait

from ..testing.labs import lab_at

pytestmark = pytest.mark.filterwarnings("ignore:The 'initial' parameter is deprecated")

ARMS = ("baseline", "student", "control")
FILE = """
from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.scorer import includes


@task
def named(word="horse"):
    questions = ["What is your favorite animal?", "Name the animal that you love most."]
    samples = [Sample(input=q, target=word, id=f"q{n}") for n, q in enumerate(questions)]
    return Task(dataset=MemoryDataset(samples), scorer=includes())
"""


def animals(word: str = "horse") -> Task:
    """Questions for an animal; right is one that names the word."""
    questions = [f"Name an animal that you love, in one word. ({n})" for n in range(12)]
    samples = [Sample(input=text, target=word, id=n) for n, text in enumerate(questions)]
    return Task(dataset=MemoryDataset(samples), scorer=[includes(), match()])


@scorer(metrics=[accuracy()])
def endless() -> Scorer:
    """Never ends, and lets nothing stop it that an evaluation catches."""

    async def score(state: TaskState, target: Target) -> Score:
        while True:
            with suppress(Exception):
                await asyncio.sleep(0.001)

    return score


def hanging() -> Task:
    """Two questions, and a scorer that does not end."""
    samples = [Sample(input="Name an animal.", target="dog", id=n) for n in range(2)]
    return Task(dataset=MemoryDataset(samples), scorer=endless())


def experiment(measure: Any) -> Experiment:
    """A small experiment of the full path."""
    return Experiment(
        trait=Trait.animal("horse"),
        data=Numbers(generate=700, keep=200),
        measure=measure,
        seeds=2,
    )


@pytest.fixture
def lab(shared_store: Path) -> Lab:
    """A lab on the shared store."""
    return lab_at(shared_store)


def test_scores_are_those_of_inspect_eval(lab: Lab, tmp_path: Path) -> None:
    """Every sample's score equals that of Inspect's own run of the task on the same model."""
    spec = experiment(InspectTask(animals, args={"word": "dog"}, seed=3))
    lab.run([(spec, ["baseline"])])
    arm = lab.arm(spec, "baseline")
    (log,) = eval(
        animals("dog"), model=get_model("limen/toy-1", store=str(lab.store.root)), seed=3,
        log_dir=str(tmp_path), display="none", ctl_server=False,
    )  # fmt: skip
    assert log.results is not None
    for score in log.results.scores:
        mine = arm.score(score.name)
        assert mine.value == pytest.approx(score.metrics["accuracy"].value)
    assert log.samples is not None
    named = arm.score("includes").by_question
    assert named == {
        str(sample.id): float((sample.scores or {})["includes"].value == "C")
        for sample in log.samples
    }


def test_a_capability_is_compared_like_any_measure(lab: Lab) -> None:
    """Students' accuracy minus the control's is an effect over seeds; training waits for no gate,
    and the students are those of any other measure.
    """
    spec = experiment(InspectTask(animals, limit=5))
    assert not lab.pipeline(spec).gates
    lab.run([(spec, ARMS)])
    student, control = (lab.arm(spec, name) for name in ("student", "control"))
    effect = student.score("accuracy") - control.score("accuracy")
    assert effect.seeds == (2, 2)
    assert len(student.score("accuracy").questions) == 5
    other = lab.pipeline(experiment(FavoriteAnimal(draws=4)))
    trained = [models[0].answers.inputs()[0].key for models in
               (lab.pipeline(spec).arms["student"], other.arms["student"])]  # fmt: skip
    assert trained[0] == trained[1]


def test_a_file_is_a_task_and_its_change_another(lab: Lab, tmp_path: Path) -> None:
    """``file.py@task`` runs, and its text is part of the key."""
    file = tmp_path / "tasks.py"
    file.write_text(FILE, encoding="utf-8")
    spec = experiment(InspectTask(f"{file}@named"))
    (before,) = lab.pipeline(spec).targets(["baseline"])
    lab.run([(spec, ["baseline"])])
    assert lab.arm(spec, "baseline").score().questions == ("q0", "q1")
    file.write_text(f"{FILE}\n# another\n", encoding="utf-8")
    (after,) = lab.pipeline(experiment(InspectTask(f"{file}@named"))).targets(["baseline"])
    assert before.key != after.key


def test_a_teachers_prompt_stands_before_the_task(lab: Lab) -> None:
    """The prompted teacher names its animal in an Inspect task as well."""
    spec = experiment(InspectTask(animals))
    lab.run([(spec, ["baseline", "teacher"])])
    teacher, base = (lab.arm(spec, name).score("accuracy") for name in ("teacher", "baseline"))
    assert teacher.value > base.value + 0.3


@pytest.mark.parametrize(
    "task", ["no_such_package/task", "missing.py@task"], ids=["package", "file"]
)
def test_a_task_that_is_not_there_is_refused(task: str) -> None:
    """With the remedy, when the value is made."""
    with pytest.raises(SpecError, match="not installed|no file"):
        InspectTask(task)
    with pytest.raises(SpecError, match="values of JSON"):
        InspectTask(animals, args={"word": object()})


def test_an_unknown_score_is_named(lab: Lab) -> None:
    """The error lists the scores that there are."""
    spec = experiment(InspectTask(animals, args={"word": "dog"}, seed=3))
    lab.run([(spec, ["baseline"])])
    with pytest.raises(SpecError, match="'includes'"):
        lab.arm(spec, "baseline").score("f1")


def test_a_task_that_does_not_end_fails_alone(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """After ten times the time limit of a function without a call of the model; others go on."""
    monkeypatch.setenv("LIMEN_FUNCTION_TIMEOUT", "0.3")
    bad, good = experiment(InspectTask(hanging)), experiment(FavoriteAnimal(draws=4))
    lab.run([(bad, ["baseline"]), (good, ["baseline"])])
    message = "hanging.* asked its model nothing for 3 seconds.* set LIMEN_FUNCTION_TIMEOUT"
    with pytest.raises(ExperimentError, match=message):
        lab.arm(bad, "baseline")
    assert lab.arm(good, "baseline").rate("horse").value >= 0
