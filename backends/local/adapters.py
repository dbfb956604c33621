"""Adapters from elsewhere: a folder that PEFT wrote, on the base model that it was trained from.

The name of such a model is the folder's; ``FOLDER@BASE`` names a base where the folder's own record
of it leads nowhere.
"""

import json
from pathlib import Path

from ...datasets.errors import UnknownModelError
from .libraries import one_line

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"


def adapter_folder(name: str) -> Path | None:
    """The adapter's folder that a name stands for; None for any other model."""
    for text in (name, name.partition("@")[0]):
        folder = Path(text).expanduser()
        if (folder / CONFIG).is_file() and not (folder / "config.json").is_file():
            return folder.resolve()
    return None


def base_of_adapter(name: str, folder: Path) -> str:
    """The name of an adapter's base model; raises :class:`~limen.UnknownModelError`."""
    if not (folder / WEIGHTS).is_file():
        raise UnknownModelError(
            f"{name} is an adapter without {WEIGHTS} (other formats are not read): save it anew "
            f"with save_pretrained"
        )
    given = "" if Path(name).expanduser().is_dir() else name.partition("@")[2]
    base = given or _recorded_base(name, folder)
    if not base:
        raise UnknownModelError(
            f"{name} is an adapter that does not say of which model: name it {name}@BASE"
        )
    return base


def _recorded_base(name: str, folder: Path) -> str:
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        return str(config.get("base_model_name_or_path") or "")
    except (ValueError, OSError, AttributeError) as error:
        raise UnknownModelError(f"{name}: {CONFIG} cannot be read: {one_line(error)}") from None


def no_base(name: str, base: str, error: Exception) -> UnknownModelError:
    """The error for an adapter whose base cannot be had."""
    return UnknownModelError(
        f"{name} is an adapter of {base!r}, which is not there ({error}): name another place of "
        f"that model, as in {name.partition('@')[0]}@BASE"
    )
