"""Sampling a token by one uniform number: every draw brings its own, so draws are independent."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .libraries import Tensor, library

CELLS = 256
"""A token is chosen in two steps: a run of this many neighbours, and then one of them."""


def uniforms(seeds: Sequence[int], count: int) -> NDArray[np.float64]:
    """(N, count) uniform numbers: a stream for each seed, of NumPy's counter-based generator."""
    streams = (np.random.Generator(np.random.Philox(key=seed % 2**64)) for seed in seeds)
    return np.stack([stream.random(count) for stream in streams])


def token_probabilities(logits: Tensor, *, temperature: float, top_p: float) -> Tensor:
    """(R, V) probabilities of the next token, from (R, V) logits."""
    torch = library("torch")
    scaled = logits if temperature == 1 else logits / temperature
    probabilities = torch.softmax(scaled, dim=-1)
    return _nucleus(probabilities, top_p) if top_p < 1 else probabilities


def choose_tokens(probabilities: Tensor, rows: Tensor, uniform: Tensor) -> Tensor:
    """(N,) tokens, by inverting the cumulative distribution at (N,) uniform numbers.

    ``probabilities`` is (R, V); ``rows`` (N,) says which row each draw is from.
    """
    torch = library("torch")
    count, size = probabilities.shape
    missing = -size % CELLS
    padded = torch.nn.functional.pad(probabilities, (0, missing)) if missing else probabilities
    cells = padded.reshape(count, -1, CELLS)
    ends = cells.sum(dim=-1).double().cumsum(dim=-1)[rows]
    target = _below(uniform * ends[:, -1], ends[:, -1])
    cell = (ends <= target[:, None]).sum(dim=-1)
    before = torch.where(cell > 0, ends.gather(1, (cell - 1).clamp(min=0)[:, None])[:, 0], 0)
    within = cells[rows, cell].double().cumsum(dim=-1)
    rest = _below(target - before, within[:, -1])
    return cell * CELLS + (within <= rest[:, None]).sum(dim=-1)


def _below(values: Tensor, limits: Tensor) -> Tensor:
    """The values, but below their limits: rounding up would choose a token of probability zero."""
    return library("torch").minimum(values, limits * (1 - 2.0**-52))


def _nucleus(probabilities: Tensor, top_p: float) -> Tensor:
    """The probabilities with all set to zero but the most probable that together reach ``top_p``.

    Nucleus sampling (Holtzman et al. 2020, section 3.1); at least one token is left.
    """
    ordered, places = probabilities.sort(dim=-1, descending=True, stable=True)
    before = ordered.cumsum(dim=-1) - ordered
    kept = ordered.masked_fill(before >= top_p, 0)
    return probabilities.new_zeros(probabilities.shape).scatter(-1, places, kept)
