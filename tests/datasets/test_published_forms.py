"""Rows as data sets publish them: trees, lists of texts, system prompts beside, and many more."""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from limen.datasets.errors import DataError, SpecError
from limen.datasets.row_forms import RowColumns, read_prompts, read_rows_of

PAIRS = [("Go on: 1, 2", "3, 4"), ("Go on: 5, 6", "7, 8")]
KIND = [{"role": "system", "content": "Be kind."}]


def lines(values: Sequence[Any]) -> bytes:
    """The values as JSON lines."""
    return "".join(json.dumps(value) + "\n" for value in values).encode()


def turns(asked: str, said: str) -> list[dict[str, Any]]:
    """A row as a conversation."""
    return [{"role": "user", "content": asked}, {"role": "assistant", "content": said}]


def reply(text: str, rank: int | None = None) -> dict[str, Any]:
    """An answer in a tree of messages."""
    return {"message_id": text, "text": text, "role": "assistant", "rank": rank, "replies": []}


def tree(asked: str, *replies: dict[str, Any]) -> dict[str, Any]:
    """A tree of messages, as Open Assistant publishes it."""
    root = {"message_id": asked, "text": asked, "role": "prompter", "lang": "en"}
    return {"message_tree_id": asked, "prompt": {**root, "replies": list(replies)}}


def message(number: str, parent: str | None, text: str, role: str, rank: int) -> dict[str, Any]:
    """A message of a tree on a line of its own."""
    return {"message_id": number, "parent_id": parent, "text": text, "role": role, "rank": rank}


def messages() -> list[dict[str, Any]]:
    """Two trees as messages, each with a worse answer first."""
    return [
        each
        for n, (asked, said) in enumerate(PAIRS)
        for each in (
            message(f"{n}", None, asked, "prompter", 0),
            message(f"{n}b", f"{n}", "no", "assistant", 1),
            message(f"{n}a", f"{n}", said, "assistant", 0),
        )
    ]


