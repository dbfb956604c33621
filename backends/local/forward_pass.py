"""Forward passes with a key-value cache: prompts are computed once, and then only new tokens.

Rows are padded on the left and have their own positions, so that a row's result depends on the
other rows only by floating-point noise.
"""

import copy
import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ...datasets.errors import BackendError
from .key_value_cache import ROOM, is_roomy, joined, new_cache
from .libraries import CausalLM, Tensor, Untyped, library
from .memory import has_gpu

Tokens = tuple[int, ...]
PROMPT_TOKENS = 4096
"""Tokens of prompts in one pass on a processor: larger activations get new memory every time."""
LIVE_SHARE = 0.8
"""Rows that have ended stay in the cache, and are computed, until fewer than this share go on:
taking them out copies all keys and values."""


@dataclass(frozen=True)
class ForwardState:
    """``R`` rows after a forward pass, with what is needed to continue them."""

    cache: Untyped
    mask: Tensor
    """(S, T), 1 where there is a token."""
    logits: Tensor
    """(R, V), float32, of each row's next token."""
    slots: tuple[int, ...] | None = None
    """(R,), the place of each row among the S of the cache; None if the rows are its places."""

    def slots_of(self, rows: Sequence[int]) -> list[int]:
        """The places of some rows in the cache."""
        return list(rows) if self.slots is None else [self.slots[row] for row in rows]


