"""A stand-in for vLLM's offline interface, as far as limen uses it, for where vLLM is not installed.

It computes each draw by itself with Transformers and PEFT. What limen hands over and what it makes
of the answers are tested on it; on vLLM itself the same tests run where it is installed.
"""

import copy
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import pytest


@dataclass
class SamplingParams:
    """vLLM's settings of one request."""

    temperature: float
    top_p: float
    max_tokens: int
    seed: int
    stop_token_ids: list[int]
    logprobs: int | None
    detokenize: bool


@dataclass
class LoRARequest:
    """An adapter, as vLLM is told of it."""

    name: str
    number: int
    path: str


class LLM:
    """vLLM's engine; ``running`` are those that were not shut down."""

    running: ClassVar[list["LLM"]] = []

    def __init__(
        self, *, model: str, skip_tokenizer_init: bool, generation_config: str, **settings: Any
    ) -> None:
        assert skip_tokenizer_init
        assert generation_config == "vllm"
        self.adapters = settings.get("max_lora_rank", 0) if settings["enable_lora"] else 0
        loaded = import_module("transformers").AutoModelForCausalLM.from_pretrained(model)
        self.model = loaded.eval()
        self.llm_engine = SimpleNamespace(engine_core=SimpleNamespace(shutdown=self._shutdown))
        LLM.running.append(self)

    def _shutdown(self) -> None:
        LLM.running.remove(self)

    def generate(
        self,
        prompts: Sequence[dict[str, list[int]]],
        settings: Sequence[SamplingParams],
        *,
        lora_request: LoRARequest | None,
        use_tqdm: bool,
    ) -> list[Any]:
        """An answer to each prompt."""
        assert not use_tqdm
        model = self.model
        if lora_request is not None:
            assert self.adapters >= 8
            peft = import_module("peft").PeftModel
            model = peft.from_pretrained(copy.deepcopy(self.model), lora_request.path).eval()
        return [
            SimpleNamespace(outputs=[_answer(model, prompt["prompt_token_ids"], each)])
            for prompt, each in zip(prompts, settings, strict=True)
        ]


def _answer(model: Any, prompt: list[int], settings: SamplingParams) -> Any:
    torch = import_module("torch")
    generator = torch.Generator().manual_seed(settings.seed)
    tokens: list[int] = []
    places = []
    with torch.inference_mode():
        while len(tokens) < settings.max_tokens and not _has_ended(tokens, settings):
            logits = model(input_ids=torch.tensor([prompt + tokens])).logits[0, -1]
            places.append(_place(logits.log_softmax(-1), settings.logprobs))
            tokens.append(_chosen(logits, settings, generator))
    return SimpleNamespace(token_ids=tokens, logprobs=places)


def _has_ended(tokens: list[int], settings: SamplingParams) -> bool:
    return bool(tokens) and tokens[-1] in settings.stop_token_ids


def _place(logs: Any, count: int | None) -> dict[int, Any]:
    """The log-probability of every token, by rank; vLLM gives those that were asked for."""
    if count is None:
        return {}
    order = logs.argsort(descending=True).tolist()
    return {
        token: SimpleNamespace(logprob=float(logs[token]), rank=rank)
        for rank, token in enumerate(order, start=1)
    }


def _chosen(logits: Any, settings: SamplingParams, generator: Any) -> int:
    if settings.temperature == 0:
        return int(logits.argmax())
    chances, order = (logits / settings.temperature).softmax(-1).sort(descending=True)
    chances[chances.cumsum(-1) - chances >= settings.top_p] = 0
    return int(order[chances.multinomial(1, generator=generator)])


def install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the stand-in what ``import vllm`` gives."""
    package, requests = ModuleType("vllm"), ModuleType("vllm.lora.request")
    package.__spec__ = ModuleSpec("vllm", None)
    package.__dict__.update(LLM=LLM, SamplingParams=SamplingParams)
    requests.__dict__.update(LoRARequest=LoRARequest)
    for module in (package, ModuleType("vllm.lora"), requests):
        monkeypatch.setitem(sys.modules, module.__name__, module)
