"""Loaded models: one base model at a time, with adapters that are switched without reloading."""

import hashlib
import io
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, redirect_stderr
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ...datasets.errors import BackendError, LimenError, TooLongError
from .context import PLACEHOLDER, Context, own_context, special_tokens
from .forward_pass import CachedForward, Tokens
from .four_bits import loading_options
from .key_value_cache import ROOM
from .libraries import CausalLM, Tokenizer, Untyped, library, one_line, quiet
from .memory import check_fits, fits_one_gpu, free_memory, has_gpu, is_out_of_memory
from .plain_template import plain_template
from .sources import ModelSource, download_weights
from .spelling import Spelling, Vocabulary

if TYPE_CHECKING:
    from ...datasets.chat import Conversation

MAX_ADAPTERS = 8
"""Adapters that stay on a base model before the least recently used one is removed."""

AdapterContext = Callable[[], AbstractContextManager[CausalLM]]
"""Gives a context in which a model has its adapter on."""


@dataclass(eq=False)
class LoadedModel:
    """A base model in memory, and its tokenizer."""

    source: ModelSource
    model: CausalLM
    tokenizer: Tokenizer
    precision: str | None = None
    """Its number format if it is not the usual one."""
    _adapters: list[str] = field(default_factory=list)
    """Names of the loaded adapters, the most recently used last."""
    _spelling: Spelling | None = None

    @cached_property
    def ends(self) -> frozenset[int]:
        """The tokens that end an answer: the model's own, and the template's end of a turn."""
        own = self.model.generation_config.eos_token_id
        own = own if isinstance(own, list) else [own]
        known = {self.tokenizer.eos_token_id, *own, _turn_end(self.tokenizer)}
        return frozenset(token for token in known if token is not None)

    @property
    def turn_end(self) -> int:
        """The token that the template puts after an answer, or else the tokenizer's end."""
        end = _turn_end(self.tokenizer)
        return int(self.tokenizer.eos_token_id) if end is None else end

    @property
    def pad(self) -> int:
        """The padding token; attention never reaches it."""
        return min(self.ends, default=0)

    def word_spelling(self) -> Spelling:
        """The vocabulary, indexed by the letters that each token adds; built when first needed."""
        if self._spelling is None:
            self._spelling = Spelling(Vocabulary(self.tokenizer).texts, self.ends)
        return self._spelling

    def forward(self, model: CausalLM, *, longest: int = ROOM) -> CachedForward:
        """Forward passes of the model, which may have an adapter on, for so many new tokens."""
        return CachedForward(model, self.pad, room=min(longest, ROOM))

    @contextmanager
    def with_adapter(self, adapter: Path | None) -> Iterator[CausalLM]:
        """The model with an adapter on, or with none."""
        if adapter is None and not self._adapters:
            yield self.model
        elif adapter is None:
            with self.model.disable_adapter():
                yield self.model
        else:
            self._activate(adapter)
            yield self.model

    def _activate(self, adapter: Path) -> None:
        name = _adapter_name(adapter)
        if name in self._adapters:
            self._adapters.remove(name)
        elif not self._adapters:
            self.model = (
                library("peft")
                .PeftModel.from_pretrained(self.model, adapter, adapter_name=name)
                .eval()
            )
        else:
            self.model.load_adapter(adapter, adapter_name=name)
        self._adapters.append(name)
        self.model.set_adapter(name)
        if len(self._adapters) > MAX_ADAPTERS:
            self.model.delete_adapter(self._adapters.pop(0))


def _adapter_name(folder: Path) -> str:
    """A name of an adapter's own: PyTorch splits names at dots, which paths may have."""
    return hashlib.sha256(os.fsencode(folder)).hexdigest()


def prompts(
    loaded: LoadedModel,
    context: Context,
    conversations: "Sequence[Conversation]",
    *,
    max_tokens: int,
) -> list[Tokens]:
    """The tokens of some conversations, each to be followed by an answer of ``max_tokens``.

    Raises :class:`~limen.TooLongError` for a conversation longer than the model can read, and
    :class:`~limen.BackendError` if the chat template drops one of its turns.
    """
    context.check_complete(loaded.tokenizer, conversations)
    texts = [context.prompt(loaded.tokenizer, messages) for messages in conversations]
    rows = loaded.tokenizer(texts, add_special_tokens=False)["input_ids"]
    check_length(loaded.model, max(map(len, rows), default=0), max_tokens)
    return [tuple(tokens) for tokens in rows]


def check_length(model: CausalLM, tokens: int, max_tokens: int = 0) -> None:
    """Raise :class:`~limen.TooLongError` if a text and its answer exceed the model's context."""
    limit = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    if isinstance(limit, int) and 0 < limit < tokens + max_tokens:
        answer = f" and {max_tokens:,} for the answer" if max_tokens else ""
        raise TooLongError(
            f"a text of {tokens:,} tokens{answer} is longer than the {limit:,} that the model can "
            f"read: shorten it, or show fewer rows in context"
        )


