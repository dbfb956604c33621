"""Many draws of one prompt from an Inspect model, as many in a call as its provider gives.

A provider may accept ``num_choices`` up to a limit of its own, refuse it, or ignore it; its
responses show which. Draw ``d`` under seed ``s`` is asked for with the seed ``s + d``, where a
provider accepts one.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import anyio

from ..empty_answers import why_empty

if TYPE_CHECKING:
    from inspect_ai.model import (
        ChatCompletionChoice,
        ChatMessage,
        ChatMessageAssistant,
        GenerateConfig,
        Model,
        ModelOutput,
        ModelUsage,
    )

    from ...datasets.chat import Conversation

MAX_DRAWS = 128
"""Draws that the first call asks for."""
REFUSED_STATUS = frozenset({400, 413, 422})
"""HTTP statuses of requests that would be refused again, however often they are sent."""
MAX_SEED = 2**31
"""Every provider accepts seeds below this; limen's own accept any."""
CUT_REASONS = ("max_tokens", "model_length")

_per_call: dict[str, int] = {}
"""By model: the most draws that a call gave."""

Part = tuple[int, int]
"""Consecutive draws: the number of the first, and how many."""


@dataclass(frozen=True, kw_only=True)
class Draw:
    """One draw: a choice, or why there is none."""

    number: int
    choice: "ChatCompletionChoice | None" = None
    error: str | None = None
    refused: bool = False
    """Whether the whole request was refused: it would be again."""
    usage: "ModelUsage | None" = None
    """The usage of the call, on the first of its draws."""

    @property
    def text(self) -> str | None:
        """The answer, or None."""
        return self.choice.message.text if self.choice is not None else None

    @property
    def finish(self) -> str:
        """How it ended: ``stop``, ``length`` or ``error``."""
        if self.choice is None:
            return "error"
        return "length" if self.choice.stop_reason in CUT_REASONS else "stop"


OnDraws = Callable[[list[Draw]], None]


async def sample_draws(
    model: "Model",
    messages: "list[ChatMessage]",
    config: "GenerateConfig",
    *,
    count: int,
    seed: int,
    on_draws: OnDraws,
    first: int = 0,
) -> None:
    """Sample a prompt ``count`` times; ``on_draws`` receives the draws of each call as they come.

    A refusal by the model is a draw with an error. Any other failure is raised once the calls
    under way have ended.
    """
    sampler = _PromptSampler(model, messages, config, seed, on_draws)
    left: list[Part] = [(first, count)]
    while left:
        parts = [
            part for whole in left for part in _split(whole, _per_call.get(str(model), MAX_DRAWS))
        ]
        now = parts if str(model) in _per_call else parts[:1]
        left = await _gather([sampler.call(part) for part in now]) + parts[len(now) :]


def chat_messages(turns: "Conversation", name: str | None = None) -> "list[ChatMessage]":
    """Turns as Inspect's messages; their ids are made from ``name``, or random without one."""
    from inspect_ai.model import ChatMessageAssistant, ChatMessageSystem, ChatMessageUser

    kinds: Mapping[str, Callable[..., ChatMessage]] = {
        "system": ChatMessageSystem,
        "user": ChatMessageUser,
        "assistant": ChatMessageAssistant,
    }
    ids: list[Mapping[str, Any]] = [
        {"id": f"{name}-{place}"} if name else {} for place in range(len(turns))
    ]
    return [kinds[t["role"]](content=t["content"], **i) for t, i in zip(turns, ids, strict=True)]


def is_limen_model(model: "Model") -> bool:
    """Whether the model is one of limen's own provider."""
    return str(model).startswith("limen/")


@dataclass(frozen=True)
class _PromptSampler:
    """Samples one prompt, in several calls."""

    model: "Model"
    messages: "list[ChatMessage]"
    config: "GenerateConfig"
    seed: int
    on_draws: OnDraws
    split_parts: list[Part] = field(default_factory=list)
    """Parts that were refused, and sent again in halves."""

    async def call(self, part: Part) -> list[Part]:
        """Send one call; returns the parts that must be sent again."""
        from inspect_ai.model import GenerateConfig

        first, count = part
        seed = self.seed + first
        several = GenerateConfig(
            seed=seed if is_limen_model(self.model) else seed % MAX_SEED,
            num_choices=count if count > 1 else None,
        )
        try:
            output = await self.model.generate(self.messages, config=self.config.merge(several))
        except Exception as error:
            if getattr(error, "status_code", None) not in REFUSED_STATUS:
                raise
            return self._refused(part, error)
        draws = _draws_of(output, part)
        if len(draws) < count or self.split_parts:
            _per_call.setdefault(str(self.model), len(draws))
        self.on_draws(draws)
        return [(first + len(draws), count - len(draws))] if len(draws) < count else []

    def _refused(self, part: Part, error: Exception) -> list[Part]:
        """Try fewer draws a call; if a single draw is refused, that is the answer."""
        first, count = part
        if count > 1:
            self.split_parts.append(part)
            half = (count + 1) // 2
            return [(first, half), (first + half, count - half)]
        message = getattr(error, "provider_message", None) or str(error)
        self.on_draws([Draw(number=first, error=f"refused: {message}", refused=True)])
        return []


def _split(part: Part, most: int) -> list[Part]:
    first, count = part
    return [(first + at, min(most, count - at)) for at in range(0, count, most)]


def _draws_of(output: "ModelOutput", part: Part) -> list[Draw]:
    """The draws in a response; if it has no choice, each requested draw is an error."""
    first, count = part
    choices: Sequence[ChatCompletionChoice | None] = output.choices[:count] or [None] * count
    return [
        Draw(
            number=first + offset,
            choice=None if (error := _error(output, choice)) else choice,
            error=error,
            usage=None if offset else output.usage,
        )
        for offset, choice in enumerate(choices)
    ]


def _error(output: "ModelOutput", choice: "ChatCompletionChoice | None") -> str | None:
    """Why a choice is not an answer; None if it is one."""
    if choice is None:
        return f"refused: {output.error}" if output.error else "no choices"
    if choice.stop_reason == "content_filter" or output.error:
        return f"refused: {output.error or choice.message.text or 'content filter'}"
    if choice.stop_reason == "tool_calls":
        return "ended by tool_calls"
    return None if choice.message.text else _why_empty(choice.message)


def _why_empty(message: "ChatMessageAssistant") -> str | None:
    kinds = {"text"} if isinstance(message.content, str) else {p.type for p in message.content}
    text = message.text if "text" in kinds else None
    return why_empty(text, called_tool=bool(message.tool_calls), reasoned="reasoning" in kinds)


async def _gather(calls: "list[Awaitable[list[Part]]]") -> list[Part]:
    """Await all calls; returns the parts to send again, or raises the first failure."""
    again: list[Part] = []
    failures: list[Exception] = []

    async def one(call: "Awaitable[list[Part]]") -> None:
        try:
            again.extend(await call)
        except Exception as failure:
            failures.append(failure)

    async with anyio.create_task_group() as group:
        for call in calls:
            group.start_soon(one, call)
    if failures:
        raise failures[0]
    return again
