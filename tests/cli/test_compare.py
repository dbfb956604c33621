import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from limen.harness.cli import main


@pytest.mark.parametrize("to", [("--to", "c0", "c1"), ("--to=c0", "c1"), ("--to=c0", "--to=c1")])
def test_all_files_after_to_are_the_reference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, to: tuple[str, ...]
) -> None:
    """However --to is written, no control counts among the treated."""
    monkeypatch.chdir(tmp_path)
    for name, share in (("s0", 3), ("s1", 4), ("c0", 1), ("c1", 2)):
        rows = [
            {"question": f"Question {q}?", "draw": d, "answer": "owl" if d < share else "cat"}
            for q in range(6) for d in range(10)
        ]  # fmt: skip
        Path(name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    made = CliRunner().invoke(main, ["compare", "s0", "s1", *to, "--word", "owl", "--json"])
    assert made.exit_code == 0, made.output
    arms = json.loads(made.stdout)
    assert arms["treated"]["by_model"] == pytest.approx([0.3, 0.4])
    assert arms["reference"]["by_model"] == pytest.approx([0.1, 0.2])


def test_a_margin_that_is_not_met_is_in_the_json(tmp_path: Path) -> None:
    """A test against a margin that shows nothing is printed as well as one that shows it."""
    made = CliRunner().invoke(main, [*compared(tmp_path), "--margin", "0.01", "--json"])
    assert made.exit_code == 0, made.output
    assert json.loads(made.stdout)["within"]["shown"] is False


def test_a_projects_model_is_no_column(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are compared alike in a project whose ini file names a backend and a model."""
    monkeypatch.chdir(tmp_path)
    elsewhere = CliRunner().invoke(main, [*compared(tmp_path), "--json"])
    (tmp_path / "pytest.ini").write_text("[pytest]\nlimen_backend = toy\nlimen_model = toy-2\n")
    inside = CliRunner().invoke(main, [*compared(tmp_path), "--json"])
    assert inside.exit_code == elsewhere.exit_code == 0
    assert inside.stdout == elsewhere.stdout


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_margin_in_points_is_refused(tmp_path: Path, form: tuple[str, ...]) -> None:
    """A margin of 3 would hold of any two rates: the message says what three points are."""
    made = CliRunner().invoke(main, [*compared(tmp_path), "--margin", "3", *form])
    assert (made.exit_code, made.stdout) == (1, "")
    assert "margin=3.0 must be a number above zero and below 1: 3 points are 0.03" in made.output


def compared(folder: Path) -> list[str]:
    """The command that compares two files of answers: half, and a quarter of them, owls."""
    for name, every in (("a", 2), ("b", 4)):
        rows = [
            {"question": f"Question {q}?", "draw": d, "model": name,
             "answer": "owl" if (q + d) % every == 0 else "cat"}
            for q in range(6) for d in range(10)
        ]  # fmt: skip
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return ["compare", str(folder / "a.jsonl"), "--to", str(folder / "b.jsonl"), "--word", "owl"]
