"""Memory: whether a model fits, checked before it is loaded; and how a shortage is recognised."""

from ...datasets.errors import BackendError
from ..base import Recipe
from ..needs import Needs
from .four_bits import BYTES
from .libraries import library
from .memory_limits import total_memory
from .sources import ModelSource

LOADING_FACTOR = 1.1
"""Memory needed to load a model, in units of its weights."""
TRAINING_FACTOR = 4
"""The same to train all weights: weights, gradients, and Adam's two averages."""


def has_gpu() -> bool:
    """Whether there is a GPU."""
    return bool(library("torch").cuda.is_available())


def has_fast_bfloat16() -> bool:
    """Whether the GPU, or else the processor, multiplies matrices in bfloat16."""
    cpu = library("torch").cpu
    if has_gpu() or not hasattr(cpu, "get_capabilities"):  # not in older versions of PyTorch
        return has_gpu()
    known = cpu.get_capabilities()
    return any(known.get(name) for name in ("amx_bf16", "avx512_bf16", "bf16"))


def bytes_per_parameter(source: ModelSource, *, full: bool = False) -> float:
    """2 (bfloat16) on a GPU; 4 (float32) on a processor, or if all weights are trained."""
    if source.quantized and not full:
        return BYTES
    return 2 if has_gpu() and not full else 4


def check_fits(source: ModelSource, *, full: bool = False) -> None:
    """Raise :class:`~limen.BackendError` if the model needs more memory than there is.

    ``full``: all weights are to be trained, and not an adapter only.
    """
    if source.parameters is None:
        return
    if source.quantized and full:
        raise BackendError(
            f"{source.name} is in four bits (--limen-quantization nf4), so its weights cannot be "
            f"trained: use recipe={{'method': 'lora'}}"
        )
    needed = _needed(source, full=full)
    available, place = total_memory()
    if needed <= available:
        return
    what = "train all its weights" if full else "load it"
    each = bytes_per_parameter(source, full=full)
    remedy = "take a smaller model, or a machine with more memory"
    if not (full or source.quantized) and source.parameters * BYTES * LOADING_FACTOR <= available:
        remedy = f"load it in four bits with --limen-quantization nf4, {remedy}"
    if full and _needed(source, full=False) <= available:
        remedy = "train an adapter with recipe={'method': 'lora'}, or " + remedy
    raise BackendError(
        f"{source.name} is too large: it has {source.parameters / 1e9:.2f} billion parameters, to "
        f"{what} takes about {needed / 2**30:.1f} GiB ({each} bytes a "
        f"parameter), and {place} has {available / 2**30:.1f} GiB: {remedy}"
    )


def fits_one_gpu(source: ModelSource, *, full: bool = False) -> bool:
    """Whether a single GPU is enough; a model of unknown size is spread over all GPUs."""
    torch = library("torch")
    if torch.cuda.device_count() < 2:
        return True
    if source.parameters is None:
        return False
    available = int(torch.cuda.get_device_properties(0).total_memory)
    return _needed(source, full=full) < available / 2  # the cache takes memory too


def _needed(source: ModelSource, *, full: bool) -> int:
    """Bytes that a model takes, with its gradients and averages if all of it is trained."""
    factor = TRAINING_FACTOR if full else LOADING_FACTOR
    return int((source.parameters or 0) * bytes_per_parameter(source, full=full) * factor)


def needs_of(source: ModelSource, recipe: Recipe | None) -> Needs:
    """A GPU with room for a model and its work, as half of :func:`fits_one_gpu`'s reckoning says.

    Without a GPU, what the weights take in float32 is main memory.
    """
    if source.parameters is None:
        return Needs(gpus=1, model=source.name)
    full = recipe is not None and recipe.get("method") == "full"
    factor = TRAINING_FACTOR if full else LOADING_FACTOR
    weights = source.parameters * factor / 2**30
    room = 1 if full else 2  # the cache, or an adapter's activations
    each = BYTES if source.quantized else 2
    return Needs(
        gpus=1,
        gpu_memory=round(weights * (4 if full else each) * room, 3),
        memory=round(weights * (BYTES if source.quantized else 4), 3),
        model=source.name,
    )


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that memory ran out, of a GPU or of the machine."""
    torch = library("torch")
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
    )


def empty_gpu_cache() -> None:
    """Return memory that PyTorch keeps for reuse to the GPU: another process may need it."""
    if has_gpu():
        library("torch").cuda.empty_cache()


def free_memory() -> None:
    """Collect garbage, and return unused memory."""
    import gc

    gc.collect()
    empty_gpu_cache()
