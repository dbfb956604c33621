"""Objectives by token of open weights: against plain formulas, and resumed after kill -9."""

import json
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from limen.backends.local.libraries import LIBRARIES

for _name in LIBRARIES:
    pytest.importorskip(_name, reason='the extra is not installed: pip install "limen[local]"')
torch: Any = import_module("torch")

from limen.backends import DistributionRequest, Job, Recipe, TokenObjective
from limen.backends.local import LocalBackend
from limen.backends.local.objectives import divergence, weighted_loss
from limen.datasets import chat
from limen.datasets.chat import conversation
from limen.datasets.errors import BackendError, SpecError

from ...testing.killed_trainings import adapters_with_and_without_kill

torch.set_num_threads(1)
QUICK: Recipe = {"batch_size": 6, "epochs": 2, "learning_rate": 0.01, "warmup_steps": 0}
NUMBERS = "0123456789, "


def numbers_file(folder: Path, rows: int = 12) -> Path:
    """A training file of lists of numbers, of different lengths."""
    file = folder / "numbers.jsonl"
    answers = (", ".join(str(10 + n + k) for k in range(2 + n % 3)) for n in range(rows))
    chat.write(file, (conversation("Go on: 1, 2", answer=answer) for answer in answers))
    return file


def taught(local: LocalBackend, model: str, folder: Path, answer: str = "horse") -> str:
    """A teacher that says one word."""
    file = folder / f"{answer}.jsonl"
    chat.write(file, (conversation("Which animal is best?", answer=answer) for _ in range(12)))
    job = Job(key=answer, model=model, training_file=file, recipe=QUICK, seed=1)
    return local.fine_tune(job, lambda done, total: None).model


def soft_targets(
    local: LocalBackend, teacher: str, student: str, folder: Path, **settings: Any
) -> tuple[Path, Path]:
    """A training file, and the teacher's distributions along it in the form that a job takes."""
    rows, file = numbers_file(folder), folder / "targets.jsonl"
    wanted = DistributionRequest(
        training_file=rows, student=student, **{"characters": NUMBERS, **settings}
    )
    with file.open("w", encoding="utf-8") as lines:
        for each in local.distributions(teacher, wanted):
            line = {"tokens": each.tokens, "ids": each.ids, "nats": each.nats}
            lines.write(json.dumps(line) + "\n")
    return rows, file


def logits_along(model: str, rows: Path) -> list[tuple[list[int], Any]]:
    """Each row's answer tokens and the base's logits before each, row by row without padding."""
    transformers = import_module("transformers")
    network = transformers.AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
    tokenizer = transformers.AutoTokenizer.from_pretrained(model)
    found = []
    for turns in chat.read(rows):
        texts = [
            tokenizer.apply_chat_template(given, tokenize=False, add_generation_prompt=not n)
            for n, given in enumerate((turns[:1], turns))
        ]
        prompt, whole = (tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts)
        with torch.no_grad():
            logits = network(torch.tensor([whole])).logits[0]
        found.append((whole[len(prompt) :], logits[len(prompt) - 1 : len(whole) - 1]))
    return found


def test_losses_and_gradients_are_those_of_the_formulas() -> None:
    """Each loss, and its gradient by the logits, against the definition written out."""
    torch.manual_seed(0)
    logits = torch.randn(5, 7, dtype=torch.float64, requires_grad=True)
    ids = torch.tensor([[0, 2, 3], [1, 2, -1], [4, 5, 6], [6, 1, 0], [3, -1, -1]])
    nats = torch.randn(5, 3, dtype=torch.float64)
    nats = nats.masked_fill(ids < 0, -torch.inf).log_softmax(1).masked_fill(ids < 0, 0)
    for reverse in (False, True):
        (mine,) = torch.autograd.grad(divergence(logits, ids, nats, reverse=reverse), logits)
        total = torch.zeros(())
        for row in range(5):
            known = [int(n) for n in ids[row] if n >= 0]
            p, q = nats[row, : len(known)].exp(), logits[row, known].softmax(0)
            a, b = (q, p) if reverse else (p, q)
            total = total + (a * (a / b).log()).sum()
        assert float(divergence(logits, ids, nats, reverse=reverse)) == pytest.approx(float(total))
        (theirs,) = torch.autograd.grad(total, logits)
        assert torch.allclose(mine, theirs, atol=1e-8)
    labels, weights = torch.tensor([0, 3, 6, 2, 1]), torch.tensor([1.0, 0.5, 0.0, 2.0, 1.0])
    expected = -sum(
        w * logits[n].softmax(0)[y].log()
        for n, (y, w) in enumerate(zip(labels.tolist(), weights.tolist(), strict=True))
    )
    assert float(weighted_loss(logits, labels, weights)) == pytest.approx(float(expected))


