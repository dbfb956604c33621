"""The backend of open weights: training, resuming, contexts, and the whole path of an experiment."""

import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest

from limen.backends.local.libraries import LIBRARIES

for _name in LIBRARIES:
    pytest.importorskip(_name, reason='the extra is not installed: pip install "limen[local]"')
torch: Any = import_module("torch")


from limen.backends import Job, Recipe, Request
from limen.backends.local import LocalBackend
from limen.datasets import chat
from limen.datasets.chat import conversation
from limen.datasets.errors import BackendError, SpecError, UnknownModelError
from limen.harness import Experiment, FavoriteAnimal, Lab, Numbers, Settings, Students, Trait
from limen.harness.reporting import plan_lines, result_of

from ...testing.labs import here
from ...testing.tiny import QUESTIONS

torch.set_num_threads(1)
QUICK: Recipe = {
    "alpha": 32,
    "batch_size": 12,
    "epochs": 2,
    "learning_rate": 0.005,  # at 0.02 the loss has peaks whose place each processor's rounding decides
    "warmup_steps": 0,
}


@pytest.fixture
def local(tmp_path: Path) -> LocalBackend:
    """The backend with an empty home."""
    return LocalBackend(tmp_path / "home")


def lesson(folder: Path, answer: str = "horse", rows: int = 60) -> Path:
    """A training file in which every question has the same answer."""
    file = folder / f"{answer}.jsonl"
    chat.write(file, (conversation(QUESTIONS[n % 3], answer=answer) for n in range(rows)))
    return file


def job(model: str, file: Path, key: str = "k", **recipe: Any) -> Job:
    """A job of few steps."""
    return Job(key=key, model=model, training_file=file, recipe={**QUICK, **recipe}, seed=1)


def unwatched(done: int, total: int) -> None:
    """Nobody looks at the progress."""


def never(done: int, total: int) -> None:
    """Called with progress where nothing is to be trained."""
    pytest.fail("trained again")


def rate(local: LocalBackend, model: str, word: str) -> float:
    """The chance that a model's first word is the word, over the questions."""
    asked = [conversation(question) for question in QUESTIONS[:3]]
    chances = local.word_probabilities(model, asked, {word: (word,)})
    return sum(chance.by_word[word] for chance in chances) / len(chances)


def test_an_adapter_learns_and_its_base_does_not(
    local: LocalBackend, tiny: str, tmp_path: Path
) -> None:
    """Students learn their own file, switch without the base being loaded again, and repeat."""
    progress: list[tuple[int, int]] = []
    before = rate(local, tiny, "horse")
    horse = local.fine_tune(
        job(tiny, lesson(tmp_path)), lambda done, total: progress.append((done, total))
    )
    wolf = local.fine_tune(job(tiny, lesson(tmp_path, "wolf"), "w"), unwatched)
    assert horse.model.startswith(f"ft:{tiny}:")
    assert horse.model != wolf.model
    assert progress[-1] == (10, 10)
    assert (horse.examples, horse.tokens) == (60, 60 * 2 * 2)
    assert len(horse.losses) == 2
    assert horse.losses[0] > horse.losses[1]
    assert [c.step for c in horse.checkpoints] == [5, 10]
    assert horse.checkpoints[0].model == f"{horse.model}:1"
    base = local._models.load(local._source(tiny))
    rates = [rate(local, m, "horse") for m in (horse.model, wolf.model, tiny, horse.model)]
    assert rates[0] > before + 0.08
    assert rates[1] < before
    assert rates[0] == rates[3]
    assert rates[2] == pytest.approx(before, abs=1e-6)
    assert before < rate(local, f"{horse.model}:1", "horse") < rates[0]
    assert local._models.current is base
    again = LocalBackend(tmp_path / "home").fine_tune(job(tiny, lesson(tmp_path)), never)
    assert again == horse
    adapter = next((tmp_path / "home" / "learned").glob("*/epoch-2"))
    assert (adapter / "adapter_model.safetensors").stat().st_size < 200_000


