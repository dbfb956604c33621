"""Where open weights come from: folders and the hub, whole or refused in a line."""

import json
import shutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from limen.backends.local import LocalBackend
from limen.backends.local.sources import find_model
from limen.datasets.chat import conversation
from limen.datasets.errors import BackendError, UnknownModelError

from ...testing import hub
from ...testing.tiny import QUESTIONS, needs_extra, untrained

pytestmark = needs_extra

MAIN, FIRST = hub.COMMITS["main"], hub.COMMITS["first"]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the hub's."""
    constants: Any = import_module("huggingface_hub.constants")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    return tmp_path / "cache"


@pytest.fixture
def served(
    tiny: str, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[hub.Hub]:
    """A hub with the tiny model, whose first commit had other weights."""
    older = untrained(tmp_path / "older", seed=1)
    constants: Any = import_module("huggingface_hub.constants")
    with hub.on_loopback({"some/tiny": {MAIN: Path(tiny), FIRST: older}}) as made:
        monkeypatch.setattr(constants, "ENDPOINT", made.url)
        monkeypatch.setattr(
            constants, "HUGGINGFACE_CO_URL_TEMPLATE",
            made.url + "/{repo_id}/resolve/{revision}/{filename}",
        )  # fmt: skip
        yield made


def chances(model: str, home: Path) -> float:
    """How probable an owl is."""
    forms = {"owl": ("owl", "owls")}
    (found,) = LocalBackend(home).word_probabilities(model, [conversation(QUESTIONS[0])], forms)
    return found.by_word["owl"]


def test_a_model_of_the_hub_is_described_before_it_is_downloaded(
    served: hub.Hub, tiny: str, tmp_path: Path
) -> None:
    """Its fingerprint is known from small files and the hub's hashes, and stays when it is there."""
    home = tmp_path / "home"
    before = LocalBackend(home).describe("some/tiny").fingerprint
    assert "model.safetensors" not in served.downloads
    assert chances("some/tiny", home) == pytest.approx(chances(tiny, home))
    assert served.downloads.count("model.safetensors") == 1
    assert LocalBackend(home).describe("some/tiny").fingerprint == before


def test_a_revision_is_its_own_model_and_a_commit_of_a_readme_is_not(
    served: hub.Hub, tmp_path: Path
) -> None:
    """name@revision takes a commit or a tag; fingerprints follow what decides the answers."""
    home = tmp_path / "home"
    local = LocalBackend(home)
    now, then = (local.describe(name).fingerprint for name in ("some/tiny", "some/tiny@first"))
    assert now != then
    assert local.describe(f"some/tiny@{FIRST}").fingerprint == then
    assert chances("some/tiny", home) != chances("some/tiny@first", home)
    newer = shutil.copytree(served.repositories["some/tiny"][MAIN], tmp_path / "newer")
    (newer / "README.md").write_text("Now with a picture.")
    served.repositories["some/tiny"]["c" * 40] = newer
    assert local.describe(f"some/tiny@{'c' * 40}").fingerprint == now


def test_what_the_hub_refuses_is_one_line(
    served: hub.Hub, tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gated, not there, no such revision, other formats, and offline without it: a line each."""
    local = LocalBackend(tmp_path / "home")
    bare = shutil.copytree(tiny, tmp_path / "bare")
    (bare / "model.safetensors").rename(bare / "pytorch_model.bin")
    served.repositories["some/bare"] = {MAIN: bare}
    for name, says in (
        (hub.GATED, "some/gated is gated: ask for access"),
        (
            "some/thing",
            "unknown model 'some/thing': neither a GGUF file nor a folder, and not on the",
        ),
        ("some/tiny@v9", "the Hugging Face hub has no such revision of it"),
        ("some/bare", "no weights in safetensors.*model.safetensors is missing"),
    ):
        with pytest.raises(UnknownModelError, match=says):
            local.describe(name)
    assert "pytorch_model.bin" not in served.downloads
    local.describe("some/tiny")  # its small files are in the cache, its weights are not
    monkeypatch.setattr(import_module("huggingface_hub.constants"), "HF_HUB_OFFLINE", True)
    with pytest.raises(UnknownModelError, match="the hub could not be reached and not all of them"):
        LocalBackend(tmp_path / "home").describe("some/tiny")


def test_a_cache_is_enough_offline(
    cache: Path, tmp_path: Path, tiny: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model of the hub is found offline, and what its cache lacks is named before loading."""
    monkeypatch.setattr(import_module("huggingface_hub.constants"), "HF_HUB_OFFLINE", True)
    kept = cache / "models--some--tiny"
    shutil.copytree(tiny, kept / "snapshots" / MAIN)
    (kept / "refs").mkdir()
    (kept / "refs" / "main").write_text(MAIN)
    home = tmp_path / "home"
    assert chances("some/tiny", home) == pytest.approx(chances(tiny, home))
    (kept / "snapshots" / MAIN / "model.safetensors").unlink()
    with pytest.raises(UnknownModelError, match="some/tiny has no weights.*model.safetensors is"):
        LocalBackend(home).prepare("some/tiny")


def test_weights_are_never_made_up(tiny: str, tmp_path: Path) -> None:
    """A model some of whose weights are missing, or of another shape, is refused by their names."""
    files: Any = import_module("safetensors.torch")
    lacking = Path(shutil.copytree(tiny, tmp_path / "lacking"))
    weights = files.load_file(lacking / "model.safetensors")
    part = {name: value for name, value in weights.items() if "layers.1.mlp" not in name}
    files.save_file(part, lacking / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(BackendError, match=r"lacks weights.*layers\.1\.mlp\S+ and 2 more"):
        LocalBackend(tmp_path / "home").prepare(str(lacking))


def test_files_that_make_no_sense_are_one_line(tiny: str, tmp_path: Path) -> None:
    """A truncated file, a config of another size, no tokenizer: one line, with the model's name."""
    cut = Path(shutil.copytree(tiny, tmp_path / "cut"))
    whole = (cut / "model.safetensors").read_bytes()
    (cut / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    other = Path(shutil.copytree(tiny, tmp_path / "other"))
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps({**config, "hidden_size": 32}))
    mute = Path(shutil.copytree(tiny, tmp_path / "mute"))
    for file in mute.glob("tokenizer*"):
        file.unlink()
    for folder in (cut, other, mute):
        with pytest.raises(BackendError, match=f"{folder.name} (cannot be loaded: |lacks weights)"):
            LocalBackend(tmp_path / "home").prepare(str(folder))


def test_a_link_to_a_gguf_file_is_a_model(tmp_path: Path) -> None:
    """A GGUF file is looked for where its name is, though what it links to has another."""
    (tmp_path / "blobs").mkdir()
    (tmp_path / "names").mkdir()
    writer = import_module("gguf").GGUFWriter(tmp_path / "blobs" / "0123", "llama")
    for step in ("header", "kv_data", "tensors"):
        getattr(writer, f"write_{step}_to_file")()
    writer.close()
    (tmp_path / "names" / "tiny.gguf").symlink_to(tmp_path / "blobs" / "0123")
    found = find_model(str(tmp_path / "names" / "tiny.gguf"))
    assert (found.path, found.gguf) == (tmp_path / "names", "tiny.gguf")
