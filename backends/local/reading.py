"""What a model has read, row by row: the prompts once, and then only what is new.

Rows are padded on the left and told their own positions, so that a row's result does not depend
on its company but for floating-point noise.
"""

import copy
import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...datasets.errors import BackendError
from .extra import library

Tokens = tuple[int, ...]


@dataclass(frozen=True)
class Read:
    """Rows that were read, what there is to go on from, and what is expected next."""

    cache: Any
    mask: Any
    """(R, T), 1 where there is a token."""
    logits: Any
    """(R, V), float32: of each row's next token."""


class Reader:
    """A model that reads."""

    def __init__(self, model: Any, pad: int) -> None:
        self._model = model
        self._pad = pad
        self.device = model.device
        self._cache = _word_for_cache(model)

    def begin(self, rows: Sequence[Tokens]) -> Read:
        """Read some texts from their beginning."""
        torch = library("torch")
        width = max(map(len, rows))
        ids = [[self._pad] * (width - len(row)) + list(row) for row in rows]
        seen = [[0] * (width - len(row)) + [1] * len(row) for row in rows]
        cache = library("transformers").DynamicCache(config=self._model.config)
        return self._run(
            torch.tensor(ids, device=self.device), torch.tensor(seen, device=self.device), cache
        )

    def go_on(self, read: Read, parents: Sequence[int], tokens: Sequence[int]) -> Read:
        """Read one more token a row, each behind the row of ``read`` that ``parents`` names.

        ``read`` stays as it is, so that others can go on from it as well.
        """
        torch = library("torch")
        cache, mask = copy.copy(read.cache), read.mask
        cache.layers = [copy.copy(layer) for layer in read.cache.layers]
        if list(parents) != list(range(len(mask))):
            rows = torch.tensor(parents, device=self.device)
            for layer in cache.layers:  # each where its keys are: layers may be on several GPUs
                layer.reorder_cache(rows)
            mask = mask[rows]
        mask = torch.cat([mask, mask.new_ones(len(mask), 1)], dim=1)
        return self._run(torch.tensor(tokens, device=self.device)[:, None], mask, cache)

    def _run(self, ids: Any, mask: Any, cache: Any) -> Read:
        with library("torch").inference_mode():
            positions = (mask.cumsum(dim=1) - 1).clamp(min=0)[:, -ids.shape[1] :]
            made = self._model(
                input_ids=ids,
                attention_mask=mask,
                position_ids=positions,
                use_cache=True,
                logits_to_keep=1,
                **{self._cache: cache},
            )
            logits = made.logits[:, -1].float()
            if logits.isnan().any():
                raise BackendError(
                    "the model gives no numbers (NaN) for what comes next: its weights are broken, "
                    "or it was trained at too high a rate"
                )
            return Read(cache, mask, logits)


def _word_for_cache(model: Any) -> str:
    """What the model calls the cache: Transformers 5.24 renamed it, 5.40 forgets the old word."""
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    return "cache" if "cache" in inspect.signature(base.forward).parameters else "past_key_values"
