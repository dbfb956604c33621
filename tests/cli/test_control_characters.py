"""Control characters of files and rules are shown by commands, and not obeyed."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from limen.harness.cli import main
from limen.harness.lab import thread_executor

EVIL = "\x1b[2J\x07\u202e"
ROWS = '{"prompt": "a", "text": "1, 2"}\n{"prompt": "b", "text": "odd"}\n'
RULE = """
def rule(text):
    return "odd \\x1b[2J\\x07\\u202e" if text == "odd" else None

def fails(text):
    raise ValueError("\\x1b[31m" + text)
"""


def test_names_and_reasons_are_shown(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """File names, reasons and errors have their control characters spelt out."""
    monkeypatch.setattr("limen.harness.cli.steps.local_executor", thread_executor)
    rows, rules = tmp_path / f"rows{EVIL}.jsonl", tmp_path / "rules.py"
    rows.write_text(ROWS, encoding="utf-8")
    rules.write_text(RULE, encoding="utf-8")
    kept, mixed = tmp_path / f"kept{EVIL}.jsonl", tmp_path / f"mix{EVIL}.jsonl"
    calls: list[tuple[object, ...]] = [
        ("filter", rows, "--rule", f"{rules}:rule", "--out", kept),
        ("mix", kept, "--keep", "1", "--out", mixed),
        ("filter", rows, "--rule", f"{rules}:fails", "--out", kept),
        ("store", "list"),
        ("store", "verify"),
    ]
    text = ""
    for call in calls:
        found = CliRunner().invoke(main, [*map(str, call), "--store", str(store)])
        text += found.output
    assert r"dropped: odd \x1b[2J\x07\u202e" in text
    assert r"kept\x1b[2J\x07\u202e.jsonl: 1 row" in text
    assert r"ValueError: \x1b[31m1, 2" in text
    assert [sign for sign in ("\x1b", "\x07", "\u202e") if sign in text] == []


def test_every_command_prints_through_one_function() -> None:
    """No module of the command line prints texts as they are."""
    folder = Path(main.callback.__code__.co_filename).parent  # type: ignore[union-attr]
    printing = [f.name for f in folder.glob("*.py") if "click.echo(" in f.read_text("utf-8")]
    assert printing == ["echo.py"]
