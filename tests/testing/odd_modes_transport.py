"""More oddities of servers: silence and loading, redirects, gateways, streams, broken bodies."""

import json
from collections import defaultdict
from collections.abc import Callable
from email.utils import formatdate

from .odd_modes import (
    HTML,
    INT32,
    NO_N,
    NO_SEED,
    SILENCE,
    Mode,
    content,
    has,
    has_system,
    more_than,
    on,
    on_chat,
    usage,
    when,
)
from .odd_servers import MODEL, Answer, Json, Reply, changed, chat, error, reply

LOADING = error(503, "Loading model", type="unavailable_error", code=503)
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"


def first(times: int, refusal: Reply, *, everywhere: bool = False) -> Answer:
    """Refuse the first chat requests of a client (or all requests), then answer."""
    seen: defaultdict[str, int] = defaultdict(int)

    def answer(method: str, path: str, body: Json) -> Reply | None:
        if not everywhere and not path.endswith("/completions"):
            return None
        seen["all"] += 1
        return refusal if seen["all"] <= times else None

    return answer


def raw(*parts: bytes | float) -> Answer:
    """Chat requests are answered by what stands there."""
    return on_chat(lambda body: Reply(-1, b"", raw=parts))


def raw_of(parts: Callable[[bytes], tuple[bytes | float, ...]]) -> Answer:
    """The same with the body of the usual answer."""
    return on_chat(lambda body: Reply(-1, b"", raw=parts(json.dumps(chat(body)).encode())))


def text(make: Callable[[Json], str]) -> Answer:
    """Chat requests are answered by a text."""
    return on_chat(lambda body: reply(200, make(body)))


def stream(*events: object, end: str = "data: [DONE]\n\n") -> Answer:
    """A stream of events, the same for each of the draws."""
    lines = [f"data: {json.dumps(event)}\n\n" for event in events]
    return on_chat(lambda body: reply(200, "".join(lines) + end))


def delta(content: object, finish: object = None) -> Json:
    return {"choices": [{"index": 0, "delta": {"content": content}, "finish_reason": finish}]}


def to_slash(status: int) -> Answer:
    """A redirect to the same path with a slash at its end, where the answer is."""

    def answer(method: str, path: str, body: Json) -> Reply | None:
        if path.endswith("/completions"):
            return reply(status, {}, location=f"{path}/")
        if path.endswith("/completions/"):
            return reply(200, chat(body)) if method == "POST" else reply(405, "not allowed")
        return None

    return answer


def only_below_v1(method: str, path: str, body: Json) -> Reply | None:
    return None if path.startswith("/v1/") else reply(404, {"detail": "Not Found"})


