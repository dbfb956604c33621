"""Base models that ship with limen: a new store does not wait for their pre-training.

A file is named by the model's fingerprint, so that none is used for another corpus, network or
pre-training. ``benchmarks/toy_base.py`` makes them again and compares.
"""

import os
import shutil
from pathlib import Path


def copy_shipped(model: str, fingerprint: str, file: Path) -> bool:
    """Copy a base model to a file, whole or not at all; false if it does not ship with limen."""
    shipped = Path(__file__).with_name("bases") / f"{model}-{fingerprint}.npz"
    if not shipped.is_file():
        return False
    scratch = file.with_suffix(".tmp")
    with shipped.open("rb") as read, scratch.open("wb") as written:
        shutil.copyfileobj(read, written)
        written.flush()
        os.fsync(written.fileno())
    scratch.replace(file)
    return True
