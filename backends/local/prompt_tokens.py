"""The tokens of prompts and of answers after them, with or without a chat template."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...datasets.errors import SpecError
from ..base import Request
from .context import Context
from .forward_pass import Tokens
from .libraries import Tokenizer
from .loading import LoadedModel, check_length

if TYPE_CHECKING:
    from ...datasets.chat import Conversation


class AnswerTokens:
    """The tokens of answers after one prompt, as in training: see :mod:`.training_data`.

    Without a chat template the tokenizer adds its own tokens before the text.
    """

    def __init__(
        self, tokenizer: Tokenizer, context: Context, messages: "Conversation", *, chat: bool
    ) -> None:
        self._tokenizer, self._special = tokenizer, not chat
        self._blank = context.blank if chat else ""
        self._text = context.prompt(tokenizer, messages) if chat else _plain_text(messages)
        self._before = self._tokens(self._text)

    @property
    def prompt(self) -> Tokens:
        """The tokens of the prompt; of an empty one the token that texts begin or end with."""
        start = self._tokenizer.bos_token_id
        start = self._tokenizer.eos_token_id if start is None else start
        return self._before or (int(start),)

    def of(self, answer: str) -> Tokens:
        """The tokens of an answer."""
        if not answer:
            return ()
        answer = self._blank + answer
        joint = self._tokens(self._text + answer)
        if joint[: len(self._before)] == self._before:
            return joint[len(self._before) :]
        # a token spans the end of the prompt and the beginning of the answer
        return tuple(self._tokenizer(answer, add_special_tokens=False)["input_ids"])

    def _tokens(self, text: str) -> Tokens:
        return tuple(self._tokenizer(text, add_special_tokens=self._special)["input_ids"])


def _plain_text(messages: "Conversation") -> str:
    if len(messages) != 1:
        raise SpecError("chat=False continues one plain text: give one turn, without a system turn")
    return messages[0]["content"]


def request_tokens(
    loaded: LoadedModel, context: Context, requests: Sequence[Request], *, max_tokens: int
) -> list[Tokens]:
    """The tokens of each request's prompt and of the given beginning of its answer.

    Raises what :func:`.loading.prompts` does.
    """
    context.check_complete(loaded.tokenizer, [one.messages for one in requests if one.chat])
    rows = []
    for request in requests:
        answers = AnswerTokens(loaded.tokenizer, context, request.messages, chat=request.chat)
        rows.append(answers.prompt + answers.of(request.begin))
    check_length(loaded.model, max(map(len, rows), default=0), max_tokens)
    return rows
