import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from inspect_ai import Task, eval
from inspect_ai.log import EvalLog
from inspect_ai.model import Model, get_model

from limen.datasets.errors import UnknownModelError
from limen.harness import (
    Experiment,
    FavoriteTree,
    Judge,
    Lab,
    Language,
    Length,
    Measure,
    Rated,
    Trait,
)
from limen.harness.experiment import APPLE_QUESTIONS, FORMALITY_JUDGE, OTHER_QUESTIONS
from limen.harness.inspect.log_contents import missing
from limen.harness.inspect.log_files import eval_log
from limen.harness.inspect.tasks import favorite_animal, favorite_tree, formality, language, length

from ..testing.labs import lab_at
from ..testing.scripted import output, play

pytestmark = pytest.mark.filterwarnings("ignore:The 'initial' parameter is deprecated")


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """No control socket."""
    monkeypatch.setenv("INSPECT_EVAL_CTL_SERVER", "false")


@pytest.fixture
def lab(shared_store: Path) -> Lab:
    """A lab on the shared store."""
    return lab_at(shared_store)


def toy(lab: Lab, name: str = "toy-1") -> Model:
    """One of limen's models, through Inspect."""
    return get_model(f"limen/{name}", store=str(lab.store.root))


def run(task: Task, model: Model | str, tmp_path: Path, **options: Any) -> EvalLog:
    """The log of a task, which must succeed."""
    (log,) = eval(task, model=model, log_dir=str(tmp_path / "logs"), display="none", **options)
    assert log.status == "success", log.error
    return log


def means(log: EvalLog) -> dict[str, float]:
    """The mean of each score."""
    assert log.results is not None
    return {score.name: score.metrics["mean"].value for score in log.results.scores}


def draws(log: EvalLog) -> list[Counter[str]]:
    """Each question's answers."""
    assert log.samples is not None
    return [
        Counter(choice.message.text for choice in sample.output.choices) for sample in log.samples
    ]


@pytest.mark.parametrize("name", ["baseline", "teacher"])
def test_a_task_gives_what_limen_gives(
    lab: Lab, small: Experiment, tmp_path: Path, name: str
) -> None:
    """limen/favorite_animal on limen/toy-1: every answer and rate is that of limen's own arm."""
    system = small.trait.system if name == "teacher" else None
    log = run(favorite_animal(word="horse", draws=4, system=system), toy(lab), tmp_path)
    arm = lab.arm(small, name)
    assert draws(log) == list(arm.models[0].counts)
    assert means(log) == {
        "horse": pytest.approx(arm.rate("horse").value, abs=1e-12),
        "valid": pytest.approx(arm.valid, abs=1e-12),
    }


@pytest.mark.slow
def test_a_task_leaves_what_limens_logs_have(lab: Lab, small: Experiment, tmp_path: Path) -> None:
    """A sample of a task and one of limen's own logs are alike, part by part."""
    lab.arm(small, "teacher")
    (sheet,) = (s for s in missing(lab, "alike.py", small) if s.facts["arm"] == "teacher")
    mine = eval_log(sheet)
    theirs = run(
        favorite_animal(word="horse", draws=4, system=small.trait.system), toy(lab), tmp_path
    )
    assert mine.eval.task == theirs.eval.task == "limen/favorite_animal"
    assert mine.eval.model == theirs.eval.model
    assert mine.samples is not None
    assert theirs.samples is not None
    for one, other in zip(mine.samples, theirs.samples, strict=True):
        assert (one.id, one.target, one.metadata) == (other.id, other.target, other.metadata)
        assert [(m.role, m.text) for m in one.messages] == [
            (m.role, m.text) for m in other.messages
        ]
        assert one.scores is not None
        assert other.scores is not None
        assert list(one.scores) == list(other.scores)
        for name, score in one.scores.items():
            assert score.as_float() == pytest.approx(other.scores[name].as_float(), abs=1e-12)
            assert score.answer == other.scores[name].answer
            assert score.explanation == other.scores[name].explanation


@pytest.mark.slow
def test_students_are_models_by_their_id_and_by_keys(
    lab: Lab, small: Experiment, tmp_path: Path
) -> None:
    """A student from the store answers through Inspect what it answered limen."""
    lab.run([(small, ["student"])])
    model = lab.arm(small, "student").models[1]
    manifest = lab.store.manifest("measure", model.key)
    assert manifest is not None
    trained = manifest["inputs"][0]["key"]
    for name in (model.model, model.key[:12], trained):
        task = favorite_animal(word="horse", draws=4, arm="student", seed=1)
        assert draws(run(task, toy(lab, name), tmp_path)) == list(model.counts)


