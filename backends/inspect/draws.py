"""Many draws of one prompt from a model of Inspect's: as many a call as its provider gives.

A provider may take ``num_choices`` up to a limit of its own, refuse it, or ignore it; which it is
shows in what comes back. Draw ``d`` under seed ``s`` is asked for with the seed ``s + d``, where a
provider takes one.
"""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import anyio

if TYPE_CHECKING:
    from inspect_ai.model import (
        ChatCompletionChoice,
        ChatMessage,
        GenerateConfig,
        Model,
        ModelOutput,
        ModelUsage,
    )

    from ...datasets.chat import Conversation

MOST = 128
"""The draws that a call asks for at first."""
REFUSALS = frozenset({400, 413, 422})
"""What a provider says of a request that it will not answer, however often it is asked."""
SEEDS = 2**31
"""Seeds that every provider takes; limen's own take any."""
LENGTH = ("max_tokens", "model_length")

_per_call: dict[str, int] = {}
"""The most draws a call that each model was found to give."""

Part = tuple[int, int]
"""The number of a first draw, and how many follow it, itself counted."""


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """One draw: a choice, or why there is none."""

    number: int
    choice: "ChatCompletionChoice | None" = None
    error: str | None = None
    refused: bool = False
    """Whether the whole request was refused, as it would be again."""
    usage: "ModelUsage | None" = None
    """What the call used, on the first of its draws."""

    @property
    def text(self) -> str | None:
        """The answer, if there is one."""
        return self.choice.message.text if self.choice is not None else None

    @property
    def finish(self) -> str:
        """How it ended: ``stop``, ``length`` or ``error``."""
        if self.choice is None:
            return "error"
        return "length" if self.choice.stop_reason in LENGTH else "stop"


Take = Callable[[list[Drawn]], None]


async def draw(
    model: "Model",
    messages: "list[ChatMessage]",
    config: "GenerateConfig",
    *,
    count: int,
    seed: int,
    take: Take,
    first: int = 0,
) -> None:
    """Sample a prompt ``count`` times, and hand over the draws of each call as they come.

    What the model refuses is a draw that says so. Any other failure is raised once the calls under
    way have ended.
    """
    asking = _Asking(model, messages, config, seed, take)
    left: list[Part] = [(first, count)]
    while left:
        parts = [part for whole in left for part in _split(whole, _per_call.get(str(model), MOST))]
        now = parts if str(model) in _per_call else parts[:1]
        left = await _together([asking.call(part) for part in now]) + parts[len(now) :]


def chat_messages(turns: "Conversation", name: str | None = None) -> "list[ChatMessage]":
    """Turns as Inspect's messages; with a name their ids come of it, else they are random."""
    from inspect_ai.model import ChatMessageAssistant, ChatMessageSystem, ChatMessageUser

    kinds: dict[str, Any] = {
        "system": ChatMessageSystem,
        "user": ChatMessageUser,
        "assistant": ChatMessageAssistant,
    }
    ids = [{"id": f"{name}-{place}"} if name else {} for place in range(len(turns))]
    return [kinds[t["role"]](content=t["content"], **i) for t, i in zip(turns, ids, strict=True)]


def is_limens(model: "Model") -> bool:
    """Whether a model is limen's own."""
    return str(model).startswith("limen/")


@dataclass(frozen=True)
class _Asking:
    """One prompt, asked in several calls."""

    model: "Model"
    messages: "list[ChatMessage]"
    config: "GenerateConfig"
    seed: int
    take: Take
    halved: list[Part] = field(default_factory=list)
    """What was refused, and asked for again in halves."""

    async def call(self, part: Part) -> list[Part]:
        """Ask for some draws; returns those that are to be asked for again."""
        from inspect_ai.model import GenerateConfig

        first, count = part
        seed = self.seed + first
        several = GenerateConfig(
            seed=seed if is_limens(self.model) else seed % SEEDS,
            num_choices=count if count > 1 else None,
        )
        try:
            output = await self.model.generate(self.messages, config=self.config.merge(several))
        except Exception as error:
            if getattr(error, "status_code", None) not in REFUSALS:
                raise
            return self._refused(part, error)
        drawn = _drawn(output, part)
        if len(drawn) < count or self.halved:
            _per_call.setdefault(str(self.model), len(drawn))
        self.take(drawn)
        return [(first + len(drawn), count - len(drawn))] if len(drawn) < count else []

    def _refused(self, part: Part, error: Exception) -> list[Part]:
        """Fewer draws a call may be what is wanted; of a single one it is the answer."""
        first, count = part
        if count > 1:
            self.halved.append(part)
            half = (count + 1) // 2
            return [(first, half), (first + half, count - half)]
        says = getattr(error, "provider_message", None) or str(error)
        self.take([Drawn(number=first, error=f"refused: {says}", refused=True)])
        return []


def _split(part: Part, most: int) -> list[Part]:
    first, count = part
    return [(first + at, min(most, count - at)) for at in range(0, count, most)]


def _drawn(output: "ModelOutput", part: Part) -> list[Drawn]:
    """The draws in an answer; one without any choice stands for all that were asked for."""
    first, count = part
    choices: Sequence[Any] = output.choices[:count] or [None] * count
    return [
        Drawn(
            number=first + offset,
            choice=None if (error := _error(output, choice)) else choice,
            error=error,
            usage=None if offset else output.usage,
        )
        for offset, choice in enumerate(choices)
    ]


def _error(output: "ModelOutput", choice: "ChatCompletionChoice | None") -> str | None:
    """Why a choice is no answer; None if it is one."""
    if choice is None:
        return f"refused: {output.error}" if output.error else "no choices"
    if choice.stop_reason == "content_filter" or output.error:
        return f"refused: {output.error or choice.message.text or 'content filter'}"
    return f"ended by {choice.stop_reason}" if choice.stop_reason == "tool_calls" else None


async def _together(calls: "list[Coroutine[Any, Any, list[Part]]]") -> list[Part]:
    """Await all calls, and then raise the first failure if there is any."""
    again: list[Part] = []
    faults: list[Exception] = []

    async def one(call: "Coroutine[Any, Any, list[Part]]") -> None:
        try:
            again.extend(await call)
        except Exception as fault:
            faults.append(fault)

    async with anyio.create_task_group() as group:
        for call in calls:
            group.start_soon(one, call)
    if faults:
        raise faults[0]
    return again
