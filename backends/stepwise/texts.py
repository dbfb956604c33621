"""Conversations as tokens and tokens as texts, in the context in which a model is asked."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ...datasets.errors import SpecError
from ..base import Request
from ..continuations import ContinuationRequest
from ..local.context import PLACEHOLDER, Context, special_tokens
from ..local.prompt_tokens import AnswerTokens
from ..local.training_data import IGNORED, read_training_data
from .service import Tokenizer, Tokens, TrainingRow


@dataclass(frozen=True, eq=False)
class TextModel:
    """The tokenizer and the chat context of one model. Threads may share it."""

    tokenizer: Tokenizer
    context: Context
    lock: threading.Lock
    """The tokenizer's: fast tokenizers must not be used by two threads at once."""

    def __post_init__(self) -> None:
        with self.lock:
            _ = self.ends

    @cached_property
    def ends(self) -> Tokens:
        """The tokens that end an answer."""
        known = {self.tokenizer.eos_token_id, self._turn_end}
        return tuple(sorted(int(token) for token in known if token is not None))

    def prompt(self, request: Request) -> Tokens:
        """The tokens of a request's conversation, and of the given beginning of its answer."""
        with self.lock:
            if request.chat:
                self.context.check_complete(self.tokenizer, [request.messages])
            answers = AnswerTokens(
                self.tokenizer, self.context, request.messages, chat=request.chat
            )
            return answers.prompt + answers.of(request.begin)

    def continuations(self, request: ContinuationRequest) -> list[tuple[Tokens, int]]:
        """For each continuation: prompt and answer, and how many tokens are the continuation's."""
        with self.lock:
            if request.chat:
                self.context.check_complete(self.tokenizer, [request.messages])
            answers = AnswerTokens(
                self.tokenizer, self.context, request.messages, chat=request.chat
            )
            return [self._continuation(answers, request, text) for text in request.continuations]

    def text(self, tokens: Sequence[int], stops: Sequence[str] = ()) -> tuple[str, bool]:
        """The text of a sampled answer, and whether a token or a stop text ended it."""
        end = next((n for n, token in enumerate(tokens) if token in self.ends), None)
        with self.lock:
            text = str(
                self.tokenizer.decode(
                    list(tokens[:end]), skip_special_tokens=True, clean_up_tokenization_spaces=False
                )
            )
        cuts = [place for stop in stops if (place := text.find(stop)) >= 0]
        return text[: min(cuts, default=len(text))], end is not None or bool(cuts)

    def answer(self, request: Request, tokens: Sequence[int]) -> tuple[str, bool]:
        """The text of a sampled answer without the framing, and whether something ended it."""
        framed = self.context.stops if request.chat else ()
        text, ended = self.text(tokens, (*request.stop, *framed))
        blank = self.context.blank if request.chat and not request.begin else ""
        return text.removeprefix(blank), ended

    def training_rows(self, file: Path) -> tuple[list[TrainingRow], str]:
        """A training file's answers after their prompts, and the first of them as text."""
        with self.lock:
            data = read_training_data(file, self.tokenizer, self.context)
        return [
            TrainingRow(
                tokens=tuple(row["input_ids"]),
                answer=sum(label != IGNORED for label in row["labels"]),
            )
            for row in data.rows
        ], data.first_row

    def _continuation(
        self, answers: AnswerTokens, request: ContinuationRequest, text: str
    ) -> tuple[Tokens, int]:
        begin, tokens = answers.of(request.begin), answers.of(request.begin + text)
        given = _shared_length(begin, tokens)
        if request.whole:
            end = self.tokenizer.eos_token_id if self._turn_end is None else self._turn_end
            tokens = (*tokens, int(end))
        if len(tokens) == given:
            raise SpecError(
                f"the continuation {text!r} has no tokens: give it a text, or whole=True"
            )
        return answers.prompt + tokens, len(tokens) - given

    @cached_property
    def _turn_end(self) -> int | None:
        """The first special token that the template puts after an answer."""
        ending = self.context.turn_ending(self.tokenizer)
        if PLACEHOLDER in ending:
            return None
        special = special_tokens(self.tokenizer)
        tokens = self.tokenizer(ending, add_special_tokens=False)["input_ids"]
        return next((int(token) for token in tokens if token in special), None)


def _shared_length(first: Tokens, second: Tokens) -> int:
    """How many tokens both begin with."""
    pairs = enumerate(zip(first, second, strict=False))
    return next((n for n, (a, b) in pairs if a != b), min(len(first), len(second)))
