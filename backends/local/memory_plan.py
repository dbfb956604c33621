"""What a training and a sampling will take in memory, planned before the model is loaded."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ...datasets.errors import BackendError
from ..base import Recipe
from .four_bits import BYTES
from .libraries import Untyped, library
from .memory_limits import total_memory
from .sources import ModelSource
from .training_data import TrainingData

LIBRARIES = 600 * 2**20
"""Bytes that the libraries themselves take on a processor."""
CACHE_SHARE = 0.5
"""Of the memory beside the weights, what the cache of keys and values may take."""
LAYERS_COPIED = 2
"""Layers whose activations are in memory at once where they are computed again."""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """The sizes of a model that decide its memory."""

    parameters: int
    layers: int
    hidden: int
    intermediate: int
    vocabulary: int
    cached: int
    """Numbers that the cache of keys and values holds for each token and layer."""


def shape_of(source: ModelSource) -> Shape | None:
    """The sizes of a model's files; None if they do not say."""
    if source.parameters is None:
        return None
    try:
        config = library("transformers").AutoConfig.from_pretrained(source.path, **source.arguments)
    except (OSError, ValueError, KeyError):
        return None
    return config_shape(config, source.parameters)


def config_shape(config: Untyped, parameters: int) -> Shape | None:
    """The sizes in a configuration of Transformers; None if they are not there."""
    known: Mapping[str, Any] = config.get_text_config().to_dict()
    names = ("num_hidden_layers", "hidden_size", "vocab_size", "num_attention_heads")
    if not all(isinstance(known.get(name), int) for name in names):
        return None
    layers, hidden, vocabulary, heads = (int(known[name]) for name in names)
    width = known.get("head_dim") or hidden // heads
    return Shape(
        parameters=parameters,
        layers=layers,
        hidden=hidden,
        intermediate=_whole(known.get("intermediate_size"), 4 * hidden),
        vocabulary=vocabulary,
        cached=2 * width * _whole(known.get("num_key_value_heads"), heads),
    )


def _whole(value: object, otherwise: int) -> int:
    return value if isinstance(value, int) else otherwise


@dataclass(frozen=True, kw_only=True)
class RowSizes:
    """What one row of the data takes in a forward pass."""

    row_tokens: int
    """Tokens of the longest text, prompt and answer together."""
    answer_tokens: int
    """Tokens of the longest answer."""
    texts: int = 1
    """Texts of a row: a preference pair has two."""
    teacher: int = 0
    """Parameters of a teacher that is in memory beside the student."""


def row_sizes(data: TrainingData) -> RowSizes:
    """Of rows that are trained on as they are."""
    return RowSizes(row_tokens=data.longest_row, answer_tokens=data.longest_answer)


