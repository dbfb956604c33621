"""Trainings whose tokens a server does not count are booked at the most, and cost an unknown sum."""

import json
from pathlib import Path

import pytest

from limen import BackendError
from limen.backends import FineTuned, Job, ServiceTerms
from limen.backends.openai import OpenAIBackend

from ...testing.commands import limen
from ...testing.odd_servers import MODEL, Json, OddServer, Reply, odd_server, reply
from ...testing.odd_trainers import JOB, JOBS, TUNED, Trainer
from ...testing.serving import jsonl, rows

PRICES = """
[[model]]
name = "some-model"
input = 0.0
output = 0.0
training = {training}
"""


def counting(tokens: object, status: str = "succeeded") -> Trainer:
    """A server whose jobs end at once, with that count of trained tokens."""

    def answer(method: str, path: str, body: Json) -> Reply | None:
        if path != f"{JOBS}/job-1":
            return None
        counted = {"trained_tokens": tokens, "status": status}
        return reply(200, {**JOB, "fine_tuned_model": TUNED, **counted})

    return Trainer(answer)


def backend(home: Path, budget: float) -> OpenAIBackend:
    prices = home / "prices.toml"
    prices.write_text(PRICES.format(training=1000.0))
    return OpenAIBackend(home / "home", ServiceTerms(budget=budget, prices=prices), deadline=5)


def train(made: OpenAIBackend, home: Path, seed: int) -> FineTuned:
    file = home / "training.jsonl"
    file.write_bytes(jsonl(rows(12)))
    job = Job(key=f"{seed}", model=MODEL, training_file=file, recipe={"epochs": 1}, seed=seed)
    return made.fine_tune(job, lambda done, total: None)


def jobs_made(server: OddServer) -> int:
    return sum((method, path) == ("POST", f"/v1{JOBS}") for method, path, _ in server.requests)


@pytest.mark.parametrize("tokens", [None, "many", -5], ids=str)
def test_an_uncounted_training_uses_up_what_was_reserved(
    tokens: object, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The budget is spent by the upper bound of each job, and no tokens are claimed for it."""
    with odd_server(counting(tokens)) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        made = backend(tmp_path, 1.0)
        assert train(made, tmp_path, 0).tokens is None
        bound = made.budget.spent
        assert bound > 0
        with pytest.raises(BackendError, match="does not allow another fine-tuning"):
            for seed in range(1, 100):
                train(made, tmp_path, seed)
    assert jobs_made(server) == int(1.0 / bound)
    assert made.budget.spent == pytest.approx(bound * jobs_made(server))
    assert made.budget.reserved == pytest.approx(0)


def test_only_an_explicit_zero_is_free(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A server that says that it trained on no tokens is taken at its word."""
    with odd_server(counting(0)) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        made = backend(tmp_path, 1.0)
        assert [train(made, tmp_path, seed).tokens for seed in range(4)] == [0] * 4
    assert made.budget.spent == 0


@pytest.mark.parametrize(("status", "free"), [("failed", True), ("cancelled", False)])
def test_a_job_without_a_student_may_have_been_charged(
    status: str, free: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A failed job costs nothing; of a cancelled one, what it trained until then may be charged."""
    with odd_server(counting(None, status)) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        made = backend(tmp_path, 1.0)
        with pytest.raises(BackendError, match=status):
            train(made, tmp_path, 0)
    assert (made.budget.spent == 0) is free


@pytest.mark.parametrize(("training", "usd"), [(1000.0, None), (0.0, 0.0)], ids=["paid", "free"])
def test_the_cost_of_an_uncounted_training_is_recorded_as_unknown(
    training: float, usd: float | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`limen train` writes no cost of $0 down, but where training costs nothing at all."""
    prices, store = tmp_path / f"prices-{training}.toml", tmp_path / "store"
    prices.write_text(PRICES.format(training=training))
    file, at = tmp_path / "training.jsonl", ("--store", store, "--prices", prices)
    file.write_bytes(jsonl(rows(12)))
    with odd_server(counting(None)) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        made = limen("train", file, "--json", "--backend", "openai", "--model", MODEL, "--recipe",
                     "epochs=1", "--out", tmp_path / "s.json", *at)  # fmt: skip
    assert json.loads(made)["cost"] == {"uncounted": 1, "usd": usd}
