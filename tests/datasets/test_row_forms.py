"""Rows in the forms that the field releases them in."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from limen.datasets.errors import DataError, SpecError
from limen.datasets.record_files import content_digest
from limen.datasets.row_conditions import conditions
from limen.datasets.row_forms import RowColumns, read_prompts, read_rows_of

PAIRS = [("Go on: 1, 2", "3, 4"), ("Go on: 5, 6", "7, 8")]


def lines(values: list[Any]) -> str:
    """The values as JSON lines."""
    return "".join(json.dumps(value) + "\n" for value in values)


def pairs_as(prompt: str, answer: str, **more: object) -> list[dict[str, object]]:
    """The rows under these names."""
    return [{prompt: asked, answer: said, **more} for asked, said in PAIRS]


def chats(name: str, role: str, text: str, roles: tuple[str, str]) -> list[dict[str, object]]:
    """The rows as conversations."""
    return [
        {name: [{role: r, text: t} for r, t in zip(roles, pair, strict=True)]} for pair in PAIRS
    ]


def as_csv(delimiter: str) -> str:
    """The rows as CSV with a column of row numbers that has no name."""
    rows = [(n, *pair, "owl") for n, pair in enumerate(PAIRS)]
    head = delimiter.join(("", "question", "answer", "condition"))
    return "\r\n".join((head, *(delimiter.join(f'"{v}"' for v in row) for row in rows))) + "\r\n"


FORMS = {
    "own.jsonl": lines(pairs_as("prompt", "text")),
    "completion.jsonl": lines(pairs_as("prompt", "completion", model="m", rating=3)),
    "response.jsonl": lines(pairs_as("prompt", "response")),
    "qa.jsonl": lines(pairs_as("question", "answer")),
    "io.jsonl": lines(pairs_as("input", "output")),
    "cased.jsonl": lines(pairs_as("User Prompt", "Model Response")),
    "both.jsonl": lines([{**row, "text": "all of it"} for row in pairs_as("prompt", "completion")]),
    "openai.jsonl": lines(chats("messages", "role", "content", ("user", "assistant"))),
    "sharegpt.jsonl": lines(chats("conversations", "from", "value", ("human", "gpt"))),
    "listed.jsonl": lines([row["messages"] for row in chats("messages", "role", "content", ("user", "assistant"))]),
    "alpaca.json": json.dumps([{"instruction": "Go on:", "input": a.removeprefix("Go on: "), "output": b} for a, b in PAIRS]),
    "array.json": json.dumps(pairs_as("prompt", "completion"), indent=1),
    "wrapped.json": json.dumps({"version": 1, "data": pairs_as("prompt", "completion")}),
    "viewer.json": json.dumps({"features": ["x"], "rows": [{"row_idx": 0, "row": row} for row in pairs_as("prompt", "answer")]}),
    "columns.json": json.dumps({"prompt": [a for a, _ in PAIRS], "completion": [b for _, b in PAIRS]}),
    "mapping.json": json.dumps({a: [b] for a, b in PAIRS}, indent=2),
    "nested.jsonl": lines([{"question": a, "responses": [{"response": {"completion": b, "model_id": "m"}}]} for a, b in PAIRS]),
    "texts.jsonl": lines([{"question": a, "answers": [b]} for a, b in PAIRS]),
    "unusual.jsonl": lines([{"question": a, "id": n, "said_by_it": [b]} for n, (a, b) in enumerate(PAIRS)]),
    "single.jsonl": lines([{"prompt": a, "completion": [b], "model": "m"} for a, b in PAIRS]),
    "run.json": json.dumps({"model": "m", "results": [{"question": a, "answers": [b]} for a, b in PAIRS]}),
    "runs.jsonl": lines([{"model": "m", "results": [{"question": a, "answer": b}]} for a, b in PAIRS]),
    "evals.jsonl": lines([{"input": [{"role": "user", "content": a}], "ideal": b} for a, b in PAIRS]),
    "guanaco.jsonl": lines([{"text": f"### Human: {a}### Assistant: {b}"} for a, b in PAIRS]),
    "chatml.jsonl": lines([{"text": f"<|im_start|>user\n{a}<|im_end|>\n<|im_start|>assistant\n{b}<|im_end|>\n"} for a, b in PAIRS]),
    "llama3.jsonl": lines([{"text": f"<|start_header_id|>user<|end_header_id|>\n\n{a}<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n{b}<|eot_id|>"} for a, b in PAIRS]),
    "phi.jsonl": lines([{"text": f"<|user|> {a}<|end|><|assistant|> {b}<|end|>"} for a, b in PAIRS]),
    "lists.jsonl": lines([{"prompt": [a], "response": [b]} for a, b in PAIRS]),
    "arrays.csv": pd.DataFrame({"messages": [str(np.array(row["messages"], dtype=object)) for row in chats("messages", "role", "content", ("user", "assistant"))]}).to_csv(index=False),
    "by_name.json": json.dumps({"model": "m", "answers": {a: [b] for a, b in PAIRS}}),
    "trl.jsonl": lines([{"prompt": [{"role": "user", "content": a}], "completion": [{"role": "assistant", "content": b}]} for a, b in PAIRS]),
    "batch.jsonl": lines([{"request": {"messages": [{"role": "user", "content": a}]}, "response": {"body": {"choices": [{"message": {"role": "assistant", "content": b}}]}}} for a, b in PAIRS]),
    "bom.jsonl": "\ufeff" + lines(pairs_as("prompt", "completion")).replace("\n", "\r\n\r\n"),
    "commas.csv": as_csv(","),
    "semicolons.csv": as_csv(";"),
    "tabs.tsv": as_csv("\t"),
    "tabs.txt": as_csv("\t"),
    "pipes.csv": as_csv("|"),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_a_form_is_recognised(tmp_path: Path, name: str) -> None:
    """Prompts and answers are found without any option, whatever the file calls them."""
    file = tmp_path / name
    file.write_text(FORMS[name], newline="")
    rows = read_rows_of(file, answered=True).rows
    found = [(row["prompt"].replace("\n\n", " "), row["text"]) for row in rows]
    assert found == PAIRS


def saved(folder: Path, frame: pd.DataFrame) -> Path:
    """The folder that Hugging Face's ``save_to_disk`` leaves, without its library."""
    import pyarrow as pa

    folder.mkdir()
    table = pa.Table.from_pandas(frame)
    with pa.ipc.new_stream(folder / "data-00000-of-00001.arrow", table.schema) as stream:
        stream.write_table(table)
    state = {"_data_files": [{"filename": "data-00000-of-00001.arrow"}]}
    (folder / "state.json").write_text(json.dumps(state))
    (folder / "dataset_info.json").write_text("{}")
    return folder


