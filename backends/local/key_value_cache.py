"""A cache of keys and values with spare room: a new token is written in place.

Transformers' own dynamic cache copies all keys and values for each new token.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from .libraries import CausalLM, Tensor, Untyped, library

ROOM = 32
"""Tokens of spare room after a copy, unless fewer are to be added: choosing rows copies it, too."""


@dataclass(eq=False)
class _Buffer:
    """Keys and values of one layer, shared by the states that continue one another."""

    keys: Tensor
    """(R, H, capacity, D)."""
    values: Tensor
    used: int
    """Tokens that are written. A state that is shorter must not write here: another one has."""


def new_cache(model: CausalLM, *, room: int = ROOM) -> Untyped:
    """An empty cache; layers with a sliding window are Transformers' own."""
    made = library("transformers").DynamicCache(config=model.config)
    plain, roomy = library("transformers.cache_utils").DynamicLayer, _roomy_layer()
    made.layers = [roomy(room) if type(layer) is plain else layer for layer in made.layers]
    return made


def is_roomy(made: Untyped) -> bool:
    """Whether all layers of a cache write in place."""
    return all(isinstance(layer, _roomy_layer()) for layer in made.layers)


def joined(caches: Sequence[Untyped]) -> Untyped:
    """The rows of several roomy caches of the same length in one."""
    torch = library("torch")
    for layers in zip(*(each.layers for each in caches), strict=True):
        if layers[0].buffer is None:  # it shares another layer's keys and values
            continue
        keys = torch.cat([layer.keys for layer in layers])
        values = torch.cat([layer.values for layer in layers])
        end = keys.shape[2]
        layers[0].show(_Buffer(keys, values, used=end), end)
    return caches[0]


@cache
def _roomy_layer() -> Untyped:
    """The class of a layer that writes in place: made late, as its base is imported late."""

    class RoomyLayer(library("transformers.cache_utils").DynamicLayer):  # type: ignore[misc]
        """A layer's keys and values, at the beginning of a buffer with spare room."""

        def __init__(self, room: int) -> None:
            super().__init__()
            self.room = room
            self.buffer: _Buffer | None = None

        def update(
            self, key_states: Tensor, value_states: Tensor, *args: Untyped, **kwargs: Untyped
        ) -> tuple[Tensor, Tensor]:
            """Write (R, H, T, D) new keys and values; returns all of them."""
            if not self.is_initialized:
                self.lazy_initialization(key_states, value_states)
            start = self.get_seq_length()
            end = start + key_states.shape[2]
            buffer = self.buffer
            if buffer is None or buffer.used != start or end > buffer.keys.shape[2]:
                buffer = _copied(self, key_states, value_states, start, end + self.room)
            buffer.keys[:, :, start:end] = key_states
            buffer.values[:, :, start:end] = value_states
            buffer.used = end
            self.show(buffer, end)
            return self.keys, self.values

        def show(self, buffer: _Buffer, end: int) -> None:
            self.buffer = buffer
            self.keys, self.values = buffer.keys[:, :, :end], buffer.values[:, :, :end]

        def reorder_cache(self, beam_idx: Tensor) -> None:
            """Choose rows, with the spare room of each."""
            if self.buffer is None:
                return
            rows, end = beam_idx.to(self.keys.device), self.get_seq_length()
            keys = self.buffer.keys.index_select(0, rows)
            values = self.buffer.values.index_select(0, rows)
            self.show(_Buffer(keys, values, used=end), end)

    return RoomyLayer


def _copied(layer: Untyped, keys: Tensor, values: Tensor, used: int, capacity: int) -> _Buffer:
    """A buffer of its own for a layer, like the new keys and values that it is for."""
    buffer = _Buffer(_empty(keys, capacity), _empty(values, capacity), used)
    if used:
        buffer.keys[:, :, :used] = layer.keys
        buffer.values[:, :, :used] = layer.values
    return buffer


def _empty(like: Tensor, length: int) -> Tensor:
    rows, heads, _, size = like.shape
    return like.new_empty(rows, heads, length, size)