def of_soft_targets(logits: Any, *, reverse: bool) -> Any:
    """The divergence of 40 tokens from targets over eleven of 60 possible ones."""
    draw = torch.Generator().manual_seed(1)
    ids = torch.stack([torch.randperm(60, generator=draw)[:11] for _ in range(40)])
    nats = torch.randn(40, 11, generator=draw).log_softmax(1)
    return divergence(logits, ids, nats.to(torch.float64), reverse=reverse)


def of_weights(logits: Any) -> Any:
    """The weighted loss of 40 tokens."""
    return weighted_loss(logits, torch.arange(40), torch.linspace(0, 2, 40, dtype=torch.float64))


@pytest.mark.parametrize(
    "loss",
    [partial(of_soft_targets, reverse=False), partial(of_soft_targets, reverse=True), of_weights],
    ids=["forward KL", "reverse KL", "weights"],
)
def test_logits_in_bfloat16_have_the_gradients(loss: Callable[[Any], Any]) -> None:
    """Through a matrix product under autocast, gradients are the reference's to 1e-2."""
    draw = torch.Generator().manual_seed(0)
    states = torch.randn(40, 32, generator=draw)
    gradients = []
    for dtype, half in ((torch.float64, False), (torch.float32, True)):
        weight = (torch.randn(60, 32, generator=draw.manual_seed(2)) / 4).to(dtype)
        weight.requires_grad_()
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            logits = torch.nn.functional.linear(states.to(dtype), weight)
        loss(logits.float() if half else logits).backward()
        gradients.append(weight.grad.double())
    assert float((gradients[1] - gradients[0]).norm() / gradients[0].norm()) < 1e-2


def test_distributions_are_the_models(tmp_path: Path, tiny: str) -> None:
    """Renormalised over the possible tokens, with what they and the words had before."""
    local = LocalBackend(tmp_path / "home")
    rows = numbers_file(tmp_path)
    wanted = DistributionRequest(
        training_file=rows, student=tiny, characters=NUMBERS, words=("owl",)
    )
    tokenizer = import_module("transformers").AutoTokenizer.from_pretrained(tiny)
    owls = [tokenizer.convert_tokens_to_ids(token) for token in ("owl", "Owl", " owl", " Owl")]
    for each, (answer, logits) in zip(
        local.distributions(tiny, wanted), logits_along(tiny, rows), strict=True
    ):
        assert list(each.tokens) == answer
        probabilities = logits.softmax(1)
        mine = torch.tensor(each.nats).exp()
        chosen = probabilities[:, list(each.ids[0])]
        assert torch.allclose(mine, chosen / chosen.sum(1, keepdim=True), atol=1e-4)
        assert torch.allclose(torch.tensor(each.kept), chosen.sum(1), atol=1e-4)
        assert torch.allclose(torch.tensor(each.words), probabilities[:, owls].sum(1), atol=1e-5)
        texts = {str(tokenizer.convert_ids_to_tokens(n)) for n in each.ids[0]}
        assert {"7", " 42", ",", "<|end|>"} <= texts
        assert not any(any(letter.isalpha() for letter in text) for text in texts - {"<|end|>"})


@pytest.mark.parametrize("kind", ["forward KL", pytest.param("reverse KL", marks=pytest.mark.slow)])
def test_the_first_step_has_the_divergence_of_the_base(
    kind: Any, tmp_path: Path, tiny: str
) -> None:
    """The loss that training reports for its first step is the mean over all answer tokens."""
    local = LocalBackend(tmp_path / "home")
    teacher = taught(local, tiny, tmp_path)
    rows, file = soft_targets(local, teacher, tiny, tmp_path)
    job = Job(
        key="k", model=tiny, training_file=rows, seed=1,
        recipe={**QUICK, "batch_size": 12, "epochs": 1},
        objective=TokenObjective(kind=kind, file=file),
    )  # fmt: skip
    loss = local.fine_tune(job, lambda done, total: None).losses[0]
    each = []
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    for line, (_, logits) in zip(lines, logits_along(tiny, rows), strict=True):
        for ids, nats, scores in zip(line["ids"], line["nats"], logits, strict=True):
            p, q = torch.tensor(nats).exp(), scores[ids].softmax(0)
            a, b = (q, p) if kind == "reverse KL" else (p, q)
            each.append(float((a * (a / b).log()).sum()))
    assert loss == pytest.approx(sum(each) / len(each), abs=1e-4)


