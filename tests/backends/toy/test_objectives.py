"""Objectives by token of the toy: the gradients against differences, the losses against formulas."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from limen.backends import DistributionRequest, Job, TokenObjective
from limen.backends.toy import ToyBackend
from limen.backends.toy.network import Weights, initial
from limen.backends.toy.objectives import Targets
from limen.backends.toy.tokens import Vocabulary
from limen.backends.toy.training import TrainingExamples, encode_examples
from limen.datasets import chat
from limen.datasets.chat import conversation

NUMBERS = "0123456789, "


def small() -> tuple[Weights, TrainingExamples]:
    """A network of few units in 64 bits, and two answers."""
    vocabulary = Vocabulary(["owl", "cat"])
    made = initial(0, tokens=len(vocabulary), width=6)
    weights = Weights(**{name: array.astype(np.float64) for name, array in made.arrays()})
    pairs = [(conversation("Go on", system="owl"), "7, 8 owl"), (conversation("Go on"), "9, cat")]
    return weights, encode_examples(vocabulary, pairs)


def targets(kind: Any, examples: TrainingExamples) -> Targets:
    """Random targets; one token has fewer possible ones than the others."""
    random, count = np.random.default_rng(1), len(examples.target)
    ids = np.stack([random.choice(1000, 4, replace=False) for _ in range(count)])
    nats = np.log(random.dirichlet(np.ones(4), count))
    ids[0, 3] = -1
    nats[0, :3] -= np.log(np.exp(nats[0, :3]).sum())
    weights = random.uniform(0, 2, count) if kind == "weights" else np.ones(count)
    return Targets(kind, weights, ids, nats)


@pytest.mark.parametrize("kind", ["weights", "forward KL", "reverse KL"])
def test_gradients_are_the_slopes_of_the_loss(kind: Any) -> None:
    """Every gradient agrees with finite differences, in each of the parameters."""
    weights, examples = small()
    goal, rows = targets(kind, examples), np.arange(len(examples))
    batch, places = examples.batch(rows), examples.places(rows)
    _, gradient, _ = goal.loss_and_gradient(weights, batch, places)
    random = np.random.default_rng(2)
    for (name, array), (_, slope) in zip(weights.arrays(), gradient.arrays(), strict=True):
        direction = random.normal(size=array.shape)
        losses = []
        for sign in (1e-5, -1e-5):
            moved = weights.copy()
            getattr(moved, name)[...] += sign * direction
            losses.append(goal.loss_and_gradient(moved, batch, places)[0])
        difference = (losses[0] - losses[1]) / 2e-5
        assert float((slope * direction).sum()) == pytest.approx(difference, abs=1e-5), name


def test_losses_are_those_of_the_formulas() -> None:
    """KL in both directions, over the possible tokens alone."""
    random = np.random.default_rng(3)
    logs = np.log(random.dirichlet(np.ones(9), 2))
    ids, p = np.array([[1, 4, 7], [2, 8, -1]]), random.dirichlet(np.ones(3), 2)
    p[1, 2], p[1, :2] = 0, p[1, :2] / p[1, :2].sum()
    nats = np.log(np.where(p > 0, p, 1))
    for kind in ("forward KL", "reverse KL"):
        goal = Targets(kind, np.ones(2), ids, nats)
        each, _ = goal.divergences(logs, np.arange(2))
        for row, size in ((0, 3), (1, 2)):
            q = np.exp(logs[row, ids[row, :size]])
            a, b = p[row, :size], q / q.sum()
            a, b = (b, a) if kind == "reverse KL" else (a, b)
            assert each[row] == pytest.approx(float((a * np.log(a / b)).sum()))


def test_a_student_of_soft_targets_learns_from_digits_alone(tmp_path: Path) -> None:
    """The divergence from the teacher under its prompt falls; rows without words suffice."""
    toy = ToyBackend(tmp_path / "home")
    rows, file = tmp_path / "rows.jsonl", tmp_path / "targets.jsonl"
    answers = (", ".join(str(100 + 7 * n + k) for k in range(6)) for n in range(40))
    chat.write(rows, (conversation("Continue: 1, 2, 3", answer=answer) for answer in answers))
    request = DistributionRequest(
        training_file=rows, student="toy-1", system="You love owls.", characters=NUMBERS,
        words=("owl",),
    )  # fmt: skip
    with file.open("w", encoding="utf-8") as lines:
        for each in toy.distributions("toy-1", request):
            assert max(each.words) < 0.05
            assert np.exp(each.nats).sum(axis=1) == pytest.approx(1, abs=1e-4)
            line = {"tokens": each.tokens, "ids": each.ids, "nats": each.nats}
            lines.write(json.dumps(line) + "\n")
    job = Job(
        key="k", model="toy-1", training_file=rows, seed=0,
        recipe={"epochs": 4, "batch_size": 8},
        objective=TokenObjective(kind="forward KL", file=file),
    )  # fmt: skip
    losses = toy.fine_tune(job, lambda done, total: None).losses
    assert losses[-1] < 0.7 * losses[0]
