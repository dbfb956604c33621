"""How many tokens a text has: about, and at most, without the tokenizer of any one model."""

import re
from collections.abc import Iterable, Sequence

from ..datasets.chat import Conversation

TOKENS_PER_TURN = 4
"""Tokens that frame a turn of a conversation, and as many once for the answer's beginning."""
TEMPLATE = 256
"""Tokens that a chat template may add to a conversation, at most."""
TYPICAL = 0.5
"""How much of ``max_tokens`` an answer is assumed to take, about."""
_PIECE = re.compile(r"[0-9]{1,3}|[^\W\d_]+|\s+|[^\w\s]|_|\d")


def estimate(text: str) -> int:
    """Tokens of a text, by rule of thumb: a word or three digits are one, long words more."""
    pieces = _PIECE.findall(text)
    return sum(1 + (len(piece) - 1) // 8 for piece in pieces if not piece.isspace())


def upper_bound(text: str) -> int:
    """An upper bound: digits come in threes, and no other byte is more than a token."""
    pieces = _PIECE.findall(text)
    return sum(
        1 if piece[0] in "0123456789" else len(piece.encode("utf-8", "surrogatepass"))
        for piece in pieces
    )


def prompt_upper_bound(messages: Conversation) -> int:
    """An upper bound for a conversation as a prompt."""
    return TOKENS_PER_TURN + sum(TOKENS_PER_TURN + upper_bound(m["content"]) for m in messages)


def call_upper_bound(messages: Conversation) -> int:
    """The same with what a server's chat template may add, such as a default system prompt."""
    return prompt_upper_bound(messages) + TEMPLATE


def mean_prompt_estimate(prompts: Sequence[Conversation]) -> float:
    """The mean number of tokens of some prompts, about."""
    return _mean(
        TOKENS_PER_TURN + sum(TOKENS_PER_TURN + estimate(m["content"]) for m in p) for p in prompts
    )


def mean_prompt_upper_bound(prompts: Sequence[Conversation]) -> float:
    """The mean of the upper bounds of some prompts."""
    return _mean(map(prompt_upper_bound, prompts))


def mean_answer_estimate(answers: Sequence[str], *, max_tokens: int) -> float:
    """The mean number of tokens of some answers; as long as there are none, half of the most."""
    return _mean(map(estimate, answers)) if answers else TYPICAL * max_tokens


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / len(found) if found else 0.0
