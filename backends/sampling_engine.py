"""What samples from open weights: limen itself, or vLLM where it is installed."""

from importlib.util import find_spec

from ..datasets.errors import SpecError

LIMEN, VLLM, AUTO = "limen", "vllm", "auto"


def chosen_engine(given: str | None) -> str | None:
    """The engine that a setting stands for: "vllm", or None for limen's own.

    ``"auto"`` is vLLM if it is installed and there is a GPU. Raises :class:`~limen.SpecError` for
    another setting.
    """
    if given in (None, "", LIMEN):
        return None
    if given == AUTO:
        return VLLM if find_spec("vllm") is not None and _has_gpu() else None
    if given != VLLM:
        raise SpecError(
            f"sampling_engine={given!r} (--limen-sampling-engine, LIMEN_SAMPLING_ENGINE) must be "
            f"{LIMEN}, {VLLM} or {AUTO}"
        )
    return VLLM


def _has_gpu() -> bool:
    from .local.memory import has_gpu  # imports PyTorch

    return has_gpu()
