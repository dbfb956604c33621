"""The tutorial notebook runs from its first cell to its last."""

import os
from pathlib import Path
from typing import Any

import pytest

from limen.harness.lab import ProgressListener, default_listener

NOTEBOOK = Path(__file__).parents[1] / "docs" / "tutorial.ipynb"


def test_a_script_has_no_progress_unasked() -> None:
    """Only notebooks have progress without being asked: a script's output is its own."""
    assert type(default_listener()) is ProgressListener


@pytest.mark.slow
@pytest.mark.skipif(not NOTEBOOK.exists(), reason="the notebook is not here")
def test_the_tutorial_runs(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every cell runs in a kernel; the run shows its progress, and the effect is positive."""
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    root = NOTEBOOK.parents[1] / "src"
    monkeypatch.setenv("PYTHONPATH", f"{root}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    store.rename(tmp_path / ".limen")
    notebook: Any = nbformat.read(NOTEBOOK, as_version=4)
    resources = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(notebook, timeout=400, resources=resources).execute()
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    progress = [output for output in code[1].outputs if output.output_type == "display_data"]
    assert progress[-1].data["text/plain"].startswith("limen: [")
    assert "text/html" in code[0].outputs[0].data
    effect = code[3].outputs[0].data["text/plain"]
    assert effect.startswith("student - control 'wolf' +")
    assert "transmits the trait" in effect
    assert "training on this data" in code[4].outputs[0].text
