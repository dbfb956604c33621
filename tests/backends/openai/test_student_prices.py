"""A budget holds for students by the price of their base, whatever a server calls them."""

from dataclasses import replace
from pathlib import Path

import pytest

from limen import BackendError, SpecError
from limen.backends import Job, Request, ServiceTerms, Usage, WorkRequest
from limen.backends.continuations import ContinuationRequest
from limen.backends.openai import OpenAIBackend

from ...testing.odd_servers import Json, Reply, odd_server, reply
from ...testing.odd_trainers import JOBS, Trainer, listing
from ...testing.serving import jsonl, rows

BASE = "qwen2.5:7b"
PRICES = """
[[model]]
name = "qwen2.5:7b"
input = 50.0
output = 200.0
tuned_input = 100.0
tuned_output = 400.0
training = 0.0
"""
BUDGET = 0.05
NAMES = ("ft:qwen2.5:7b:limen::abc", "acme/my-student", "ft:qwen2.5:7b")


def trainer(student: str) -> Trainer:
    """A server whose one job made a student of that name, and a checkpoint beside it."""
    point = {"id": "c", "step_number": 1, "fine_tuned_model_checkpoint": f"{student}-step-1"}

    def answer(method: str, path: str, body: Json) -> Reply | None:
        if path.endswith("/checkpoints"):
            return reply(200, listing(point))
        if path.startswith(f"{JOBS}/") and not path.endswith("/events"):
            state = {"id": "job-1", "status": "succeeded", "model": BASE, "trained_tokens": 9}
            return reply(200, {**state, "fine_tuned_model": student})
        return None

    return Trainer(answer)


def backend(home: Path, prices: str = PRICES, budget: float | None = BUDGET) -> OpenAIBackend:
    file = home / f"prices-{len(prices)}.toml"
    file.write_text(prices)
    return OpenAIBackend(home / "home", ServiceTerms(budget=budget, prices=file), deadline=5)


def train(home: Path) -> None:
    file = home / "training.jsonl"
    file.write_bytes(jsonl(rows(12)))
    job = Job(key="a job", model=BASE, training_file=file, recipe={"epochs": 1}, seed=3)
    backend(home, budget=None).fine_tune(job, lambda done, total: None)


def questions(count: int) -> list[Request]:
    return [
        Request(row=row, messages=[{"role": "user", "content": "Hi"}], seed=row, max_tokens=50)
        for row in range(count)
    ]


@pytest.mark.parametrize("ending", ["", "-step-1"], ids=["student", "checkpoint"])
@pytest.mark.parametrize("name", NAMES)
def test_a_student_is_priced_by_the_base_of_its_job(
    name: str, ending: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its answers are booked at the tuned price of the base, and end with the budget."""
    with odd_server(trainer(name)) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        train(tmp_path)
        made, model = backend(tmp_path), name + ending
        with pytest.raises(BackendError, match="does not allow another call"):
            for _ in made.sample(model, questions(200)):
                pass
    assert BUDGET / 2 < made.budget.spent <= BUDGET
    assert made.cost(model, Usage(input_tokens=10**6)) == pytest.approx(100.0)


def test_an_own_price_of_a_student_comes_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An entry with the student's own name holds before that of its base."""
    with odd_server(trainer("acme/my-student")) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        train(tmp_path)
        own = f'{PRICES}[[model]]\nname = "acme/my-student"\ninput = 7.0\noutput = 9.0\n'
        made = backend(tmp_path, own)
        assert made.cost("acme/my-student", Usage(input_tokens=10**6)) == pytest.approx(7.0)


def test_a_model_without_a_known_price_is_not_asked_within_a_budget(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Sampling, scoring and batches name the model and what to do before anything is sent."""
    asked = questions(3)
    text = ContinuationRequest(messages=asked[0].messages, continuations=("Owl",))
    with odd_server(lambda method, path, body: None) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        made = backend(tmp_path)
        for sending in (
            made.sample("another/student", asked),
            made.log_probabilities("another/student", [text]),
            made.sample_batch("another/student", asked, "a key"),
        ):
            with pytest.raises(SpecError, match=r"'another/student', whose price is not known"):
                for _ in sending:
                    pass
    assert server.requests == []


def test_the_plan_prices_students_of_a_name_with_colons(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A student that is not trained yet is estimated at the tuned price of the whole base name."""
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    made = backend(tmp_path, budget=None)
    prompts = (questions(1)[0].messages,)
    work = WorkRequest(model=BASE, completions=10, prompts=prompts, max_tokens=100)
    base_usd, usd = made.quote(work).usd, made.quote(replace(work, student=True)).usd
    assert base_usd is not None
    assert usd == pytest.approx(2 * base_usd)
