"""Rows in the nested forms that evaluations are saved in, as flat rows: one answer each."""

from collections.abc import Iterator, Mapping

AnswerRow = Mapping[str, object]
"""One answer: column and value."""

NESTED = ("responses", "answers", "completions", "samples", "outputs", "generations")
"""Columns that hold a list of answers to the row's question."""
QUESTION_PARTS = ("text", "question", "prompt", "content")
"""Fields that may hold the text of a question that is an object."""


def flat_rows(row: Mapping[str, object]) -> Iterator[AnswerRow]:
    """The answers of a row: itself, or one for each answer in its list."""
    shared = {**_from_messages(row), **_flat(row)}
    answers = next((row[name] for name in NESTED if isinstance(row.get(name), list)), None)
    if not isinstance(answers, list):
        yield shared
        return
    for answer in answers:
        yield {**shared, **_answer(answer)}


def _answer(answer: object) -> AnswerRow:
    return _flat(answer) if isinstance(answer, dict) else {"answer": answer}


def _flat(row: Mapping[str, object]) -> AnswerRow:
    """The plain values of a row, those of objects in it included, under their own names."""
    flat: dict[str, object] = {}
    for name, value in row.items():
        if name == "question" and isinstance(value, dict):
            flat |= _question(value)
        elif isinstance(value, dict):
            flat |= {key: inner for key, inner in value.items() if _is_plain(inner)}
    return flat | {name: value for name, value in row.items() if _is_plain(value)}


def _question(value: Mapping[str, object]) -> AnswerRow:
    texts = [value[part] for part in QUESTION_PARTS if isinstance(value.get(part), str)]
    question = {"question": texts[0]} if texts else {}
    return {**question, "question_id": value["id"]} if "id" in value else question


def _from_messages(row: Mapping[str, object]) -> AnswerRow:
    """Question and answer of a row of chat messages: the last of the user and of the assistant."""
    messages = row.get("messages")
    last: dict[str, object] = {}
    for message in messages if isinstance(messages, list) else ():
        if isinstance(message, dict) and isinstance(message.get("content"), str):
            last[str(message.get("role"))] = message["content"]
    names = {"user": "question", "assistant": "answer"}
    return {names[role]: text for role, text in last.items() if role in names}


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, str | int | float | bool)
