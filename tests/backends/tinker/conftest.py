"""A scripted server of Tinker's API, and an empty home folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ...testing.stepwise import Server
from ...testing.tinker_wire import KEY, Wire, tinker_wire
from ...testing.word_tokenizer import WordTokenizer


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    """A server, which the environment names."""
    from limen.backends.tinker import service

    monkeypatch.setattr(service, "load_tokenizer", lambda name, base: WordTokenizer())
    monkeypatch.setenv("TINKER_API_KEY", KEY)
    with tinker_wire(Wire(Server())) as served:
        monkeypatch.setenv("TINKER_BASE_URL", served.url)
        yield served


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The folder of a backend's models."""
    return tmp_path / "home"
