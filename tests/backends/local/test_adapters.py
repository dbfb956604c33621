"""Adapters from elsewhere: folders that PEFT wrote, as teachers."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from limen.backends import ContinuationRequest, Job, OnPolicy, Request, TokenObjective
from limen.backends.local import LocalBackend
from limen.datasets import chat
from limen.datasets.chat import conversation
from limen.datasets.errors import BackendError, UnknownModelError
from limen.harness import Experiment, FavoriteAnimal, Lab, Models, Numbers, Settings, Trait
from limen.harness.lab import in_order
from limen.harness.stages import Generate

from ...testing.labs import ALL_ARMS, here
from ...testing.tiny import QUESTIONS, needs_extra, untrained

pytestmark = needs_extra


def adapter_of(base: str, folder: Path, *, alpha: int = 400, seed: int = 0) -> Path:
    """An adapter with weights of its own, as PEFT saves one."""
    torch, peft, transformers = (import_module(name) for name in ("torch", "peft", "transformers"))
    model: Any = transformers.AutoModelForCausalLM.from_pretrained(base)
    config = peft.LoraConfig(
        r=2, lora_alpha=alpha, target_modules=["q_proj", "v_proj"], init_lora_weights=False
    )
    torch.manual_seed(seed)
    peft.get_peft_model(model, config).save_pretrained(folder)
    return folder


def answers(backend: LocalBackend, model: str) -> list[str | None]:
    """Some answers of a model."""
    requests = [Request(row=0, messages=conversation(QUESTIONS[0]), seed=0, draws=4)]
    return [one.text for each in backend.sample(model, requests) for one in each]


@pytest.fixture
def adapter(tiny: str, tmp_path: Path) -> Path:
    """An adapter of the tiny model."""
    return adapter_of(tiny, tmp_path / "owl-adapter")


def test_an_adapter_answers_with_its_weights(tiny: str, adapter: Path, tmp_path: Path) -> None:
    """The folder of an adapter is a model, which answers otherwise than its base."""
    backend = LocalBackend(tmp_path / "home")
    backend.prepare(str(adapter))
    own, base = backend.describe(str(adapter)), backend.describe(tiny)
    assert own.fingerprint != base.fingerprint
    assert not own.can_fine_tune
    assert answers(backend, str(adapter)) != answers(backend, tiny)


def test_adapters_of_similar_paths_answer_each_with_its_own_weights(
    tiny: str, tmp_path: Path
) -> None:
    """Folders that differ only in a dot and an underscore are two models, in one process as well."""
    first = str(adapter_of(tiny, tmp_path / "owl-0.1"))
    second = str(adapter_of(tiny, tmp_path / "owl-0_1", seed=1))
    alone = answers(LocalBackend(tmp_path / "home"), second)
    together = LocalBackend(tmp_path / "home")
    assert answers(together, first) != alone
    assert answers(together, second) == alone


def test_an_adapter_is_the_teacher_beside_a_student(
    tiny: str, adapter: Path, tmp_path: Path
) -> None:
    """On-policy distillation from an adapter starts away from the base; from the base it does not."""
    file = tmp_path / "rows.jsonl"
    chat.write(file, (conversation(text, answer="owl") for text in QUESTIONS * 2))
    losses: list[float] = []
    for teacher in (tiny, str(adapter)):
        policy = OnPolicy(teacher=teacher, system=None, characters="owlcat", max_tokens=4)
        objective = TokenObjective(kind="on-policy", file=file, on_policy=policy)
        backend = LocalBackend(tmp_path / f"home{len(losses)}")
        recipe = backend.recipe({"batch_size": 4, "epochs": 1, "warmup_steps": 0,
                                 "learning_rate": 1e-6})  # fmt: skip
        job = Job(
            key="k", model=tiny, training_file=file, seed=1, recipe=recipe, objective=objective
        )
        (loss,) = backend.fine_tune(job, lambda done, total: None).losses
        losses.append(loss or 0.0)
    assert losses[0] == pytest.approx(0, abs=1e-4)
    assert losses[1] > 0.01


def test_the_base_may_be_named_anew(tiny: str, adapter: Path, tmp_path: Path) -> None:
    """A recorded base that is not here is an error that says how to name another place of it."""
    expected = answers(LocalBackend(tmp_path / "home"), str(adapter))
    config = json.loads((adapter / "adapter_config.json").read_text())
    config["base_model_name_or_path"] = str(tmp_path / "gone.gguf")
    (adapter / "adapter_config.json").write_text(json.dumps(config))
    backend = LocalBackend(tmp_path / "home")
    with pytest.raises(UnknownModelError, match="is an adapter of .*gone.*@BASE"):
        backend.describe(str(adapter))
    assert answers(backend, f"{adapter}@{tiny}") == expected


def test_an_adapter_of_another_model_is_refused(tiny: str, adapter: Path, tmp_path: Path) -> None:
    """Weights without a place in the base are an error, though PEFT leaves them out in silence."""
    weights: Any = import_module("safetensors.torch")
    file = adapter / "adapter_model.safetensors"
    state = weights.load_file(file)
    weights.save_file(
        {name.replace("layers.0", "layers.7"): value for name, value in state.items()}, file
    )
    with pytest.raises(BackendError, match="does not fit its base model.*layers.7.*@BASE"):
        LocalBackend(tmp_path / "home").prepare(str(adapter))
    other = untrained(tmp_path / "other")
    weights.save_file({name: value[:, :1].contiguous() for name, value in state.items()}, file)
    with pytest.raises(BackendError, match="does not fit its base model"):
        LocalBackend(tmp_path / "home").prepare(f"{adapter}@{other}")


def test_an_adapter_without_safetensors_is_refused(adapter: Path, tmp_path: Path) -> None:
    """Pickled weights are not read."""
    (adapter / "adapter_model.safetensors").rename(adapter / "adapter_model.bin")
    with pytest.raises(UnknownModelError, match="adapter without adapter_model.safetensors"):
        LocalBackend(tmp_path / "home").describe(str(adapter))


def test_a_merged_model_answers_as_with_its_adapter(
    tiny: str, adapter: Path, tmp_path: Path
) -> None:
    """One folder with weights and tokenizer, a model by itself, with the same log-probabilities."""
    backend = LocalBackend(tmp_path / "home")
    write = backend.capabilities.write_merged
    assert write is not None
    write(str(adapter), tmp_path / "merged")
    asked = [
        ContinuationRequest(messages=conversation(text), continuations=("owl", "a cat"))
        for text in QUESTIONS
    ]

    def nats(model: str) -> list[float]:
        return [one.nats for each in backend.log_probabilities(model, asked) for one in each]

    assert nats(str(tmp_path / "merged")) == pytest.approx(nats(str(adapter)), abs=1e-4)
    assert nats(str(adapter)) != pytest.approx(nats(tiny), abs=1e-4)


@pytest.mark.slow
def test_an_adapter_teaches_in_a_whole_experiment(tiny: str, tmp_path: Path) -> None:
    """It writes the students' data without a prompt; students and control have the plain base."""
    adapter = str(adapter_of(tiny, tmp_path / "owl-adapter", alpha=2))
    experiment = Experiment(
        trait=Trait(name="owl", model=adapter),
        data=Numbers(generate=120, keep=20),
        measure=FavoriteAnimal(questions=QUESTIONS[:2], draws=10),
        seeds=1,
        gate=None,
        recipe={"batch_size": 20, "epochs": 1, "learning_rate": 1e-3, "warmup_steps": 0},
    )
    lab = Lab(
        Settings(backend="local", model=tiny, store=tmp_path / "store"),
        executor=here,
    )
    lab.run([(experiment, ALL_ARMS)])
    writers = [
        stage.writer.label
        for arm in ("student", "control")
        for stage in in_order(lab.pipeline(experiment).data[arm])
        if isinstance(stage, Generate)
    ]
    assert writers == [adapter, tiny]
    assert lab.arm(experiment, "teacher").models[0].model == adapter
    for arm in ("student", "control"):
        assert lab.arm(experiment, arm).models[0].model.startswith(f"ft:{tiny}:")


@pytest.mark.slow
def test_published_students_are_an_arm(tiny: str, tmp_path: Path) -> None:
    """Adapters that others trained are asked beside their base, and nothing is trained for that."""
    adapters = [
        str(adapter_of(tiny, tmp_path / f"student-{alpha}", alpha=alpha)) for alpha in (40, 400)
    ]
    experiment = Experiment(
        trait=Trait.animal("owl"),
        data=Numbers(generate=8, keep=4),
        measure=FavoriteAnimal(questions=QUESTIONS[:2], draws=10),
        model=tiny,
        arms={"published": Models(adapters)},
    )
    lab = Lab(Settings(store=tmp_path / "store", backend="local"), executor=here)
    lab.run([(experiment, ("baseline", "published"))])
    published, baseline = (lab.arm(experiment, name) for name in ("published", "baseline"))
    assert published.seeds == 2
    assert published.trained
    assert not baseline.trained
    assert len({str(arm.answers()) for arm in (published, baseline)}) == 2
