"""The number format of base models of open weights: as they are, or in four bits."""

from ..datasets.errors import SpecError

NONE, NF4 = "none", "nf4"


def chosen_quantization(given: str | None) -> str | None:
    """The format that a setting stands for: "nf4", or None for the weights as they are.

    Raises :class:`~limen.SpecError` for another setting.
    """
    if given in (None, "", NONE):
        return None
    if given != NF4:
        raise SpecError(
            f"quantization={given!r} (--limen-quantization, LIMEN_QUANTIZATION) must be {NONE} or "
            f"{NF4}"
        )
    return NF4