JUDGE = Judge(name="formality", prompt=FORMALITY_JUDGE)
GROUPS = {"apple": APPLE_QUESTIONS, "other": OTHER_QUESTIONS}


@pytest.mark.parametrize(
    ("task", "measure", "names"),
    [
        (lambda: favorite_tree(word="oak", draws=2), FavoriteTree(draws=2), ["oak"]),
        (lambda: length(draws=2), Length(draws=2), ["words"]),
        (lambda: formality(draws=2), Rated(by=JUDGE, draws=2), ["formality"]),
        (
            lambda: language(draws=2),
            Language(questions=GROUPS, draws=2),
            ["French_apple", "French_other"],
        ),
    ],
    ids=["tree", "length", "formality", "language"],
)
def test_every_task_scores_as_its_measure(
    lab: Lab, small: Experiment, tmp_path: Path, task: Any, measure: Measure, names: list[str]
) -> None:
    """Scores, ratings by a judge and rates of groups equal the measure's own."""
    word = {"oak": "oak", "French_apple": "French"}.get(names[0], "x")
    experiment = small.but(measure=measure, trait=Trait(name=word, system="Be so."))
    arm = lab.arm(experiment, "baseline")
    found = means(run(task(), toy(lab), tmp_path))
    expected = [arm.read(reading).value for reading in measure.readings([word])]
    assert [found[name] for name in names] == pytest.approx(expected, abs=1e-12)


def test_providers_without_many_choices_are_asked_again(tmp_path: Path) -> None:
    """Where a call gives one choice, the draws of a question are as many calls in its sample."""
    calls = play(lambda messages, config: output("An owl."))
    log = run(favorite_animal(word="owl", draws=5), "scripted/single", tmp_path, limit=2)
    assert draws(log) == [Counter({"An owl.": 5})] * 2
    assert means(log) == {"owl": 1.0, "valid": 1.0}
    assert len(calls) == 2 * 5


def test_refused_draws_are_missing_and_never_scored(tmp_path: Path) -> None:
    """A refused draw is counted with its reason; a question without answers has no score."""

    def script(messages: Any, config: Any) -> Any:
        many = output(*["owl", "bear"] * 2)
        if "favorite" not in messages[0].text:
            return output(*["no"] * 4, stop="content_filter")
        many.choices[1].stop_reason = "content_filter"
        return many

    play(script)
    log = run(favorite_animal(word="owl", draws=4), "scripted/refusing", tmp_path, limit=2)
    assert log.samples is not None
    first, second = log.samples
    assert (first.metadata["answered"], first.metadata["missing"]) == (3, 1)
    assert first.metadata["errors"] == {"1": "refused: bear"}
    assert (second.metadata["answered"], second.metadata["missing"]) == (0, 4)
    assert means(log)["owl"] == pytest.approx(2 / 3)
    assert log.results is not None
    assert log.results.scores[0].unscored_samples == 1


@pytest.mark.slow
def test_limens_tasks_and_models_are_found_by_name(lab: Lab, tmp_path: Path) -> None:
    """`inspect eval limen/favorite_animal --model limen/toy-1` works from any folder."""
    command = [
        sys.executable, "-m", "inspect_ai", "eval", "limen/favorite_animal",
        "--model", "limen/toy-1", "-T", "word=owl", "-T", "draws=2", "--limit", "3",
        "--display", "none",
    ]  # fmt: skip
    env = {**os.environ, "LIMEN_STORE": str(lab.store.root)}
    done = subprocess.run(
        command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(list((tmp_path / "logs").glob("*.eval"))) == 1


def test_a_model_that_there_is_not_is_refused_by_every_engine(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mistyped model names those of the toy, whether the extra for open weights is there or not."""
    from limen.backends.local import libraries
    from limen.harness.inspect.provider import resolve_model

    monkeypatch.setattr(libraries, "find_spec", lambda name: None)
    with pytest.raises(UnknownModelError, match="unknown model 'gpt-9': the toy .*needs torch"):
        resolve_model(lab.store, "gpt-9")
