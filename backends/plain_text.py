"""Conversations as plain text, for models without a chat template: "User: ...", "Assistant: ...".

An answer follows "Assistant:" with a blank, which is no part of it: tokenizers have words with
their blank as one token, so that a prompt that ends with a blank is an unfamiliar one. It ends with
the token that ends texts, or where the model goes on with a turn of the user's.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from .samples import Completion, Request

if TYPE_CHECKING:
    from ..datasets.chat import Conversation

BLANK = " "
USER, ASSISTANT = "User:", "Assistant:"
STOPS = (f"\n{USER}", f"\n{ASSISTANT}")
VERSION = "plain-1"
"""Part of a model's fingerprint: raise it when the same conversation becomes another text."""
_TURN = re.compile(rf"^({USER}|{ASSISTANT})", re.MULTILINE)


def plain_prompt(messages: "Conversation", begin: str = "") -> str:
    """A conversation as a text that the model goes on with, and the given beginning of its answer.

    ``local`` also writes the token that ends texts after a turn of the assistant's, which is not
    known of a model behind a server.
    """
    turns = "".join(map(_turn, (m["role"] for m in messages), (m["content"] for m in messages)))
    return f"{turns}{ASSISTANT}{BLANK + begin if begin else ''}"


def _turn(role: str, content: str) -> str:
    if role == "system":
        return f"{content}\n\n"
    return f"{USER if role == 'user' else ASSISTANT}{BLANK}{content}\n"


def read_prompt(text: str) -> "tuple[Conversation, str] | None":
    """The turns that :func:`plain_prompt` wrote as a text, and the beginning of the answer.

    None for a text that does not end with the beginning of an answer, or has no turns.
    """
    system, *parts = _TURN.split(text)
    marks, contents = parts[::2], parts[1::2]
    if not marks or marks[-1] != ASSISTANT or USER not in marks:
        return None
    roles = {USER: "user", ASSISTANT: "assistant"}
    turns = [
        {"role": roles[mark], "content": content.removeprefix(BLANK).removesuffix("\n")}
        for mark, content in zip(marks, contents, strict=True)
    ]
    known = [{"role": "system", "content": system.removesuffix("\n\n")}] if system else []
    return [*known, *turns[:-1]], contents[-1].removeprefix(BLANK)  # type: ignore[list-item]


def as_plain_text(request: Request) -> Request:
    """A request for a chat's answer as one to continue a text, with the stops of the framing."""
    text = (
        plain_prompt(request.messages, request.begin)
        if request.chat
        else request.messages[-1]["content"] + request.begin
    )
    stop = (*request.stop, *STOPS) if request.chat else request.stop
    return replace(
        request,
        messages=[{"role": "user", "content": text}],
        stop=stop,
        begin="",
        chat=False,
    )


class PlainAnswers:
    """Requests as plain text, and their answers without the blank before them."""

    def __init__(self) -> None:
        self._verbatim: set[int] = set()
        """Rows whose answers have no blank of the framing before them."""

    def asked(self, requests: Iterable[Request]) -> Iterator[Request]:
        """The requests as plain text."""
        for request in requests:
            if request.begin or not request.chat:
                self._verbatim.add(request.row)
            yield as_plain_text(request)

    def answered(self, groups: Iterable[Sequence[Completion]]) -> Iterator[Sequence[Completion]]:
        """The completions of those requests, as answers."""
        for group in groups:
            yield [self._answer(completion) for completion in group]

    def _answer(self, completion: Completion) -> Completion:
        if completion.text is None or completion.row in self._verbatim:
            return completion
        return replace(completion, text=completion.text.removeprefix(BLANK))
