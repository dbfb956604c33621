"""The endpoints ``/v1/chat/completions`` and ``/v1/completions``."""

import asyncio
import re
import secrets
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pydantic_core
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as HttpRequest
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from ...datasets.chat import Conversation
from ...datasets.errors import BackendError
from ..base import Completion, Engine, Request, Token
from .batching_sampler import BatchingSampler
from .catalog import Catalog, ServedModel
from .plain_prompts import Echo, PlainPrompt, plain_prompt, text_log_probabilities
from .protocol import ApiError, JsonObject, JsonResponse, new_id, now, read, validate
from .rate_limits import RateLimiter
from .request_bodies import ChatBody, CompletionBody, SamplingBody

SHORT = 20_000
"""Characters that are counted where they are; more would hold up everybody else."""
MAX_PROMPT = 1_000_000
"""Characters of a request's prompts: more than any model here can read."""


@dataclass(frozen=True, kw_only=True)
class Answered:
    """The result of a request: the completions of each prompt, and token counts."""

    served: ServedModel
    completions: Sequence[Sequence[Completion]]
    prompt_tokens: int
    completion_tokens: int

    def usage(self) -> JsonObject:
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "total_tokens": self.prompt_tokens + self.completion_tokens,
        }

    def head(self, prefix: str, kind: str) -> JsonObject:
        return {
            "id": new_id(prefix),
            "object": kind,
            "created": now(),
            "model": self.served.name,
            "system_fingerprint": f"fp_{self.served.fingerprint}",
        }


class Chat:
    """The chat and completion endpoints."""

    def __init__(
        self, engine: Engine, catalog: Catalog, sampler: BatchingSampler, limiter: RateLimiter
    ) -> None:
        self._engine = engine
        self._catalog = catalog
        self._sampler = sampler
        self._limiter = limiter
        self._counting = asyncio.Lock()  # long prompts are counted one at a time

    def routes(self) -> list[Route]:
        """The routes of this part."""
        return [
            Route("/v1/chat/completions", self.create, methods=["POST"]),
            Route("/v1/completions", self.complete, methods=["POST"]),
        ]

    async def create(self, request: HttpRequest) -> Response:
        """``POST /v1/chat/completions``."""
        with self.errors_with_limits():
            body = await read(request, ChatBody)
            answered = await self.answer(body, chat_requests(body), charge=True)
        if body.stream:
            return self._streamed(_chat_chunks(answered), answered if body.stream_usage else None)
        return JsonResponse(_chat_completion(answered), headers=self._limiter.headers())

    async def complete(self, request: HttpRequest) -> Response:
        """``POST /v1/completions``."""
        with self.errors_with_limits():
            body = await read(request, CompletionBody)
            answered, echoes = await self._completed(body, charge=True)
        if body.stream:
            return self._streamed(_text_chunks(answered), answered if body.stream_usage else None)
        made = _text_completion(answered, echoes)
        return JsonResponse(made, headers=self._limiter.headers())

    def _streamed(self, chunks: Iterable[JsonObject], used: Answered | None) -> Response:
        """The chunks as server-sent events, with the usage in the end if it was asked for."""
        headers = self._limiter.headers()
        return StreamingResponse(
            _events(chunks, used), media_type="text/event-stream", headers=headers
        )

    async def batched(self, url: str, body: JsonObject) -> JsonObject:
        """The answer to one line of a batch; raises :class:`ApiError`."""
        if url == "/v1/completions":
            plain = validate(body, CompletionBody)
            _check_batched(plain)
            return _text_completion(*await self._completed(plain))
        chat = validate(body, ChatBody)
        _check_batched(chat)
        return _chat_completion(await self.answer(chat, chat_requests(chat)))

    async def _completed(
        self, body: CompletionBody, *, charge: bool = False
    ) -> tuple[Answered, Sequence[Echo]]:
        """The answers to a plain body, and the echo of each prompt; raises :class:`ApiError`."""
        able = self._engine.capabilities
        if body.echo and body.logprobs is not None and able.continuations is None:
            raise ApiError(400, "The models here score no given text.", param="echo")
        prompts = plain_prompts(body, continues_text=able.plain_text)
        answered = await self.answer(body, [prompt.request for prompt in prompts], charge=charge)
        led = [
            [prompt.led(completion) for completion in found]
            for prompt, found in zip(prompts, answered.completions, strict=True)
        ]
        answered = replace(answered, completions=led)
        if not body.echo:
            return answered, [()] * len(prompts)
        model = answered.served.engine_model
        scores = body.logprobs is not None
        return answered, [await self._echo(model, prompt, scores=scores) for prompt in prompts]

    async def _echo(self, model: str, prompt: PlainPrompt, *, scores: bool) -> Echo:
        """The parts of a prompt, with their log-probabilities if they are asked for."""
        if not scores or prompt.scored is None:
            return prompt.echo(())
        return prompt.echo(await self._sampler.score(model, prompt.scored))

    async def answer(
        self, body: SamplingBody, requests: Sequence[Request], *, charge: bool = False
    ) -> Answered:
        """The answers to requests; raises :class:`ApiError`."""
        served = self._catalog.find(body.model)
        prompt_tokens = await self._count([r.messages for r in requests])
        if charge:
            most = sum(r.draws * r.max_tokens for r in requests)
            self._limiter.admit(prompt_tokens + most)
        await self._catalog.ready(served)
        completions = await self._sampler.sample(
            served.engine_model, requests, background=not charge
        )
        for request, found in zip(requests, completions, strict=True):
            _check(request, found)
        return Answered(
            served=served,
            completions=completions,
            prompt_tokens=prompt_tokens,
            completion_tokens=sum(self._length(c) for found in completions for c in found),
        )

    @contextmanager
    def errors_with_limits(self) -> Iterator[None]:
        """Add the rate-limit headers to errors."""
        try:
            yield
        except ApiError as error:
            error.headers.update(self._limiter.headers())
            raise

    async def _count(self, prompts: Sequence[Conversation]) -> int:
        texts = [message["content"] for prompt in prompts for message in prompt]
        length = sum(map(len, texts))
        if length <= SHORT:
            return sum(map(self._engine.count, texts))
        if length > MAX_PROMPT:
            raise ApiError(
                400,
                f"The prompt has {length:,} characters: at most {MAX_PROMPT:,} are read here.",
                param="messages",
                code="context_length_exceeded",
            )
        async with self._counting:
            return await run_in_threadpool(lambda: sum(map(self._engine.count, texts)))

    def _length(self, completion: Completion) -> int:
        if completion.tokens is not None:
            return completion.tokens
        return self._engine.count(completion.text or "")


