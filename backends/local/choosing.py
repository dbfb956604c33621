"""Choosing a token by one uniform number: every draw brings its own, so no draw sees another."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .extra import library

CELLS = 256
"""A token is chosen in two steps, a run of this many neighbours and then one of them."""


def uniforms(seeds: Sequence[int], count: int) -> NDArray[np.float64]:
    """(N, count) uniform numbers: a stream for each seed, of NumPy's counter-based generator."""
    streams = (np.random.Generator(np.random.Philox(key=seed % 2**64)) for seed in seeds)
    return np.stack([stream.random(count) for stream in streams])


def weights_of(logits: Any, *, temperature: float, top_p: float) -> Any:
    """(R, V) probabilities of the next token; (R, V) logits at temperature 1 go in."""
    torch = library("torch")
    probabilities = torch.softmax(logits / temperature, dim=-1)
    return _nucleus(probabilities, top_p) if top_p < 1 else probabilities


def choose(probabilities: Any, rows: Any, uniform: Any) -> Any:
    """A token for each draw, from the row that ``rows`` names, by inverting its distribution."""
    torch = library("torch")
    count, size = probabilities.shape
    padded = torch.nn.functional.pad(probabilities, (0, -size % CELLS))
    cells = padded.reshape(count, -1, CELLS)
    ends = cells.sum(dim=-1, dtype=torch.float64).cumsum(dim=-1)[rows]
    sought = _below(uniform * ends[:, -1], ends[:, -1])
    run = (ends <= sought[:, None]).sum(dim=-1)
    before = torch.where(run > 0, ends.gather(1, (run - 1).clamp(min=0)[:, None])[:, 0], 0)
    within = cells[rows, run].double().cumsum(dim=-1)
    rest = _below(sought - before, within[:, -1])
    return run * CELLS + (within <= rest[:, None]).sum(dim=-1)


def _below(values: Any, limits: Any) -> Any:
    """The values, none at its limit by rounding: else a token of no chance would be taken."""
    return library("torch").minimum(values, limits * (1 - 2.0**-52))


def _nucleus(probabilities: Any, top_p: float) -> Any:
    """All zeroed but the most probable tokens that together reach ``top_p``, at least one.

    Nucleus sampling (Holtzman et al. 2020, section 3.1).
    """
    ordered, places = probabilities.sort(dim=-1, descending=True, stable=True)
    before = ordered.cumsum(dim=-1) - ordered
    left = ordered.masked_fill(before >= top_p, 0)
    return probabilities.new_zeros(probabilities.shape).scatter(-1, places, left)
