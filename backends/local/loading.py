"""Loaded models: one base at a time, and the adapters on it, switched without loading it again."""

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...datasets.errors import BackendError, LimenError, TooLongError
from .context import MARK, Context, own_context, special_tokens
from .extra import library, one_line, quiet
from .memory import accelerated, check_fits, fits_one, freed, ran_out
from .reading import Tokens
from .sources import Source, fetched
from .spelling import Spelling

if TYPE_CHECKING:
    from ...datasets.chat import Conversation

ADAPTERS = 8
"""Adapters that stay on a base before the one used longest ago is taken off."""


@dataclass(eq=False)
class Loaded:
    """A base model in memory, and its tokenizer."""

    source: Source
    model: Any
    tokenizer: Any
    spelling: Spelling | None = None
    """Its vocabulary, indexed when it was first needed."""
    _adapters: list[str] = field(default_factory=list)
    """Those on it, by folder, the last used at the end."""

    @property
    def ends(self) -> frozenset[int]:
        """The tokens that end an answer: the model's, and what its template puts behind a turn."""
        own = self.model.generation_config.eos_token_id
        own = own if isinstance(own, list) else [own]
        known = {self.tokenizer.eos_token_id, *own, _turn_end(self.tokenizer)}
        return frozenset(token for token in known if token is not None)

    @property
    def pad(self) -> int:
        """What stands before the shorter of several texts, where nobody looks."""
        return min(self.ends, default=0)

    @contextmanager
    def wearing(self, adapter: Path | None) -> Iterator[Any]:
        """The model with an adapter on, or with none."""
        if adapter is None and not self._adapters:
            yield self.model
        elif adapter is None:
            with self.model.disable_adapter():
                yield self.model
        else:
            self._put_on(adapter)
            yield self.model

    def _put_on(self, adapter: Path) -> None:
        name = str(adapter).replace(".", "_")  # a dot would part it for PyTorch
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
        if len(self._adapters) > ADAPTERS:
            self.model.delete_adapter(self._adapters.pop(0))


def prompts(
    loaded: Loaded, context: Context, conversations: "Sequence[Conversation]", *, room: int
) -> list[Tokens]:
    """Some conversations as the model reads them, with room for answers of so many tokens.

    Raises :class:`~limen.TooLongError` for what is longer than the model can read.
    """
    texts = [context.prompt(loaded.tokenizer, messages) for messages in conversations]
    read = loaded.tokenizer(texts, add_special_tokens=False)["input_ids"]
    check_length(loaded.model, max(map(len, read), default=0), room)
    return [tuple(tokens) for tokens in read]


def check_length(model: Any, tokens: int, room: int = 0) -> None:
    """Raise :class:`~limen.TooLongError` for a text longer than what a model was made for."""
    most = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    if isinstance(most, int) and 0 < most < tokens + room:
        answer = f" and {room:,} for the answer" if room else ""
        raise TooLongError(
            f"a text of {tokens:,} tokens{answer} is longer than the {most:,} that the model can "
            f"read: shorten it, or show fewer rows in context"
        )


class Shelf:
    """Holds the base that was asked for last."""

    def __init__(self) -> None:
        self.held: Loaded | None = None

    def take(self, source: Source) -> Loaded:
        """The model of these files, loaded unless it is the one held."""
        if self.held is None or self.held.source != source:
            self.clear()
            tokenizer = load_tokenizer(source.tokenizer or source)
            self.held = Loaded(source, load_model(source).eval(), tokenizer)
        return self.held

    def clear(self) -> None:
        """Free the memory."""
        self.held = None
        freed()


def load_tokenizer(source: Source) -> Any:
    """The tokenizer, with a chat template; raises :class:`~limen.BackendError` without one."""
    quiet()
    with _in_a_line(source.name):
        tokenizer = library("transformers").AutoTokenizer.from_pretrained(
            source.path, **source.arguments
        )
        if not tokenizer.chat_template:
            raise no_template(source.name)
        own_context(tokenizer)  # raises where there are several templates and none is the first
        return tokenizer


def load_model(source: Source, *, whole: bool = False) -> Any:
    """The weights on the GPU, or else in memory; in float32 where all of them are to be trained."""
    source = fetched(source)
    check_fits(source, whole=whole)
    torch = library("torch")
    where: dict[str, Any] = {"dtype": torch.float32}
    if accelerated():
        dtype = torch.float32 if whole else torch.bfloat16
        where = {"device_map": {"": 0} if fits_one(source, whole=whole) else "auto", "dtype": dtype}
    weights = {} if source.gguf else {"use_safetensors": True}
    with _in_a_line(source.name), redirect_stderr(io.StringIO()):  # its progress bar is loud
        model, read = library("transformers").AutoModelForCausalLM.from_pretrained(
            source.path, **source.arguments, **weights, **where, output_loading_info=True
        )
    _check_whole(source.name, read)
    _forget_quantization(model)
    _check_cache(source.name, model)
    return model


@contextmanager
def _in_a_line(name: str) -> Iterator[None]:
    """Whatever the libraries raise of files that they cannot make sense of, as one line."""
    try:
        yield
    except LimenError:
        raise
    except Exception as error:
        if ran_out(error):
            raise
        says = f"{type(error).__name__}: {one_line(error)[:300]}"
        raise BackendError(f"{name} cannot be loaded: {says}") from error


def _check_whole(name: str, read: Mapping[str, Any]) -> None:
    """Raise where weights were not in the files: the libraries make some up at random."""
    if lacking := sorted({*read["missing_keys"], *map(str, read["mismatched_keys"])}):
        more = f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
        raise BackendError(
            f"{name} lacks weights, or has them in another shape: {lacking[0]}{more}; its files "
            f"are incomplete, or of an architecture that Transformers knows by other names"
        )


def no_template(name: str) -> BackendError:
    """What is wrong with a model that cannot talk."""
    return BackendError(
        f"{name} has no chat template, so it cannot be asked anything: take its instruction-tuned "
        f"version, or put a chat_template.jinja into its folder"
    )


def _check_cache(name: str, model: Any) -> None:
    """Raise where what was read is no keys and values, which draws could part from."""
    layers = library("transformers").DynamicCache(config=model.config).layers
    if any("LinearAttention" in kind.__name__ for each in layers for kind in type(each).__mro__):
        raise BackendError(
            f"{name} has layers of linear attention or convolutions, which cannot be sampled from "
            f"here: take a model whose layers are all of attention, or serve it with vLLM and use "
            f"--limen-backend openai"
        )


def _forget_quantization(model: Any) -> None:
    """A GGUF file's weights are whole numbers no longer, and may be trained."""
    config = getattr(model.config, "quantization_config", None)
    method = config.get("quant_method") if isinstance(config, dict) else None
    if str(getattr(config, "quant_method", method)).lower().endswith("gguf"):
        del model.config.quantization_config
        model.hf_quantizer = None
        model.is_quantized = False


def _turn_end(tokenizer: Any) -> int | None:
    """The first special token that the template puts behind an answer."""
    ending = own_context(tokenizer).ending(tokenizer)
    if MARK in ending:
        return None
    special = special_tokens(tokenizer)
    tokens = tokenizer(ending, add_special_tokens=False)["input_ids"]
    return next((int(token) for token in tokens if token in special), None)
