"""A base model in vLLM, whose adapters are named by each request.

vLLM gets tokens and gives tokens: prompts are rendered here, in the context that a student was
trained in, and never by a template of vLLM's. It works in a process of its own, so its memory is
free again once it is stopped.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

from ...datasets.errors import BackendError
from .adapters import CONFIG
from .forward_pass import Tokens
from .libraries import CausalLM, Untyped, library, one_line
from .loading import LoadedModel, load_tokenizer
from .memory import has_gpu
from .resolved_model import ResolvedModel
from .sources import ModelSource, download_weights

RANKS = (8, 16, 32, 64, 128, 256, 320, 512)
"""The ranks that room for adapters can be made for."""
MOST_LOG_PROBABILITIES = 20
ON_PROCESSORS: Mapping[str, Untyped] = {
    "enforce_eager": True,  # compilation takes longer than a small run
    "kv_cache_memory_bytes": 2 * 2**30,  # else all of the machine's memory
    "enable_chunked_prefill": False,  # a draw with a seed ends the engine then (vLLM 0.32)
}
LEVEL = "VLLM_LOGGING_LEVEL"
"""The environment variable that says how much vLLM and its processes write."""


def check_vllm() -> None:
    """Raise :class:`~limen.BackendError` unless vLLM is installed; imports nothing."""
    if find_spec("vllm") is None:
        raise BackendError(
            'sampling with vLLM needs vllm: pip install "limen[vllm]", or on a processor a build '
            "for it; without it, --limen-sampling-engine limen"
        )


class VllmEngine:
    """A running engine. Raises :class:`~limen.BackendError` if vLLM cannot start with a model."""

    def __init__(self, asked: ResolvedModel, precision: str | None) -> None:
        self.asked = asked
        self.rank = _room_for(asked)
        source = download_weights(asked.weights)
        if source.quantized:
            raise BackendError(
                f"{source.name} in four bits cannot be given to vLLM here: leave out "
                f"--limen-quantization or --limen-sampling-engine"
            )
        if source.gguf:
            raise BackendError(
                f"{source.name} is too large a GGUF file to be converted for vLLM: name a folder "
                f"of its weights in safetensors, or use --limen-sampling-engine limen"
            )
        self.loaded = LoadedModel(
            source, _skeleton(source), load_tokenizer(source.tokenizer or source), precision
        )
        with _quietly(), _as_one_error("vLLM cannot start with", source.name):
            self._engine = library("vllm").LLM(
                model=str(source.path),
                dtype="bfloat16" if has_gpu() else precision or "float32",
                skip_tokenizer_init=True,
                generation_config="vllm",
                max_logprobs=MOST_LOG_PROBABILITIES,
                use_tqdm_on_load=False,
                enable_lora=self.rank > 0,
                **({"max_lora_rank": self.rank} if self.rank else {}),
                **({} if has_gpu() else ON_PROCESSORS),
            )
        self._adapters: dict[Path, int] = {}

    def serves(self, asked: ResolvedModel) -> bool:
        """Whether a model can be asked without a new start: the same weights, room for adapters."""
        return self.asked.weights == asked.weights and _room_for(asked) <= self.rank

    def generate(
        self,
        prompts: Sequence[Tokens],
        settings: Sequence[Mapping[str, Untyped]],
        adapter: Path | None,
    ) -> list[Untyped]:
        """An answer to each prompt, under settings of its own."""
        vllm = library("vllm")
        with _as_one_error("vLLM ended while it sampled from", self.asked.weights.name):
            outputs = self._engine.generate(
                [{"prompt_token_ids": list(prompt)} for prompt in prompts],
                [vllm.SamplingParams(**each) for each in settings],
                lora_request=self._adapter(adapter),
                use_tqdm=False,
            )
        return [output.outputs[0] for output in outputs]

    def stop(self) -> None:
        """End the engine's process, and free its memory."""
        with suppress(Exception):  # it may have ended by itself
            self._engine.llm_engine.engine_core.shutdown()

    def _adapter(self, folder: Path | None) -> Untyped:
        if folder is None:
            return None
        number = self._adapters.setdefault(folder, len(self._adapters) + 1)
        request = library("vllm.lora.request").LoRARequest
        return request(f"adapter-{number}", number, str(folder))


def _room_for(asked: ResolvedModel) -> int:
    """The rank to make room for; 0 for a model without an adapter."""
    if asked.adapter is None:
        return 0
    config = json.loads((asked.adapter / CONFIG).read_text(encoding="utf-8"))
    if config.get("use_dora") or config.get("modules_to_save"):
        raise BackendError(
            f"vLLM cannot use the adapter in {asked.adapter} (DoRA, or whole modules saved): use "
            f"--limen-sampling-engine limen"
        )
    rank = max([int(config["r"]), *config.get("rank_pattern", {}).values()])
    return next((room for room in RANKS if room >= rank), rank)


def _skeleton(source: ModelSource) -> CausalLM:
    """The model without its weights: it knows how long a text may be, and what ends one."""
    transformers = library("transformers")
    config = transformers.AutoConfig.from_pretrained(source.path, **source.arguments)
    with library("torch").device("meta"):
        model = transformers.AutoModelForCausalLM.from_config(config)
    with suppress(OSError):  # few old models come without this file
        model.generation_config = transformers.GenerationConfig.from_pretrained(source.path)
    return model


@contextmanager
def _as_one_error(what: str, model: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # whatever vLLM raises
        message = f"{type(error).__name__}: {one_line(error)[:300]}"
        raise BackendError(
            f"{what} {model}: {message} (--limen-sampling-engine limen samples without it)"
        ) from error


@contextmanager
def _quietly() -> Iterator[None]:
    """Start processes that write errors alone, unless the user has asked for more."""
    if LEVEL in os.environ:
        yield
        return
    os.environ[LEVEL] = "ERROR"
    try:
        yield
    finally:
        os.environ.pop(LEVEL, None)
