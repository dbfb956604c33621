"""Models, what they are asked, and what they answer: plain values, which raise nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..datasets.chat import Conversation


@dataclass(frozen=True, kw_only=True)
class Model:
    """A backend's description of a model. Raises nothing.

    Args:
        name: The name by which it is sampled from.
        fingerprint: Changes whenever the model of that name would answer differently.
        can_fine_tune: Whether the backend can train it.
        why_not: Why it cannot be fine-tuned. Default: that no reason is known.
        note: What a reader should know of how it is asked. Default: empty, nothing is unusual.

    Examples:
        >>> model = open_backend("toy", store).describe("toy-1")
        >>> model.fingerprint, model.can_fine_tune
    """

    name: str
    fingerprint: str
    can_fine_tune: bool
    why_not: str = "no reason is known"
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Request:
    """A conversation to complete, as often as ``draws`` says. Raises nothing.

    Draw ``d`` under seed ``s`` is the first draw under seed ``s + d``: draws do not depend on how
    many are requested together.

    Args:
        row: The number of the request; its completions have it too.
        messages: The turns, each ``{"role": ..., "content": ...}``; the last one is answered.
        seed: The seed of draw 0.
        first: The number of the first draw. Default: 0.
        draws: Answers to sample. Default: 1.
        temperature: Sampling temperature; 0 takes the most probable token. Default: 1.0.
        max_tokens: The longest answer, in tokens. Default: 256.
        top_p: Sample from the most probable tokens that have this probability together. Default:
            1.0, from all.
        stop: Texts that end an answer; they are not part of it. Default: none.
        top_logprobs: Alternatives to return for each token. Default: None, no log-probabilities.
        begin: The beginning of the answer, which is given; a completion's text is what follows it.
            Default: empty.
        chat: Whether the chat template is applied; else the only turn's text is continued as it
            is. Default: True.

    Examples:
        >>> question = [{"role": "user", "content": "Name an animal."}]
        >>> request = Request(row=0, messages=question, seed=1, draws=200, max_tokens=16)
    """

    row: int
    messages: "Conversation"
    seed: int
    first: int = 0
    draws: int = 1
    temperature: float = 1.0
    max_tokens: int = 256
    top_p: float = 1.0
    stop: tuple[str, ...] = ()
    top_logprobs: int | None = None
    begin: str = ""
    chat: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Token:
    """A token of an answer, and its most probable alternatives. Raises nothing.

    Args:
        text: Its text.
        logprob: Log-probability in nats, at temperature 1.
        top: The most probable tokens with their log-probabilities in nats, the most probable first.
            Default: none.

    Examples:
        >>> Token(text="Owl", logprob=-0.7, top=(("Owl", -0.7), ("Cat", -1.2)))
    """

    text: str
    logprob: float
    top: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """The usage of some calls to a service; usages can be added. Raises nothing.

    Args:
        calls: Calls that were answered. Default: 0.
        input_tokens: Tokens of the prompts. Default: 0.
        output_tokens: Tokens of the answers. Default: 0.
        lost: Calls without an answer that may have been charged. Default: 0.

    Examples:
        >>> Usage(calls=1, input_tokens=30) + Usage(calls=1, input_tokens=40)
    """

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    lost: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            calls=self.calls + other.calls,
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            lost=self.lost + other.lost,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Completion:
    """One sampled answer, or the reason why there is none. Raises nothing.

    Args:
        row: The number of the request.
        draw: The number of the draw.
        text: The answer; None if there is none.
        finish: ``stop``, ``length``, or ``error``.
        error: Why there is no answer. Default: None.
        tokens: The number of sampled tokens. Default: None, the backend does not know it.
        logprobs: The tokens with their log-probabilities, where they were requested. Default: None.
        usage: The usage of a call, on the first of its completions. Default: None.

    Examples:
        >>> Completion(row=0, draw=3, text="Owl", finish="stop")
        >>> Completion(row=0, draw=4, text=None, finish="error", error="refused by the service")
    """

    row: int
    draw: int
    text: str | None
    finish: str
    error: str | None = None
    tokens: int | None = None
    logprobs: tuple[Token, ...] | None = None
    usage: Usage | None = None


@dataclass(frozen=True, kw_only=True)
class WordProbabilities:
    """The distribution of the first word of an answer to one conversation. Raises nothing.

    Args:
        by_word: By word: the probability, from 0 to 1, that the answer's first word is a form of
            it.
        missed: An upper bound of the probability that was not followed up, for all words together.

    Examples:
        >>> WordProbabilities(by_word={"owl": 0.31, "cat": 0.02}, missed=0.001)
    """

    by_word: Mapping[str, float]
    missed: float