def chat_requests(body: ChatBody) -> list[Request]:
    """What a chat body asks of the engine."""
    request = Request(
        row=0,
        messages=[turn.message for turn in body.messages],
        seed=_seed(body),
        draws=body.n,
        temperature=body.temperature,
        max_tokens=body.limit,
        top_p=body.top_p,
        stop=tuple(body.stop),
        top_logprobs=(body.top_logprobs or 0) if body.logprobs else None,
    )
    return [request]


def plain_prompts(body: CompletionBody, *, continues_text: bool) -> list[PlainPrompt]:
    """What a plain body asks, the draws numbered through."""
    seed = _seed(body)
    settings = [
        Request(
            row=row,
            messages=[],
            seed=seed + row * body.n,
            draws=body.n,
            temperature=body.temperature,
            max_tokens=body.max_tokens,
            top_p=body.top_p,
            stop=tuple(body.stop),
            top_logprobs=body.logprobs,
        )
        for row in range(len(body.prompt))
    ]
    pairs = zip(body.prompt, settings, strict=True)
    return [plain_prompt(text, each, continues_text=continues_text) for text, each in pairs]


def _seed(body: SamplingBody) -> int:
    return secrets.randbits(48) if body.seed is None else body.seed % 2**64


def _check_batched(body: SamplingBody) -> None:
    if body.stream:
        raise ApiError(400, "A batch cannot stream.", param="stream")


def _check(request: Request, completions: Sequence[Completion]) -> None:
    """Raise unless there is an answer for every draw: none is ever left out in silence."""
    errors = [c.error or "no answer" for c in completions if c.text is None]
    if errors or len(completions) != request.draws:
        raise BackendError(errors[0] if errors else "the engine left draws unanswered")


