"""Base models in four bits: sampled from, scored, trained on, and told apart from wider ones."""

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from limen.backends.local.libraries import LIBRARIES

for _name in LIBRARIES:
    pytest.importorskip(_name, reason='the extra is not installed: pip install "limen[local]"')
pytest.importorskip("bitsandbytes", reason='not installed: pip install "limen[quantization]"')

from limen import BackendError, SpecError
from limen.backends import Job, Request, ServiceTerms
from limen.backends.continuations import ContinuationRequest
from limen.backends.local import LocalBackend, four_bits
from limen.backends.local.students import files_below
from limen.datasets import chat
from limen.datasets.chat import conversation
from limen.harness import Settings

from ...testing.tiny import QUESTIONS

NF4 = ServiceTerms(quantization="nf4")
WOLF = ContinuationRequest(messages=conversation(QUESTIONS[0]), continuations=("wolf",))


@pytest.fixture
def quantized(tmp_path: Path) -> LocalBackend:
    """The backend with base models in four bits."""
    return LocalBackend(tmp_path / "home", NF4)


def nats(backend: LocalBackend, model: str) -> float:
    """The log-probability of "wolf"."""
    ((value,),) = backend.log_probabilities(model, [WOLF])
    return value.nats


def trained(backend: LocalBackend, model: str, folder: Path, **recipe: Any) -> str:
    """A student that says "wolf"."""
    file = folder / "rows.jsonl"
    chat.write(file, (conversation(text, answer="wolf") for text in QUESTIONS * 10))
    settings = backend.recipe({"batch_size": 8, "epochs": 2, "learning_rate": 0.01,
                               "warmup_steps": 1, **recipe})  # fmt: skip
    job = Job(key="wolf", model=model, training_file=file, recipe=settings, seed=1)
    return backend.fine_tune(job, lambda done, total: None).model


def test_scores_are_those_of_the_library(quantized: LocalBackend, tiny: str) -> None:
    """The log-probability of a word equals a plain forward pass over the model in NF4."""
    torch, transformers = import_module("torch"), import_module("transformers")
    settings = transformers.BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.float32,
    )  # fmt: skip
    model = transformers.AutoModelForCausalLM.from_pretrained(
        tiny, quantization_config=settings, dtype=torch.float32
    )
    words = transformers.AutoTokenizer.from_pretrained(tiny)
    prompt = words.apply_chat_template(
        conversation(QUESTIONS[0]), tokenize=False, add_generation_prompt=True
    )
    before, after = words(prompt)["input_ids"], words(prompt + "wolf")["input_ids"]
    logs = model(torch.tensor([after])).logits[0].log_softmax(-1)
    expected = sum(float(logs[n - 1, after[n]]) for n in range(len(before), len(after)))
    assert nats(quantized, tiny) == pytest.approx(expected, abs=1e-4)


def test_students_learn_on_a_base_in_four_bits(
    quantized: LocalBackend, tiny: str, tmp_path: Path
) -> None:
    """An adapter alone is trained, the same each time, and learns as much as on wider weights."""
    student = trained(quantized, tiny, tmp_path)
    assert nats(quantized, student) > nats(quantized, tiny) + 0.3
    plain = LocalBackend(tmp_path / "plain")
    wider = nats(plain, trained(plain, tiny, tmp_path))
    assert nats(quantized, student) == pytest.approx(wider, abs=0.2)
    asked = Request(row=0, messages=conversation(QUESTIONS[0]), seed=1, draws=20, max_tokens=8)
    answers = [answer for part in quantized.sample(student, [asked]) for answer in part]
    assert len({answer.text for answer in answers}) > 1
    again = LocalBackend(tmp_path / "again", NF4)
    assert nats(again, trained(again, tiny, tmp_path)) == nats(quantized, student)
    weights = [f for f in files_below(tmp_path / "home" / "learned") if f.suffix == ".safetensors"]
    assert {file.name for file in weights} == {"adapter_model.safetensors"}


def test_a_model_in_four_bits_is_another_model(
    quantized: LocalBackend, tiny: str, tmp_path: Path
) -> None:
    """Its stages are its own, and a student of it is not asked on wider weights unawares."""
    plain = LocalBackend(tmp_path / "home")
    assert quantized.describe(tiny).fingerprint != plain.describe(tiny).fingerprint
    student = trained(quantized, tiny, tmp_path)
    with pytest.raises(BackendError, match="number format .--limen-quantization."):
        nats(plain, student)


def test_merged_weights_are_not_rounded(quantized: LocalBackend, tiny: str, tmp_path: Path) -> None:
    """A merged student is the adapter on the base as it is."""
    student = trained(quantized, tiny, tmp_path, mismatch="allow")
    write = quantized.capabilities.write_merged
    assert write is not None
    write(student, tmp_path / "merged")
    plain = LocalBackend(tmp_path / "home")
    merged = nats(plain, str(tmp_path / "merged"))
    assert merged == pytest.approx(nats(plain, student), abs=1e-3)


def test_all_weights_cannot_be_trained(quantized: LocalBackend, tiny: str, tmp_path: Path) -> None:
    """A full fine-tuning is refused with the remedy, before anything is loaded."""
    with pytest.raises(BackendError, match="'method': 'lora'"):
        trained(quantized, tiny, tmp_path, method="full")


def test_without_the_library_a_line_says_how_to_get_it(
    quantized: LocalBackend, tiny: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asking for four bits without bitsandbytes is one error."""
    monkeypatch.setattr(four_bits, "find_spec", lambda name: None)
    with pytest.raises(BackendError, match=r"limen\[quantization\]"):
        quantized.describe(tiny)


def test_other_formats_are_refused() -> None:
    """The error names those that there are."""
    with pytest.raises(SpecError, match="none or nf4"):
        _ = Settings(quantization="int8").terms
