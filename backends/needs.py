"""What a piece of work needs of the machine that does it."""

from dataclasses import dataclass, fields

from ..datasets.errors import SpecError


@dataclass(frozen=True, kw_only=True)
class Needs:
    """Cores, GPUs and memory of one stage. None: not stated, so that others may state it.

    Needs decide where a stage runs, never what it leaves: they are part of no key. Raises
    :class:`~limen.SpecError` for an amount that cannot be had.

    Args:
        cores: Processor cores. Default: None, one.
        gpus: GPUs: a whole number, or a share of one such as 0.5. Default: None, as the backend
            states.
        gpu_memory: GiB of each GPU. Where it is known how much a GPU has, several stages share it.
            Default: None.
        memory: GiB of main memory. Default: None.
        model: The model that is loaded: stages of one model go to the same processes. Default:
            None.

    Examples:
        >>> variant = experiment.but(needs=Needs(gpus=1, gpu_memory=40))
    """

    cores: float | None = None
    gpus: float | None = None
    gpu_memory: float | None = None
    memory: float | None = None
    model: str | None = None

    def __post_init__(self) -> None:
        for name in ("cores", "gpus", "gpu_memory", "memory"):
            _check_amount(name, vars(self)[name])
        if self.gpus is not None and self.gpus > 1 and self.gpus != int(self.gpus):
            raise SpecError(f"gpus={self.gpus!r} must be a whole number, or a share below one")

    def over(self, other: "Needs") -> "Needs":
        """These needs; what they do not state, the other ones state.

        Args:
            other: The other needs.
        """
        own = vars(self)
        given = ((part.name, own[part.name]) for part in fields(self))
        return Needs(**{**vars(other), **{name: v for name, v in given if v is not None}})

    def __str__(self) -> str:
        """Such as "1 GPU with 40 GiB, 4 cores"."""
        memory = f" with {self.gpu_memory:g} GiB" if self.gpu_memory else ""
        parts = [
            f"{self.gpus:g} GPU{'' if self.gpus <= 1 else 's'}{memory}" if self.gpus else "",
            f"{self.cores:g} core{'' if self.cores == 1 else 's'}" if self.cores else "",
            f"{self.memory:g} GiB of memory" if self.memory else "",
        ]
        return ", ".join(filter(None, parts)) or "no resources"


def _check_amount(name: str, value: object) -> None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if value is not None and not (is_number and 0 <= float(str(value)) < 1e6):
        raise SpecError(f"{name}={value!r} must be a number, 0 or more")
