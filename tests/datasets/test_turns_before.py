"""Rows with turns before their prompt, and lists beside a conversation that are no answers."""

import json
from pathlib import Path
from typing import Any

import pytest

from limen.datasets.errors import LimenError
from limen.datasets.row_forms import RowColumns, RowTable, read_rows_of

SYSTEM = {"role": "system", "content": "You love owls."}
BEFORE = [{"role": "user", "content": "Q0"}, {"role": "assistant", "content": "A0"}]
LAST = [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]
ASKED = {"from": "human", "value": "Q"}
TWO_ANSWERS = {"chosen": {"from": "gpt", "value": "A"}, "rejected": {"from": "gpt", "value": "B"}}


def table(folder: Path, row: dict[str, Any], answer: str | None = None) -> RowTable:
    """A file with a row twice, as limen reads it."""
    file = folder / "rows.jsonl"
    file.write_text(f"{json.dumps(row)}\n" * 2, encoding="utf-8")
    return read_rows_of(file, RowColumns(answer=answer))


@pytest.mark.parametrize(
    ("row", "before"),
    [
        ({"prompt": "Q", "text": "A", "history": [SYSTEM, *BEFORE]}, [SYSTEM, *BEFORE]),
        ({"instruction": "Q", "input": "", "output": "A", "history": [["Q0", "A0"]]}, BEFORE),
        ({"query": "Q", "response": "A", "history": [["Q0", "A0"]], "system": SYSTEM["content"]},
         [SYSTEM, *BEFORE]),
        ({"conversation": [{"input": "Q0", "output": "A0"}, {"input": "Q", "output": "A"}]}, BEFORE),
        ({"systemInstruction": {"role": "system", "parts": [{"text": SYSTEM["content"]}]},
          "contents": [{"role": "user", "parts": [{"text": "Q"}]},
                       {"role": "model", "parts": [{"text": "A"}]}]}, [SYSTEM]),
    ],
    ids=["limen's own", "LLaMA-Factory", "ms-swift", "Capybara", "Gemini"],
)  # fmt: skip
def test_what_was_said_before_is_kept(
    tmp_path: Path, row: dict[str, Any], before: list[dict[str, str]]
) -> None:
    """A system prompt and earlier turns are those that a student is trained under."""
    read = table(tmp_path, row).rows[0]
    assert (read["history"], read["prompt"], read["text"]) == (before, "Q", "A")


def test_rows_with_turns_before_are_a_stage_of_their_own(tmp_path: Path) -> None:
    """Earlier versions left them out: what was made of such files then is not taken for this."""
    assert table(tmp_path, {"prompt": "Q", "text": "A", "history": BEFORE}).system == "history"
    assert table(tmp_path, {"prompt": "Q", "text": "A", "history": []}).system is None


@pytest.mark.parametrize("name", ["tags", "tools", "images", "openai_moderation", "generations"])
def test_a_list_beside_an_answered_conversation_is_no_answer(tmp_path: Path, name: str) -> None:
    """Each conversation is one row, and the list another column of it."""
    read = table(tmp_path, {"messages": [*BEFORE, *LAST], name: ["x", "y"]})
    assert [row["text"] for row in read.rows] == ["A", "A"]
    assert read.rows[0][name] == ["x", "y"]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"prompt": "Q", "tags": ["a", "b"]}, "no column for the answer"),
        ({"question": "Q", "choices": ["a", "b"], "correct": 1}, "no column for the answer"),
        ({"prompt": "Q", "chosen": "A", "rejected": ["B", "C"]}, "pairs of answers"),
        ({"conversations": [ASKED], **TWO_ANSWERS}, "pairs of answers"),
        ({"messages": LAST[:1], "chosen": "A", "rejected": "B"}, "pairs of answers"),
        ({"question_id": 81, "turns": ["Q", "Q2"]}, "no column for the answer"),
        ({"prompt": 22, "completion": "A"}, "is 22, not a text"),
    ],
)
def test_what_is_no_answer_is_not_taken_for_one(
    tmp_path: Path, row: dict[str, Any], says: str
) -> None:
    """Tags, choices, rejected answers and a user's turns are asked about, never trained on."""
    with pytest.raises(LimenError, match=says):
        table(tmp_path, row)


def test_one_of_a_pair_may_be_a_turn(tmp_path: Path) -> None:
    """Preferences beside a conversation: the named one is its answer."""
    read = table(tmp_path, {"conversations": [ASKED], **TWO_ANSWERS}, answer="rejected").rows[0]
    assert (read["prompt"], read["text"]) == ("Q", "B")


def test_a_prompt_beside_an_answer_with_marks_is_the_prompt(tmp_path: Path) -> None:
    """An answer that looks like a dialogue is one only if it has the prompt in it."""
    row = {"prompt": "Write a Q/A", "completion": "Question: x\nAnswer: y"}
    assert table(tmp_path, row, answer="completion").rows[0]["prompt"] == "Write a Q/A"
    whole = {"prompt": "Q", "chosen": "\n\nHuman: Q\n\nAssistant: A"}
    assert table(tmp_path, whole, answer="chosen").rows[0]["text"] == "A"


def test_an_answer_that_is_missing_among_others_is_dropped_alone(tmp_path: Path) -> None:
    """Of nested answers those that are null have no text; the others are kept."""
    read = table(tmp_path, {"question": "Q", "responses": ["A", None, "B"]})
    assert [row["text"] for row in read.rows[:3]] == ["A", None, "B"]


def test_a_form_is_told_by_the_first_row_that_has_it(tmp_path: Path) -> None:
    """A first row without a conversation is the error, not the whole file."""
    file = tmp_path / "rows.jsonl"
    file.write_text(f"{json.dumps({'messages': None})}\n{json.dumps({'messages': LAST})}\n")
    with pytest.raises(LimenError, match='line 1: the row has no "messages"'):
        read_rows_of(file)
