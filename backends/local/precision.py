"""Number formats on a processor: which is faster, and frozen weights cast once."""

import time
from collections.abc import Callable
from functools import lru_cache

from .libraries import CausalLM, Tensor, library
from .memory import has_fast_bfloat16, has_gpu

LEAST_GAIN = 1.3
"""How many times faster a matrix product must be in bfloat16: well above the noise of timing."""
SIZE = 768
"""Rows and columns of the matrices that are timed."""
REPEATS = 7
"""Products of each format; the fastest counts."""


@lru_cache(maxsize=1)
def faster_in_bfloat16() -> bool:
    """Whether a processor multiplies matrices faster in bfloat16; True on a GPU.

    Measured once a process, on two matrices, and only if the processor has the instructions.
    """
    if has_gpu() or not has_fast_bfloat16():
        return has_gpu()
    torch = library("torch")
    single = torch.ones(SIZE, SIZE)
    half = single.to(torch.bfloat16)
    return _seconds(lambda: single @ single) > LEAST_GAIN * _seconds(lambda: half @ half)


def cast_frozen(model: CausalLM) -> None:
    """Cast frozen weights of linear layers to bfloat16, as autocast would in every forward pass.

    The results are the same, bit by bit. The embeddings stay as they are: autocast leaves them so.
    """
    torch = library("torch")
    head = model.get_output_embeddings()
    for module in model.modules():
        linear = isinstance(module, torch.nn.Linear) and module is not head
        if linear and not module.weight.requires_grad:
            module.weight.data = module.weight.data.to(torch.bfloat16)


def _seconds(product: Callable[[], Tensor]) -> float:
    """The shortest time of a product."""
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        product()
        times.append(time.perf_counter() - began)
    return min(times)
