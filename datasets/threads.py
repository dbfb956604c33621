"""Conversations that files hold as trees of messages, or as bare lists of texts.

Open Assistant publishes trees: a message has several replies, with ranks. A tree gives one
conversation, that of the best-ranked reply to each message, up to its last answer; a tree without
an answer gives none. UltraChat publishes lists of texts, the user's and the assistant's in turn.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from .column_names import ANSWER, CONVERSATION, PROMPT, candidates, matching
from .turns import ROLES, in_turn, is_conversation

Values = Mapping[str, object]
Located = tuple[str, Values]
"""Where a record stands, and what it holds."""
Replies = Callable[[Values], list[Values]]

MESSAGE = frozenset(("message_id", "parent_id", "text", "role"))
"""The columns of a file with a message of a tree on each line."""
OF_A_MESSAGE = MESSAGE | {"replies", "rank", "prompt"}
ALTERNATING = ("data", *(name for name in CONVERSATION if name != "turns"))
"""Columns that may be a list of texts, in turn of the user and of the assistant; "turns" are also
a user's alone (MT-bench)."""


def as_conversations(records: Iterable[Located]) -> Iterator[Located]:
    """Records as they are, but trees and lists of texts as conversations."""
    messages: list[Located] = []
    for place, values in records:
        root = values.get("prompt")
        if values.keys() >= MESSAGE and root is None:
            messages.append((place, values))
        elif isinstance(root, Mapping) and isinstance(root.get("replies"), list):
            yield from _conversation(place, {**values, **root}, _nested)
        elif list in map(type, values.values()):
            yield place, _of_pairs(_alternating(values))
        else:
            yield place, values
    yield from _of_messages(messages)


def _of_messages(messages: list[Located]) -> Iterator[Located]:
    """The conversations of messages that name the message to which they reply."""
    below: dict[object, list[Values]] = {}
    for _, message in messages:
        below.setdefault(message["parent_id"], []).append(message)

    def replies(message: Values) -> list[Values]:
        return below.get(message["message_id"], [])

    for place, message in messages:
        if message["parent_id"] is None:
            yield from _conversation(place, message, replies)


def _nested(message: Values) -> list[Values]:
    replies = message.get("replies")
    return replies if isinstance(replies, list) else []


def _conversation(place: str, root: Values, replies: Replies) -> Iterator[Located]:
    """The best-ranked thread below a message, up to its last answer; none without an answer."""
    turns, message = [_turn(root)], root
    while following := replies(message):
        message = min(following, key=_rank)
        turns.append(_turn(message))
    while turns and turns[-1]["role"] != "assistant":
        turns.pop()
    if turns:
        rest = {name: part for name, part in root.items() if name not in OF_A_MESSAGE}
        yield place, {**rest, "messages": turns}


def _turn(message: Values) -> dict[str, str]:
    role = str(message.get("role"))
    return {"role": ROLES.get(role, role), "content": str(message.get("text"))}


def _rank(message: Values) -> float:
    """The rank of a reply, 0 for the best; those without one come last."""
    rank = message.get("rank")
    return float(rank) if isinstance(rank, int | float) else float("inf")


def _alternating(values: Values) -> Values:
    """A record whose list of texts, if that is its conversation, has become turns."""
    for name in matching(values, ALTERNATING):
        texts = values[name]
        if not isinstance(texts, list) or len(texts) < 2 or is_conversation(texts):
            continue
        if all(isinstance(text, str) for text in texts) and not candidates(values, PROMPT):
            return _with_turns(values, name, texts)
    return values


def _of_pairs(values: Values) -> Values:
    """A record whose conversation is a list of objects with question and answer, as turns."""
    for name in matching(values, CONVERSATION):
        pairs = values[name]
        if not isinstance(pairs, list) or not pairs or is_conversation(pairs):
            continue
        texts = [text for pair in pairs for text in _question_and_answer(pair)]
        if len(texts) == 2 * len(pairs):
            return _with_turns(values, name, texts)
    return values


def _question_and_answer(pair: object) -> list[str]:
    """The two texts of an object that has nothing else; none of any other."""
    if not isinstance(pair, Mapping) or len(pair) != 2:
        return []
    texts = [pair[name] for usual in (PROMPT, ANSWER) for name in matching(pair, usual)]
    return [text for text in texts if isinstance(text, str)]


def _with_turns(values: Values, name: str, texts: list[str]) -> Values:
    """A record with texts, in turn of the user and of the assistant, in place of a column."""
    rest = {key: value for key, value in values.items() if key != name}
    return {**rest, "messages": in_turn(texts)}