def _chat_completion(answered: Answered) -> JsonObject:
    (completions,) = answered.completions
    choices = [
        {
            "index": index,
            "message": {"role": "assistant", "content": c.text, "refusal": None},
            "logprobs": _logprobs(c.logprobs),
            "finish_reason": c.finish,
        }
        for index, c in enumerate(completions)
    ]
    head = answered.head("chatcmpl", "chat.completion")
    return {**head, "choices": choices, "usage": answered.usage()}


def _text_completion(answered: Answered, echoes: Sequence[Echo]) -> JsonObject:
    pairs = zip(echoes, answered.completions, strict=True)
    completions = [(echo, c) for echo, found in pairs for c in found]
    choices = [
        _text_choice(
            index,
            "".join(text for text, _ in echo) + (c.text or ""),
            _text_logprobs(c.logprobs, echo),
            c.finish,
        )
        for index, (echo, c) in enumerate(completions)
    ]
    head = answered.head("cmpl", "text_completion")
    return {**head, "choices": choices, "usage": answered.usage()}


def _text_choice(
    index: int, text: str | None, logprobs: JsonObject | None, finish: str | None = None
) -> JsonObject:
    return {"index": index, "text": text, "logprobs": logprobs, "finish_reason": finish}


def _logprobs(tokens: Sequence[Token] | None) -> JsonObject | None:
    if tokens is None:
        return None
    content = [
        {**_scored(t.text, t.logprob), "top_logprobs": [_scored(*other) for other in t.top]}
        for t in tokens
    ]
    return {"content": content, "refusal": None}


def _text_logprobs(tokens: Sequence[Token] | None, echo: Echo = ()) -> JsonObject | None:
    """Log-probabilities in the form of the older endpoint."""
    return None if tokens is None else text_log_probabilities(echo, tokens)


def _scored(text: str, logprob: float) -> JsonObject:
    return {"token": text, "logprob": max(logprob, -9999.0), "bytes": list(text.encode())}


async def _events(chunks: Iterable[JsonObject], used: Answered | None) -> AsyncIterator[bytes]:
    """Chunks as server-sent events; the usage has one of its own, without choices."""
    rest: JsonObject = {} if used is None else {"usage": None}
    chunk: JsonObject = {}
    for chunk in chunks:
        yield _event({**chunk, **rest})
    if used is not None:
        yield _event({**chunk, "choices": [], "usage": used.usage()})
    yield b"data: [DONE]\n\n"


def _chat_chunks(answered: Answered) -> Iterator[JsonObject]:
    head = answered.head("chatcmpl", "chat.completion.chunk")
    for index, completion in enumerate(answered.completions[0]):
        for choice in _deltas(index, completion):
            yield {**head, "choices": [choice]}


def _text_chunks(answered: Answered) -> Iterator[JsonObject]:
    head = answered.head("cmpl", "text_completion")
    for index, completion in enumerate(c for found in answered.completions for c in found):
        logprobs = _text_logprobs(completion.logprobs)
        for word in _words(completion):
            yield {**head, "choices": [_text_choice(index, word, logprobs)]}
            logprobs = None
        yield {**head, "choices": [_text_choice(index, "", None, completion.finish)]}


def _words(completion: Completion) -> list[str]:
    return re.findall(r"\s*\S+|\s+\Z", completion.text or "") or [""]


def _deltas(index: int, completion: Completion) -> Iterator[JsonObject]:
    """One choice, word by word; its log-probabilities come with the first word."""

    def choice(
        delta: JsonObject, finish: str | None = None, logprobs: JsonObject | None = None
    ) -> JsonObject:
        return {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish}

    yield choice({"role": "assistant", "content": "", "refusal": None})
    logprobs = _logprobs(completion.logprobs)
    for word in _words(completion):
        yield choice({"content": word}, logprobs=logprobs)
        logprobs = None
    yield choice({}, completion.finish)


def _event(data: JsonObject) -> bytes:
    return b"data: " + pydantic_core.to_json(data) + b"\n\n"
