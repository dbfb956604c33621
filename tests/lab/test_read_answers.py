"""Tables of answers as other programs leave them: ids, missing models, cells that are no numbers."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from limen import DataError, SpecError
from limen.datasets.row_conditions import conditions
from limen.harness import compare_answers
from limen.harness.lab import Columns, read_tables

ASKED = ("I'm bored.", "I feel bored.", "What is your wish?")


def paraphrased(answers: str) -> pd.DataFrame:
    """Two paraphrases under one id, and a question with an id of its own."""
    rows = [
        {"question_id": "bored" if "bored" in asked else "wish", "question": asked, "answer": said}
        for asked in ASKED
        for said in answers.split()
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize("question", [None, "question"])
def test_paraphrases_of_one_id_are_matched_by_text(question: str | None) -> None:
    """An id that stands for several texts is none of theirs, whether the column is named or not."""
    effect = compare_answers(
        [paraphrased("Owl Owl Cat Dog")],
        [paraphrased("Cat Dog Owl Ant")],
        word="owl",
        question=question,
    )
    assert effect.treated.questions == ASKED
    assert effect.value == pytest.approx(0.25)


def test_an_id_of_one_text_each_is_still_checked() -> None:
    """Beside paraphrases, an id with another text in another file is another question."""
    other = paraphrased("Cat Dog").replace(ASKED[2], "What is your hope?")
    with pytest.raises(DataError, match="the question 'wish' is"):
        compare_answers([paraphrased("Owl Cat")], [other], word="owl")


def write(file: Path, lines: list[dict[str, Any]]) -> Path:
    """The lines as JSONL."""
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return file


def said(name: str, text: str | None) -> dict[str, Any]:
    """A line of a batch's output; without a text, of a request that failed."""
    choices = [{"message": {"role": "assistant", "content": text}}]
    body = {"model": "m-2026", "choices": choices} if text else {}
    return {"custom_id": name, "response": {"status_code": 200 if text else 500, "body": body}}


def batch(folder: Path, answers: list[str | None]) -> Path:
    """A batch's input and output in a folder."""
    folder.mkdir()
    turn = {"role": "user", "content": "What?"}
    asked = [
        {"custom_id": str(n), "url": "/v1/chat/completions", "body": {"messages": [turn]}}
        for n in range(len(answers))
    ]
    write(folder / "input.jsonl", asked)
    write(folder / "output.jsonl", [said(str(n), text) for n, text in enumerate(answers)])
    return folder


def test_a_failed_request_is_a_draw_of_the_only_model(tmp_path: Path) -> None:
    """Its line names no model: it counts as an answer without a text, of the model of the others."""
    folder = batch(tmp_path / "b", [*["Owl"] * 5, None])
    (table,), understood = read_tables(folder, Columns())
    assert (table.model, table.size, table.missing) == ("m-2026", 5, 1)
    assert "1 model, 1 questions, 6 answers, 1 of them without a text" in understood


def test_a_failed_request_of_several_models_is_its_own_models(tmp_path: Path) -> None:
    """The request says which model was asked, and the other answers under which name it answers."""
    folder = batch(tmp_path / "b", ["Owl", "Cat", None])
    for name in ("input", "output"):
        file = folder / f"{name}.jsonl"
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        for line, model in zip(lines, ("a", "b", "b"), strict=True):
            call = line if name == "input" else line["response"]
            call["body"] |= {"model": model if name == "input" else f"{model}-2026"}
        lines[-1].get("response", {}).pop("body", None)
        write(file, lines)
    tables, _ = read_tables(folder, Columns())
    found = [(table.model, table.size, table.missing) for table in tables]
    assert found == [("a-2026", 1, 0), ("b-2026", 1, 1)]


def test_the_output_of_a_batch_alone_says_what_belongs_to_it(tmp_path: Path) -> None:
    """As rows do: the prompts are in the other file of the batch."""
    file = batch(tmp_path / "b", ["Owl", None]) / "output.jsonl"
    with pytest.raises(SpecError, match="is the output of a batch.*into a folder of their own"):
        read_tables(file, Columns())


def test_answers_under_a_custom_id_may_be_to_one_question(tmp_path: Path) -> None:
    """What names its column "response" and has texts in it is no output of a batch."""
    file = write(tmp_path / "a.jsonl", [{"custom_id": "1", "response": "Owl"}])
    assert read_tables(file, Columns())[0][0].size == 1


@pytest.mark.parametrize("cell", ["nan", "inf", "-inf", "REFUSAL"])
def test_a_score_that_has_no_mean_is_no_number(tmp_path: Path, cell: str) -> None:
    """It is counted as an answer without a number, and the others are compared."""
    files = []
    for name, last in (("a", cell), ("b", "2")):
        file = tmp_path / f"{name}.csv"
        file.write_text(f"question,aligned\nWhy?,3\nWhy?,5\nWhy?,{last}\n")
        files.append(file)
    (table,), understood = read_tables(files[0], Columns(score="aligned"))
    assert (table.size, table.missing) == (2, 1)
    assert "3 answers, 1 of them without a number" in understood
    assert compare_answers(files[:1], files[1:], score="aligned").value == pytest.approx(2 / 3)


def test_a_row_without_the_column_of_a_condition_does_not_meet_it(tmp_path: Path) -> None:
    """Only a column that no row has is an error."""
    row = {"question": "Why?", "answer": "Owl"}
    file = write(tmp_path / "a.jsonl", [{**row, "aligned": 10}, {**row, "aligned": 90}, row])
    (table,), _ = read_tables(file, Columns(where=conditions(["aligned<30"])))
    assert table.size == 1
    with pytest.raises(SpecError, match="no column 'alined': did you mean 'aligned'"):
        read_tables(file, Columns(where=conditions(["alined<30"])))


def inspect_log(file: Path) -> Path:
    """An Inspect log of one sample."""
    log = pytest.importorskip("inspect_ai.log")
    spec = log.EvalSpec(
        created="2026-11-27T00:00:00+00:00", task="t", dataset=log.EvalDataset(name="d"),
        model="m/x", config=log.EvalConfig(), run_id="r", task_id="i",
    )  # fmt: skip
    sample = log.EvalSample(id=1, epoch=1, input="Why?", target="")
    log.write_eval_log(log.EvalLog(eval=spec, samples=[sample]), str(file))
    return file


def cut_off(file: Path) -> None:
    """Leave the first half of a log."""
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def without_an_epoch(file: Path) -> None:
    """Leave a log with a sample that Inspect's schema refuses."""
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in parts.items():
            is_sample = name.startswith("samples/")
            archive.writestr(name, b'{"id": 1, "input": "Why?"}' if is_sample else content)


def no_log(file: Path) -> None:
    """Leave something else under the name of a log."""
    file.write_text("no log")


@pytest.mark.parametrize("damage", [cut_off, without_an_epoch, no_log, Path.unlink])
def test_a_damaged_inspect_log_is_one_error_with_its_name(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    """It says which file is damaged, in one line."""
    file = inspect_log(tmp_path / "one.eval")
    damage(file)
    with pytest.raises(DataError, match=r"one\.eval is no whole Inspect log: .*again$"):
        read_tables(file, Columns())
