"""On-policy distillation on both engines: losses, gradients, random numbers, kill -9."""

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from limen.backends import Job, OnPolicy, TokenObjective
from limen.backends.toy import ToyBackend
from limen.backends.toy.network import Weights, initial
from limen.backends.toy.on_policy import sampled
from limen.backends.toy.tokens import Vocabulary
from limen.backends.toy.training import encode_examples
from limen.datasets import chat
from limen.datasets.chat import conversation

from ..testing.killed_trainings import adapters_with_and_without_kill
from ..testing.tiny import needs_extra

NUMBERS = "0123456789, "
RECIPE = {"batch_size": 4, "epochs": 2, "learning_rate": 0.01, "warmup_steps": 0}


def rows_in(folder: Path, count: int = 6) -> Path:
    """Prompts for numbers, of different lengths."""
    file = folder / "rows.jsonl"
    asked = (f"Go on: {', '.join(str(k) for k in range(1 + n % 3))}" for n in range(count))
    chat.write(file, (conversation(text, answer="7, 8") for text in asked))
    return file


def settings(teacher: str, system: str | None = "You love owls.") -> OnPolicy:
    """Short answers of numbers."""
    return OnPolicy(teacher=teacher, system=system, characters=NUMBERS, max_tokens=6)


def test_the_toys_gradient_is_the_slope_along_given_answers(tmp_path: Path) -> None:
    """No gradient passes through the sampling: with the answers held, slopes agree."""
    vocabulary = Vocabulary(["owl", "cat"])
    weights, teacher = (
        Weights(**{name: array.astype(np.float64) for name, array in made.arrays()})
        for made in (initial(seed, tokens=len(vocabulary), width=6) for seed in (0, 1))
    )
    file = rows_in(tmp_path)
    turns = [(messages[:1], messages[1]["content"]) for messages in chat.read(file)]
    examples = encode_examples(vocabulary, turns)
    goal = sampled(vocabulary, settings("t"), file, examples, teacher, 3)
    rows = np.array([4, 0, 1])
    answers = goal._answers(weights, rows, 2)
    assert answers == goal._answers(weights, rows, 2) != goal._answers(weights, rows, 3)
    assert goal._answers(weights, rows[::-1], 2) == answers[::-1]
    allowed = set(goal.possible.tolist())
    assert all(allowed.issuperset(answer) for answer in answers)
    object.__setattr__(goal, "_answers", lambda *_: answers)
    loss, gradient, count = goal.objective(weights, rows, 2)
    assert loss > 0
    assert count == 3
    random = np.random.default_rng(2)
    for (name, array), (_, slope) in zip(weights.arrays(), gradient.arrays(), strict=True):
        direction = random.normal(size=array.shape)
        losses = []
        for sign in (1e-5, -1e-5):
            moved = weights.copy()
            getattr(moved, name)[...] += sign * direction
            losses.append(goal.objective(moved, rows, 2)[0])
        difference = (losses[0] - losses[1]) / 2e-5
        assert float((slope * direction).sum()) == pytest.approx(difference, abs=1e-4), name


def test_the_toy_approaches_its_teacher(tmp_path: Path) -> None:
    """The divergence falls; the same job gives the same losses; the base as teacher gives 0."""
    losses: list[tuple[float, ...]] = []
    for system in ("You love owls.", "You love owls.", None):
        objective = TokenObjective(
            kind="on-policy", file=tmp_path / "none", on_policy=settings("toy-1", system)
        )
        job = Job(key="k", model="toy-1", training_file=rows_in(tmp_path, 40), seed=0,
                  recipe={"epochs": 4, "batch_size": 8}, objective=objective)  # fmt: skip
        made = ToyBackend(tmp_path / f"home{len(losses)}").fine_tune(job, lambda done, total: None)
        losses.append(made.losses)
    assert losses[0] == losses[1]
    assert losses[0][-1] < losses[0][0]
    assert max(map(abs, losses[2])) < 1e-6


@needs_extra
@pytest.mark.parametrize(("bfloat16", "tolerance"), [(False, 1e-4), (True, 1e-2)])
def test_open_weights_have_the_loss_and_gradient_of_the_formula(
    tiny: str, bfloat16: bool, tolerance: float
) -> None:
    """Padded, in batches, against KL(student, teacher) row by row along the sampled answers."""
    from limen.backends.local.on_policy import OnPolicyObjective, OnPolicySettings

    torch, transformers = import_module("torch"), import_module("transformers")
    load = transformers.AutoModelForCausalLM.from_pretrained
    student, teacher = (load(tiny, dtype=torch.float32) for _ in range(2))
    torch.manual_seed(1)
    with torch.no_grad():
        for weight in teacher.parameters():
            weight.add_(0.02 * torch.randn_like(weight))
    prompts, theirs = [[3, 4, 5, 6], [7, 8], [9, 3, 4]], [(5, 3, 4), (6, 7, 8, 9), (3,)]
    possible = (2, 5, 6, 7, 8, 9, 10)
    goal = OnPolicyObjective(
        lambda: teacher, theirs,
        OnPolicySettings(possible=possible, ends=frozenset({2}), max_tokens=5, seed=3, pad=0),
    )  # fmt: skip
    goal.prepare(student)
    batch = goal.joined([{"input_ids": ids, "row": n} for n, ids in enumerate(prompts)], 0)
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        answers = goal.sampled(student, prompts, [0, 1, 2], 4)
        _, loss = goal.batch_loss(student, batch, 4)
    mine = torch.autograd.grad(loss, [*student.parameters()])
    expected = torch.zeros(())
    for prompt, read, answer in zip(prompts, theirs, answers, strict=True):
        assert set(answer) <= {*possible}
        logs = []
        for network, before in ((student, prompt), (teacher, read)):
            whole = torch.tensor([[*before, *answer]])
            after = network(whole).logits[0, len(before) - 1 : -1]
            logs.append(after[:, list(possible)].log_softmax(1))
        each = (logs[0].exp() * (logs[0] - logs[1].detach())).sum(1)
        expected = expected + each.mean()
    grads = torch.autograd.grad(expected, [*student.parameters()])
    assert float(loss) == pytest.approx(float(expected), abs=3 * tolerance)
    one, two = (torch.cat([each.flatten() for each in given]) for given in (mine, grads))
    assert float((one - two).norm()) < max(tolerance, 5 * tolerance * float(two.norm()))


KILLED = f"""
import sys
from pathlib import Path
import torch
from limen.backends import Job, OnPolicy, TokenObjective
from limen.backends.local import LocalBackend
torch.set_num_threads(1)
home, model, rows = sys.argv[1:]
teacher = OnPolicy(teacher=model, system="owl owl", characters={NUMBERS!r}, max_tokens=6)
objective = TokenObjective(kind="on-policy", file=Path(rows), on_policy=teacher)
job = Job(key="k", model=model, training_file=Path(rows), recipe={ ({**RECIPE, "epochs": 4})!r},
          seed=3, objective=objective)
progress = lambda done, total: print(done, flush=True)
made = LocalBackend(Path(home), save_seconds=0.0).fine_tune(job, progress)
print("losses", *made.losses)
"""


@needs_extra
@pytest.mark.slow
def test_a_killed_training_goes_on_to_the_same_bytes(tiny: str, tmp_path: Path) -> None:
    """Kill -9 within it, then the same again: each step has its own seeds, so bytes are equal."""
    one, two = adapters_with_and_without_kill(KILLED, tmp_path, tiny, rows_in(tmp_path), step=5)
    assert one == two
