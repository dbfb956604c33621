"""Whether a model fits, said before any of it is loaded; and what running out looks like."""

from ...datasets.errors import BackendError
from .extra import library
from .sources import Source

OVERHEAD = 1.1
"""What loading takes beside the weights themselves, as a factor."""


def accelerated() -> bool:
    """Whether there is a GPU to work on."""
    return bool(library("torch").cuda.is_available())


def bytes_a_parameter(*, whole: bool = False) -> int:
    """Of a loaded model: bfloat16 on a GPU; float32 on a CPU, or where all weights are trained."""
    return 2 if accelerated() and not whole else 4


def check_fits(source: Source, *, whole: bool = False) -> None:
    """Raise :class:`~limen.BackendError` if the model is larger than the memory there is.

    With ``whole`` all of its weights are to be trained, which takes four times its size: weights,
    gradients, and Adam's two averages.
    """
    if source.parameters is None:
        return
    needed = _needed(source.parameters, whole=whole)
    room, where = _room()
    if needed > room:
        told = " to train all of them" if whole else ""
        raise BackendError(
            f"{source.name} is too large: {source.parameters / 1e9:.2f} billion parameters "
            f"need{told} about {needed / 2**30:.1f} GiB, and {where} has {room / 2**30:.1f} GiB: "
            f"take a smaller model, or a machine with more memory"
        )


def fits_one(source: Source, *, whole: bool = False) -> bool:
    """Whether a single GPU is enough; unknown sizes are spread over all there are."""
    torch = library("torch")
    if torch.cuda.device_count() < 2:
        return True
    if source.parameters is None:
        return False
    room = int(torch.cuda.get_device_properties(0).total_memory)
    return _needed(source.parameters, whole=whole) < room / 2  # what is read takes room as well


def _needed(parameters: int, *, whole: bool) -> int:
    """Bytes of a model; with gradients and averages where all of it is trained."""
    return int(parameters * bytes_a_parameter(whole=whole) * (4 if whole else OVERHEAD))


def _room() -> tuple[int, str]:
    """The memory in bytes of what the model would be loaded to, and its name."""
    torch = library("torch")
    if accelerated():
        cards = range(torch.cuda.device_count())
        room = sum(torch.cuda.get_device_properties(card).total_memory for card in cards)
        return int(room), "the GPU" if len(cards) == 1 else f"the {len(cards)} GPUs together"
    return int(library("psutil").virtual_memory().total), "this machine"


def ran_out(error: BaseException) -> bool:
    """Whether an error says that memory ran out, of a GPU or of the machine."""
    torch = library("torch")
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
    )


def released() -> None:
    """Give back what a GPU only keeps for the next time: another process may want to train."""
    if accelerated():
        library("torch").cuda.empty_cache()


def freed() -> None:
    """Give back what nothing uses any longer."""
    import gc

    gc.collect()
    released()
