"""Forward passes with a key-value cache: prompts are computed once, and then only new tokens.

Rows are padded on the left and have their own positions, so that a row's result depends on the
other rows only by floating-point noise.
"""

import copy
import inspect
from collections.abc import Sequence
from dataclasses import dataclass

from ...datasets.errors import BackendError
from .libraries import CausalLM, Tensor, Untyped, library

Tokens = tuple[int, ...]


@dataclass(frozen=True)
class ForwardState:
    """``R`` rows after a forward pass, with what is needed to continue them."""

    cache: Untyped
    mask: Tensor
    """(R, T), 1 where there is a token."""
    logits: Tensor
    """(R, V), float32, of each row's next token."""


class CachedForward:
    """Runs a model over rows of tokens, and continues them."""

    def __init__(self, model: CausalLM, pad: int) -> None:
        self._model = model
        self._pad = pad
        self.device = model.device
        self._cache_argument = _cache_argument(model)

    def start(self, rows: Sequence[Tokens]) -> ForwardState:
        """Run over some texts from their beginning."""
        width = max(map(len, rows))
        cache = library("transformers").DynamicCache(config=self._model.config)
        return self._run(self._padded(rows, width), self._mask(rows, width), cache, 1)[0]

    def extend(
        self, state: ForwardState, parents: Sequence[int], tokens: Sequence[int]
    ) -> ForwardState:
        """Add one token to rows of ``state``: token ``i`` after the row ``parents[i]``.

        ``state`` is not changed, so that other rows can continue from it as well.
        """
        return self.extend_rows(state, parents, [(token,) for token in tokens])

    def extend_rows(
        self, state: ForwardState, parents: Sequence[int], rows: Sequence[Tokens]
    ) -> ForwardState:
        """Add several tokens, at least one, to rows of ``state``, as :meth:`extend` does."""
        return self._extended(state, parents, rows, keep=1)[0]

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
            logits = self._extended(state, parents, before, keep=width - 1)[1]
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

    def _extended(
        self, state: ForwardState, parents: Sequence[int], rows: Sequence[Tokens], *, keep: int
    ) -> tuple[ForwardState, Tensor]:
        """The state after more tokens, and the (R, keep, V) logits at the last ``keep`` places."""
        torch = library("torch")
        cache, mask = copy.copy(state.cache), state.mask
        cache.layers = [copy.copy(layer) for layer in state.cache.layers]
        if list(parents) != list(range(len(mask))):
            chosen = torch.tensor(parents, device=self.device)
            for layer in cache.layers:  # each on its own device: layers may be on several GPUs
                layer.reorder_cache(chosen)
            mask = mask[chosen]
        width = max(map(len, rows))
        mask = torch.cat([mask, self._mask(rows, width)], dim=1)
        return self._run(self._padded(rows, width), mask, cache, keep)

    def _run(
        self, ids: Tensor, mask: Tensor, cache: Untyped, keep: int
    ) -> tuple[ForwardState, Tensor]:
        with library("torch").inference_mode():
            positions = (mask.cumsum(dim=1) - 1).clamp(min=0)[:, -ids.shape[1] :]
            output = self._model(
                input_ids=ids,
                attention_mask=mask,
                position_ids=positions,
                use_cache=True,
                logits_to_keep=keep,
                **{self._cache_argument: cache},
            )
            logits = output.logits[:, -keep:].float()
            if logits.isnan().any():
                raise BackendError(
                    "the model's probabilities of the next token are not numbers (NaN): its "
                    "weights are damaged, or its learning rate was too high"
                )
            return ForwardState(cache, mask, logits[:, -1]), logits


def _cache_argument(model: CausalLM) -> str:
    """The name of the cache argument: renamed in Transformers 5.24, the old one gone in 5.40."""
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    return "cache" if "cache" in inspect.signature(base.forward).parameters else "past_key_values"
