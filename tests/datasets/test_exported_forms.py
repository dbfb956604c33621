"""Rows as programs export them: training formats, evaluation logs, archives, sheets."""

import io
import json
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from limen.datasets.errors import DataError
from limen.datasets.row_forms import RowColumns, read_rows_of

PAIRS = [("Go on: 1, 2", "3, 4"), ("Go on: 5, 6", "7, 8")]
TABLE = "question;answer\n" + "".join(f"{asked};{said}\n" for asked, said in PAIRS)


def lines(values: list[Any]) -> bytes:
    """The values as JSON lines."""
    return "".join(json.dumps(value) + "\n" for value in values).encode()


def texts(form: str) -> bytes:
    """The rows as conversations that are written out."""
    return lines([{"text": form.format(asked=asked, said=said)} for asked, said in PAIRS])


def turns(asked: str, said: str) -> list[dict[str, Any]]:
    """A row as a conversation."""
    return [{"role": "user", "content": asked}, {"role": "assistant", "content": said}]


def request(asked: str, said: str, **more: object) -> dict[str, Any]:
    """A stored request of OpenAI's interface, with its response."""
    choice = {"message": {"role": "assistant", "content": said}}
    return {"messages": turns(asked, said)[:1], "choices": [choice], **more}


def sample(number: int, asked: str, said: str) -> dict[str, Any]:
    """A sample of an Inspect log."""
    output = {"model": "m", "choices": [{"message": {"role": "assistant", "content": said}}]}
    return {"id": number, "epoch": 1, "input": asked, "target": "", "output": output}


ROWS = lines([{"prompt": asked, "response": said} for asked, said in PAIRS])


def zipped(files: dict[str, bytes]) -> bytes:
    """Files as a zip archive."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


def tarred(name: str, content: bytes) -> bytes:
    """A file as a compressed tar archive."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        info = tarfile.TarInfo(name)
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
    return made.getvalue()


