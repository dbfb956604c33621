"""Oddities of servers, collected from public bug reports: how each answers, and the right ending."""

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass

from .odd_servers import MODEL, Answer, Json, Reply, changed, chat, error, reply

INT32 = 2**31
LM_STUDIO = {"error": "Unexpected endpoint or method. (GET /v1/fine_tuning/jobs)"}
HTML = "<!doctype html><html><head><title>Sign in</title></head><body>Company gateway</body></html>"
SILENCE = Reply(0, b"")


@dataclass(frozen=True)
class Mode:
    """One oddity: how a server answers, and what the right ending is."""

    answer: Answer
    error: str = ""
    """What the one line says with which the run ends; empty if the server can be used."""
    recorded: int = 0
    """Draws of 20 that are recorded as failed."""
    facts: tuple[tuple[str, str], ...] = ()
    """Facts that are reported, by name: each begins with the text."""
    model: str = MODEL
    base: str = "/v1"
    """The path of the address that the user gives."""
    stop: tuple[str, ...] = ()
    """Stop texts that are asked for."""
    top_p: float = 1.0


def on_chat(respond: Callable[[Json], Reply | None]) -> Answer:
    """Another answer to chat requests, where the function gives one."""
    return lambda method, path, body: respond(body) if path.endswith("/completions") else None


def on(end: str, response: Reply) -> Answer:
    """Another answer to requests whose path ends so or contains it."""
    return lambda method, path, body: response if end in path else None


def when(condition: Callable[[Json], object], response: Reply) -> Answer:
    """A refusal of chat requests that meet a condition."""
    return on_chat(lambda body: response if condition(body) else None)


def more_than(n: int) -> Callable[[Json], bool]:
    return lambda body: (body.get("n") or 1) > n


def has(name: str) -> Callable[[Json], bool]:
    return lambda body: name in body


def has_system(body: Json) -> bool:
    return any(message["role"] == "system" for message in body["messages"])


def second_question(body: Json) -> bool:
    return "second" in body["messages"][-1]["content"]


def only_draws(given: int) -> Answer:
    return on_chat(
        lambda body: reply(200, {**chat(body), "choices": chat(body)["choices"][:given]})
    )


def usage(value: object) -> Answer:
    return on_chat(lambda body: reply(200, chat(body, usage=value)))


def content(value: object, **more: object) -> Answer:
    return on_chat(
        lambda body: changed(body, message={"role": "assistant", "content": value, **more})
    )


def finish(value: object) -> Answer:
    return on_chat(lambda body: changed(body, finish_reason=value))


def events(body: Json) -> Reply:
    parts = [
        {"choices": [{"index": i, "delta": {"content": text}, "finish_reason": None}]}
        for i in range(body.get("n") or 1)
        for text in ("ans", f"wer {i}")
    ]
    lines = [f"data: {json.dumps(part)}\n\n" for part in parts]
    return reply(200, ": keep-alive\n\n" + "".join(lines) + "data: [DONE]\n\n")


def zipped(body: Json) -> Reply:
    return Reply(200, gzip.compress(json.dumps(chat(body)).encode()), {"content-encoding": "gzip"})


BOMB = Reply(200, gzip.compress(b"0" * 2**26), {"content-encoding": "gzip"})
NO_N = ("draws per call", "up to 1 (probed)")
NO_SEED = ("seed", "not sent (probed): answers cannot be reproduced")

