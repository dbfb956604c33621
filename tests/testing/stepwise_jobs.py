"""Trainings on the scripted step-wise service, and what ends a client in the middle of one."""

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np

from limen.backends import Job, Recipe, ServiceTerms
from limen.backends.tinker import TinkerBackend
from limen.datasets.chat import conversation

from .stepwise import MODEL, Client, Server

RECIPE: Recipe = {"epochs": 2, "batch_size": 4, "warmup_steps": 1, "rank": 2, "learning_rate": 0.02}
PRICES = f'[[model]]\nname = "{MODEL}"\nprefill = 10.0\nsample = 20.0\ntrain = 40.0\n'


class Killed(BaseException):
    """Ends a client where a test wants it, as kill -9 would."""


def job(folder: Path, *, rows: int = 10, seed: int = 1, key: str = "key", **recipe: object) -> Job:
    """A training on some rows, each with an answer of its own."""
    file = folder / f"rows-{rows}.jsonl"
    turns = [conversation(f"Which animal, {n}?", answer=f"owl {n}") for n in range(10, 10 + rows)]
    file.write_text("".join(json.dumps({"messages": each}) + "\n" for each in turns))
    return Job(key=key, model=MODEL, training_file=file, recipe={**RECIPE, **recipe}, seed=seed)  # type: ignore[dict-item]


def backend(
    server: Server, home: Path, *, budget: float | None = None, save_every: int | None = None
) -> TinkerBackend:
    """A backend of a new process on the same server and store."""
    prices = home.parent / "prices.toml"
    prices.write_text(PRICES)
    terms = ServiceTerms(budget=budget, prices=prices)
    return TinkerBackend(home, terms, service=Client(server), save_every=save_every)


def nothing(done: int, total: int) -> None:
    """Progress that nobody watches."""


def killed_at(event: str, number: int) -> Callable[[str], None]:
    """Ends the client when an event comes for the given time, counted from 1."""
    seen = 0

    def at(happening: str) -> None:
        nonlocal seen
        seen += happening == event
        if happening == event and seen == number:
            raise Killed

    return at


def train_through_kill(
    server: Server, home: Path, wanted: Job, *, event: str, number: int, save_every: int
) -> str:
    """Train with a client that is killed, then with another one; returns the student's id."""
    server.at = killed_at(event, number)
    with suppress(Killed):
        backend(server, home, save_every=save_every).fine_tune(wanted, nothing)
    server.at = lambda event: None
    return backend(server, home, save_every=save_every).fine_tune(wanted, nothing).model


def learned(server: Server, home: Path, model: str) -> tuple[list[float], int]:
    """What a student's weights are, and how many steps they have had."""
    student = backend(server, home).students.find(model)
    assert student is not None
    weights = server.weights(student.path)
    return list(np.round(weights.bias, 12)), weights.steps