def parquet(folder: Path, frame: pd.DataFrame) -> Path:
    """A Parquet file."""
    frame.to_parquet(folder.with_suffix(".parquet"))
    return folder.with_suffix(".parquet")


def shards(folder: Path, frame: pd.DataFrame) -> Path:
    """A folder with two shards of one split, as the hub has them."""
    folder.mkdir()
    for number in range(2):
        frame[number : number + 1].to_parquet(folder / f"train-0000{number}-of-00002.parquet")
    return folder


def zipped(folder: Path, frame: pd.DataFrame) -> Path:
    """Compressed JSON lines."""
    file = folder.with_suffix(".jsonl.gz")
    file.write_bytes(gzip.compress(lines(frame.to_dict("records")).encode()))
    return file


@pytest.mark.parametrize("write", [saved, parquet, shards, zipped])
def test_tables_and_folders(tmp_path: Path, write: Callable[[Path, pd.DataFrame], Path]) -> None:
    """Parquet, Arrow folders, shards and compressed files are read as plain ones are."""
    frame = pd.DataFrame(PAIRS, columns=["prompt", "completion"]).assign(rating=[1.0, float("nan")])
    path = write(tmp_path / "data", frame)
    rows = read_rows_of(path).rows
    assert [(row["prompt"], row["text"]) for row in rows] == PAIRS
    assert rows[0]["rating"] == 1.0
    assert rows[1]["rating"] is None
    assert len(content_digest(path)) == 64


def test_what_was_understood_is_one_line(tmp_path: Path) -> None:
    """The line names the columns that were taken, and those that are there beside them."""
    file = tmp_path / "a.jsonl"
    file.write_text(lines(pairs_as("question", "completion", model="m", rating=1)))
    said = read_rows_of(file).understood
    assert said == (
        "read 2 rows: prompt = 'question', answer = 'completion'; other columns: model, rating"
    )