class ModelCache:
    """Keeps the base model that was used last in memory."""

    def __init__(self) -> None:
        self.current: LoadedModel | None = None

    def load(self, source: ModelSource, precision: str | None = None) -> LoadedModel:
        """The model of these files, loaded unless it is the current one.

        ``precision`` is its number format on a processor; None for float32.
        """
        current = self.current
        if current is None or (current.source, current.precision) != (source, precision):
            self.clear()
            tokenizer = load_tokenizer(source.tokenizer or source)
            model = load_model(source, precision=precision).eval()
            self.current = current = LoadedModel(source, model, tokenizer, precision)
        return current

    def clear(self) -> None:
        """Free the memory."""
        self.current = None
        free_memory()


def load_tokenizer(source: ModelSource) -> Tokenizer:
    """The tokenizer, with a chat template that shows every turn: a plain one if it has none.

    Raises :class:`~limen.BackendError` for one that drops turns, and for several without a default.
    """
    quiet()
    with _as_one_error(source.name):
        tokenizer = library("transformers").AutoTokenizer.from_pretrained(
            source.path, **source.arguments
        )
        if not tokenizer.chat_template:
            tokenizer.chat_template = plain_template(tokenizer)
        try:
            own_context(tokenizer)  # raises if there are several templates and no default one
        except LimenError as error:
            raise BackendError(f"{source.name}: {error}") from None
        return tokenizer


def load_model(
    source: ModelSource, *, full: bool = False, precision: str | None = None
) -> CausalLM:
    """The weights, on the GPU if there is one; in float32 if all of them are to be trained.

    ``precision`` names their number format on a processor in place of float32.
    """
    source = download_weights(source)
    check_fits(source, full=full)
    torch = library("torch")
    placement: dict[str, Untyped] = {"dtype": getattr(torch, precision or "float32")}
    if has_gpu():
        device_map = {"": 0} if fits_one_gpu(source, full=full) else "auto"
        placement = {
            "device_map": device_map,
            "dtype": torch.float32 if full else torch.bfloat16,
        }
    if source.quantized:
        placement |= loading_options(placement["dtype"])
    model = read_weights(source, placement)
    _check_cache(source.name, model)
    return model


def read_weights(source: ModelSource, placement: Mapping[str, Untyped]) -> CausalLM:
    """The weights in a number format and a place; raises :class:`~limen.BackendError`."""
    weights = {} if source.gguf else {"use_safetensors": True}
    with _as_one_error(source.name), redirect_stderr(io.StringIO()):  # hides its progress bar
        model, loading_info = library("transformers").AutoModelForCausalLM.from_pretrained(
            source.path, **source.arguments, **weights, **placement, output_loading_info=True
        )
    _check_complete(source.name, loading_info)
    _forget_quantization(model)
    return model


def load_adapted(source: ModelSource, adapter: Path) -> CausalLM:
    """A base model with an adapter on."""
    return library("peft").PeftModel.from_pretrained(load_model(source), adapter)


@contextmanager
def _as_one_error(name: str) -> Iterator[None]:
    """Turn whatever the libraries raise for files that they cannot read into one line."""
    try:
        yield
    except LimenError:
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise
        message = f"{type(error).__name__}: {one_line(error)[:300]}"
        raise BackendError(f"{name} cannot be loaded: {message}") from error


def _check_complete(name: str, loading_info: Mapping[str, Untyped]) -> None:
    """Raise if weights were missing in the files: the libraries would initialise them at random."""
    missing = sorted({*loading_info["missing_keys"], *map(str, loading_info["mismatched_keys"])})
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise BackendError(
            f"{name} lacks weights, or has them in another shape: {missing[0]}{more}; its files "
            f"are incomplete, or of an architecture whose weights have other names in Transformers"
        )


def _check_cache(name: str, model: CausalLM) -> None:
    """Raise if a layer's cache does not consist of keys and values, which draws can share."""
    layers = library("transformers").DynamicCache(config=model.config).layers
    if any("LinearAttention" in kind.__name__ for each in layers for kind in type(each).__mro__):
        raise BackendError(
            f"{name} has layers of linear attention or convolutions, which cannot be sampled from "
            f"here: take a model with attention layers only, or serve it with vLLM and use "
            f"--limen-backend openai"
        )


def _forget_quantization(model: CausalLM) -> None:
    """Mark a GGUF file's weights as trainable: they were dequantized when they were read."""
    config = getattr(model.config, "quantization_config", None)
    method = config.get("quant_method") if isinstance(config, dict) else None
    if str(getattr(config, "quant_method", method)).lower().endswith("gguf"):
        del model.config.quantization_config
        model.hf_quantizer = None
        model.is_quantized = False


def _turn_end(tokenizer: Tokenizer) -> int | None:
    """The first special token that the template puts after an answer."""
    ending = own_context(tokenizer).turn_ending(tokenizer)
    if PLACEHOLDER in ending:
        return None
    special = special_tokens(tokenizer)
    tokens = tokenizer(ending, add_special_tokens=False)["input_ids"]
    return next((int(token) for token in tokens if token in special), None)
