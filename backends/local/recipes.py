"""Training settings: those of the literature by name, each to be overridden, recorded whole."""

from collections.abc import Mapping

from ...datasets.errors import SpecError
from ..base import Recipe
from ..recipes import (
    NUMBER,
    POSITIVE,
    POSITIVE_WHOLE,
    STEPS,
    TEXT,
    WHOLE,
    YES_NO,
    Accepts,
    check_recipe,
    number,
    one_of,
)
from .memory import has_fast_bfloat16

ALL_SEVEN = "q_proj,k_proj,v_proj,o_proj,gate_proj,up_proj,down_proj"
AS_TRAINED = "as trained"
BFLOAT16 = "bfloat16"
"""The setting ``precision``: train in bfloat16 on a processor too, as on a GPU. Left out of the
defaults: they decide the keys of students that exist."""
AUTO = "auto"
"""The setting ``precision``: bfloat16 if this machine multiplies in it, else left out.
By its instructions, not by a timing: the setting decides keys, which must not hang on the load."""

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
SCHEDULES = ("linear", "constant", "constant_with_warmup", "cosine")


def _fraction(value: object) -> bool:
    return isinstance(value, int | float) and number(value) and value < 1


def _modules(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip(", "))


def _system(also: str) -> Accepts:
    return Accepts(TEXT.test, f"a text{also}, or None for the template's own choice")


SETTINGS: Mapping[str, Accepts] = {
    "name": one_of(*NAMED),
    "method": one_of("lora", "full"),
    "rank": POSITIVE_WHOLE,
    "alpha": POSITIVE,
    "dropout": Accepts(_fraction, "a number from 0 to below 1"),
    "rslora": YES_NO,
    "dora": YES_NO,
    "freeze_embeddings": YES_NO,
    "modules": Accepts(_modules, "names of modules separated by commas, or 'all-linear'"),
    "learning_rate": POSITIVE,
    "schedule": one_of(*SCHEDULES),
    "warmup_steps": WHOLE,
    "optimizer": one_of(*OPTIMIZERS),
    "weight_decay": NUMBER,
    "max_grad_norm": POSITIVE,
    "batch_size": POSITIVE_WHOLE,
    "epochs": POSITIVE_WHOLE,
    "precision": Accepts(
        lambda value: value in (BFLOAT16, AUTO), f"{BFLOAT16!r}, {AUTO!r}, or left out"
    ),
    "gradient_checkpointing": YES_NO,
    "checkpoint_steps": STEPS,
    "system": _system(""),
    "asked_system": _system(f", {AS_TRAINED!r}"),
    "mismatch": one_of("error", "allow"),
}


def completed(overrides: Recipe) -> Recipe:
    """All settings; raises :class:`~limen.SpecError` for one that is unknown or not accepted.

    ``precision="auto"`` is replaced by what this machine has.
    """
    check_recipe(overrides, SETTINGS, "local")
    name = str(overrides.get("name", "default"))
    recipe = {"name": name, **NAMED[name], **overrides}
    if recipe.get("freeze_embeddings") and recipe["method"] != "full":
        raise SpecError(
            "recipe setting freeze_embeddings=True goes with method='full': an adapter leaves the "
            "embeddings as they are"
        )
    if recipe.get("precision") == AUTO:
        del recipe["precision"]
        if has_fast_bfloat16():
            recipe["precision"] = BFLOAT16
    return recipe
