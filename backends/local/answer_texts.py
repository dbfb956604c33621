"""The texts of sampled tokens: where an answer ends, and what of it is shown."""

from dataclasses import replace
from functools import lru_cache

from ..base import Request
from .context import Context
from .forward_pass import Tokens
from .libraries import Tokenizer


class AnswerTexts:
    """The texts that a tokenizer gives to answers in one context."""

    def __init__(self, tokenizer: Tokenizer, context: Context) -> None:
        self._tokenizer = tokenizer
        self._context = context
        self.of = lru_cache(maxsize=65536)(self._decoded)

    def with_stops(self, request: Request) -> Request:
        """The request with the stops of the framing; a plain continuation has none."""
        if not self._context.stops or not request.chat:
            return request
        return replace(request, stop=(*request.stop, *self._context.stops))

    def is_stopped(self, request: Request, answer: Tokens) -> bool:
        """Whether an answer contains a text that ends it."""
        return bool(request.stop) and any(stop in self.of(answer) for stop in request.stop)

    def answer(self, request: Request, answer: Tokens) -> str:
        """The text of an answer, without the blank that stands before it."""
        text = self.of(answer)
        if request.chat and not request.begin:
            text = text.removeprefix(self._context.blank)
        ends = [place for place in map(text.find, request.stop) if place >= 0]
        return text[: min(ends)] if ends else text

    def _decoded(self, tokens: Tokens) -> str:
        return str(
            self._tokenizer.decode(
                tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False
            )
        )
