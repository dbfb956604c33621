"""What a training file teaches: the tokens of each answer, behind those of its prompt."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...datasets import chat
from ...datasets.errors import BackendError
from .context import Context, special_tokens

IGNORED = -100
"""The label of a token that is read and not learned."""


@dataclass(frozen=True)
class Lessons:
    """The answers of a file, in its order."""

    rows: tuple[dict[str, list[int]], ...]
    """Each with ``input_ids`` and ``labels``."""
    sample: str
    """The first as a text, with its prompt: what training really shows."""

    @property
    def tokens(self) -> int:
        """Tokens that are learned."""
        return sum(label != IGNORED for row in self.rows for label in row["labels"])


def lessons(file: Path, tokenizer: Any, context: Context) -> Lessons:
    """Every assistant turn of a file, with the turns before it as its prompt.

    A prompt has the very tokens that it has when the student is asked; the answer's stand behind
    them as the tokenizer cuts both together, the end of the turn included. (Cut by itself, an
    answer would begin with a blank for many tokenizers, which no model would say.)
    """
    pairs = list(_pairs(file, tokenizer, context))
    if not pairs:
        raise BackendError(f"{file} has no rows: there is nothing to learn")
    prompts, answers = zip(*pairs, strict=True)
    read = tokenizer(list(prompts), add_special_tokens=False)["input_ids"]
    both = [prompt + answer for prompt, answer in pairs]
    whole = tokenizer(both, add_special_tokens=False)["input_ids"]
    ends = special_tokens(tokenizer)
    rows = []
    for prompt, joint, alone in zip(read, whole, answers, strict=True):
        if joint[: len(prompt)] == prompt:
            answer = joint[len(prompt) :]
        else:  # a token reaches over the seam
            answer = tokenizer(alone, add_special_tokens=False)["input_ids"]
        closed = answer if ends.intersection(answer) else [*answer, tokenizer.eos_token_id]
        labels = [IGNORED] * len(prompt) + closed
        rows.append({"input_ids": [*prompt, *closed], "labels": labels})
    return Lessons(tuple(rows), prompts[0] + answers[0])


def _pairs(file: Path, tokenizer: Any, context: Context) -> Iterator[tuple[str, str]]:
    for messages in chat.read(file):
        for index, turn in enumerate(messages):
            if turn["role"] == "assistant":
                asked, answered = messages[:index], messages[: index + 1]
                yield context.prompt(tokenizer, asked), context.completion(tokenizer, answered)