MODES: dict[str, Mode] = {
    # W1: what is no endpoint, in all forms of refusal
    "jobs: 200 with an error": Mode(on("fine_tuning", reply(200, LM_STUDIO))),
    "jobs: 200 with HTML": Mode(on("fine_tuning", reply(200, HTML))),
    "jobs: 401": Mode(on("fine_tuning", error(401, "not allowed"))),
    "jobs: 403": Mode(on("fine_tuning", error(403, "forbidden"))),
    "jobs: 405": Mode(on("fine_tuning", reply(405, "Method Not Allowed"))),
    "jobs: 422": Mode(on("fine_tuning", reply(422, {"detail": [{"loc": ["query"], "msg": "x"}]}))),
    "jobs: 500": Mode(on("fine_tuning", error(500, "internal error"))),
    "jobs: silence": Mode(on("fine_tuning", SILENCE)),
    "jobs: empty object": Mode(on("fine_tuning", reply(200, {}))),
    "models: 404": Mode(on("/models", reply(404, "404 page not found"))),
    "models: 401": Mode(on("/models", error(401, "no access to this route"))),
    "models: 200 with an error": Mode(on("/models", reply(200, LM_STUDIO))),
    "models: 200 with HTML": Mode(on("/models", reply(200, HTML))),
    "models: 500": Mode(on("/models", reply(500, "Internal Server Error"))),
    "models: null": Mode(on("/models", reply(200, {"object": "list", "data": None}))),
    "models: another name": Mode(on("/models", reply(200, {"data": [{"id": "/models/a.gguf"}]}))),
    "models: by name": Mode(on("/models", reply(200, {"models": [{"name": "some-model"}]}))),
    "models: silence": Mode(on("/models", SILENCE)),
    "everything but chat: 200 with an error": Mode(
        lambda method, path, body: None if "chat" in path else reply(200, LM_STUDIO)
    ),
    # W2: the number of draws
    "n: llama.cpp's slots": Mode(
        when(more_than(1), error(400, "n_cmpl cannot be greater than the number of slots (1)")),
        facts=(NO_N,),
    ),
    "n: only one choice": Mode(
        when(more_than(1), error(400, "Only one completion choice is allowed")), facts=(NO_N,)
    ),
    "n: 500": Mode(
        when(more_than(1), error(500, "Only one completion choice is allowed")), facts=(NO_N,)
    ),
    "n: 500 without a word": Mode(
        when(more_than(1), reply(500, "Internal Server Error")), facts=(NO_N,)
    ),
    "n: 422 of FastAPI": Mode(
        when(more_than(1), reply(422, {"detail": [{"loc": ["body", "n"], "msg": "must be 1"}]})),
        facts=(NO_N,),
    ),
    "n: at most 4": Mode(
        when(more_than(4), error(400, "n must be at most 4, got 10", param="n")),
        facts=(("draws per call", "up to 4 (probed)"),),
    ),
    "n: an error in a 200": Mode(
        when(more_than(1), reply(200, {"error": {"message": "n > 1 is not supported"}})),
        facts=(NO_N,),
    ),
    "n: no choices": Mode(
        on_chat(lambda b: reply(200, chat(b, choices=[])) if more_than(1)(b) else None),
        facts=(NO_N,),
    ),
    "n: ignored": Mode(only_draws(1), facts=(NO_N,)),
    "n: fewer": Mode(only_draws(3), facts=(("draws per call", "up to 3 (probed)"),)),
    "not n: max_tokens must be less": Mode(
        when(lambda b: b["max_tokens"] > 20, error(400, "max_tokens must be less than n")),
        error="max_tokens must be less than n",
    ),
    # W6: seeds and other parameters
    "seed: int32": Mode(
        when(lambda b: b.get("seed", 0) >= INT32, error(400, "seed must be an int32")),
        facts=(("seed", "31 bits (probed)"),),
    ),
    "seed: overflow, 500": Mode(
        when(lambda b: b.get("seed", 0) >= INT32, error(500, "Python int too large to convert")),
        facts=(("seed", "31 bits (probed)"),),
    ),
    "seed: unknown": Mode(
        when(has("seed"), error(400, "Unrecognized request argument supplied: seed")),
        facts=(NO_SEED,),
    ),
    "seed: without a word": Mode(when(has("seed"), reply(400, "Bad Request")), facts=(NO_SEED,)),
    "max_tokens: OpenAI's words": Mode(
        when(
            has("max_tokens"),
            error(
                400,
                "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
                "'max_completion_tokens' instead.",
                param="max_tokens",
                code="unsupported_parameter",
            ),
        ),
        facts=(("token limit", "max_completion_tokens (probed)"),),
    ),
    "max_tokens: without a word": Mode(
        when(has("max_tokens"), reply(400, {"detail": "invalid request"})),
        facts=(("token limit", "max_completion_tokens (probed)"),),
    ),
    "temperature: only the default": Mode(
        when(
            has("temperature"), error(400, "Unsupported value: 'temperature'", param="temperature")
        ),
        facts=(("temperature", "not sent (probed)"),),
    ),
    "system: role not supported": Mode(
        when(has_system, error(400, "System role not supported")),
        facts=(("system", "put before the user's text (probed)"),),
    ),
    "system: template, 500": Mode(
        when(has_system, error(500, "Conversation roles must alternate user/assistant/...")),
        facts=(("system", "put before the user's text (probed)"),),
    ),
    "several at once": Mode(
        on_chat(
            lambda b: (
                error(400, "n > 1 is not supported")
                if more_than(1)(b)
                else error(422, "seed: extra fields not permitted")
                if "seed" in b
                else None
            )
        ),
        facts=(NO_N, NO_SEED),
    ),
    # W3: finish reasons
    "finish: eos_token": Mode(finish("eos_token")),
    "finish: empty": Mode(finish("")),
    "finish: capitals": Mode(finish("STOP")),
    "finish: null": Mode(finish(None)),
    "finish: a number": Mode(finish(0)),
    "finish: tool_calls with a text": Mode(finish("tool_calls")),
    "finish: made up": Mode(finish("because")),
    "finish: safety": Mode(finish("SAFETY"), recorded=20),
    # W4: strict reading
    "usage: empty": Mode(usage({})),
    "usage: null": Mode(usage(None)),
    "usage: partial": Mode(usage({"prompt_tokens": 5})),
    "usage: texts": Mode(usage({"prompt_tokens": "5", "completion_tokens": "7"})),
    "usage: negative": Mode(usage({"prompt_tokens": -5, "completion_tokens": -7})),
    "usage: enormous": Mode(usage({"prompt_tokens": 10**9, "completion_tokens": 10**9})),
    "usage: a list": Mode(usage([1, 2])),
    "index: null": Mode(on_chat(lambda b: changed(b, index=None))),
    "index: all zero": Mode(on_chat(lambda b: changed(b, index=0))),
    "index: texts": Mode(on_chat(lambda b: changed(b, index="0"))),
    "content: parts": Mode(
        content([{"type": "text", "text": "an "}, {"type": "text", "text": "owl"}])
    ),
    "content: a part": Mode(content({"type": "text", "text": "owl"})),
    "content: texts": Mode(content(["an ", "owl"])),
    "content: a number": Mode(content(7)),
    "content: thinking parts": Mode(
        content([{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "owl"}])
    ),
    "content: a lone surrogate": Mode(content("owl \ud83e")),
    "content: with reasoning": Mode(content("owl", reasoning_content="an owl, then")),
    "content: reasoning only": Mode(content(None, reasoning_content="hm"), recorded=20),
    "content: tool call only": Mode(content(None, tool_calls=[{"id": "x"}]), recorded=20),
    "content: null": Mode(content(None), recorded=20),
    "message: a text": Mode(on_chat(lambda b: changed(b, message="owl"))),
    "message: as a legacy text": Mode(
        on_chat(lambda b: reply(200, {**chat(b), "choices": [{"text": "owl"}]}))
    ),
    "choice: an error of its own": Mode(
        on_chat(lambda b: changed(b, error={"code": 502, "message": "upstream"})), recorded=20
    ),
    "body: a byte order mark": Mode(on_chat(lambda b: reply(200, "\ufeff" + json.dumps(chat(b))))),
    "body: leading blanks": Mode(on_chat(lambda b: reply(200, "\n\n  " + json.dumps(chat(b))))),
    "body: invalid UTF-8": Mode(
        on_chat(lambda b: reply(200, json.dumps(chat(b)).encode().replace(b"answer", b"\xff\xfe")))
    ),
    "body: a list of one": Mode(on_chat(lambda b: reply(200, [chat(b)]))),
    "body: events": Mode(on_chat(events)),
    "body: gzip": Mode(on_chat(zipped)),
    "body: unknown keys": Mode(on_chat(lambda b: reply(200, {**chat(b), "timings": {"a": 1}}))),
    "body: an empty one": Mode(on_chat(lambda b: reply(200, "")), error="not JSON"),
    "body: HTML": Mode(on_chat(lambda b: reply(200, HTML)), error="Sign in"),
    "body: no choices": Mode(on_chat(lambda b: reply(200, {"id": "x"})), error="no choices"),
    "body: a bomb": Mode(on_chat(lambda b: BOMB), error="larger than 32 MiB"),
    "body: one question's is broken": Mode(
        when(second_question, reply(200, '{"choices": [{"mess')), recorded=10
    ),
    "body: one question's is a 500": Mode(
        when(second_question, reply(500, "a crash")), recorded=10
    ),
    # W5: the server's own words
    "words: a list": Mode(
        on_chat(lambda b: reply(400, [{"error": {"message": "API key not valid"}}])),
        error="API key not valid",
    ),
    "words: error is a text": Mode(
        on_chat(lambda b: reply(400, {"error": "the tensor is missing"})),
        error="the tensor is missing",
    ),
    "words: detail": Mode(
        on_chat(lambda b: reply(422, {"detail": "the engine is dead"})), error="the engine is dead"
    ),
    "words: plain": Mode(
        on_chat(lambda b: reply(400, "no backend for it")), error="no backend for it"
    ),
    "words: HTML": Mode(
        on_chat(lambda b: reply(502, "<html><h1>502 Bad Gateway</h1></html>")),
        error="502 Bad Gateway",
    ),
    "words: control characters": Mode(
        on_chat(lambda b: error(400, "\x1b[31mred\x1b[0m\r\nand \x07 bells")), error="red"
    ),
    "words: an error in a 200": Mode(
        on_chat(lambda b: reply(200, {"error": {"message": "provider is down", "code": 502}})),
        error="provider is down",
    ),
    "words: vLLM's old form": Mode(
        on_chat(lambda b: reply(400, {"object": "error", "message": "bad thing", "code": 40001})),
        error="bad thing",
    ),
    "context: llama.cpp": Mode(
        when(
            second_question,
            error(
                400,
                "the request exceeds the available context size",
                type="exceed_context_size_error",
            ),
        ),
        recorded=10,
    ),
    "context: LM Studio": Mode(
        when(second_question, reply(400, {"error": "Context size exceeded"})), recorded=10
    ),
    "context: vLLM": Mode(
        when(second_question, error(400, "This model's maximum context length is 8 tokens")),
        recorded=10,
    ),
    "filter: Azure": Mode(
        when(second_question, error(400, "The response was filtered", code="content_filter")),
        recorded=10,
    ),
    "filter: OpenRouter": Mode(
        when(second_question, error(403, "Your input was flagged", metadata={"reasons": []})),
        recorded=10,
    ),
    "quota: 402": Mode(on_chat(lambda b: error(402, "Insufficient Balance")), error="quota"),
    "quota: 429": Mode(
        on_chat(lambda b: error(429, "You exceeded your current quota", code="insufficient_quota")),
        error="quota",
    ),
    "loading": Mode(
        on_chat(lambda b: error(503, "Loading model", code=503)), error="Loading model"
    ),
    "unknown model, 400": Mode(
        on_chat(lambda b: error(400, "No models loaded. Please load a model")),
        error="No models loaded",
    ),
    "wrong key": Mode(on_chat(lambda b: error(401, "Invalid token")), error="check OPENAI_API_KEY"),
    "no chat": Mode(on_chat(lambda b: reply(404, "404 page not found")), error="OPENAI_BASE_URL"),
    "always 500": Mode(on_chat(lambda b: error(500, "CUDA error")), error="CUDA error"),
    "always 429": Mode(
        on_chat(lambda b: error(429, "Too many requests")), error="Too many requests"
    ),
    "429 for an hour": Mode(
        on_chat(lambda b: reply(429, {"error": {"message": "wait"}}, retry_after="3600")),
        error="3,600 s",
    ),
    "another host": Mode(
        on_chat(lambda b: reply(307, {}, location="http://127.0.0.2:1/v1/chat/completions")),
        error="redirects to another host",
    ),
}