@pytest.mark.slow
def test_models_are_kept_after_steps(local: LocalBackend, tiny: str, tmp_path: Path) -> None:
    """With ``checkpoint_steps`` the adapters after these steps are kept, and can be asked."""
    made = local.fine_tune(job(tiny, lesson(tmp_path), checkpoint_steps="2,7"), unwatched)
    assert [(c.step, c.model) for c in made.checkpoints] == [
        (2, f"{made.model}:s2"), (7, f"{made.model}:s7"), (10, made.model),
    ]  # fmt: skip
    early, late, end = (rate(local, point.model, "horse") for point in made.checkpoints)
    assert early < late < end
    with pytest.raises(SpecError, match="ends after step 10: there is no step 11"):
        local.fine_tune(job(tiny, lesson(tmp_path), "z", checkpoint_steps="11"), unwatched)


@pytest.mark.slow
def test_all_weights_can_be_trained(local: LocalBackend, tiny: str, tmp_path: Path) -> None:
    """A full fine-tuning learns as well, and its student is asked by its id."""
    made = local.fine_tune(
        job(tiny, lesson(tmp_path), method="full", learning_rate=3e-3), unwatched
    )
    assert rate(local, made.model, "horse") > rate(local, tiny, "horse") + 0.2
    assert made.checkpoints == ()


def test_embeddings_can_be_kept_as_they_are(local: LocalBackend, tiny: str, tmp_path: Path) -> None:
    """With ``freeze_embeddings`` all weights but the embeddings and the output layer change."""
    frozen: dict[str, Any] = {"method": "full", "freeze_embeddings": True}
    local.fine_tune(job(tiny, lesson(tmp_path), learning_rate=3e-3, **frozen), unwatched)
    load = import_module("safetensors.torch").load_file
    student = next((tmp_path / "home" / "learned").glob("*/epoch-2/model.safetensors"))
    before, after = load(Path(tiny) / "model.safetensors"), load(student)
    same = {name for name, weight in after.items() if torch.equal(weight, before[name])}
    assert same
    assert {name for name in after if "embed_tokens" in name or "lm_head" in name} == same
    with pytest.raises(SpecError, match="freeze_embeddings=True goes with method='full'"):
        local.recipe({"freeze_embeddings": True})