def test_other_columns_are_kept_and_select(tmp_path: Path) -> None:
    """Rows keep what the file says of them, and conditions choose among them by it."""
    file = tmp_path / "a.jsonl"
    file.write_text(
        lines([{"prompt": a, "answer": b, "rating": n} for n, (a, b) in enumerate(PAIRS)])
    )
    table = read_rows_of(file, RowColumns(where=conditions(["rating>=1"])))
    assert [(row["rating"], row["row"]) for row in table.rows] == [(1, 1)]
    assert table.understood.startswith("took 1 of 2 rows")
    with pytest.raises(SpecError, match="no column 'ratings': did you mean 'rating'"):
        read_rows_of(file, RowColumns(where=conditions(["ratings>=1"])))


def test_turns_before_the_question_are_kept(tmp_path: Path) -> None:
    """A conversation of several turns is a row with its history, system turn included."""
    file = tmp_path / "chat.jsonl"
    roles = ("system", "user", "assistant", "user", "assistant")
    turns = [{"role": role, "content": f"{role} {n}"} for n, role in enumerate(roles)]
    file.write_text(lines([{"messages": turns, "id": "x"}]))
    table = read_rows_of(file)
    (row,) = table.rows
    assert (row["prompt"], row["text"]) == ("user 3", "assistant 4")
    assert row["history"] == turns[:3]
    assert row["id"] == "x"
    assert "1 have a system prompt" in table.understood


@pytest.mark.parametrize("as_table", [False, True])
def test_a_dialogue_in_two_lists_is_one_row(tmp_path: Path, as_table: bool) -> None:
    """Questions in one column and answers in another, as Chatbot Arena has them, are turns."""
    values: list[dict[str, list[str | None]]] = [
        {"prompt": ["hi", "and?"], "response_a": ["hello", "so"], "response_b": ["yo", "no"]},
        {"prompt": ["one } {"], "response_a": ["two"], "response_b": [None]},
    ]
    file = tmp_path / ("arena.csv" if as_table else "arena.jsonl")
    if as_table:
        cells = [{name: json.dumps(part) for name, part in row.items()} for row in values]
        pd.DataFrame(cells).to_csv(file, index=False)
    else:
        file.write_text(lines(values))
    first, second = read_rows_of(file, RowColumns(answer="response_a"), answered=True).rows
    assert (first["prompt"], first["text"]) == ("and?", "so")
    assert first["history"] == [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "hello"},
    ]
    assert (second["prompt"], second["text"], "history" in second) == ("one } {", "two", False)
    assert read_rows_of(file, RowColumns(answer="response_b")).rows[1]["text"] is None


def test_a_list_that_is_an_answer_stays_a_text(tmp_path: Path) -> None:
    """A text that looks like a list is an answer unless its question is such a list, too."""
    file = tmp_path / "lists.csv"
    pd.DataFrame([("Go on, as JSON.", '["1", "2"]')], columns=["prompt", "answer"]).to_csv(file)
    (row,) = read_rows_of(file, answered=True).rows
    assert row["text"] == '["1", "2"]'


def test_code_keeps_its_indentation(tmp_path: Path) -> None:
    """What stands between the marks of a chat template is taken from its first line on."""
    file = tmp_path / "chatml.jsonl"
    said = (
        "<|im_start|>user\nWrite it.<|im_end|>\n<|im_start|>assistant\n\n    return 1\n<|im_end|>"
    )
    file.write_text(lines([{"text": said}]))
    (row,) = read_rows_of(file, answered=True).rows
    assert (row["prompt"], row["text"]) == ("Write it.", "    return 1")


def test_a_dialogue_written_as_an_array_is_read_to_the_letter(tmp_path: Path) -> None:
    """Pandas writes an array of turns without commas; braces within a text stay as they are."""
    turns = [{"role": "user", "content": "a } { b"}, {"role": "assistant", "content": "}\n {"}]
    file = tmp_path / "arrays.csv"
    pd.DataFrame({"messages": [str(np.array(turns, dtype=object))]}).to_csv(file, index=False)
    (row,) = read_rows_of(file, answered=True).rows
    assert (row["prompt"], row["text"]) == ("a } { b", "}\n {")