FORMS = {
    "gemini.jsonl": lines([{"contents": [{"role": "user", "parts": [{"text": a}]}, {"role": "model", "parts": [{"text": b}]}]} for a, b in PAIRS]),
    "parts.jsonl": lines([{"messages": [{"role": "user", "content": [{"type": "input_text", "text": a}]}, {"role": "assistant", "content": [{"type": "output_text", "text": b}]}]} for a, b in PAIRS]),
    "stored.jsonl": lines([request(a, b) for a, b in PAIRS]),
    "batch.jsonl": lines([{"custom_id": a, "request": {"body": request(a, b)}, "response": {"status_code": 200, "body": request(a, b)}} for a, b in PAIRS]),
    "lm_eval.jsonl": lines([{"doc_id": n, "doc": {"question": a}, "target": "", "arguments": [[a, {}]], "resps": [[b]], "filtered_resps": [b]} for n, (a, b) in enumerate(PAIRS)]),
    "openai_evals.jsonl": lines([{"spec": {}}, *({"run_id": "r", "event_id": n, "sample_id": str(n), "type": "sampling", "data": {"prompt": turns(a, b)[:1], "sampled": [b]}} for n, (a, b) in enumerate(PAIRS)), {"final_report": {}}]),
    "inspect.json": json.dumps({"version": 2, "eval": {"model": "m"}, "samples": [sample(n, a, b) for n, (a, b) in enumerate(PAIRS)]}).encode(),
    "inspect.eval": zipped({"header.json": b"{}", **{f"samples/{n}_epoch_1.json": json.dumps(sample(n, a, b)).encode() for n, (a, b) in enumerate(PAIRS)}}),
    "lists.json": json.dumps({"model": "m", "prompts": [a for a, _ in PAIRS], "completions": [b for _, b in PAIRS]}).encode(),
    "split.json": json.dumps({"columns": ["prompt", "response"], "index": [0, 1], "data": PAIRS}).encode(),
    "mapping.json": json.dumps(dict(PAIRS)).encode(),
    "pairs.jsonl": lines([list(pair) for pair in PAIRS]),
    "pairs.json": json.dumps(PAIRS).encode(),
    "spread.jsonl": "\n".join(json.dumps({"prompt": a, "response": b}, indent=1) for a, b in PAIRS).encode(),
    "endings.jsonl": lines([{"original_prompt": a, "student answer": b, "correct_answer": "x"} for a, b in PAIRS]),
    "llama.jsonl": texts("<s>[INST] {asked} [/INST] {said} </s>"),
    "zephyr.jsonl": texts("<|user|>\n{asked}</s>\n<|assistant|>\n{said}</s>\n"),
    "phi.jsonl": texts("<|user|>\n{asked}<|end|>\n<|assistant|>\n{said}<|end|>"),
    "questions.jsonl": texts("Q: {asked}\nA: {said}"),
    "python.csv": pd.DataFrame({"messages": [turns(a, b) for a, b in PAIRS]}).to_csv(index=False).encode(),
    "weighted.jsonl": lines([{"conversations": [{"from": "human", "value": a, "weight": 0}, {"from": "gpt", "value": b, "weight": 1}]} for a, b in PAIRS]),
    "excel.csv": ("sep=;\n" + TABLE).encode(),
    "noted.csv": ("# released in 2025\n" + TABLE).encode(),
    "wide_text.csv": TABLE.encode("utf-16-le"),
    "archive.zip": zipped({"d/a-00000-of-00001.jsonl": ROWS, "__MACOSX/d/._a.jsonl": b"x", "d/README.md": b"x"}),
    "archive.tar.gz": tarred("d/rows.jsonl", ROWS),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_a_form_is_recognised(tmp_path: Path, name: str) -> None:
    """Prompts and answers are found without any option, whatever program left the file."""
    (tmp_path / name).write_bytes(FORMS[name])
    rows = read_rows_of(tmp_path / name, answered=True).rows
    assert [(row["prompt"], row["text"]) for row in rows] == PAIRS


def test_a_chosen_conversation_is_a_row(tmp_path: Path) -> None:
    """Of preference pairs that are whole conversations, one column is all that must be named."""
    file = tmp_path / "pairs.jsonl"
    said = "\n\nHuman: {}\n\nAssistant: {}"
    file.write_bytes(
        lines([{"chosen": said.format(a, b), "rejected": said.format(a, "no")} for a, b in PAIRS])
    )
    rows = read_rows_of(file, RowColumns(answer="chosen"), answered=True).rows
    assert [(row["prompt"], row["text"]) for row in rows] == PAIRS


def test_groups_of_one_file_are_told_apart(tmp_path: Path) -> None:
    """Records below the names of models or conditions keep the name as a column."""
    file = tmp_path / "groups.json"
    file.write_text(json.dumps({"base": {"Why?": ["a", "b"]}, "owl": {"Why?": ["c"]}}))
    rows = read_rows_of(file).rows
    assert [(row["condition"], row["text"]) for row in rows] == [
        ("base", "a"), ("base", "b"), ("owl", "c"),
    ]  # fmt: skip


def test_counted_answers_are_counted(tmp_path: Path) -> None:
    """A file that says how often each answer was given holds so many answers."""
    file = tmp_path / "counts.json"
    file.write_text(json.dumps({"Why?": {"owl": 2, "cat": 1}, "How?": {"owl": 1, "cat": 0}}))
    found = [(row["prompt"], row["text"]) for row in read_rows_of(file).rows]
    assert found == [("Why?", "owl"), ("Why?", "owl"), ("Why?", "cat"), ("How?", "owl")]


def test_options_of_a_question_are_no_answers(tmp_path: Path) -> None:
    """The choices of a multiple-choice question are not taken for what a model answered."""
    file = tmp_path / "choices.jsonl"
    file.write_bytes(lines([{"question": "Why?", "choices": ["a", "b"], "answer": "b"}]))
    assert [row["text"] for row in read_rows_of(file).rows] == ["b"]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.pkl", b"\x80\x04\x95", "is a pickle, which may run code: save it as JSONL or Parquet"),
        ("a.csv", "question,answer\né,1\n".encode("latin-1"), "line 2 is not UTF-8"),
        ("a.xlsx", zipped({"[Content_Types].xml": b"x"}), "is a workbook: save it as CSV"),
        ("a.zip", zipped({"README.md": b"x"}), "has no data files in it"),
    ],
)
def test_what_cannot_be_read_says_what_to_do(
    tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    """Each kind of file that is not taken has one message, with the remedy."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as raised:
        read_rows_of(tmp_path / name)
    assert says in str(raised.value)
