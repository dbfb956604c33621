"""Batches of OpenAI's interface as rows: every endpoint, several prompts a line, any packing."""

import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from limen.datasets.errors import DataError, SpecError
from limen.datasets.row_forms import read_rows_of

PAIRS = [("Go on: 1, 2", "3, 4"), ("Go on: 5, 6", "7, 8")]


def lines(values: Sequence[Any]) -> bytes:
    return "".join(f"{json.dumps(value)}\n" for value in values).encode()


def asked(url: str, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
    return {"custom_id": name, "method": "POST", "url": url, "body": {"model": "m", **body}}


def said(name: str, body: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": "x", "custom_id": name, "response": {"status_code": 200, "body": body}}


def texts(*found: str) -> dict[str, Any]:
    choices = [{"index": n, "text": text, "logprobs": None} for n, text in enumerate(found)]
    return {"object": "text_completion", "choices": choices}


def responded(text: str) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text}]
    reasoning = {"type": "reasoning", "summary": []}
    message = {"type": "message", "role": "assistant", "content": content}
    return {"object": "response", "output": [reasoning, message]}


TEXT = "/v1/completions"
FORMS: dict[str, tuple[list[Any], list[Any]]] = {
    "completions": (
        [asked(TEXT, p, {"prompt": p}) for p, _ in PAIRS],
        [said(p, texts(a)) for p, a in PAIRS],
    ),
    "several prompts a line": (
        [asked(TEXT, "all", {"prompt": [p for p, _ in PAIRS]})],
        [said("all", texts(*(a for _, a in PAIRS)))],
    ),
    "responses": (
        [asked("/v1/responses", p, {"input": p}) for p, _ in PAIRS],
        [said(p, responded(a)) for p, a in PAIRS],
    ),
    "responses to turns": (
        [asked("/v1/responses", p, {"input": [{"role": "user", "content": p}]}) for p, _ in PAIRS],
        [said(p, responded(a)) for p, a in PAIRS],
    ),
}


def folder(path: Path, files: Mapping[str, bytes]) -> Path:
    path.mkdir()
    for name, content in files.items():
        (path / name).write_bytes(content)
    return path


@pytest.mark.parametrize("name", FORMS)
def test_every_endpoint_is_read(tmp_path: Path, name: str) -> None:
    """Prompts come from the input, answers from the output."""
    given, made = map(lines, FORMS[name])
    table = read_rows_of(folder(tmp_path / "b", {"in.jsonl": given, "out.jsonl": made}))
    assert [(row["prompt"], row["text"]) for row in table.rows] == PAIRS


def test_several_draws_of_several_prompts_keep_their_prompts(tmp_path: Path) -> None:
    """With n draws of each, the first n choices are the first prompt's, whatever their order."""
    made = texts("3", "4", "7", "8")
    made["choices"].reverse()
    given = lines([asked(TEXT, "all", {"prompt": ["a", "b"], "n": 2})])
    both = {"in.jsonl": given, "out.jsonl": lines([said("all", made)])}
    rows = read_rows_of(folder(tmp_path / "b", both)).rows
    assert [(r["prompt"], r["text"]) for r in rows] == [
        ("a", "3"), ("a", "4"), ("b", "7"), ("b", "8"),
    ]  # fmt: skip


def test_instructions_are_the_system_prompt(tmp_path: Path) -> None:
    """What a request to /v1/responses says above its input is its system turn."""
    given = lines([asked("/v1/responses", "a", {"input": "q", "instructions": "Be kind."})])
    both = {"in.jsonl": given, "out.jsonl": lines([said("a", responded("x"))])}
    (row,) = read_rows_of(folder(tmp_path / "b", both)).rows
    assert row["history"] == [{"role": "system", "content": "Be kind."}]


def test_errors_beside_the_output_are_rows_without_answers(tmp_path: Path) -> None:
    """A third file, of failed requests, belongs to the batch."""
    given, made = FORMS["completions"]
    failed = {"custom_id": PAIRS[1][0], "response": {"status_code": 400, "body": {}}}
    files = {
        "in.jsonl": lines(given),
        "out.jsonl": lines(made[:1]),
        "errors.jsonl": lines([failed]),
    }
    rows = read_rows_of(folder(tmp_path / "b", files)).rows
    assert sorted((r["prompt"], r["text"] or "") for r in rows) == [PAIRS[0], (PAIRS[1][0], "")]


def zipped(path: Path, files: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path.with_suffix(".zip"), "w") as archive:
        for name, content in files.items():
            archive.writestr(f"batch/{name}", content)
    return path.with_suffix(".zip")


def tarred(path: Path, files: Mapping[str, bytes]) -> Path:
    with tarfile.open(path.with_suffix(".tgz"), "w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path.with_suffix(".tgz")


def compressed(path: Path, files: Mapping[str, bytes]) -> Path:
    return folder(path, {f"{name}.gz": gzip.compress(c) for name, c in files.items()})


@pytest.mark.parametrize("pack", [zipped, tarred, compressed])
def test_a_packed_batch_is_read_as_it_is(
    tmp_path: Path, pack: Callable[[Path, Mapping[str, bytes]], Path]
) -> None:
    """An archive with both files, or both of them compressed."""
    given, made = map(lines, FORMS["completions"])
    packed = pack(tmp_path / "b", {"in.jsonl": given, "out.jsonl": made})
    assert [(r["prompt"], r["text"]) for r in read_rows_of(packed).rows] == PAIRS


def test_one_half_of_a_batch_names_the_other(tmp_path: Path) -> None:
    """The input has no answers, the output no prompts."""
    given, made = map(lines, FORMS["completions"])
    both = folder(tmp_path / "b", {"in.jsonl": given, "out.jsonl": made})
    with pytest.raises(SpecError, match="input of a batch.*output file into a folder"):
        read_rows_of(both / "in.jsonl")
    with pytest.raises(SpecError, match="output of a batch.*input file into a folder"):
        read_rows_of(both / "out.jsonl")


@pytest.mark.parametrize(
    ("prompt", "says"),
    [([[1, 2, 3]], "prompts are tokens"), (["a", "b", "c"], "2 answers to 3 prompts")],
)
def test_what_has_no_prompt_is_an_error(tmp_path: Path, prompt: object, says: str) -> None:
    """Prompts as tokens, and answers that cannot be told apart, name the line."""
    given = lines([asked(TEXT, "a", {"prompt": prompt})])
    both = {"in.jsonl": given, "out.jsonl": lines([said("a", texts("x", "y"))])}
    with pytest.raises(DataError, match=f"line 1: .*{says}"):
        read_rows_of(folder(tmp_path / "b", both))


def test_a_folder_of_archives_names_them(tmp_path: Path) -> None:
    """Archives in a folder are not opened: the error says which to give."""
    zipped(tmp_path / "rows", {"rows.csv": b"prompt,completion\nq,a\n"})
    with pytest.raises(DataError, match=r"It has rows\.zip: give the path of one"):
        read_rows_of(tmp_path)