class CachedForward:
    """Runs a model over rows of tokens, and continues them in place by up to ``room`` tokens."""

    def __init__(self, model: CausalLM, pad: int, *, room: int = ROOM) -> None:
        self._model = model
        self._pad = pad
        self._room = room
        self.device = model.device
        self._cache_argument = _cache_argument(model)

    def start(self, rows: Sequence[Tokens]) -> ForwardState:
        """Run over some texts from their beginning; what all begin with is computed once."""
        shared = min(shared_length(rows), min(map(len, rows)) - 1)
        if shared < 1 or len(rows) == 1:
            return self.extend_rows(self._empty(len(rows)), range(len(rows)), rows)
        first = self.start([rows[0][:shared]])
        return self.extend_rows(first, [0] * len(rows), [row[shared:] for row in rows])

    def extend(
        self, state: ForwardState, parents: Sequence[int], tokens: Sequence[int]
    ) -> ForwardState:
        """Add one token to rows of ``state``: token ``i`` after the row ``parents[i]``.

        ``state`` is not changed, so that other rows can continue from it as well.
        """
        slots = state.slots_of(parents)
        size = len(state.mask)
        distinct = len(set(slots)) == len(slots)
        if not (distinct and len(slots) >= LIVE_SHARE * size and is_roomy(state.cache)):
            return self.extend_rows(state, parents, [(token,) for token in tokens])
        every = dict.fromkeys(range(size), self._pad) | dict(zip(slots, tokens, strict=True))
        rows = [(token,) for token in every.values()]
        added = self._added(replace(state, cache=_copied(state.cache)), rows, 1)
        if slots == list(range(size)):
            return added
        return replace(added, logits=added.logits[slots], slots=tuple(slots))

    def extend_rows(
        self, state: ForwardState, parents: Sequence[int], rows: Sequence[Tokens]
    ) -> ForwardState:
        """Add several tokens, at least one, to rows of ``state``, as :meth:`extend` does."""
        width = max(map(len, rows))
        parts = _parts(len(rows), width) if is_roomy(state.cache) else [slice(None)]
        return _joined(
            [self._added(self._chosen(state, parents[part]), rows[part], width) for part in parts]
        )

    def log_probabilities(
        self, state: ForwardState, parents: Sequence[int], rows: Sequence[Tokens]
    ) -> Tensor:
        """(R, T) log-probabilities of the tokens of each row after the row ``parents[i]``.

        Rows are aligned at their ends; what stands before a shorter row means nothing.
        """
        torch = library("torch")
        width = max(map(len, rows))
        before = [row[:-1] for row in rows]
        first = torch.log_softmax(state.logits, dim=-1)[list(parents)]
        logs = first.new_zeros(len(rows), width)
        if width > 1:
            ids = self._padded(rows, width)[:, 1:, None]
            logits = self._run(self._chosen(state, parents), before, width - 1, keep=width - 1)[1]
            logs[:, 1:] = torch.log_softmax(logits, dim=-1).gather(2, ids)[:, :, 0]
        places = [width - len(row) for row in rows]
        starts = [row[0] for row in rows]
        logs[range(len(rows)), places] = first[range(len(rows)), starts]
        return logs

    def _padded(self, rows: Sequence[Tokens], width: int) -> Tensor:
        """(R, width) tokens, aligned at the ends."""
        ids = [[self._pad] * (width - len(row)) + list(row) for row in rows]
        return library("torch").tensor(ids, device=self.device)

    def _mask(self, rows: Sequence[Tokens], width: int) -> Tensor:
        """(R, width), 1 where there is a token."""
        mask = [[0] * (width - len(row)) + [1] * len(row) for row in rows]
        return library("torch").tensor(mask, device=self.device)

    def _empty(self, count: int) -> ForwardState:
        """Rows without a token, and so without logits."""
        mask = library("torch").ones(count, 0, dtype=library("torch").long, device=self.device)
        return ForwardState(new_cache(self._model, room=self._room), mask, mask)

    def _chosen(self, state: ForwardState, parents: Sequence[int]) -> ForwardState:
        """Rows of a state, each of them any number of times, to be continued in place."""
        cache, mask, slots = _copied(state.cache), state.mask, state.slots_of(parents)
        if slots != list(range(len(mask))):
            chosen = library("torch").tensor(slots, device=self.device)
            for layer in cache.layers:  # each on its own device: layers may be on several GPUs
                layer.reorder_cache(chosen)
            mask = mask[chosen]
        return ForwardState(cache, mask, state.logits)

    def _added(self, state: ForwardState, rows: Sequence[Tokens], width: int) -> ForwardState:
        """The state after more tokens in each place of its cache, which is changed."""
        return self._run(state, rows, width, keep=1)[0]

    def _run(
        self, state: ForwardState, rows: Sequence[Tokens], width: int, *, keep: int
    ) -> tuple[ForwardState, Tensor]:
        """The same, and the (S, keep, V) logits at the last ``keep`` places."""
        torch = library("torch")
        ids = self._padded(rows, width)
        with torch.inference_mode():
            mask = torch.cat([state.mask, self._mask(rows, width)], dim=1)
            positions = (mask.cumsum(dim=1) - 1).clamp(min=0)[:, -width:]
            output = self._model(
                input_ids=ids,
                attention_mask=mask,
                position_ids=positions,
                use_cache=True,
                logits_to_keep=keep,
                **{self._cache_argument: state.cache},
            )
            logits = output.logits[:, -keep:].float()
            if logits.amax(dim=-1).isnan().any():
                raise BackendError(
                    "the model's probabilities of the next token are not numbers (NaN): its "
                    "weights are damaged, or its learning rate was too high"
                )
            return ForwardState(state.cache, mask, logits[:, -1]), logits


def shared_length(rows: Sequence[Tokens]) -> int:
    """How many tokens all rows begin with."""
    first, last = min(rows), max(rows)
    pairs = enumerate(zip(first, last, strict=False))
    return next((n for n, (a, b) in pairs if a != b), min(len(first), len(last)))


def _parts(rows: int, width: int) -> Iterator[slice]:
    """Rows that are computed together."""
    size = rows if has_gpu() else max(1, PROMPT_TOKENS // width)
    yield from (slice(start, start + size) for start in range(0, rows, size))


def _copied(cache: Untyped) -> Untyped:
    """The same keys and values, to be continued without a change of the original."""
    copied = copy.copy(cache)
    copied.layers = [copy.copy(layer) for layer in cache.layers]
    return copied


def _joined(states: Sequence[ForwardState]) -> ForwardState:
    """The rows of several states of the same length in one."""
    if len(states) == 1:
        return states[0]
    torch = library("torch")
    return ForwardState(
        joined([state.cache for state in states]),
        torch.cat([state.mask for state in states]),
        torch.cat([state.logits for state in states]),
    )


def _cache_argument(model: CausalLM) -> str:
    """The name of the cache argument: renamed in Transformers 5.24, the old one gone in 5.40."""
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    return "cache" if "cache" in inspect.signature(base.forward).parameters else "past_key_values"