TRANSPORT_MODES: dict[str, Mode] = {
    # silence
    "chat: silence": Mode(on("/completions", SILENCE), error="no answer in time (4 s)"),
    "everything: silence": Mode(lambda *_: SILENCE, error="no answer in time"),
    "chat: headers, then silence": Mode(
        raw(HEAD + b"content-length: 100\r\n\r\n", 30.0), error="no answer in time"
    ),
    "chat: half a body, then silence": Mode(
        raw(HEAD + b'content-length: 100\r\n\r\n{"choices": [', 30.0), error="no answer in time"
    ),
    "chat: closed without an answer": Mode(raw(b""), error="connection failed"),
    "chat: blanks to keep the connection": Mode(
        raw_of(lambda body: (HEAD + b"\r\n", b"\n", 0.1, b"  ", 0.1, body))
    ),
    "chat: HTTP/1.0 and a close": Mode(raw_of(lambda body: (b"HTTP/1.0 200 OK\r\n\r\n", body))),
    "chat: a broken chunk": Mode(
        raw(HEAD + b"transfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n"), error="connection failed"
    ),
    # loading
    "loading: twice": Mode(first(2, LOADING)),
    "loading: everywhere, for a while": Mode(first(7, LOADING, everywhere=True)),
    "loading: with the time it takes": Mode(
        first(2, reply(503, {"error": "Model a is currently loading", "estimated_time": 0.1}))
    ),
    "loading: in a 500": Mode(first(1, error(500, "llm server loading model"))),
    "loading: failed": Mode(
        on_chat(lambda b: error(500, "failed to load model: out of memory")),
        error="out of memory",
    ),
    # statuses of gateways
    "529 always": Mode(on_chat(lambda b: error(529, "Overloaded")), error="Overloaded"),
    "529 twice": Mode(first(2, error(529, "Overloaded"))),
    "524 in HTML": Mode(
        on_chat(lambda b: reply(524, "<html><title>A timeout occurred</title></html>")),
        error="A timeout occurred",
    ),
    "520 without a body": Mode(on_chat(lambda b: reply(520, "")), error="HTTP 520"),
    "418": Mode(on_chat(lambda b: reply(418, "a teapot")), error="a teapot"),
    "429: an HTTP date": Mode(first(2, reply(429, {}, retry_after=formatdate(0, usegmt=True)))),
    "429: a negative time": Mode(first(2, reply(429, {}, retry_after="-5"))),
    "429: a fraction": Mode(first(2, reply(429, {}, retry_after="0.05"))),
    "429: soon": Mode(first(2, reply(429, {}, retry_after="soon"))),
    "429: infinite": Mode(first(2, reply(429, {}, retry_after="inf"))),
    "429: in the body": Mode(first(2, reply(429, {"message": "slow down", "retry_after": 0.05}))),
    # addresses and names
    "redirect: 307 to a slash": Mode(to_slash(307)),
    "redirect: 308 to a slash": Mode(to_slash(308)),
    "redirect: 301 loses the body": Mode(to_slash(301), error="405"),
    "redirect: round and round": Mode(
        on_chat(lambda b: reply(307, {}, location="/v1/chat/completions")), error="307"
    ),
    "address: with a slash": Mode(lambda *_: None, base="/v1/"),
    "address: without /v1": Mode(only_below_v1, base="", error="usually ends in /v1"),
    "address: of the endpoint": Mode(only_below_v1, base="/v1/chat/completions"),
    "model: slashes and a colon": Mode(
        on("/models", reply(200, {"data": [{"id": "org/sub/model:free"}]})),
        model="org/sub/model:free",
    ),
    "model: a blank and a mark": Mode(on("/models", reply(404, "")), model="my model?.gguf"),
    "models: in pages": Mode(
        on("/models", reply(200, {"data": [{"id": "another"}], "has_more": True}))
    ),
    "models: a list in a list": Mode(on("/models", reply(200, {"data": {"models": [MODEL]}}))),
    "models: names alone": Mode(on("/models", reply(200, {"data": [MODEL]}))),
    "jobs: a list of models": Mode(
        on("fine_tuning", reply(200, {"object": "list", "data": [{"id": "x", "object": "model"}]}))
    ),
    "jobs: HTML with 404": Mode(on("fine_tuning", reply(404, HTML))),
    # streams that nobody asked for
    "stream: an error inside": Mode(
        stream(delta("an"), {"error": {"message": "the provider is down", "code": 502}}),
        error="the provider is down",
    ),
    "stream: an error alone": Mode(
        stream({"error": {"message": "the provider is down"}}), error="the provider is down"
    ),
    "stream: no end": Mode(stream(delta("an owl"), end="")),
    "stream: choices null at the end": Mode(stream(delta("an owl", "stop"), {"choices": None})),
    "stream: parts": Mode(stream(delta([{"type": "text", "text": "an owl"}], "stop"))),
    "stream: a byte order mark": Mode(
        text(lambda b: "\ufeffdata: " + json.dumps(delta("owl", "stop")) + "\r\n\r\n")
    ),
    "stream: lines of JSON": Mode(
        text(lambda b: json.dumps(delta("an ")) + "\n" + json.dumps(delta("owl", "stop")) + "\n")
    ),
    # bodies
    "choices: null": Mode(text(lambda b: '{"choices": null}'), error="choices: there are none"),
    "choices: null, with an error": Mode(
        text(lambda b: '{"choices": null, "error": {"message": "no capacity"}}'),
        error="no capacity",
    ),
    "choices: an object": Mode(text(lambda b: '{"choices": {"0": 1}}'), error="there are none"),
    "body: wrapped by a gateway": Mode(
        on_chat(lambda b: reply(200, {"code": 0, "msg": "ok", "data": chat(b)}))
    ),
    "body: trailing blanks and zeros": Mode(text(lambda b: json.dumps(chat(b)) + " \n\x00\x00")),
    "body: a trailing comma": Mode(
        text(lambda b: json.dumps(chat(b))[:-1] + ",}"), error="not JSON"
    ),
    "body: text/plain": Mode(
        on_chat(lambda b: reply(200, chat(b), content_type="text/plain; charset=latin-1"))
    ),
    "body: zipped, they say": Mode(on_chat(lambda b: reply(200, chat(b), content_encoding="gzip"))),
    "body: zipped, and broken": Mode(
        on_chat(lambda b: Reply(200, b"\x1f\x8b\x08" + b"?" * 99, {"content-encoding": "gzip"})),
        error="cannot be decoded",
    ),
    "body: br": Mode(
        on_chat(lambda b: reply(200, chat(b), content_encoding="br")), error="encoded as"
    ),
    "message: null, with a text": Mode(on_chat(lambda b: changed(b, message=None, text="owl"))),
    "content: no tool calls": Mode(content("owl", tool_calls=[], refusal="")),
    "content: a part of null": Mode(content([{"type": "text", "text": None}, "owl"])),
    "usage: words": Mode(usage({"prompt_tokens": "12 tokens", "completion_tokens": "many"})),
    "usage: no numbers": Mode(
        on_chat(
            lambda b: reply(
                200, chat(b, usage={"prompt_tokens": float("nan"), "completion_tokens": 1e999})
            )
        )
    ),
    "usage: nested": Mode(usage({"total": {"prompt_tokens": 1}, "completion_tokens": True})),
    # parameters, in other words
    "n: LiteLLM": Mode(
        when(
            more_than(1),
            error(400, "UnsupportedParamsError: openai does not support parameters: {'n': 10}"),
        ),
        facts=(NO_N,),
    ),
    "n: a range": Mode(
        when(more_than(8), error(400, "Parameter 'n' must be between 1 and 8", param="n")),
        facts=(("draws per call", "up to 8 (probed)"),),
    ),
    "seed: FastAPI's bound": Mode(
        when(
            lambda b: b.get("seed", 0) >= INT32,
            reply(422, {"detail": [{"loc": ["body", "seed"], "msg": "Input should be less"}]}),
        ),
        facts=(("seed", "31 bits (probed)"),),
    ),
    "seed: a type": Mode(
        when(
            lambda b: b.get("seed", 0) >= INT32,
            error(400, "Invalid value at 'seed' (TYPE_INT32), 140737488355338"),
        ),
        facts=(("seed", "31 bits (probed)"),),
    ),
    "seed: forbidden": Mode(
        when(has("seed"), reply(422, {"detail": [{"loc": ["body", "seed"], "type": "extra"}]})),
        facts=(NO_SEED,),
    ),
    "temperature: deprecated": Mode(
        when(has("temperature"), error(400, "`temperature` is deprecated for this model")),
        facts=(("temperature", "not sent (probed)"),),
    ),
    "system: in words of its own": Mode(
        when(has_system, error(400, "Developer instruction is not enabled for this model")),
        facts=(("system", "put before the user's text (probed)"),),
    ),
}
