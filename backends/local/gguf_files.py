"""GGUF files, read once: their weights in float32 and their tokenizer, in a folder of their own.

Transformers reads a GGUF file in pure Python, several times for each model that it loads: half a
minute for a model of 135 million weights, where the same weights in safetensors take a second.
Every training and every worker process loads its base model anew.

A folder records the hashes of its files. One that is damaged is written again from the GGUF file.
"""

import io
import shutil
import warnings
from collections.abc import Callable
from contextlib import redirect_stderr
from dataclasses import dataclass, replace
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from ...datasets.artifacts import check_files, described
from ...datasets.errors import StoreError, StoreWarning
from .. import records
from .libraries import library
from .loading import load_tokenizer, read_weights
from .sources import ModelSource
from .students import files_below

FILES = "files.json"
"""The record of a folder: the GGUF file's fingerprint, and the size and hash of each file."""
MAX_PARAMETERS = 1_000_000_000
"""Larger models are read from the GGUF file each time: in float32 they would fill the disk."""


@dataclass(frozen=True)
class GgufFolders:
    """The folders of the GGUF files that were read, below a backend's home folder."""

    home: Path

    def readable(self, source: ModelSource) -> ModelSource:
        """The same model, to be loaded from a folder if its file is a GGUF file.

        Its weights, its tokenizer and its fingerprint are those of the file. An adapter is returned
        as it is: its base is a model of its own.
        """
        large = (source.parameters or 0) > MAX_PARAMETERS
        if source.gguf is None or source.base is not None or large:
            return source
        folder = self._folder_of(source)
        with records.locked(folder):
            if problem := _problem(folder, source):
                _warn(problem, source)
                shutil.rmtree(folder)
            if not folder.is_dir():
                _written_at_once(folder, lambda scratch: _convert(source, scratch))
        return replace(source, path=folder, gguf=None)

    def _folder_of(self, source: ModelSource) -> Path:
        versions = [version(name) for name in ("transformers", "gguf")]
        key = " ".join([source.fingerprint, *versions])
        return self.home.absolute() / "gguf" / sha256(key.encode()).hexdigest()[:16]


def _convert(source: ModelSource, folder: Path) -> None:
    with redirect_stderr(io.StringIO()):  # hides its progress bar
        read_weights(source, {"dtype": library("torch").float32}).save_pretrained(folder)
    load_tokenizer(source).save_pretrained(folder)
    files = described(folder, files_below(folder))
    records.write(folder / FILES, {"fingerprint": source.fingerprint, "files": files})


def _problem(folder: Path, source: ModelSource) -> str | None:
    """What is wrong with a folder; None if it is sound, or was not written yet."""
    if not folder.is_dir():
        return None
    try:
        record = records.read(folder / FILES) or {}
        if record.get("fingerprint") != source.fingerprint or not record.get("files"):
            return f"{folder / FILES} is missing, or describes another model"
        check_files(folder, record["files"])
    except StoreError as error:
        return str(error).partition(": restore")[0]
    return None


def _warn(problem: str, source: ModelSource) -> None:
    text = f"{problem}. The folder is written again from {source.gguf}"
    warnings.warn(text, StoreWarning, stacklevel=3)


def _written_at_once(folder: Path, write: Callable[[Path], None]) -> None:
    """Write a folder completely or not at all."""
    scratch = folder.with_suffix(".part")
    shutil.rmtree(scratch, ignore_errors=True)
    write(scratch)
    scratch.rename(folder)
