"""Conversations as the field's files hold them, brought to one form: roles and texts."""

import ast
import io
import json
import re
import tokenize
from collections.abc import Iterable, Mapping, Sequence

from .transcripts import transcript

ROLES = {
    "user": "user", "human": "user", "prompter": "user", "instruction": "user",
    "assistant": "assistant", "gpt": "assistant", "model": "assistant", "bot": "assistant",
    "chatgpt": "assistant", "ai": "assistant", "completion": "assistant", "response": "assistant",
    "input": "user",
    "system": "system", "developer": "system",
}  # fmt: skip
"""What a role is called in files, and in limen."""
OF_TOOLS = frozenset(("tool", "function", "function_call", "observation", "tool_call", "ipython"))
"""Roles of turns that call a tool, or answer a call."""
CALLS = frozenset(("tool_use", "tool_result"))
"""Parts of turns that do so."""
TOOLS = "a turn calls tools, which limen does not train on: leave such conversations out"

Turns = list[dict[str, str]]


class TurnError(ValueError):
    """What is wrong with a conversation."""


def turns_of(value: object) -> Turns:
    """The turns of a conversation; raises :class:`TurnError`.

    Turns are objects with ``role`` and ``content`` (OpenAI), with ``from`` and ``value``
    (ShareGPT), with ``role`` and ``parts`` (Gemini), pairs of a question and an answer, or JSON or
    Python text of the same; or one text in which
    marks say who speaks.
    """
    given = _as_list(value)
    if given is None:
        raise TurnError(f"{value!r:.60} is no conversation: a list of turns")
    pairs = [pair for pair in given if isinstance(pair, list | tuple) and len(pair) == 2]
    if pairs and len(pairs) == len(given):
        return [turn for pair in pairs for turn in _pair(pair)]
    return [_turn(turn) for turn in given]


def is_conversation(value: object) -> bool:
    """Whether a value is a list of turns with roles, or JSON text of one."""
    given = _as_list(value) if not isinstance(value, str) or _may_be_json(value) else None
    return bool(given) and all(
        isinstance(turn, Mapping) and _role_of(turn) is not None for turn in given or ()
    )


def ends_answered(conversation: object) -> bool:
    """Whether the last turn is the assistant's; also where a turn cannot be read."""
    try:
        turns = turns_of(conversation)
    except TurnError:
        return True
    return bool(turns) and turns[-1]["role"] == "assistant"


def _as_list(value: object) -> Sequence[object] | None:
    if isinstance(value, str) and (turns := transcript(value)):
        return [{"role": role, "content": said} for role, said in turns]
    if isinstance(value, str) and _may_be_json(value):
        value = _read(value)
    return value if isinstance(value, list | tuple) else None


def _list_of_texts(value: object) -> list[str | None]:
    """The texts of a list, also of one written into a table's cell; none for any other value."""
    if isinstance(value, str) and _may_be_json(value):
        value = _read(value)
    if isinstance(value, list) and all(isinstance(part, str | None) for part in value):
        return value
    return []


def exchanges_of(questions: object, answers: object) -> list[tuple[str | None, str | None]]:
    """Each question with its answer, where these are two lists of texts as long; else none."""
    asked = _list_of_texts(questions)
    said = _list_of_texts(answers) if asked else []
    return list(zip(asked, said, strict=True)) if len(asked) == len(said) else []


def in_turn(texts: Iterable[str]) -> Turns:
    """Texts as turns, of the user and of the assistant in turn."""
    roles = ("user", "assistant")
    return [{"role": roles[n % 2], "content": text} for n, text in enumerate(texts)]


def _read(text: str) -> object:
    """The value that a text is: JSON; or Python, as pandas writes lists and arrays into a CSV."""
    array = (_read_array,) if re.search(r"\}\s+\{", text) else ()
    for read in (json.loads, ast.literal_eval, *array):
        try:
            value: object = read(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError, tokenize.TokenError):
            continue
        return value
    return None


def _read_array(text: str) -> object:
    """The objects of a NumPy array, which has no commas between them."""
    parts: list[str] = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        parts += [","] if token.string == "{" and parts[-1:] == ["}"] else []
        parts += [token.string] if token.string.strip() else []
    value: object = ast.literal_eval(" ".join(parts))
    return value


def _may_be_json(text: str) -> bool:
    return text.lstrip().startswith("[")


def _pair(pair: Sequence[object]) -> Turns:
    return in_turn(map(_content, pair))


def _turn(turn: object) -> dict[str, str]:
    if not isinstance(turn, Mapping) or (given := _role_of(turn)) is None:
        raise TurnError(f'{turn!r:.60} is no turn: it has "role" and "content"')
    role = ROLES.get(str(given).lower())
    if turn.get("tool_calls") or turn.get("function_call") or str(given).lower() in OF_TOOLS:
        raise TurnError(TOOLS)
    if role is None:
        raise TurnError(f"the role {given!r} is none of system, user and assistant")
    if turn.get("weight") == 0 and role == "assistant":
        raise TurnError('a turn has "weight" 0: limen would train on it all the same')
    content = next(
        (turn[key] for key in ("content", "value", "text", "parts") if key in turn), None
    )
    return {"role": role, "content": _content(content)}


def _role_of(turn: Mapping[object, object]) -> object | None:
    return next((turn[key] for key in ("role", "from", "speaker") if key in turn), None)


def _content(value: object) -> str:
    """The text of a turn, which may be given in parts."""
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple):
        if any(isinstance(part, Mapping) and part.get("type") in CALLS for part in value):
            raise TurnError(TOOLS)
        parts = [part.get("text") if isinstance(part, Mapping) else part for part in value]
        if parts and all(isinstance(part, str) for part in parts):
            return "".join(map(str, parts))
    raise TurnError(f"a turn's content is {value!r:.60}, not a text")


def system_text(system: object) -> str:
    """A system prompt, which services have as a text or as parts of one."""
    if isinstance(system, Mapping) and "parts" in system:
        system = system["parts"]
    parts = system if isinstance(system, list) else [system]
    texts = (part.get("text", "") if isinstance(part, Mapping) else part for part in parts)
    return "".join(map(str, texts))
