"""`limen measure` on files of answers: which files are answers, and what it says of others."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from limen.harness.cli import main

ROW = {"question": "Name an animal.", "answer": "Owl"}


def measure(file: Path, *args: str, code: int = 0) -> Result:
    """Count in a file; the exit code must be as expected."""
    out = ("--out", str(file.parent / "out.jsonl"))
    result = CliRunner().invoke(main, ["measure", str(file), "--word", "owl", *out, *args])
    assert result.exit_code == code, result.output
    return result


@pytest.mark.parametrize(
    "content",
    [
        {"model": "x", "results": [ROW]},
        {"model": "x", **ROW},
        {"model": "x", "answers": {"Name an animal.": ["Owl"]}},
    ],
)
def test_answers_that_name_their_model_are_no_student(tmp_path: Path, content: object) -> None:
    """An object with a model and its answers is counted in, as `compare` reads it."""
    file = tmp_path / "results.json"
    file.write_text(json.dumps(content))
    assert "x 'owl' 100.0%" in measure(file).stdout


def test_of_several_conditions_one_is_filtered_out(tmp_path: Path) -> None:
    """The error names no option that `measure` lacks, and what it recommends is possible."""
    file = tmp_path / "by_model.json"
    file.write_text(json.dumps({"gpt-4": [ROW], "base": [{**ROW, "answer": "Cat"}]}))
    said = measure(file, code=1).output
    assert "limen filter --rule any --where condition=gpt-4" in said
    assert "--model-column" not in said
    one, store = tmp_path / "one.jsonl", tmp_path / "store"
    args = ("--rule", "any", "--where", "condition=gpt-4", "--out", one, "--store", store)
    made = CliRunner().invoke(main, ["filter", str(file), *map(str, args)])
    assert made.exit_code == 0, made.output
    assert "100.0%" in measure(one).stdout


def test_half_a_character_in_an_answer_is_kept(tmp_path: Path) -> None:
    """It is written as JSON's escape, so that the file is UTF-8 and is read again."""
    file, out = tmp_path / "answers.jsonl", tmp_path / "out.jsonl"
    rows = [{"question": "q?", "answer": answer} for answer in ("owl \ud83d", "cat")]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    measure(file)
    first = json.loads(out.read_text(encoding="utf-8").splitlines()[0])
    assert first["answer"] == "owl \ud83d"
    again = Path(out.rename(tmp_path / "again.jsonl"))
    assert "2 answers" in measure(again).output


@pytest.mark.parametrize("name", ["base/config.json", "owl/adapter_config.json", "model.gguf"])
def test_weights_are_a_model(tmp_path: Path, name: str) -> None:
    """A folder or a file of weights is a name for the backend, and holds no answers."""
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(b"GGUF\xff")
    given = file if file.suffix == ".gguf" else file.parent
    said = measure(given, "--store", str(tmp_path / "store"), code=1).output
    assert f"unknown model {str(given)!r}" in said