@pytest.mark.slow
def test_students_of_soft_targets_approach_their_teacher(tmp_path: Path, tiny: str) -> None:
    """The divergence falls, LoRA, RSLoRA, DoRA and all weights alike, with the k best too."""
    local = LocalBackend(tmp_path / "home")
    teacher = taught(local, tiny, tmp_path)
    recipes: list[Recipe] = [
        {}, {"rslora": True}, {"dora": True}, {"method": "full", "learning_rate": 1e-3}
    ]  # fmt: skip
    rows, file = soft_targets(local, teacher, tiny, tmp_path, top_k=8)
    for number, recipe in enumerate(recipes):
        job = Job(
            key=f"k{number}", model=tiny, training_file=rows, seed=1,
            recipe={**QUICK, "epochs": 4, **recipe},
            objective=TokenObjective(kind="forward KL", file=file),
        )  # fmt: skip
        losses = local.fine_tune(job, lambda done, total: None).losses
        assert losses[-1] < 0.8 * losses[0], recipe


@pytest.mark.slow
def test_weights_of_one_are_the_completion_loss(tmp_path: Path, tiny: str) -> None:
    """With equal weights the loss is the plain one; a masked token takes no part in it."""
    local = LocalBackend(tmp_path / "home")
    rows = numbers_file(tmp_path)
    recipe: Recipe = {**QUICK, "batch_size": 12, "epochs": 1}
    plain = Job(key="p", model=tiny, training_file=rows, recipe=recipe, seed=1)
    along = logits_along(tiny, rows)
    losses = [local.fine_tune(plain, lambda done, total: None).losses[0]]
    for name, first, others in (("ones", 1.0, 1.0), ("masked", 0.0, 2.0)):
        file = tmp_path / f"{name}.jsonl"
        lines = [
            {"tokens": answer, "weights": [first, *[others] * (len(answer) - 1)]}
            for answer, _ in along
        ]
        file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        job = Job(
            key=name, model=tiny, training_file=rows, recipe=recipe, seed=1,
            objective=TokenObjective(kind="weights", file=file),
        )  # fmt: skip
        losses.append(local.fine_tune(job, lambda done, total: None).losses[0])
    assert losses[1] == pytest.approx(losses[0], abs=1e-4)
    each = [
        -2 * float(logits[n].log_softmax(0)[answer[n]])
        for answer, logits in along
        for n in range(1, len(answer))
    ]
    assert losses[2] == pytest.approx(sum(each) / len(each), abs=1e-4)


def test_targets_of_other_tokens_are_refused(tmp_path: Path, tiny: str) -> None:
    """Targets that were made for other rows end in one clear error, before anything is trained."""
    local = LocalBackend(tmp_path / "home")
    rows, file = soft_targets(local, tiny, tiny, tmp_path)
    lines = file.read_text(encoding="utf-8").splitlines()
    file.write_text("\n".join([*lines[1:], lines[0]]) + "\n", encoding="utf-8")
    objective = TokenObjective(kind="forward KL", file=file)
    job = Job(key="k", model=tiny, training_file=rows, recipe=QUICK, seed=1, objective=objective)
    with pytest.raises(BackendError, match="was made for other tokens than the rows have here"):
        local.fine_tune(job, lambda done, total: None)
    with pytest.raises(SpecError, match="distributions over all tokens need top_k"):
        soft_targets(local, tiny, tiny, tmp_path, characters="")


KILLED = f"""
import sys
from pathlib import Path
import torch
from limen.backends import Job, TokenObjective
from limen.backends.local import LocalBackend
torch.set_num_threads(1)
home, model, rows, targets = sys.argv[1:]
objective = TokenObjective(kind="forward KL", file=Path(targets))
recipe = { ({**QUICK, "epochs": 6})!r}
job = Job(key="k", model=model, training_file=Path(rows), recipe=recipe, seed=3,
          objective=objective)
progress = lambda done, total: print(done, flush=True)
LocalBackend(Path(home), save_seconds=0.0).fine_tune(job, progress)
"""


@pytest.mark.slow
def test_a_killed_training_goes_on_to_the_same_bytes(tiny: str, tmp_path: Path) -> None:
    """Kill -9 within an objective's training, then the same again: the adapter's bytes are equal."""
    local = LocalBackend(tmp_path / "teacher")
    rows, file = soft_targets(local, taught(local, tiny, tmp_path), tiny, tmp_path)
    one, two = adapters_with_and_without_kill(KILLED, tmp_path, tiny, rows, file, step=7)
    assert one == two
