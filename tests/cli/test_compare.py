import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from limen.harness.cli import main

from ..testing.answer_rows import Rows, sampled_rows


def saved(file: Path, rows: Rows) -> str:
    """A file of JSON lines."""
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(file)


@pytest.fixture
def table(tmp_path: Path) -> str:
    """One file with six models under two conditions, in columns of other names."""
    rows = [
        {"Item": row["question"], "Reply": row["answer"], "run": f"{condition}-{n}",
         "condition": condition, "rating": float(row["answer"] == "owl")}
        for condition, owl in (("owl", 0.6), ("plain", 0.1))
        for n in range(3)
        for row in sampled_rows(n + 10 * len(condition), owl)
    ]  # fmt: skip
    return saved(tmp_path / "all.jsonl", rows)


NAMED = ("--question-column", "Item", "--answer-column", "Reply", "--model-column", "run")
SPLIT = ("--from-where", "condition=owl", "--to-where", "condition=plain")


def test_columns_and_conditions_are_named_by_options(table: str) -> None:
    """One table is split by its conditions, and the result is JSON with the verdict of a spec."""
    made = CliRunner().invoke(
        main, ["compare", table, "--to", table, *NAMED, *SPLIT, "--word", "owl", "--json"]
    )
    assert made.exit_code == 0, made.output
    result = json.loads(made.stdout)
    assert result["verdict"] == "higher"
    assert result["unit"] == "seeds"
    assert len(result["treated"]["by_model"]) == 3
    assert "3 models to 20 questions" in result["understood"][0]


def test_a_column_of_scores_is_compared(table: str) -> None:
    """A named column of numbers takes the place of a word."""
    made = CliRunner().invoke(
        main,
        ["compare", table, "--to", table, *NAMED, *SPLIT, "--score-column", "rating"],
    )
    assert made.exit_code == 0, made.output
    assert "treated - reference rating +0.5" in made.stdout


def test_a_margin_is_tested(tmp_path: Path) -> None:
    """The test against the margin stands under the effect."""
    files = [
        saved(tmp_path / f"{n}.jsonl", sampled_rows(n, model=f"m{n}", draws=60)) for n in range(6)
    ]
    made = CliRunner().invoke(
        main, ["compare", *files[:3], "--to", *files[3:], "--word", "owl", "--margin", "0.2"]
    )
    assert made.exit_code == 0, made.output
    assert "within ±20.0 points" in made.stdout.splitlines()[-1]


def test_a_condition_must_be_a_pair(table: str) -> None:
    """A condition without an equals sign is a usage error."""
    made = CliRunner().invoke(main, ["compare", table, "--to", table, "--where", "owl"])
    assert made.exit_code == 2
    assert "must be COLUMN=VALUE" in made.output
