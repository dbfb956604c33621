"""An executor that is installed as a third party's would be, anew for each test."""

import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..testing.executors import MadeUpExecutor, install


@pytest.fixture
def made_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[MadeUpExecutor]]:
    """The class of the executor ``made-up``; what a test sets on it holds for this test."""

    class Fresh(MadeUpExecutor):
        pass

    monkeypatch.syspath_prepend(str(install(tmp_path / "site")))
    module = importlib.import_module("madeup_limen")
    monkeypatch.setattr(module, "EXECUTOR", Fresh, raising=False)
    yield Fresh
    import sys

    del sys.modules["madeup_limen"]
