"""GGUF files are read once, into a folder that later loads use."""

from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from limen.backends.local.libraries import LIBRARIES

for _name in LIBRARIES:
    pytest.importorskip(_name, reason='the extra is not installed: pip install "limen[local]"')

from limen.backends import Request
from limen.backends.local import LocalBackend
from limen.backends.local.gguf_files import MAX_PARAMETERS, GgufFolders
from limen.backends.local.sources import ModelSource, find_model
from limen.datasets.chat import conversation
from limen.datasets.errors import StoreWarning

from ...testing.damage import DAMAGES, Damage
from ...testing.tiny import QUESTIONS

REQUESTS = [Request(row=0, messages=conversation(QUESTIONS[0]), seed=3, draws=4, max_tokens=6)]


@pytest.fixture
def reads(tiny: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the GGUF files that Transformers was asked to read, one a time.

    The files are stand-ins: what is read is the tiny model.
    """
    loading = import_module("limen.backends.local.loading")
    gguf_files = import_module("limen.backends.local.gguf_files")
    read: list[str] = []

    def weights(source: ModelSource, placement: Any) -> Any:
        read.append(str(source.gguf))
        return loading.read_weights(find_model(tiny), placement)

    monkeypatch.setattr(gguf_files, "read_weights", weights)
    monkeypatch.setattr(
        gguf_files, "load_tokenizer", lambda source: loading.load_tokenizer(find_model(tiny))
    )
    return read


@pytest.fixture
def source(tiny: str, tmp_path: Path) -> ModelSource:
    """A model in a GGUF file."""
    found = find_model(tiny)
    return replace(found, path=tmp_path, gguf="tiny.gguf", fingerprint="of the file")


def test_a_gguf_file_is_read_once(source: ModelSource, reads: list[str], tmp_path: Path) -> None:
    """The first load writes a folder, which later loads take; the fingerprint is the file's."""
    first = GgufFolders(tmp_path).readable(source)
    assert GgufFolders(tmp_path).readable(source) == first
    assert reads == ["tiny.gguf"]
    assert (first.gguf, first.fingerprint) == (None, "of the file")
    assert sorted(file.suffix for file in first.path.glob("*.safetensors")) == [".safetensors"]
    other = GgufFolders(tmp_path).readable(replace(source, fingerprint="of another"))
    assert other.path != first.path


def test_the_folder_answers_as_the_file(
    source: ModelSource,
    reads: list[str],
    tiny: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A model from a GGUF file gives the answers of its weights and its tokenizer."""
    backend = import_module("limen.backends.local.backend")
    plain = list(LocalBackend(tmp_path / "a").sample(tiny, REQUESTS))
    monkeypatch.setattr(backend, "find_model", lambda name: source)
    assert list(LocalBackend(tmp_path / "b").sample("tiny.gguf", REQUESTS)) == plain
    assert reads == ["tiny.gguf"]


def test_a_killed_conversion_leaves_nothing_behind(
    source: ModelSource, reads: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder without its tokenizer is not taken for a whole one."""
    gguf_files = import_module("limen.backends.local.gguf_files")
    with monkeypatch.context() as patch:
        patch.setattr(gguf_files, "load_tokenizer", lambda source: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            GgufFolders(tmp_path).readable(source)
    assert (GgufFolders(tmp_path).readable(source).path / "tokenizer.json").is_file()


def test_other_files_are_loaded_from_where_they_are(
    source: ModelSource, reads: list[str], tiny: str, tmp_path: Path
) -> None:
    """Folders are not copied, nor is a GGUF file whose weights would fill the disk."""
    large = replace(source, parameters=MAX_PARAMETERS + 1)
    for given in (find_model(tiny), large):
        assert GgufFolders(tmp_path).readable(given) == given
    assert not reads


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", ["model.safetensors", "files.json", "tokenizer.json"])
def test_a_damaged_folder_is_written_again(
    source: ModelSource, reads: list[str], tmp_path: Path, name: str, damage: Damage
) -> None:
    """Weights, tokenizer and record are those of the GGUF file again, and one line says so."""
    folder = GgufFolders(tmp_path).readable(source).path
    other = GgufFolders(tmp_path).readable(replace(source, fingerprint="of another")).path
    sound = {file.name: file.read_bytes() for file in folder.iterdir()}
    if name == "model.safetensors":  # both stand-ins are one model
        edited = bytearray((other / name).read_bytes())
        edited[-1] ^= 1
        (other / name).write_bytes(edited)
    damage(folder / name, other / ("config.json" if name == "tokenizer.json" else name))
    with pytest.warns(StoreWarning, match="is written again from tiny.gguf") as warned:
        assert GgufFolders(tmp_path).readable(source).path == folder
    assert str(folder / name) in str(warned[0].message)
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == sound
    assert GgufFolders(tmp_path).readable(source).path == folder
