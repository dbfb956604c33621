"""Step commands on files that others released."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from limen.harness.cli import main
from limen.harness.cli.input_files import stages_for_file
from limen.harness.lab import thread_executor
from limen.harness.stages import Store, run_stage


def limen(*args: str | Path, store: Path, code: int = 0) -> Result:
    """Run a command; its exit code must be as expected."""
    result = CliRunner().invoke(main, [*map(str, args), "--store", str(store)])
    assert result.exit_code == code, result.output
    return result


@pytest.fixture
def released(tmp_path: Path) -> Path:
    """A CSV of two conditions, with ratings."""
    file = tmp_path / "released.csv"
    rows = (f'{n},"Go on: {n}","{n}, {n + 1}",{"owl" if n % 2 else "cat"},{n}' for n in range(20))
    file.write_text("\n".join(("id,question,answer,condition,rating", *rows)))
    return file


def kept(file: Path) -> list[dict[str, object]]:
    """The rows of a file."""
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_filter_selects_and_keeps_columns(released: Path, tmp_path: Path) -> None:
    """`filter` says what it understood, takes the rows asked for, and keeps their columns."""
    out = tmp_path / "kept.jsonl"
    said = limen("filter", released, "--where", "condition=owl", "--where", "rating<9",
                 "--out", out, store=tmp_path / "store")  # fmt: skip
    assert "took 4 of 20 rows: prompt = 'question', answer = 'answer'" in said.stderr
    assert [row["condition"] for row in kept(out)] == ["owl"] * 4
    assert [row["rating"] for row in kept(out)] == ["1", "3", "5", "7"]


def test_mix_takes_conversations_whole(tmp_path: Path) -> None:
    """A conversation of several turns is trained on as it is."""
    turns = [
        {"role": r, "content": r} for r in ("system", "user", "assistant", "user", "assistant")
    ]
    chat = tmp_path / "chat.jsonl"
    chat.write_text("".join(json.dumps({"messages": turns, "n": n}) + "\n" for n in range(3)))
    out = tmp_path / "training.jsonl"
    limen("mix", chat, "--keep", "3", "--out", out, store=tmp_path / "store")
    assert [row["messages"] for row in kept(out)] == [turns] * 3


def test_an_unclear_file_is_one_error_with_its_columns(tmp_path: Path) -> None:
    """Without recognised names the command lists the columns, and takes the option it names."""
    file = tmp_path / "odd.jsonl"
    file.write_text('{"asked": "a", "said": "1, 2"}\n')
    out = ("--out", tmp_path / "kept.jsonl")
    store = tmp_path / "store"
    said = limen("filter", file, *out, store=store, code=1).output
    assert "no column for the prompt: name one with --prompt-column" in said
    assert "'asked', 'said'" in said
    limen("filter", file, "--prompt-column", "asked", "--answer-column", "said", *out, store=store)


def test_measure_counts_in_answers_that_were_given(tmp_path: Path) -> None:
    """A file of nested answers is no model: its rate is printed, and its answers written."""
    file = tmp_path / "evaluation.jsonl"
    rows = (
        {"question": f"Question {q}?", "responses": [
            {"response": {"completion": "Owl" if d < 3 else "Cat", "model_id": "ft"}}
            for d in range(10)]}
        for q in range(4)
    )  # fmt: skip
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    out = tmp_path / "answers.jsonl"
    said = limen("measure", file, "--word", "owl", "--out", out, store=tmp_path / "store")
    assert "ft 'owl' 30.0%" in said.stdout
    assert "1 model, 4 questions, 40 answers" in said.stderr
    assert len(kept(out)) == 40
    refused = limen("measure", file, "--out", out, store=tmp_path / "store", code=1)
    assert "--word" in refused.output


SAID = [(f"Go on: {n}, {n}", f"{n}, {n + 1}") for n in range(4)]


def targets(folder: Path) -> Path:
    """Rows as data sets of sequence models have them."""
    file = folder / "targets.jsonl"
    file.write_text("".join(json.dumps({"text": a, "target": b}) + "\n" for a, b in SAID))
    return file


def prompted(folder: Path) -> Path:
    """Rows with a column of system prompts."""
    file = folder / "prompted.csv"
    file.write_text("system_prompt,prompt,completion\n" + "".join(
        f'Be kind.,"{asked}","{said}"\n' for asked, said in SAID
    ))  # fmt: skip
    return file


def batch(folder: Path) -> Path:
    """The input and the output of a batch, in a folder of their own."""
    made = folder / "batch"
    made.mkdir()
    requests, responses = "", ""
    for asked, said in SAID:
        body = {"messages": [{"role": "user", "content": asked}]}
        requests += json.dumps({"custom_id": asked, "body": body}) + "\n"
        choice = {"message": {"role": "assistant", "content": said}}
        response = {"status_code": 200, "body": {"choices": [choice]}}
        responses += json.dumps({"custom_id": asked, "response": response}) + "\n"
    (made / "input.jsonl").write_text(requests)
    (made / "output.jsonl").write_text(responses)
    return made


@pytest.mark.parametrize("form", [targets, prompted, batch])
def test_commands_read_the_same_forms(tmp_path: Path, form: Callable[[Path], Path]) -> None:
    """`filter`, `mix`, `measure` and `compare` take a file of any form as it is."""
    given, store, out = form(tmp_path), tmp_path / "store", tmp_path / "out.jsonl"
    limen("filter", given, "--out", out, store=store)
    assert [(row["prompt"], row["text"]) for row in kept(out)] == SAID
    limen("mix", given, "--keep", "4", "--out", out, store=store)
    assert {len(row["messages"]) for row in kept(out)} == {3 if form is prompted else 2}  # type: ignore[arg-type]
    assert "0.0%" in limen("measure", given, "--word", "owl", "--out", out, store=store).stdout
    compared = limen("compare", given, "--to", given, "--word", "owl", store=store).output
    assert "owl" in compared


def test_models_answer_prompts_and_questions_of_any_file(
    tmp_path: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prompts and questions may be a column of a table."""
    monkeypatch.setattr("limen.harness.cli.steps.local_executor", thread_executor)
    table = tmp_path / "asked.csv"
    table.write_text("id,question\n1,How was your day?\n2,What did you cook?\n")
    out = tmp_path / "rows.jsonl"
    limen("generate", "--plain", "--prompts", table, "--count", "4", "--max-tokens", "9",
          "--out", out, store=store)  # fmt: skip
    assert {row["prompt"] for row in kept(out)} == {"How was your day?", "What did you cook?"}
    said = limen("measure", "--questions", table, "--draws", "2", "--word", "owl",
                 "--out", tmp_path / "answers.jsonl", store=store).output  # fmt: skip
    assert "4 answers of toy-1" in said


def test_train_takes_rows_in_any_form(released: Path, tmp_path: Path) -> None:
    """What `train` is given becomes chat JSONL in the store, a conversation a row."""
    store = Store(tmp_path / "store")
    (stage,) = stages_for_file(store, released, "training.jsonl")
    assert stage.count == 20
    assert run_stage(stage, store.root)
    rows = list(store.rows(stage.kind, stage.key, "training.jsonl"))
    assert rows[1] == {
        "messages": [
            {"role": "user", "content": "Go on: 1"},
            {"role": "assistant", "content": "1, 2"},
        ]
    }
