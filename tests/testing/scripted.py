"""A provider of Inspect's for tests: what it answers is a function of the test's."""

from collections.abc import Callable
from typing import Any

from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessage,
    ChatMessageAssistant,
    GenerateConfig,
    ModelAPI,
    ModelOutput,
    ModelUsage,
    modelapi,
)
from inspect_ai.tool import ToolChoice, ToolInfo

Script = Callable[[list[ChatMessage], GenerateConfig], ModelOutput]


class StatusError(Exception):
    """What an HTTP client raises."""

    def __init__(self, status_code: int, says: str) -> None:
        super().__init__(says)
        self.status_code = status_code


def output(*texts: str, stop: Any = "stop") -> ModelOutput:
    """An answer with these choices."""
    return ModelOutput(
        model="scripted",
        choices=[
            ChatCompletionChoice(message=ChatMessageAssistant(content=text), stop_reason=stop)
            for text in texts
        ],
        usage=ModelUsage(input_tokens=10, output_tokens=len(texts), total_tokens=10 + len(texts)),
    )


class Scripted(ModelAPI):
    """Models ``scripted/...``."""

    script: Script
    calls: list[GenerateConfig]

    def __init__(self, model_name: str, config: GenerateConfig | None = None, **_: Any) -> None:
        super().__init__(model_name, config=config or GenerateConfig())

    async def generate(
        self,
        input: list[ChatMessage],
        tools: list[ToolInfo],
        tool_choice: ToolChoice,
        config: GenerateConfig,
    ) -> ModelOutput:
        Scripted.calls.append(config)
        return Scripted.script(input, config)


@modelapi(name="scripted")
def scripted() -> type[ModelAPI]:
    """The provider."""
    return Scripted


def play(script: Script) -> list[GenerateConfig]:
    """Have the provider answer by a script; returns the calls that it will get."""
    Scripted.script = staticmethod(script)
    Scripted.calls = []
    return Scripted.calls
