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
        torch = library("torch")
        width = max(map(len, rows))
        ids = [[self._pad] * (width - len(row)) + list(row) for row in rows]
        mask = [[0] * (width - len(row)) + [1] * len(row) for row in rows]
        cache = library("transformers").DynamicCache(config=self._model.config)
        return self._run(
            torch.tensor(ids, device=self.device), torch.tensor(mask, device=self.device), cache
        )

    def extend(
        self, state: ForwardState, parents: Sequence[int], tokens: Sequence[int]
    ) -> ForwardState:
        """Add one token to rows of ``state``: token ``i`` after the row ``parents[i]``.

        ``state`` is not changed, so that other rows can continue from it as well.
        """
        torch = library("torch")
        cache, mask = copy.copy(state.cache), state.mask
        cache.layers = [copy.copy(layer) for layer in state.cache.layers]
        if list(parents) != list(range(len(mask))):
            rows = torch.tensor(parents, device=self.device)
            for layer in cache.layers:  # each on its own device: layers may be on several GPUs
                layer.reorder_cache(rows)
            mask = mask[rows]
        mask = torch.cat([mask, mask.new_ones(len(mask), 1)], dim=1)
        return self._run(torch.tensor(tokens, device=self.device)[:, None], mask, cache)

    def _run(self, ids: Tensor, mask: Tensor, cache: Untyped) -> ForwardState:
        with library("torch").inference_mode():
            positions = (mask.cumsum(dim=1) - 1).clamp(min=0)[:, -ids.shape[1] :]
            output = self._model(
                input_ids=ids,
                attention_mask=mask,
                position_ids=positions,
                use_cache=True,
                logits_to_keep=1,
                **{self._cache_argument: cache},
            )
            logits = output.logits[:, -1].float()
            if logits.isnan().any():
                raise BackendError(
                    "the model's probabilities of the next token are not numbers (NaN): its "
                    "weights are damaged, or its learning rate was too high"
                )
            return ForwardState(cache, mask, logits)


def _cache_argument(model: CausalLM) -> str:
    """The name of the cache argument: renamed in Transformers 5.24, the old one gone in 5.40."""
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    return "cache" if "cache" in inspect.signature(base.forward).parameters else "past_key_values"
