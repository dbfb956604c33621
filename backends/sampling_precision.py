"""The number format in which open weights are sampled from on a processor."""

from ..datasets.errors import SpecError

FLOAT32, BFLOAT16, AUTO = "float32", "bfloat16", "auto"


def chosen_precision(given: str | None) -> str | None:
    """The format that a setting stands for: "bfloat16", or None for float32.

    ``"auto"`` is bfloat16 if this machine multiplies in it: by its instructions, not by a timing,
    since the format is part of keys. Raises :class:`~limen.SpecError` for another setting.
    """
    if given in (None, "", FLOAT32):
        return None
    if given == AUTO:
        from .local.memory import has_fast_bfloat16  # imports PyTorch

        return BFLOAT16 if has_fast_bfloat16() else None
    if given != BFLOAT16:
        raise SpecError(
            f"sampling_precision={given!r} (--limen-sampling-precision, LIMEN_SAMPLING_PRECISION) "
            f"must be {FLOAT32}, {BFLOAT16} or {AUTO}"
        )
    return BFLOAT16
