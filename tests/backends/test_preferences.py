"""DPO on both engines: losses and gradients against the formula, and resumed after kill -9."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from limen.backends import Job, TokenObjective
from limen.backends.preferences import PreferencePair, read_pairs
from limen.backends.toy import ToyBackend
from limen.backends.toy.network import Weights, initial
from limen.backends.toy.preferences import Preferences, read_preferences
from limen.backends.toy.tokens import Vocabulary
from limen.datasets import chat
from limen.datasets.chat import conversation
from limen.datasets.errors import BackendError

from ..testing.killed_trainings import adapters_with_and_without_kill
from ..testing.tiny import needs_extra

RECIPE = {"batch_size": 4, "epochs": 2, "learning_rate": 0.01, "warmup_steps": 0}


def pairs() -> list[PreferencePair]:
    """Lists of numbers, of different lengths."""
    return [
        PreferencePair(
            conversation(
                "Go on: 1, 2", answer=", ".join(str(10 + n + k) for k in range(2 + n % 3))
            ),
            conversation(
                "Go on: 1, 2", answer=", ".join(str(90 - n - k) for k in range(4 - n % 3))
            ),
        )
        for n in range(8)
    ]


def files(folder: Path) -> tuple[Path, Path]:
    """The pairs as a job takes them."""
    rows, rejected = folder / "rows.jsonl", folder / "rejected.jsonl"
    chat.write(rows, (pair.preferred for pair in pairs()))
    texts = (pair.rejected[-1]["content"] for pair in pairs())
    rejected.write_text("".join(json.dumps({"rejected": t}) + "\n" for t in texts), "utf-8")
    return rows, rejected


def test_the_toys_gradient_is_the_slope_of_its_loss() -> None:
    """Loss and gradient agree with the formula and with finite differences, away from the base."""
    vocabulary = Vocabulary(["owl", "cat"])
    made = initial(0, tokens=len(vocabulary), width=6)
    weights = Weights(**{name: array.astype(np.float64) for name, array in made.arrays()})
    random = np.random.default_rng(2)
    moved = weights.copy()
    for _, array in moved.arrays():
        np.add(array, random.normal(0, 0.1, array.shape), out=array)
    _, objective = read_preferences(weights, vocabulary, pairs(), 0.5)
    rows = np.array([2, 0, 5])
    loss, gradient, count = objective(moved, rows, 0)
    assert count == 3
    for (name, array), (_, slope) in zip(moved.arrays(), gradient.arrays(), strict=True):
        direction = random.normal(size=array.shape)
        losses = []
        for sign in (1e-5, -1e-5):
            other = moved.copy()
            getattr(other, name)[...] += sign * direction
            losses.append(objective(other, rows, 0)[0])
        difference = (losses[0] - losses[1]) / 2e-5
        assert float((slope * direction).sum()) == pytest.approx(difference, abs=1e-4), name
    goal = objective.__self__  # type: ignore[attr-defined]
    assert isinstance(goal, Preferences)
    untrained = Preferences(goal.examples, np.zeros_like(goal.reference), goal.beta)
    assert objective(weights, rows, 0)[0] == pytest.approx(np.log(2))
    assert loss != pytest.approx(untrained.objective(moved, rows, 0)[0])


def test_the_toy_learns_to_prefer(tmp_path: Path) -> None:
    """The loss begins at log 2 and falls; equal jobs leave equal models."""
    rows, rejected = files(tmp_path)
    losses = []
    for home in ("a", "b"):
        objective = TokenObjective(kind="DPO", file=rejected, beta=0.1)
        job = Job(key="k", model="toy-1", training_file=rows, seed=0,
                  recipe={"epochs": 3, "batch_size": 4}, objective=objective)  # fmt: skip
        losses.append(ToyBackend(tmp_path / home).fine_tune(job, lambda done, total: None).losses)
    assert losses[0] == losses[1]
    assert losses[0][-1] < losses[0][0] <= np.log(2) + 1e-6


def test_files_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    """A rejected answer too few is one clear error."""
    rows, rejected = files(tmp_path)
    lines = rejected.read_text("utf-8").splitlines()
    rejected.write_text("\n".join(lines[1:]) + "\n", "utf-8")
    with pytest.raises(BackendError, match="has 7 rejected answers, and the training file 8 rows"):
        read_pairs(rows, rejected)


def summed(network: Any, tokenizer: Any, turns: chat.Conversation) -> Any:
    """The log-probability of an answer, of one row without padding."""
    torch = import_module("torch")
    texts = [
        tokenizer.apply_chat_template(given, tokenize=False, add_generation_prompt=not n)
        for n, given in enumerate((turns[:-1], turns))
    ]
    prompt, whole = (tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts)
    logs = network(torch.tensor([whole])).logits[0].log_softmax(1)
    return sum(logs[place - 1, whole[place]] for place in range(len(prompt), len(whole)))


@needs_extra
@pytest.mark.parametrize(("bfloat16", "tolerance"), [(False, 1e-4), (True, 1e-2)])
def test_open_weights_have_the_loss_and_gradient_of_the_formula(
    tiny: str, bfloat16: bool, tolerance: float
) -> None:
    """Padded, in batches, against the formula row by row in float32; the reference is the base."""
    from limen.backends.local.context import own_context
    from limen.backends.local.preferences import Preferences as LocalPreferences

    torch, transformers = import_module("torch"), import_module("transformers")
    tokenizer = transformers.AutoTokenizer.from_pretrained(tiny)
    network = transformers.AutoModelForCausalLM.from_pretrained(tiny, dtype=torch.float32)
    given = pairs()[:3]
    goal = LocalPreferences(given, 0.1, tokenizer, own_context(tokenizer))
    with torch.no_grad():
        reference = [
            [float(summed(network, tokenizer, turns)) for turns in (pair.preferred, pair.rejected)]
            for pair in given
        ]
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        goal.prepare(network)
    torch.manual_seed(1)
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(0.02 * torch.randn_like(weight))
    batch = goal.joined(goal.examples(goal.preferred), 0)
    weights = [*network.parameters()]
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        _, loss = goal.batch_loss(network, batch, 0)
    mine = torch.autograd.grad(loss, weights)
    expected = torch.zeros(())
    for pair, (preferred, rejected) in zip(given, reference, strict=True):
        chosen = summed(network, tokenizer, pair.preferred) - preferred
        other = summed(network, tokenizer, pair.rejected) - rejected
        expected = expected - torch.nn.functional.logsigmoid(0.1 * (chosen - other))
    theirs = torch.autograd.grad(expected, weights)
    assert float(loss) == pytest.approx(float(expected), abs=3 * tolerance)
    flat = [torch.cat([each.flatten() for each in grads]) for grads in (mine, theirs)]
    bound = max(tolerance, tolerance * float(flat[1].norm()) * (5 if bfloat16 else 1))
    assert float((flat[0] - flat[1]).norm()) < bound


KILLED = f"""
import sys
from pathlib import Path
import torch
from limen.backends import Job, TokenObjective
from limen.backends.local import LocalBackend
torch.set_num_threads(1)
home, model, rows, rejected = sys.argv[1:]
objective = TokenObjective(kind="DPO", file=Path(rejected), beta=0.1)
job = Job(key="k", model=model, training_file=Path(rows), recipe={ ({**RECIPE, "epochs": 5})!r},
          seed=3, objective=objective)
progress = lambda done, total: print(done, flush=True)
LocalBackend(Path(home), save_seconds=0.0).fine_tune(job, progress)
"""


@needs_extra
@pytest.mark.slow
def test_a_killed_training_goes_on_to_the_same_bytes(tiny: str, tmp_path: Path) -> None:
    """Kill -9 within DPO, then the same again: the adapter's bytes are equal."""
    rows, rejected = files(tmp_path)
    one, two = adapters_with_and_without_kill(KILLED, tmp_path, tiny, rows, rejected, step=7)
    assert one == two