@dataclass(frozen=True, kw_only=True)
class TrainingMemory:
    """The memory of a training on some rows, in bytes."""

    shape: Shape
    recipe: Recipe
    sizes: RowSizes
    gpu: bool
    half: bool
    """Whether matrices are multiplied in bfloat16."""
    quantized: bool = False
    """Whether the base is in four bits, and a teacher beside it."""

    @property
    def weights(self) -> int:
        """The base model, on a processor in float32, with a copy in bfloat16 if it trains so; and
        a teacher beside it.
        """
        libraries = 0 if self.gpu else LIBRARIES
        if self.quantized:
            return int(BYTES * (self.shape.parameters + self.sizes.teacher)) + libraries
        each = 2 if self.gpu and not self._full else 4
        copies = 2 if self.half and not self.gpu else 0
        teacher = (2 if self.gpu else 4) * self.sizes.teacher
        return (each + copies) * self.shape.parameters + teacher + libraries

    @property
    def trained(self) -> int:
        """What is trained, beyond the weights: gradients, Adam's averages, and an adapter."""
        if self._full:
            return 12 * self.shape.parameters
        per_layer = 12 * self.shape.hidden + 6 * self.shape.intermediate  # seven linear layers
        return 16 * int(self.recipe["rank"] or 1) * per_layer * self.shape.layers

    def activations(self, rows: int, *, recomputed: bool) -> int:
        """What a forward pass of some rows keeps for the backward pass."""
        size = 2.5 if self.half else 4  # residuals stay in float32
        each = int((14 * self.shape.hidden + 5 * self.shape.intermediate) * size)
        tokens = rows * self.sizes.texts * self.sizes.row_tokens
        if recomputed:
            inputs = 4 * self.shape.hidden * self.shape.layers
            return tokens * (inputs + LAYERS_COPIED * each)
        return tokens * each * self.shape.layers

    def logits(self, rows: int) -> int:
        """The logits of the answers, and their gradients; a teacher's have none."""
        answers = rows * self.sizes.texts * self.sizes.answer_tokens
        without_gradient = 4 if self.sizes.teacher else 0
        return answers * self.shape.vocabulary * ((8 if self.half else 12) + without_gradient)

    def total(self, rows: int, *, recomputed: bool) -> int:
        """All of it, for ``rows`` rows in a forward pass."""
        activations = self.activations(rows, recomputed=recomputed)
        return self.weights + self.trained + activations + self.logits(rows)

    def fits(self, rows: int, *, recomputed: bool) -> bool:
        """Whether there is so much memory."""
        return self.total(rows, recomputed=recomputed) <= total_memory()[0]

    def error(self, name: str) -> BackendError:
        """The error for a training of which not even a single row fits."""
        room, place = total_memory()
        remedies = [*self._remedies(), "take a smaller model, or a machine with more memory"]
        parts = {
            "the weights of both models" if self.sizes.teacher else "the weights": self.weights,
            "what is trained": self.trained,
            self._one_row: self.activations(1, recomputed=True),
            "its logits": self.logits(1),
        }
        listed = ", ".join(f"{part} {_gib(size)}" for part, size in parts.items())
        return BackendError(
            f"to train {name} takes about {_gib(sum(parts.values()))} row by row with "
            f"gradient_checkpointing ({listed}), and {place} has {_gib(room)}: "
            f"{', or '.join(remedies)}"
        )

    def _remedies(self) -> Iterator[str]:
        """The settings with which it would fit."""
        room = total_memory()[0]
        if self._full:
            adapter = replace(self, recipe={**self.recipe, "method": "lora", "rank": 8})
            if adapter.fits(1, recomputed=True):
                yield "train an adapter with recipe={'method': 'lora'}"
            return
        rank = int(self.recipe["rank"] or 1)
        for lower in (rank // 2**n for n in range(1, rank.bit_length())):
            if replace(self, recipe={**self.recipe, "rank": lower}).fits(1, recomputed=True):
                yield f"recipe={{'rank': {lower}}} would fit"
                break
        left = room - self.weights - self.trained
        by_row = self.activations(1, recomputed=True) + self.logits(1)
        longest = int(left / by_row * self.sizes.row_tokens)
        if longest > 0:
            yield f"rows of at most {longest:,} tokens would fit"

    @property
    def _one_row(self) -> str:
        kind = "a pair of texts" if self.sizes.texts > 1 else "a row"
        return f"{kind} of {self.sizes.row_tokens:,} tokens"

    @property
    def _full(self) -> bool:
        return self.recipe["method"] == "full"


def cache_rows(shape: Shape, tokens: int, *, gpu: bool) -> int:
    """Rows of some tokens whose keys and values fit beside the weights.

    Raises :class:`~limen.BackendError` if not even one does.
    """
    each = 2 if gpu else 4
    total, place = total_memory()
    row = tokens * shape.layers * shape.cached * each
    room = (total - each * shape.parameters) * CACHE_SHARE
    if row > room:
        fitting = int(room / row * tokens)
        raise BackendError(
            f"an answer to a text of {tokens:,} tokens, both together, takes about {_gib(row)} of "
            f"memory for its keys and values, and {place} has {_gib(total)}: at most "
            f"{max(0, fitting):,} tokens would fit; lower max_tokens, or shorten the text"
        )
    return int(room / row)


def _gib(size: float) -> str:
    return f"{size / 2**30:.1f} GiB"
