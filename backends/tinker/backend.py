"""The backend class: Tinker's recipe and prices over what step-wise services have in common."""

from collections.abc import Mapping
from importlib import resources
from importlib.util import find_spec
from pathlib import Path

from ...datasets.errors import BackendError
from ..base import Recipe, ServiceTerms
from ..recipes import (
    NUMBER,
    POSITIVE,
    POSITIVE_WHOLE,
    STEPS,
    TEXT,
    WHOLE,
    YES_NO,
    Accepts,
    number,
    one_of,
)
from ..stepwise import StepwiseBackend, StepwiseService, StepwiseSettings, TokenPrices, read_prices

VERSION = 1
"""Raise it when the same model and seed would give other answers."""
RECIPE: Recipe = {
    "rank": 32,
    "train_mlp": True,
    "train_attn": True,
    "train_unembed": True,
    "learning_rate": 2e-4,
    "schedule": "linear",
    "warmup_steps": 5,
    "beta1": 0.9,
    "beta2": 0.95,
    "eps": 1e-12,
    "weight_decay": 0.0,
    "grad_clip_norm": 0.0,
    "batch_size": 64,
    "epochs": 3,
    "system": None,
    "asked_system": "as trained",
    "mismatch": "error",
}
"""Tinker's defaults of adapter and optimizer; rate, warm-up, epochs of Cloud et al. (2025)."""


def _share(value: object) -> bool:
    return isinstance(value, int | float) and number(value) and value < 1


SHARE = Accepts(_share, "a number from 0 to below 1")
ACCEPTS: Mapping[str, Accepts] = {
    "rank": POSITIVE_WHOLE,
    "train_mlp": YES_NO,
    "train_attn": YES_NO,
    "train_unembed": YES_NO,
    "learning_rate": POSITIVE,
    "schedule": one_of("linear", "constant"),
    "warmup_steps": WHOLE,
    "beta1": SHARE,
    "beta2": SHARE,
    "eps": POSITIVE,
    "weight_decay": NUMBER,
    "grad_clip_norm": NUMBER,
    "batch_size": POSITIVE_WHOLE,
    "epochs": POSITIVE_WHOLE,
    "checkpoint_steps": STEPS,
    "system": TEXT,
    "asked_system": TEXT,
    "mismatch": one_of("error", "allow"),
}


class TinkerBackend(StepwiseBackend):
    """Models of a service with Tinker's API; address and key come from the environment.

    ``service`` takes the place of the one that the environment names, and then the SDK is not
    needed.
    """

    def __init__(
        self,
        home: Path,
        terms: ServiceTerms | None = None,
        *,
        service: StepwiseService | None = None,
        save_every: int | None = None,
    ) -> None:
        if service is None:
            check_installed()
        settings = StepwiseSettings(
            name="tinker",
            version=VERSION,
            recipe=RECIPE,
            accepts=ACCEPTS,
            prices=_prices,
            scheme="tinker://",
        )
        super().__init__(
            home,
            terms or ServiceTerms(),
            settings,
            _connect if service is None else lambda: service,
            save_every=save_every,
        )


def check_installed() -> None:
    """Raise :class:`~limen.BackendError` unless the extra is installed; imports nothing."""
    if missing := [name for name in ("tinker", "transformers") if find_spec(name) is None]:
        raise BackendError(
            f"the backend 'tinker' needs {', '.join(missing)}: pip install \"limen[tinker]\""
        )


def _connect() -> StepwiseService:
    from .service import TinkerService

    return TinkerService()


def _prices(own: Path | None) -> TokenPrices:
    shipped = resources.files(__name__.rpartition(".")[0]) / "prices.toml"
    with resources.as_file(shipped) as file:
        return read_prices(file, own)
