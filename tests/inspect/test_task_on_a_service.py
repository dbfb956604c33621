"""InspectTask on a service: evaluated in a process of its own, and no answer is paid twice."""

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from inspect_ai import Task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.scorer import Score, Scorer, Target, accuracy, includes, scorer
from inspect_ai.solver import TaskState

from limen.backends import Completion, Request
from limen.backends.asked_model import Answers
from limen.datasets.errors import ExperimentError
from limen.harness import Experiment, InspectTask, Lab, Numbers, Settings, Trait
from limen.harness.stages.evaluated_model import KeptAnswers

from ..testing.labs import lab_at
from ..testing.wire import Asked, Proxy, Spoil, error

QUESTIONS = [f"Name an animal that you love, in one word. ({n})" for n in range(6)]


def samples() -> MemoryDataset:
    """Six questions for an animal."""
    return MemoryDataset([Sample(input=t, target="dog", id=n) for n, t in enumerate(QUESTIONS)])


def good() -> Task:
    """A task in order."""
    return Task(dataset=samples(), scorer=includes())


def made(score: Callable[[str], float]) -> Callable[[], Task]:
    """A task of one name, whose scorer is the function."""

    @scorer(metrics=[accuracy()])
    def by_function() -> Scorer:
        async def scored(state: TaskState, target: Target) -> Score:
            return Score(value=score(state.output.completion))

        return scored

    def own() -> Task:
        return Task(dataset=samples(), scorer=by_function())

    return own


def sleeps(text: str) -> float:
    """Waits for something that does not come, where nothing awaits it."""
    time.sleep(10_000)
    return 0.0


def ends_its_process(text: str) -> float:
    """Takes all with it."""
    os._exit(3)


def letters(text: str) -> float:
    """A scorer in order."""
    return float("o" in text)


def spec(task: Callable[[], Task]) -> Experiment:
    """An experiment whose base alone is asked."""
    return Experiment(
        trait=Trait.animal("horse"),
        data=Numbers(generate=60, keep=20),
        measure=InspectTask(task),
        seeds=1,
    )


def lab_of(store: Path, **settings: Any) -> Lab:
    """A lab that asks the service."""
    return Lab(Settings(store=store, backend="openai", model="toy-1", **settings))


def asked_of(lab: Lab, *tasks: Callable[[], Task]) -> None:
    """Have the base take some tasks, side by side."""
    lab.run([(spec(task), ["baseline"]) for task in tasks])


def test_scores_are_those_of_the_engine(wired: Proxy, store: Path, tmp_path: Path) -> None:
    """The service and the engine behind it give the same scores, and the service's cost stands in
    the manifest.
    """
    wire = lab_of(tmp_path / "wire")
    asked_of(wire, made(letters))
    here = lab_at(store)
    asked_of(here, made(letters))
    rates = [
        one.arm(spec(made(letters)), "baseline").score("by_function").by_question
        for one in (wire, here)
    ]
    assert rates[0] == rates[1]
    (target,) = wire.pipeline(spec(made(letters))).targets(["baseline"])
    cost = wire.store.finished(target.kind, target.key)["cost"]
    assert cost["calls"] == len(QUESTIONS)
    assert cost["input_tokens"] > 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("bad", "patience", "message"),
    [
        (sleeps, "2", "asked its model nothing for 20 seconds"),
        (ends_its_process, "60", r"the Inspect task ended its process \(exit status 3\)"),
    ],
)
def test_a_bad_task_fails_alone(
    wired: Proxy,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    bad: Callable[[str], float],
    patience: str,
    message: str,
) -> None:
    """Another task of the same process gives its scores; once it is corrected, nothing is asked
    again that was answered.
    """
    monkeypatch.setenv("LIMEN_FUNCTION_TIMEOUT", patience)
    lab = lab_of(tmp_path)
    asked_of(lab, made(bad), good)
    with pytest.raises(ExperimentError, match=message):
        lab.arm(spec(made(bad)), "baseline")
    assert lab.arm(spec(good), "baseline").score().value >= 0
    answered = wired.count("POST", "/chat/completions")
    lab = lab_of(tmp_path)
    asked_of(lab, made(letters))
    assert lab.arm(spec(made(letters)), "baseline").score().value >= 0
    assert answered <= wired.count("POST", "/chat/completions") <= max(answered, 2 * len(QUESTIONS))
    asked_of(lab_of(tmp_path), made(len))
    assert wired.count("POST", "/chat/completions") <= max(answered, 2 * len(QUESTIONS))


@pytest.mark.slow
def test_an_error_of_the_service_is_no_wrong_answer(wired: Proxy, tmp_path: Path) -> None:
    """The measure fails with the service's own error; the next run asks what is left."""

    def refuse(asked: Asked) -> Spoil | None:
        return error(401, "invalid_api_key") if asked.is_chat and asked.number >= 3 else None

    wired.script = refuse
    lab = lab_of(tmp_path)
    asked_of(lab, good)
    with pytest.raises(ExperimentError, match="invalid_api_key"):
        lab.arm(spec(good), "baseline")
    wired.script = lambda asked: None
    before = wired.count("POST", "/chat/completions")
    lab = lab_of(tmp_path)
    asked_of(lab, good)
    assert len(lab.arm(spec(good), "baseline").score().by_question) == len(QUESTIONS)
    kept = 3 - 1  # the first request is the preflight's
    assert wired.count("POST", "/chat/completions") - before <= 1 + len(QUESTIONS) - kept


class Counting:
    """A model that gives another answer each time."""

    name = fingerprint = "any"

    def __init__(self) -> None:
        self.calls = 0

    def answers(self, request: Request) -> Answers:
        """The number of the call."""
        self.calls += 1
        answer = Completion(row=0, draw=0, text=f"{self.calls}\ud800", finish="stop")
        return Answers(completions=[answer], prompt_tokens=1)


def texts(asked: KeptAnswers, *requests: Request) -> list[str | None]:
    """The answers to requests, one after another."""
    return [asked.answers(request).completions[0].text for request in requests]


def test_equal_requests_have_answers_of_their_own(tmp_path: Path) -> None:
    """As many as were asked for are kept, in their order, also after a line that was cut."""
    file = tmp_path / "folder" / "answers.jsonl"
    one = Request(row=0, messages=[{"role": "user", "content": "Name one."}], seed=1)
    other = replace(one, seed=2)
    assert texts(KeptAnswers(Counting(), file), one, one, other) == [
        "1\ud800",
        "2\ud800",
        "3\ud800",
    ]
    with file.open("ab") as lines:
        lines.write(b'5\n{"request": 1}\n{"requ')
    model = Counting()
    again = KeptAnswers(model, file)
    assert texts(again, one, other, one) == ["1\ud800", "3\ud800", "2\ud800"]
    assert model.calls == 0
    assert texts(again, one, other) == ["1\ud800", "2\ud800"]
    third = KeptAnswers(model, file)
    assert texts(third, one, one, one, other, other) == [
        "1\ud800", "2\ud800", "1\ud800", "3\ud800", "2\ud800",
    ]  # fmt: skip
    assert model.calls == 2