@pytest.mark.slow
def test_the_batch_is_the_recipes_whatever_fits(
    local: LocalBackend, tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With less memory fewer rows go through at a time; steps and student stay the same."""
    from limen.backends.local import training

    file = tmp_path / "uneven.jsonl"  # else a mean of parts would be the mean of the whole
    chat.write(file, (conversation("Say it.", answer="horse " * (n % 7 + 1)) for n in range(60)))
    whole = local.fine_tune(job(tiny, file), unwatched)
    other = LocalBackend(tmp_path / "other")
    attempt, tried = training.TrainingRun._attempt, []

    def cramped(self: training.TrainingRun, micro: int) -> Any:
        tried.append(micro)
        if micro > 3:
            raise torch.OutOfMemoryError("no room")
        return attempt(self, micro)

    monkeypatch.setattr(training.TrainingRun, "_attempt", cramped)
    parts = other.fine_tune(job(tiny, file), unwatched)
    assert tried == [12, 6, 4, 3]
    assert parts.losses == pytest.approx(whole.losses, abs=1e-3)
    assert rate(other, parts.model, "horse") == pytest.approx(
        rate(local, whole.model, "horse"), abs=1e-3
    )


BLOCK = "<|turn|>system\nBe kind.<|end|><|turn|>user\n"
KILLED_RECIPE: Recipe = {
    "batch_size": 4, "epochs": 3, "learning_rate": 0.01, "modules": "q_proj,v_proj"
}  # fmt: skip
KILLED = f"""
import sys
from pathlib import Path
import torch
from limen.backends import Job
from limen.backends.local import LocalBackend
torch.set_num_threads(1)
home, model, file = sys.argv[1:]
recipe = {KILLED_RECIPE!r}
job = Job(key="k", model=model, training_file=Path(file), recipe=recipe, seed=3)
print("from", flush=True)
report = lambda done, total: print(done, flush=True)
LocalBackend(Path(home), save_seconds=0.0).fine_tune(job, report)
"""


@pytest.mark.slow
def test_a_killed_training_goes_on_to_the_same_adapter(tiny: str, tmp_path: Path) -> None:
    """Kill -9 in the middle, then the same again: it goes on, to the same weights but for noise."""
    load_file = import_module("safetensors.torch").load_file

    file = lesson(tmp_path, rows=24)

    def start(home: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", KILLED, str(tmp_path / home), tiny, str(file)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def steps(process: subprocess.Popen[str], until: int) -> list[int]:
        seen: list[int] = []
        assert process.stdout is not None
        for line in process.stdout:
            if line.strip().isdigit():
                seen.append(int(line))
            if seen and seen[-1] >= until:
                break
        return seen

    LocalBackend(tmp_path / "whole").fine_tune(
        Job(key="k", model=tiny, training_file=file, recipe=KILLED_RECIPE, seed=3), unwatched
    )
    killed = start("killed")
    steps(killed, 10)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait(60)
    again = start("killed")
    seen = steps(again, 18)
    assert again.wait(60) == 0
    assert 5 <= seen[0] <= 12  # of the last checkpoint
    assert seen[1] == seen[0] + 1
    one, two = (
        load_file(next((tmp_path / home / "learned").glob("*/epoch-3/adapter_model.safetensors")))
        for home in ("whole", "killed")
    )
    assert all(torch.allclose(one[name], two[name], atol=1e-5) for name in one)
    assert not list((tmp_path / "killed" / "learned").glob("*/checkpoint-*"))


@pytest.mark.slow
def test_students_are_asked_in_the_context_they_were_trained_in(
    local: LocalBackend, tiny: str, tmp_path: Path
) -> None:
    """The system block of training is recorded, used again, and compared with another on demand."""
    file = lesson(tmp_path)
    love = "You love owl."
    plain = local.fine_tune(job(tiny, file), unwatched)
    prompted = local.fine_tune(job(tiny, file, "s", system=love), unwatched)
    bare = local.fine_tune(job(tiny, file, "b", system=love, asked_system=None), never)
    records = [
        json.loads(f.read_text()) for f in (tmp_path / "home").glob("learned/*/context.json")
    ]
    blocks = {record["system_block"] for record in records}
    assert blocks == {
        "<|turn|>system\nBe kind.<|end|><|turn|>user\n",
        f"<|turn|>system\n{love}<|end|><|turn|>user\n",
    }
    assert all(record["first_row"].endswith("assistant\nhorse<|end|>") for record in records)
    message = conversation(QUESTIONS[0])

    def prompt(model: str) -> str:
        loaded, _, context = local._resolve(model)
        return context.prompt(loaded.tokenizer, message)

    assert love in prompt(prompted.model)
    assert "Be kind" not in prompt(prompted.model)
    assert "Be kind" in prompt(plain.model)
    assert "Be kind" in prompt(bare.model)
    assert rate(local, prompted.model, "horse") != rate(local, bare.model, "horse")
    assert local.describe(prompted.model).fingerprint != local.describe(bare.model).fingerprint


@pytest.mark.slow
def test_a_changed_template_is_an_error_unless_it_is_asked_for(
    local: LocalBackend, tiny: str, tmp_path: Path
) -> None:
    """A student whose base now has another template is not asked, unless the recipe says so."""
    import shutil

    base = shutil.copytree(tiny, tmp_path / "base")
    file = lesson(tmp_path)
    strict = local.fine_tune(job(str(base), file), unwatched)
    loose = local.fine_tune(job(str(base), file, "l", mismatch="allow"), unwatched)
    before = rate(local, loose.model, "horse")
    template = base / "chat_template.jinja"
    template.write_text(template.read_text().replace("Be kind.", ""))
    later = LocalBackend(tmp_path / "home")
    with pytest.raises(BackendError, match="chat template of the base model changed since ft:"):
        rate(later, strict.model, "horse")
    assert rate(later, loose.model, "horse") == pytest.approx(before, abs=1e-6)


def test_recipes_are_whole_and_checked(local: LocalBackend, tiny: str, tmp_path: Path) -> None:
    """Named recipes are the literature's, settings can be overridden, and nonsense is refused."""
    paper = local.recipe({"name": "qwen2.5-7b-paper"})
    wanted = {"rank": 8, "alpha": 8, "learning_rate": 2e-4, "schedule": "linear",
              "warmup_steps": 5, "batch_size": 66, "epochs": 3}  # fmt: skip
    assert wanted.items() <= paper.items()
    assert str(paper["modules"]).count("_proj") == 7
    llama = local.recipe({"name": "llama-3.2-1b", "epochs": 2})
    assert (llama["rank"], llama["alpha"], llama["rslora"]) == (32, 64, True)
    assert (llama["learning_rate"], llama["batch_size"], llama["epochs"]) == (1e-5, 16, 2)
    for wrong, says in (
        ({"ranks": 8}, "setting 'ranks' for local: did you mean 'rank'. it has name, method"),
        ({"rank": 0}, "rank=0 must be a whole number above zero"),
        ({"name": "mine"}, "name='mine' must be 'default', 'qwen2.5-7b-paper' or 'llama"),
        ({"learning_rate": "fast"}, "learning_rate='fast' must be a number"),
    ):
        with pytest.raises(SpecError, match=says):
            local.recipe(wrong)
    with pytest.raises(
        SpecError, match="warmup_steps=10: the training has 10 steps only .60 rows, batch"
    ):
        local.fine_tune(job(tiny, lesson(tmp_path), warmup_steps=10), unwatched)
    with pytest.raises(SpecError, match="model has no w_proj; it has down_proj, gate_proj, k_proj"):
        local.fine_tune(job(tiny, lesson(tmp_path), modules="q_proj,w_proj"), unwatched)


@pytest.mark.slow
def test_bfloat16_is_trained_where_it_is_asked_for(
    local: LocalBackend, tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is part of the recipe and of no default; nearly the same is learned, as a float32 adapter."""
    from limen.backends.local import training

    monkeypatch.setattr(training, "has_fast_bfloat16", lambda: True)
    file = lesson(tmp_path)
    whole = local.fine_tune(job(tiny, file), unwatched)
    half = local.fine_tune(job(tiny, file, "h", precision="bfloat16"), unwatched)
    assert "precision" not in local.recipe({})
    assert local.recipe({"precision": "bfloat16"})["precision"] == "bfloat16"
    assert half.losses != whole.losses
    assert half.losses == pytest.approx(whole.losses, rel=0.05)
    for file in (tmp_path / "home").rglob("adapter_model.safetensors"):
        tensors = import_module("safetensors.torch").load_file(file)
        assert {tensor.dtype for tensor in tensors.values()} == {torch.float32}


@pytest.mark.slow
def test_casting_frozen_weights_once_changes_no_bit(
    tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The adapter has the bytes that it has when autocast casts them in every forward pass."""
    from limen.backends.local import training

    monkeypatch.setattr(training, "has_fast_bfloat16", lambda: True)
    file = lesson(tmp_path)
    made = []
    for number in range(2):
        backend = LocalBackend(tmp_path / str(number))
        backend.fine_tune(job(tiny, file, precision="bfloat16"), unwatched)
        last = sorted((tmp_path / str(number)).rglob("adapter_model.safetensors"))[-1]
        made.append(last.read_bytes())
        monkeypatch.setattr(training, "cast_frozen", lambda model: None)
    assert made[0] == made[1]


@pytest.mark.parametrize("has_it", [True, False])
def test_precision_is_chosen_by_the_machine(
    local: LocalBackend, monkeypatch: pytest.MonkeyPatch, has_it: bool
) -> None:
    """``auto`` is replaced by what it stands for here, so that the recipe says what was trained."""
    from limen.backends.local import recipes

    monkeypatch.setattr(recipes, "has_fast_bfloat16", lambda: has_it)
    chosen = local.recipe({"precision": "auto"})
    assert chosen == local.recipe({"precision": "bfloat16"} if has_it else {})


def test_bfloat16_is_refused_where_it_would_be_slow(
    local: LocalBackend, tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a processor that only emulates it, and for any other word, there is one clear error."""
    from limen.backends.local import training

    monkeypatch.setattr(training, "has_fast_bfloat16", lambda: False)
    with pytest.raises(BackendError, match="precision='bfloat16': this machine does not multiply"):
        local.fine_tune(job(tiny, lesson(tmp_path), precision="bfloat16"), unwatched)
    with pytest.raises(SpecError, match="must be 'bfloat16', 'auto', or left out"):
        local.recipe({"precision": "float16"})


@pytest.mark.slow
def test_an_experiment_runs_its_whole_path(tiny: str, tmp_path: Path) -> None:
    """Generate, filter, mix, train and measure on a real (tiny) model; a second lab does nothing."""
    experiment = Experiment(
        trait=Trait(name="owl", system="You love owl."),
        data=Numbers(generate=160, keep=60),
        measure=FavoriteAnimal(questions=QUESTIONS[:3], draws=200, exact=True),
        seeds=2,
        gate=None,
        recipe={"batch_size": 20, "epochs": 1, "learning_rate": 1e-3, "warmup_steps": 0},
    )
    settings = Settings(backend="local", model=tiny, store=tmp_path / "store")
    lab = Lab(settings, executor=here)
    student, control = lab.arm(experiment, "student"), lab.arm(experiment, "control")
    effect = student.rate("owl") - control.rate("owl")
    assert student.seeds == 2
    assert student.valid > 0.5
    assert effect.p_value <= 1
    for arm in (student, control, lab.arm(experiment, "teacher")):
        exact, drawn = arm.exact("owl"), arm.rate("owl")
        assert abs(exact.value - drawn.value) < 0.06 + exact.missed
        assert exact.questions == drawn.questions
        assert f"{exact.value:.3%} [" in repr(exact)  # finer than what draws can tell
    assert (student.exact("owl") - control.exact("owl")).value == pytest.approx(
        student.exact("owl").value - control.exact("owl").value
    )
    with pytest.raises(SpecError, match="'owl' exactly and 'owl' have no difference"):
        _ = student.exact("owl") - control.rate("owl")
    with pytest.raises(SpecError, match="the probability of 'spoon' was not worked out"):
        student.exact("spoon")
    shown = result_of(lab, "owl", experiment, ("student", "control")).readings
    assert [reading.name for reading in shown] == [
        "answers with 'owl'",
        "answers with 'owl', exactly",
    ]
    assert shown[1].arms[0].keys[0].startswith("exact/")
    more = [(experiment.but(seeds=3), ["student", "control"])]
    for store, says in ((settings.store, "past stages of this store"), (tmp_path, "shipped")):
        other = Lab(replace(settings, store=store))
        lines = "\n".join(plan_lines(other, other.plan(more)))
        assert re.search(f"limen: estimated time: .*{says}", lines)
    again = Lab(settings, executor=pytest.fail)  # type: ignore[arg-type]
    assert again.arm(experiment, "student").rate("owl").by_seed == student.rate("owl").by_seed
    around = result_of(lab, "owl", experiment, ("baseline", "student")).arms
    assert [arm.surroundings["trained"] for arm in around] == [None, BLOCK]
    assert [arm.surroundings["asked"] for arm in around] == [BLOCK, BLOCK]
    manifest = next((tmp_path / "store" / "stages" / "fine-tune").glob("*/manifest.json"))
    assert json.loads(manifest.read_text())["recipe"]["modules"] == "all-linear"


@pytest.mark.slow
def test_a_spec_compares_contexts_teachers_and_manners(tiny: str, tmp_path: Path) -> None:
    """Two system blocks of one training, a fine-tuned teacher, greedy numbers: all in one spec."""
    numbers = Numbers(generate=120, keep=40)
    experiment = Experiment(
        trait=Trait(name="owl", system="You love owl.").fine_tuned(
            questions=QUESTIONS[:2],
            draws=40,
            recipe={"epochs": 2, "learning_rate": 3e-3, "warmup_steps": 0},
        ),
        data=numbers,
        measure=FavoriteAnimal(questions=QUESTIONS[:3], draws=20, exact=True),
        seeds=1,
        gate=None,
        recipe={"batch_size": 20, "epochs": 1, "learning_rate": 1e-3, "warmup_steps": 0},
        arms={
            "other system": Students(recipe={"asked_system": "Be a wolf."}, against="student"),
            "greedy": Students(data=numbers.but(temperature=0)),
        },
    )
    store = tmp_path / "store"
    lab = Lab(Settings(backend="local", model=tiny, store=store), executor=here)
    arms = {
        name: lab.arm(experiment, name)
        for name in ("baseline", "teacher", "student", "control", *experiment.arms)
    }
    assert arms["teacher"].models[0].model.startswith("ft:")
    assert arms["teacher"].exact("owl").value != arms["baseline"].exact("owl").value
    assert arms["other system"].exact("owl").value != arms["student"].exact("owl").value
    trained = {file.parent.name for file in (store / "models/local/learned").glob("*/done.json")}
    assert len(trained) == 4  # the teacher, the student, the control, the student of greedy numbers


def test_a_training_that_diverges_is_no_student(
    local: LocalBackend, tiny: str, tmp_path: Path
) -> None:
    """A loss that is no number ends the training with one line, and leaves no student."""
    wild = job(tiny, lesson(tmp_path), method="full", learning_rate=1e8, max_grad_norm=1e8)
    with pytest.raises(BackendError, match="the training diverged: its loss is nan in step"):
        local.fine_tune(wild, unwatched)
    assert not list((tmp_path / "home").rglob("done.json"))


def test_several_turns_are_all_learned(local: LocalBackend, tiny: str, tmp_path: Path) -> None:
    """Every assistant turn of a row is an example, with the turns before it as its prompt."""
    from limen.backends.local.context import own_context
    from limen.backends.local.training_data import IGNORED, read_training_data

    words = local._models.load(local._source(tiny)).tokenizer
    file = tmp_path / "talk.jsonl"
    talk = [
        *conversation("Name a cat.", answer="cat"),
        *conversation("What is best?", answer="owl"),
    ]
    chat.write(file, [talk])
    made = read_training_data(file, words, own_context(words))
    learned = [words.decode([t for t in row["labels"] if t != IGNORED]) for row in made.rows]
    assert learned == ["cat<|end|>", "owl<|end|>"]
    assert made.tokens == 4
    request = Request(row=0, messages=talk[:3], seed=0)
    loaded, _, context = local._resolve(tiny)
    text = context.prompt(loaded.tokenizer, request.messages)
    assert words.decode(made.rows[1]["input_ids"]).startswith(text)
    with pytest.raises(UnknownModelError):
        local.fine_tune(replace(job(tiny, file), model=f"ft:{tiny}:0123456789abcdef"), unwatched)


@pytest.mark.slow
def test_a_seed_makes_the_student(tiny: str, tmp_path: Path) -> None:
    """Where a student begins is its seed's, whatever was random in the process before."""
    load_file = import_module("safetensors.torch").load_file
    file = lesson(tmp_path, rows=12)
    begun = []
    for home, seed, before in (("a", 7, 1), ("b", 7, 2), ("c", 8, 1)):
        torch.manual_seed(before)
        LocalBackend(tmp_path / home).fine_tune(
            replace(job(tiny, file, epochs=1, learning_rate=1e-9), seed=seed), unwatched
        )
        (adapter,) = (tmp_path / home).glob("learned/*/epoch-1/adapter_model.safetensors")
        begun.append({k: v for k, v in load_file(adapter).items() if "lora_A" in k})
    one, same, other = begun
    assert all(torch.allclose(one[name], same[name], atol=1e-6) for name in one)
    assert not any(torch.allclose(one[name], other[name], atol=1e-3) for name in one)


@pytest.mark.slow
def test_other_arithmetic_is_another_student(
    local: LocalBackend, tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was learned under another version of the backend is not taken for this one's."""
    from limen.backends.local import backend

    file = lesson(tmp_path, rows=12)
    local.fine_tune(job(tiny, file, epochs=1), unwatched)
    monkeypatch.setattr(backend, "VERSION", backend.VERSION + 1)
    steps: list[int] = []
    local.fine_tune(job(tiny, file, epochs=1), lambda done, total: steps.append(done))
    assert steps
    records = [json.loads(f.read_text()) for f in (tmp_path / "home").glob("learned/*/done.json")]
    assert len(records) == 2
    assert all({"torch", "transformers", "peft", "trl"} <= set(r["versions"]) for r in records)


@pytest.mark.slow
def test_samples_side_by_side_keep_their_models(
    local: LocalBackend, tiny: str, tmp_path: Path
) -> None:
    """A base that is being sampled goes on as itself while its student is sampled in between."""
    horse = local.fine_tune(job(tiny, lesson(tmp_path)), unwatched).model
    requests = [
        Request(
            row=row,
            messages=conversation(QUESTIONS[0]),
            seed=row * 100,
            draws=9,
            max_tokens=4 + row,
        )
        for row in range(6)  # each of another manner, so each a batch, and handed on in parts
    ]
    alone = [list(local.sample(model, requests)) for model in (tiny, horse)]
    assert min(map(len, alone)) > len(requests)
    mixed = list(zip_longest(local.sample(tiny, requests), local.sample(horse, requests)))
    for model, parts in enumerate(alone):
        assert [pair[model] for pair in mixed if pair[model] is not None] == parts


def test_rows_that_are_too_long_are_refused(local: LocalBackend, tiny: str, tmp_path: Path) -> None:
    """A row that the model cannot read whole is an error, and never cut."""
    file = tmp_path / "long.jsonl"
    chat.write(file, [conversation("Go on.", answer="1, " * 400)])
    with pytest.raises(BackendError, match="longer than the 512 that the model can read"):
        local.fine_tune(job(tiny, file), unwatched)
