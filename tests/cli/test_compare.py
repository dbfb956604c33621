import json
from pathlib import Path

from click.testing import CliRunner

from limen.harness.cli import main


def test_a_margin_that_is_not_met_is_in_the_json(tmp_path: Path) -> None:
    """A test against a margin that shows nothing is printed as well as one that shows it."""
    for name, every in (("a", 2), ("b", 4)):
        rows = [
            {"question": f"Question {q}?", "draw": d, "model": name,
             "answer": "owl" if (q + d) % every == 0 else "cat"}
            for q in range(6) for d in range(10)
        ]  # fmt: skip
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    files = (str(tmp_path / "a.jsonl"), "--to", str(tmp_path / "b.jsonl"))
    made = CliRunner().invoke(
        main, ["compare", *files, "--word", "owl", "--margin", "0.01", "--json"]
    )
    assert made.exit_code == 0, made.output
    assert json.loads(made.stdout)["within"]["shown"] is False
