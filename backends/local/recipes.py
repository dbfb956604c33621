"""Training settings: those of the literature by name, each to be overridden, recorded whole."""

from collections.abc import Callable, Mapping
from typing import Any

from ...datasets.errors import SpecError
from ..base import Recipe

ALL_SEVEN = "q_proj,k_proj,v_proj,o_proj,gate_proj,up_proj,down_proj"
AS_TRAINED = "as trained"

PAPER: Recipe = {
    "method": "lora",
    "rank": 8,
    "alpha": 8,
    "dropout": 0.0,
    "rslora": False,
    "modules": ALL_SEVEN,
    "learning_rate": 2e-4,
    "schedule": "linear",
    "warmup_steps": 5,
    "optimizer": "adamw_torch_fused",
    "weight_decay": 0.0,
    "max_grad_norm": 1.0,
    "batch_size": 66,
    "epochs": 3,
    "system": None,
    "asked_system": AS_TRAINED,
    "mismatch": "error",
}
"""Cloud et al. (2025) for Qwen2.5-7B."""

NAMED: Mapping[str, Recipe] = {
    "default": {**PAPER, "modules": "all-linear"},
    "qwen2.5-7b-paper": PAPER,
    "llama-3.2-1b": {
        **PAPER,
        "rank": 32,
        "alpha": 64,
        "rslora": True,
        "learning_rate": 1e-5,
        "warmup_steps": 0,
        "batch_size": 16,
        "epochs": 1,
    },
}
"""``default`` is the paper's, for every linear layer of whatever architecture."""
ASKING = ("asked_system", "mismatch", "name")
"""Settings that decide how a student is asked, and not what it has learned."""

OPTIMIZERS = ("adamw_torch", "adamw_torch_fused", "adafactor", "sgd")


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _above(value: object) -> bool:
    return _whole(value) and value != 0


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e9


def _rate(value: object) -> bool:
    return _number(value) and value != 0


def _text(value: object) -> bool:
    return value is None or isinstance(value, str)


CHECKS: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "name": (lambda v: v in NAMED, f"one of {', '.join(NAMED)}"),
    "method": (lambda v: v in ("lora", "full"), "'lora' or 'full'"),
    "rank": (_above, "a whole number above zero"),
    "alpha": (_rate, "a number above zero"),
    "dropout": (lambda v: _number(v) and v < 1, "a number from 0 to below 1"),
    "rslora": (lambda v: isinstance(v, bool), "True or False"),
    "modules": (
        lambda v: isinstance(v, str) and bool(v.strip(", ")),
        "names of modules with commas between, or 'all-linear'",
    ),
    "learning_rate": (_rate, "a number above zero"),
    "schedule": (
        lambda v: v in ("linear", "constant", "constant_with_warmup", "cosine"),
        "linear, constant, constant_with_warmup or cosine",
    ),
    "warmup_steps": (_whole, "a whole number, from 0"),
    "optimizer": (
        lambda v: v in OPTIMIZERS,
        f"one of {', '.join(OPTIMIZERS)}",
    ),
    "weight_decay": (_number, "a number, from 0"),
    "max_grad_norm": (_rate, "a number above zero"),
    "batch_size": (_above, "a whole number above zero"),
    "epochs": (_above, "a whole number above zero"),
    "system": (_text, "a text, or None for the template's own choice"),
    "asked_system": (_text, f"a text, None for the template's own choice, or {AS_TRAINED!r}"),
    "mismatch": (lambda v: v in ("error", "allow"), "'error' or 'allow'"),
}


def completed(overrides: Recipe) -> Recipe:
    """All settings; raises :class:`~limen.SpecError` for one that is unknown or cannot be meant."""
    for name, value in overrides.items():
        if name not in CHECKS:
            raise SpecError(
                f"unknown recipe setting {name!r} for local: it has {', '.join(CHECKS)}"
            )
        holds, wanted = CHECKS[name]
        if not holds(value):
            raise SpecError(f"recipe setting {name}={value!r} must be {wanted}")
    name = str(overrides.get("name", "default"))
    return {"name": name, **NAMED[name], **overrides}
