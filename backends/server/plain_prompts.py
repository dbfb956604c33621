"""Prompts of ``/v1/completions``: how an engine reads them, and their echo with log-probabilities.

An engine that continues plain text is given the text as it is. One that knows turns alone is given
the turns of a text that is framed as in :mod:`..plain_text`, and one user's turn of any other text.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ...datasets.chat import conversation
from ..base import Completion, Request, Token
from ..continuations import ContinuationRequest
from ..plain_text import ASSISTANT, BLANK, read_prompt
from .protocol import JsonObject

Echo = Sequence[tuple[str, float | None]]
"""The parts of an echoed prompt, each with its log-probability in nats where there is one."""
LOWEST = -9999.0
"""Stands for the logarithm of zero, which JSON does not have."""


@dataclass(frozen=True, kw_only=True)
class PlainPrompt:
    """One prompt."""

    text: str
    request: Request
    """What the engine is asked."""
    scored: ContinuationRequest | None
    """What of the prompt has log-probabilities: all of a plain text, of turns the begun answer."""

    @property
    def lead(self) -> str:
        """What stands between the prompt and an answer of an engine that knows turns alone."""
        framed = self.request.chat and self.text.endswith(ASSISTANT) and self.scored is None
        return BLANK if framed and read_prompt(self.text) else ""

    def led(self, completion: Completion) -> Completion:
        """A completion as it follows the prompt."""
        if not self.lead or completion.text is None:
            return completion
        tokens = completion.logprobs
        if tokens:
            tokens = (replace(tokens[0], text=self.lead + tokens[0].text), *tokens[1:])
        return replace(completion, text=self.lead + completion.text, logprobs=tokens)

    def echo(self, scored: Sequence[Token]) -> Echo:
        """The prompt in parts with their log-probabilities; None where the engine has none."""
        spelled = "".join(token.text for token in scored)
        if not self.text.endswith(spelled):  # a tokenizer that does not spell every text
            return [(self.text, None)]
        head, rest = self.text.removesuffix(spelled), scored
        if head.endswith(BLANK) and self.request.begin and rest:
            head = head.removesuffix(BLANK)
            rest = [replace(rest[0], text=BLANK + rest[0].text), *rest[1:]]
        first: list[tuple[str, float | None]] = [(head, None)] if head else []
        return [*first, *((token.text, token.logprob) for token in rest)]


def plain_prompt(text: str, request: Request, *, continues_text: bool) -> PlainPrompt:
    """A prompt as an engine reads it; ``request`` has the settings."""
    if continues_text:
        scored = ContinuationRequest(
            messages=conversation(""), continuations=(text,), chat=False, each_token=True
        )
        asked = replace(request, messages=conversation(text), chat=False)
        return PlainPrompt(text=text, request=asked, scored=scored if text else None)
    messages, begin = read_prompt(text) or (conversation(text), "")
    scored = ContinuationRequest(messages=messages, continuations=(begin,), each_token=True)
    asked = replace(request, messages=messages, begin=begin)
    return PlainPrompt(text=text, request=asked, scored=scored if begin else None)


def text_log_probabilities(echo: Echo, tokens: Sequence[Token]) -> JsonObject:
    """Log-probabilities of an echoed prompt and of the answer after it, in the older form.

    The alternatives to the tokens of a prompt are not reported.
    """
    parts = [*echo, *((token.text, token.logprob) for token in tokens)]
    offsets, place = [], 0
    for text, _ in parts:
        offsets.append(place)
        place += len(text)
    top = [{text: max(p, LOWEST) for text, p in token.top} for token in tokens]
    return {
        "tokens": [text for text, _ in parts],
        "token_logprobs": [None if log is None else max(log, LOWEST) for _, log in parts],
        "top_logprobs": [*([None] * len(echo)), *top],
        "text_offset": offsets,
    }