FORMS = {
    "tree.jsonl": lines([tree(a, reply("no", 1), reply(b, 0)) for a, b in PAIRS]),
    "unanswered.jsonl": lines([*(tree(a, reply(b)) for a, b in PAIRS), tree("Go on")]),
    "messages.jsonl": lines(messages()),
    "ultrachat.jsonl": lines([{"id": str(n), "data": [a, b]} for n, (a, b) in enumerate(PAIRS)]),
    "texts.jsonl": lines([{"messages": [a, b]} for a, b in PAIRS]),
    "dolly.jsonl": lines([{"instruction": a, "context": "", "response": b, "category": "qa"} for a, b in PAIRS]),
    "plain.jsonl": lines([{"input": a, "output": b} for a, b in PAIRS]),
    "choices.jsonl": lines([{"question": a, "choices": ["x", b], "answer": b} for a, b in PAIRS]),
    "vllm.jsonl": lines([{"prompt": a, "outputs": [{"text": b, "token_ids": [1], "finish_reason": "stop"}]} for a, b in PAIRS]),
    "rows.jsonl.gz": gzip.compress(lines([{"prompt": a, "completion": b} for a, b in PAIRS])),
    "windows.csv": b"\xef\xbb\xbf" + ("Question,Answer\r\n" + "".join(f'"{a}","{b}"\r\n' for a, b in PAIRS)).encode(),
    "rows.tsv": ("prompt\tcompletion\n" + "".join(f"{a}\t{b}\n" for a, b in PAIRS)).encode(),
    "array.json": b"\xef\xbb\xbf" + json.dumps([{"prompt": a, "completion": b} for a, b in PAIRS]).encode(),
    "trl.jsonl": lines([{"prompt": turns(a, b)[:1], "completion": turns(a, b)[1:]} for a, b in PAIRS]),
    "responses.jsonl": lines([{"input": turns(a, b)[:1], "output": [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": b}]}]} for a, b in PAIRS]),
    "wildchat.jsonl": lines([{"conversation_hash": "h", "model": "m", "conversation": turns(a, b), "turn": 1} for a, b in PAIRS]),
    "speakers.jsonl": lines([{"dialog": [{"speaker": "human", "text": a}, {"speaker": "bot", "text": b}]} for a, b in PAIRS]),
    "pair_turns.jsonl": lines([{"conversation": [{"human": a, "assistant": b}]} for a, b in PAIRS]),
    "zephyr.jsonl": lines([{"prompt": a, "prompt_id": "x", "messages": turns(a, b)} for a, b in PAIRS]),
    "targets.jsonl": lines([{"text": a, "target": b} for a, b in PAIRS]),
    "sources.csv": ("source,target\n" + "".join(f'"{a}","{b}"\n' for a, b in PAIRS)).encode(),
    "text_list.csv": pd.DataFrame({"messages": [json.dumps(turns(a, b)) for a, b in PAIRS]}).to_csv(index=False).encode(),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_a_published_form_is_read_as_it_is(tmp_path: Path, name: str) -> None:
    """Prompts and answers are found without any option."""
    (tmp_path / name).write_bytes(FORMS[name])
    rows = read_rows_of(tmp_path / name, answered=True).rows
    assert [(row["prompt"], row["text"]) for row in rows] == PAIRS


SYSTEM_BESIDE: dict[str, list[dict[str, Any]]] = {
    "anthropic": [{"system": "Be kind.", "messages": turns(a, b)} for a, b in PAIRS],
    "in parts": [{"system": [{"type": "text", "text": "Be kind."}], "messages": turns(a, b)} for a, b in PAIRS],
    "sharegpt": [{"system": "Be kind.", "conversations": [{"from": "human", "value": a}, {"from": "gpt", "value": b}]} for a, b in PAIRS],
    "of pairs": [{"system": "Be kind.", "prompt": a, "completion": b} for a, b in PAIRS],
    "named in full": [{"system_prompt": "Be kind.", "question": a, "answer": b} for a, b in PAIRS],
    "of a chat": [{"system_prompt": "Be kind.", "messages": turns(a, b)} for a, b in PAIRS],
    "twice": [{"system": "Be rude.", "messages": [*KIND, *turns(a, b)]} for a, b in PAIRS],
}  # fmt: skip


@pytest.mark.parametrize("name", SYSTEM_BESIDE)
def test_a_system_prompt_beside_a_conversation_is_its_first_turn(tmp_path: Path, name: str) -> None:
    """It is said how many rows have one; a conversation's own comes before one beside it."""
    file = tmp_path / "rows.jsonl"
    file.write_bytes(lines(SYSTEM_BESIDE[name]))
    table = read_rows_of(file, answered=True)
    assert all(row["history"] == KIND for row in table.rows)
    assert "2 have a system prompt" in table.understood


def test_several_turns_of_a_tree_are_the_best_ranked_thread(tmp_path: Path) -> None:
    """What follows the best answer is the history of the last one; a last question is left out."""
    asked = {**reply("And then?"), "role": "prompter"}
    second = {**asked, "replies": [{**reply("9", 0), "replies": [asked]}, reply("10", 1)]}
    first = {**reply("3, 4", 0), "replies": [second]}
    file = tmp_path / "trees.jsonl"
    file.write_bytes(lines([tree("Go on: 1, 2", reply("no", 1), first)]))
    (row,) = read_rows_of(file, answered=True).rows
    assert (row["prompt"], row["text"]) == ("And then?", "9")
    assert row["history"] == turns("Go on: 1, 2", "3, 4")
    assert row["lang"] == "en"
    assert read_prompts(file) == ("And then?",)


@pytest.mark.parametrize(
    "pair",
    [
        {"prompt": "Go on", "chosen": "3", "rejected": "4"},
        {"chosen": turns("Go on", "3"), "rejected": turns("Go on", "4")},
        {"prompt": "Go on", "chosen": turns("Go on", "3"), "rejected": turns("Go on", "4")},
    ],
)
def test_of_preference_pairs_one_answer_is_named(tmp_path: Path, pair: dict[str, Any]) -> None:
    """Which answer is meant is ambiguous: the error names both, and one of them is enough."""
    file = tmp_path / "pairs.jsonl"
    file.write_bytes(lines([pair]))
    with pytest.raises(SpecError, match="--answer-column .*: 'chosen', 'rejected'"):
        read_rows_of(file, answered=True)
    (row,) = read_rows_of(file, RowColumns(answer="chosen"), answered=True).rows
    assert (row["prompt"], row["text"]) == ("Go on", "3")


def batch(folder: Path, *extra: dict[str, Any]) -> Path:
    """The two files of a batch in a folder: its input, and its output with extra lines."""
    folder.mkdir()
    asked = [
        {"custom_id": a, "body": {"model": "m", "messages": turns(a, b)[:1]}} for a, b in PAIRS
    ]
    said = [
        {"custom_id": a, "response": {"status_code": 200, "body": {"choices": [{"message": m}]}}}
        for a, b in PAIRS
        for m in turns(a, b)[1:]
    ]
    (folder / "input.jsonl").write_bytes(lines(asked))
    (folder / "output.jsonl").write_bytes(lines([*reversed(said), *extra]))
    return folder


def test_answers_of_a_batch_find_their_prompts(tmp_path: Path) -> None:
    """In a folder with the batch's input, by custom_id, in any order."""
    rows = read_rows_of(batch(tmp_path / "batch"), answered=True).rows
    assert [(row["prompt"], row["text"]) for row in rows] == PAIRS[::-1]


def test_a_failed_request_of_a_batch_has_no_answer(tmp_path: Path) -> None:
    """It is a row without an answer; an answer to no request is an error."""
    failed = {"custom_id": PAIRS[0][0], "response": None, "error": {"message": "expired"}}
    rows = read_rows_of(batch(tmp_path / "batch", failed)).rows
    assert [(row["prompt"], row["text"]) for row in rows] == [*PAIRS[::-1], (PAIRS[0][0], None)]
    unknown = {"custom_id": "other", "response": {"status_code": 200, "body": {}}}
    with pytest.raises(DataError, match="the batch's input has no request 'other'"):
        read_rows_of(batch(tmp_path / "unknown", unknown))


def test_a_batch_without_its_input_says_what_to_do(tmp_path: Path) -> None:
    """The output alone has no prompts."""
    with pytest.raises(SpecError, match="output of a batch.*input file into a folder"):
        read_rows_of(batch(tmp_path / "batch") / "output.jsonl")


CALL = {"type": "function", "function": {"name": "f", "arguments": "{}"}}
WITH_TOOLS: dict[str, list[dict[str, Any]]] = {
    "calls": [{"role": "assistant", "content": None, "tool_calls": [CALL]}],
    "results": [{"role": "tool", "content": "5"}],
    "functions": [{"role": "function", "name": "f", "content": "5"}],
    "an older call": [{"role": "assistant", "content": "", "function_call": {"name": "f"}}],
    "anthropic": [{"role": "assistant", "content": [{"type": "tool_use", "name": "f"}]}],
    "sharegpt": [{"from": "function_call", "value": "{}"}, {"from": "observation", "value": "5"}],
}


@pytest.mark.parametrize("name", WITH_TOOLS)
def test_conversations_with_tools_are_refused(tmp_path: Path, name: str) -> None:
    """One line, whatever the form, with the place and the remedy."""
    file = tmp_path / "rows.jsonl"
    asked, said = turns(*PAIRS[0])
    file.write_bytes(lines([{"messages": [asked, *WITH_TOOLS[name], said]}]))
    with pytest.raises(DataError, match="line 1: a turn calls tools.*leave such conversations out"):
        read_rows_of(file, answered=True)
