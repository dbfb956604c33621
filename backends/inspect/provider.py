"""limen's models as an Inspect provider. Only Inspect imports this, through its registry."""

import random

import anyio.to_thread
from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessage,
    ChatMessageAssistant,
    GenerateConfig,
    ModelAPI,
    ModelOutput,
    ModelUsage,
)
from inspect_ai.tool import ToolChoice, ToolInfo

from ...datasets.chat import Message
from ..asked_model import Answers, AskedModel
from ..base import Completion, Request


class BackendAPI(ModelAPI):
    """A model of limen's, asked by Inspect.

    An answer is determined by the seed and the number of the draw, as everywhere in limen; without
    a seed a random one is used.
    """

    def __init__(
        self,
        model_name: str,
        asked: AskedModel,
        config: GenerateConfig,
        *,
        system: str | None = None,
    ) -> None:
        super().__init__(model_name, config=config)
        self._asked = asked
        self._system = system
        """Stands before every conversation, and before a system turn that it has."""
        self.fingerprint = asked.fingerprint

    async def generate(
        self,
        input: list[ChatMessage],
        tools: list[ToolInfo],
        tool_choice: ToolChoice,
        config: GenerateConfig,
    ) -> ModelOutput:
        """Complete a conversation, ``num_choices`` times."""
        request = _request(input, config, self._system)
        answers = await anyio.to_thread.run_sync(self._asked.answers, request)
        return ModelOutput(
            model=self._asked.name,
            choices=list(map(_choice, answers.completions)),
            usage=_usage(answers),
        )

    def max_connections(self) -> int:
        """Calls at a time; more would only wait for each other."""
        return 8


def _usage(answers: Answers) -> ModelUsage:
    prompt = answers.prompt_tokens
    sampled = sum(one.tokens or 0 for one in answers.completions)
    return ModelUsage(input_tokens=prompt, output_tokens=sampled, total_tokens=prompt + sampled)


def _request(
    input: list[ChatMessage], config: GenerateConfig, system: str | None = None
) -> Request:
    turns = [_turn(message) for message in input]
    return Request(
        row=0,
        messages=turns if system is None else _below(system, turns),
        seed=random.SystemRandom().getrandbits(48) if config.seed is None else config.seed,
        draws=config.num_choices or 1,
        temperature=1.0 if config.temperature is None else config.temperature,
        max_tokens=config.max_tokens or 256,
        top_p=1.0 if config.top_p is None else config.top_p,
        stop=tuple(config.stop_seqs or ()),
    )


def _below(system: str, turns: list[Message]) -> list[Message]:
    """A conversation below a system prompt, which its own system turn follows."""
    if turns and turns[0]["role"] == "system":
        joined = "\n\n".join([system, turns[0]["content"]])
        return [{"role": "system", "content": joined}, *turns[1:]]
    return [{"role": "system", "content": system}, *turns]


def _turn(message: ChatMessage) -> Message:
    if message.role == "tool":
        raise ValueError("limen's models have no tools: they answer system, user and assistant")
    return {"role": message.role, "content": message.text}


def _choice(one: Completion) -> ChatCompletionChoice:
    """A completion as a choice; one that failed says so, and has no text."""
    message = ChatMessageAssistant(content=one.text or "", source="generate")
    if one.text is None:
        return ChatCompletionChoice(message=message, stop_reason="content_filter")
    cut = one.finish == "length"
    return ChatCompletionChoice(message=message, stop_reason="max_tokens" if cut else "stop")