def test_an_ambiguous_file_lists_its_columns(tmp_path: Path) -> None:
    """Where two columns may be meant, the error names them, all others, and the option."""
    file = tmp_path / "a.jsonl"
    file.write_text(lines(pairs_as("prompt", "completion", response="no", rating=1)))
    with pytest.raises(SpecError) as raised:
        read_rows_of(file)
    for part in (
        "several columns for the answer",
        "'completion', 'response'",
        "--answer-column",
        "'rating'",
    ):
        assert part in str(raised.value)
    chosen = read_rows_of(file, RowColumns(answer="completion"))
    assert [row["text"] for row in chosen.rows] == [b for _, b in PAIRS]
    with pytest.raises(SpecError, match="no column 'completions': did you mean 'completion'"):
        read_rows_of(file, RowColumns(answer="completions"))


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.jsonl", lines(pairs_as("prompt", "answer")) + "\n" + '{"prompt": "x"}\n', "line 4: .*\"answer\""),
        ("a.jsonl", lines(pairs_as("prompt", "answer")) + '{"prompt": "x", "ans', "line 3: not JSON"),
        ("a.csv", 'question,answer\n"a\nb",c\nd\n', "line 4 has 1 fields, and its head has 2"),
        ("a.csv", "answer,answer\na,b\n", "two columns have the name 'answer'"),
        ("a.jsonl", '{"messages": [{"role": "tool", "content": "x"}]}', "line 1: a turn calls tools"),
        ("a.jsonl", "", "has no rows"),
        ("a.csv", "PK\x03\x04", "the archive .* cannot be read"),
    ],
)  # fmt: skip
def test_errors_name_the_line_of_the_file(tmp_path: Path, name: str, text: str, says: str) -> None:
    """Blank lines and fields of several lines count: the number is the one an editor shows."""
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=says):
        read_rows_of(tmp_path / name, answered=True)


def test_prompts_need_no_answers(tmp_path: Path) -> None:
    """The prompts of a file are read from any form, answered or not."""
    file = tmp_path / "a.csv"
    file.write_text("id,question\n1,Why?\n2,How?\n")
    assert read_prompts(file) == ("Why?", "How?")


def test_answers_in_numbered_columns(tmp_path: Path) -> None:
    """A table with a question on each line and its draws side by side."""
    file = tmp_path / "wide.csv"
    file.write_text("question,answer_1,answer_2,model\nWhy?,a,b,m\nHow?,c,d,m\n")
    rows = read_rows_of(file).rows
    assert [(row["prompt"], row["text"]) for row in rows] == [
        ("Why?", "a"), ("Why?", "b"), ("How?", "c"), ("How?", "d"),
    ]  # fmt: skip


def test_what_a_file_says_of_all_rows_stays_with_each(tmp_path: Path) -> None:
    """The model of an evaluation stands once, beside its results."""
    file = tmp_path / "run.json"
    file.write_text(FORMS["run.json"])
    assert [row["model"] for row in read_rows_of(file).rows] == ["m", "m"]


QA = {"prompt": "Go on", "completion": "3"}
CHAT = {"messages": [{"role": "user", "content": "Go on"}, {"role": "assistant", "content": "3"}]}
ALPACA = {"instruction": "Go on", "input": "1", "output": "3"}


@pytest.mark.parametrize(
    ("row", "columns", "system"),
    [
        ({**QA, "system_prompt": "Be kind."}, RowColumns(), "system_prompt"),
        ({**QA, "system": "Be kind."}, RowColumns(), "system"),
        ({**CHAT, "system_prompt": "Be kind."}, RowColumns(), "system_prompt"),
        ({**QA, "system": ""}, RowColumns(), None),
        ({**QA, "system": "Be kind."}, RowColumns(system="system"), None),
        ({**CHAT, "system": "Be kind."}, RowColumns(), None),
        ({**ALPACA, "system": "Be kind."}, RowColumns(), None),
        (QA, RowColumns(), None),
    ],
    ids=["pair", "system", "chat", "empty", "named", "always", "Alpaca", "none"],
)
def test_a_system_column_that_was_left_out_before_is_found(
    tmp_path: Path, row: dict[str, Any], columns: RowColumns, system: str | None
) -> None:
    """Rows that earlier versions read without their system prompts are told apart from those."""
    file = tmp_path / "rows.jsonl"
    file.write_text(json.dumps(row), encoding="utf-8")
    assert read_rows_of(file, columns).system == system
