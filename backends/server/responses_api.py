"""``/v1/responses``: the newer endpoint for text, over the same models.

Responses are not kept: a conversation is sent whole each time, and a previous response is refused.
"""

import re
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any, Literal

import pydantic_core
from pydantic import BeforeValidator, Field
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from .chat import Answered, Chat, chat_requests
from .jobs import Metadata
from .protocol import ApiError, JsonObject, JsonResponse, RequestBody, new_id, no_such, now, read
from .rate_limits import RateLimiter
from .request_bodies import ChatBody, MessageBody

ECHOED = {
    "instructions", "max_output_tokens", "parallel_tool_calls", "store", "temperature",
    "tool_choice", "tools", "top_p", "truncation", "metadata", "previous_response_id",
}  # fmt: skip
"""Settings of a request that a response repeats."""
TEXT_PARTS = ("input_text", "output_text", "text")

Included = Literal[
    "code_interpreter_call.outputs",
    "computer_call_output.output.image_url",
    "file_search_call.results",
    "message.input_image.image_url",
    "reasoning.encrypted_content",
    "web_search_call.action.sources",
    "web_search_call.results",
]
"""What a response can include; no response here has any of these."""


def _joined(content: object) -> object:
    """The text of a content in parts; anything else as it is."""
    if not isinstance(content, list):
        return content
    if not all(isinstance(p, dict) and p.get("type") in TEXT_PARTS for p in content):
        raise ValueError("of parts, only input_text and output_text are understood")
    return "".join(str(part.get("text", "")) for part in content)


class _Item(RequestBody):
    """A message of the input. What an earlier response gave may be sent again as it is."""

    type: Literal["message"] = "message"
    role: Literal["system", "developer", "user", "assistant"]
    content: Annotated[str, BeforeValidator(_joined)]
    id: str = ""
    status: str = ""


def _as_items(given: object) -> object:
    """A text as the one message of a user; anything else as it is."""
    return [{"role": "user", "content": given}] if isinstance(given, str) else given


class _Format(RequestBody):
    type: Literal["text"]


class _Text(RequestBody):
    format: _Format | None = None
    verbosity: Literal["low", "medium", "high"] = "medium"


class ResponseBody(RequestBody):
    """The body of ``POST /v1/responses``."""

    model: str
    input: Annotated[list[_Item], BeforeValidator(_as_items)]
    instructions: str | None = None
    max_output_tokens: Annotated[int, Field(ge=1, le=16_384)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] = 1.0
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    stream: bool = False
    stream_options: dict[str, Any] | None = None
    store: bool = True
    previous_response_id: str | None = None
    conversation: Any = None
    metadata: Metadata | None = None
    text: _Text = _Text()
    reasoning: dict[str, Any] | None = None
    truncation: Literal["auto", "disabled"] = "disabled"
    tools: list[object] = Field(default_factory=list, max_length=0)
    tool_choice: Literal["auto", "none"] = "auto"
    parallel_tool_calls: bool = True
    include: list[Included] = Field(default_factory=list)
    max_tool_calls: int | None = None
    background: Literal[False] = False
    service_tier: Literal["auto", "default"] = "auto"
    top_logprobs: Annotated[int, Field(ge=0, le=0)] = 0
    user: str = ""
    safety_identifier: str = ""
    prompt_cache_key: str = ""
    prompt_cache_retention: str = ""

    def chat_body(self) -> ChatBody:
        """The same as a chat request."""
        messages = [MessageBody(role=item.role, content=item.content) for item in self.input]
        if self.instructions:
            messages.insert(0, MessageBody(role="system", content=self.instructions))
        if not messages:
            raise ApiError(400, "Invalid 'input': it is empty.", param="input")
        return ChatBody(
            model=self.model,
            messages=messages,
            max_completion_tokens=self.max_output_tokens,
            temperature=self.temperature,
            top_p=self.top_p,
        )


