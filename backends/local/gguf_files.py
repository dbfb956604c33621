"""GGUF files, read once: their weights in float32 and their tokenizer, in a folder of their own.

Transformers reads a GGUF file in pure Python, several times for each model that it loads: half a
minute for a model of 135 million weights, where the same weights in safetensors take a second.
Every training and every worker process loads its base model anew.
"""

import io
import shutil
from collections.abc import Callable
from contextlib import redirect_stderr
from dataclasses import dataclass, replace
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from .. import records
from .libraries import library
from .loading import load_tokenizer, read_weights
from .sources import ModelSource

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


def _written_at_once(folder: Path, write: Callable[[Path], None]) -> None:
    """Write a folder completely or not at all."""
    scratch = folder.with_suffix(".part")
    shutil.rmtree(scratch, ignore_errors=True)
    write(scratch)
    scratch.rename(folder)
