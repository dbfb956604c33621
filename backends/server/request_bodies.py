"""What may be asked of a model: the bodies of chat completions and of plain ones."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from ...datasets.chat import Message
from .protocol import RequestBody


def _flattened(content: object) -> object:
    """The text of a content in parts; anything else as it is."""
    if not isinstance(content, list):
        return content
    if not all(map(_is_text, content)):
        raise ValueError("of parts, only {'type': 'text', 'text': ...} is understood")
    return "".join(part["text"] for part in content)


def _is_text(part: object) -> bool:
    if not isinstance(part, dict) or part.keys() != {"type", "text"}:
        return False
    return part["type"] == "text" and isinstance(part["text"], str)


def _listed(texts: object) -> object:
    return [texts] if isinstance(texts, str) else texts


Text = Annotated[str, BeforeValidator(_flattened)]
"""A text, or a list of text parts."""


class MessageBody(RequestBody):
    """A message. What the SDK gives back of an answer may be sent again, its empty keys too."""

    role: Literal["system", "developer", "user", "assistant"]
    content: Text
    annotations: list[object] = Field(default_factory=list, max_length=0)

    @property
    def message(self) -> Message:
        """As the engine knows it: a developer's word is the system's."""
        role = "system" if self.role == "developer" else self.role
        return {"role": role, "content": self.content}


class _StreamOptions(RequestBody):
    include_usage: bool = False
    include_obfuscation: bool = False


class _Format(RequestBody):
    type: Literal["text"]


class SamplingBody(RequestBody):
    """What both kinds of completion take."""

    model: str
    n: Annotated[int, Field(ge=1, le=128)] = 1
    temperature: Annotated[float, Field(ge=0, le=2)] = 1.0
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    seed: Annotated[int, Field(ge=-(2**63), lt=2**64)] | None = None
    stop: Annotated[list[str], BeforeValidator(_listed)] = Field(default_factory=list, max_length=4)
    presence_penalty: Annotated[float, Field(ge=0, le=0)] = 0
    frequency_penalty: Annotated[float, Field(ge=0, le=0)] = 0
    logit_bias: dict[str, float] = Field(default_factory=dict, max_length=0)
    stream: bool = False
    stream_options: _StreamOptions | None = None
    user: str = ""

    @model_validator(mode="after")
    def _options_of_a_stream(self) -> "SamplingBody":
        if self.stream_options is not None and not self.stream:
            raise ValueError("stream_options is only allowed when stream is true")
        return self

    @property
    def stream_usage(self) -> bool:
        """Whether a stream ends with the usage."""
        return self.stream_options is not None and self.stream_options.include_usage

    @field_validator("stop")
    @classmethod
    def _no_empty_stop(cls, stop: list[str]) -> list[str]:
        if "" in stop:
            raise ValueError("an empty text cannot end an answer")
        return stop


Limit = Annotated[int, Field(ge=1, le=16_384)]


class ChatBody(SamplingBody):
    """The body of ``POST /v1/chat/completions``."""

    messages: Annotated[list[MessageBody], Field(min_length=1)]
    max_tokens: Limit | None = None
    max_completion_tokens: Limit | None = None
    logprobs: bool = False
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    response_format: _Format | None = None
    metadata: dict[str, str] | None = None
    store: bool = False
    service_tier: Literal["auto", "default"] = "auto"
    parallel_tool_calls: bool = True
    modalities: list[Literal["text"]] = Field(default_factory=list)
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh"] = "none"
    verbosity: Literal["low", "medium", "high"] = "medium"
    tool_choice: Literal["none", "auto"] = "none"
    tools: list[object] = Field(default_factory=list, max_length=0)
    function_call: Literal["none", "auto"] = "none"
    functions: list[object] = Field(default_factory=list, max_length=0)
    prompt_cache_retention: str = ""
    safety_identifier: str = ""
    prompt_cache_key: str = ""

    @model_validator(mode="after")
    def _in_harmony(self) -> "ChatBody":
        if self.top_logprobs is not None and not self.logprobs:
            raise ValueError("top_logprobs is only allowed when logprobs is true")
        if self.max_tokens is not None and self.max_completion_tokens is not None:
            raise ValueError("max_tokens and max_completion_tokens cannot both be set")
        return self

    @property
    def limit(self) -> int:
        """Tokens of an answer at most."""
        return self.max_completion_tokens or self.max_tokens or 256


class CompletionBody(SamplingBody):
    """The body of ``POST /v1/completions``."""

    prompt: Annotated[list[str], BeforeValidator(_listed), Field(min_length=1, max_length=128)]
    max_tokens: Limit = 16
    logprobs: Annotated[int, Field(ge=0, le=5)] | None = None
    echo: bool = False
    suffix: Literal[""] = ""
    best_of: int | None = None

    @model_validator(mode="after")
    def _no_streamed_echo(self) -> "CompletionBody":
        if self.echo and self.stream:
            raise ValueError("echo is only allowed when stream is false")
        return self

    @field_validator("best_of")
    @classmethod
    def _all_are_kept(cls, best_of: int | None, given: ValidationInfo) -> int | None:
        if best_of != given.data.get("n"):
            raise ValueError("only as many as n are drawn")
        return best_of
