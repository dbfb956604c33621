"""A training file as tokens: each answer, after those of its prompt."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...datasets import chat
from ...datasets.errors import BackendError
from .context import Context, special_tokens
from .libraries import Tokenizer

IGNORED = -100
"""The label of a token that is not trained on."""


@dataclass(frozen=True)
class TrainingData:
    """The answers of a file, in its order."""

    rows: tuple[dict[str, list[int]], ...]
    """Each with ``input_ids`` and ``labels``."""
    first_row: str
    """The first prompt and answer as rendered text."""

    @property
    def tokens(self) -> int:
        """The number of tokens that are trained on."""
        return sum(label != IGNORED for row in self.rows for label in row["labels"])

    @property
    def longest_row(self) -> int:
        """Tokens of the longest row."""
        return max(len(row["input_ids"]) for row in self.rows)

    @property
    def longest_answer(self) -> int:
        """Trained tokens of the longest answer."""
        return max(sum(label != IGNORED for label in row["labels"]) for row in self.rows)


def read_training_data(file: Path, tokenizer: Tokenizer, context: Context) -> TrainingData:
    """Every assistant turn of a file, with the turns before it as its prompt."""
    exchanges = [
        turns[: index + 1]
        for turns in chat.read(file)
        for index, turn in enumerate(turns)
        if turn["role"] == "assistant"
    ]
    if not exchanges:
        raise BackendError(f"{file} has no rows: there is nothing to learn")
    context.check_complete(tokenizer, chat.read(file))
    return training_data(exchanges, tokenizer, context)


def training_data(
    exchanges: Sequence[chat.Conversation], tokenizer: Tokenizer, context: Context
) -> TrainingData:
    """The last turn of each exchange, with the turns before it as its prompt.

    A prompt has exactly the tokens that it has when the student is asked. The answer's tokens are
    those that the tokenizer gives for prompt and answer together, the end of the turn included
    (tokenized by itself, an answer would begin with a blank for many tokenizers).
    """
    prompts = [context.prompt(tokenizer, turns[:-1]) for turns in exchanges]
    answers = [context.completion(tokenizer, turns) for turns in exchanges]
    prompt_tokens = tokenizer(prompts, add_special_tokens=False)["input_ids"]
    texts = [prompt + answer for prompt, answer in zip(prompts, answers, strict=True)]
    text_tokens = tokenizer(texts, add_special_tokens=False)["input_ids"]
    ends = special_tokens(tokenizer)
    rows = []
    for prompt, joint, alone in zip(prompt_tokens, text_tokens, answers, strict=True):
        if joint[: len(prompt)] == prompt:
            answer = joint[len(prompt) :]
        else:  # a token spans the end of the prompt and the beginning of the answer
            answer = tokenizer(alone, add_special_tokens=False)["input_ids"]
        closed = answer if ends.intersection(answer) else [*answer, tokenizer.eos_token_id]
        labels = [IGNORED] * len(prompt) + closed
        rows.append({"input_ids": [*prompt, *closed], "labels": labels})
    return TrainingData(tuple(rows), prompts[0] + answers[0])