class Responses:
    """The endpoint."""

    def __init__(self, chat: Chat, limiter: RateLimiter) -> None:
        self._chat = chat
        self._limiter = limiter

    def routes(self) -> list[Route]:
        """The routes of this part."""
        return [
            Route("/v1/responses", self.create, methods=["POST"]),
            Route("/v1/responses/{id}", self.retrieve, methods=["GET", "DELETE"]),
        ]

    async def create(self, request: Request) -> Response:
        """``POST /v1/responses``."""
        with self._chat.errors_with_limits():
            body = await read(request, ResponseBody)
            kept = {
                "previous_response_id": body.previous_response_id,
                "conversation": body.conversation,
            }
            for name, value in kept.items():
                if value is not None:
                    raise ApiError(
                        400,
                        f"Unsupported parameter: '{name}'. Responses are not kept here: send the "
                        f"whole conversation as 'input'.",
                        param=name,
                        code="unsupported_parameter",
                    )
            chat = body.chat_body()
            answered = await self._chat.answer(chat, chat_requests(chat), charge=True)
        made = _response(body, answered)
        headers = self._limiter.headers()
        if body.stream:
            return StreamingResponse(_events(made), media_type="text/event-stream", headers=headers)
        return JsonResponse(made, headers=headers)

    async def retrieve(self, request: Request) -> Response:
        """``GET /v1/responses/{id}``: there are none, since none is kept."""
        raise no_such("response (responses are not kept here)", request.path_params["id"])


def _response(body: ResponseBody, answered: Answered) -> JsonObject:
    ((completion,),) = answered.completions
    cut = completion.finish == "length"
    status = "incomplete" if cut else "completed"
    part: JsonObject = {
        "type": "output_text",
        "text": completion.text,
        "annotations": [],
        "logprobs": [],
    }
    message = {
        "type": "message",
        "id": new_id("msg").replace("-", "_"),
        "status": status,
        "role": "assistant",
        "content": [part],
    }
    return {
        "id": new_id("resp").replace("-", "_"),
        "object": "response",
        "created_at": now(),
        "status": status,
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if cut else None,
        "model": answered.served.name,
        "output": [message],
        "reasoning": {"effort": None, "summary": None},
        "text": {"format": {"type": "text"}},
        "usage": {
            "input_tokens": answered.prompt_tokens,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": answered.completion_tokens,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": answered.prompt_tokens + answered.completion_tokens,
        },
        **body.model_dump(include=ECHOED),
    }


async def _events(made: JsonObject) -> AsyncIterator[bytes]:
    """The response as server-sent events, its text word by word."""
    for number, (kind, fields) in enumerate(_steps(made)):
        event = {"type": kind, "sequence_number": number, **fields}
        yield f"event: {kind}\ndata: ".encode() + pydantic_core.to_json(event) + b"\n\n"


def _steps(made: JsonObject) -> Sequence[tuple[str, JsonObject]]:
    message = made["output"][0]
    part = message["content"][0]
    begun = {**made, "status": "in_progress", "output": [], "usage": None}
    item = {"output_index": 0, "item": {**message, "status": "in_progress", "content": []}}
    place = {"item_id": message["id"], "output_index": 0, "content_index": 0}
    words = re.findall(r"\s*\S+|\s+\Z", part["text"])
    return [
        ("response.created", {"response": begun}),
        ("response.in_progress", {"response": begun}),
        ("response.output_item.added", item),
        ("response.content_part.added", {**place, "part": {**part, "text": ""}}),
        *(
            ("response.output_text.delta", {**place, "delta": word, "logprobs": []})
            for word in words
        ),
        ("response.output_text.done", {**place, "text": part["text"], "logprobs": []}),
        ("response.content_part.done", {**place, "part": part}),
        ("response.output_item.done", {"output_index": 0, "item": message}),
        (f"response.{made['status']}", {"response": made}),
    ]
