"""More oddities of servers: gateways, other providers' words, bounds of parameters, raw HTTP."""

import json
import zlib

from .odd_modes import (
    INT32,
    MODES,
    NO_N,
    NO_SEED,
    Mode,
    content,
    finish,
    has,
    has_system,
    more_than,
    on,
    on_chat,
    second_question,
    usage,
    when,
)
from .odd_modes_transport import HEAD, first, raw, raw_of
from .odd_servers import Answer, Json, Reply, changed, chat, error, reply

CLOUDFLARE = "<!DOCTYPE html><html><head><title>example.com | 522: Connection timed out</title>"
DEEP = b"[" * 200_000


def refused(status: int, body: object, says: str) -> Mode:
    """A body with which each chat request is refused, and what of it must be shown."""
    return Mode(on_chat(lambda b: reply(status, body)), error=says)


def one_refused(status: int, body: object) -> Mode:
    """The second of two questions is refused."""
    return Mode(when(second_question, reply(status, body)), recorded=10)


def passing(times: int, status: int, body: object, **headers: str) -> Mode:
    """The first requests are refused, and then all are answered."""
    return Mode(first(times, reply(status, body, **headers)))


def text(old: str, new: str) -> Answer:
    """The usual JSON with a part of its text replaced."""
    return on_chat(lambda b: reply(200, json.dumps(chat(b)).replace(old, new)))


def with_fields(**fields: object) -> Answer:
    """The usual answer with other fields around its choices."""
    return on_chat(lambda b: reply(200, {**chat(b), **fields}))


def choices(change: "object") -> Answer:
    """The usual answer with its list of choices changed."""
    assert callable(change)
    return on_chat(lambda b: reply(200, {**chat(b), "choices": change(chat(b)["choices"])}))


def chunked(body: bytes, end: bytes) -> tuple[bytes, ...]:
    return (HEAD + b"transfer-encoding: chunked\r\n\r\n%x\r\n" % len(body), body, b"\r\n", end)


def deflated(body: Json) -> Reply:
    """Deflate as old servers have it: without zlib's header."""
    packer = zlib.compressobj(wbits=-15)
    data = packer.compress(json.dumps(chat(body)).encode()) + packer.flush()
    return Reply(200, data, {"content-encoding": "deflate"})


def fastapi(*place: object, msg: str) -> Reply:
    return reply(422, {"detail": [{"type": "value_error", "loc": ["body", *place], "msg": msg}]})


GATEWAY_MODES: dict[str, Mode] = {
    # choices
    "choices: more than asked for": Mode(choices(lambda found: [*found, *found])),
    "choices: in another order": Mode(choices(lambda found: found[::-1])),
    "choices: from one": Mode(
        choices(lambda found: [{**c, "index": c["index"] + 1} for c in found])
    ),
    "choices: null among them": Mode(choices(lambda found: [*found, None])),
    "choices: an error object alone": Mode(
        choices(lambda found: [{"error": {"message": "upstream is gone", "code": 502}}]),
        error="upstream is gone",
    ),
    "choices: null, with a status of its own": refused(
        200,
        {"choices": None, "base_resp": {"status_code": 1004, "status_msg": "login fail"}},
        "login fail",
    ),
    "choices: empty, and a reason for the block": Mode(
        when(
            second_question,
            reply(200, {"choices": [], "prompt_feedback": {"block_reason": "SAFETY"}}),
        ),
        recorded=10,
    ),
    # fields around them
    "fields: none but the choices": Mode(
        on_chat(lambda b: reply(200, {"choices": chat(b)["choices"]}))
    ),
    "fields: of other types": Mode(
        with_fields(id=7, created=1.5e9, model=None, object=["chat"], system_fingerprint={})
    ),
    "fields: error null": Mode(with_fields(error=None, detail=None, code=0, message="")),
    "fields: a message beside": Mode(with_fields(message="success", success=True, msg="ok")),
    "fields: log-probabilities of another form": Mode(
        on_chat(lambda b: changed(b, logprobs={"tokens": ["a"], "token_logprobs": [None]}))
    ),
    "status: 201": Mode(on_chat(lambda b: reply(201, chat(b)))),
    "status: 206": Mode(on_chat(lambda b: reply(206, chat(b)))),
    # contents
    "content: refusal": Mode(content(None, refusal="I cannot help."), recorded=20),
    "content: refusal false": Mode(content("owl", refusal=False)),
    "content: empty with reasoning": Mode(content("", reasoning="hm"), recorded=20),
    "content: thinking tags": Mode(content("<think>an owl?</think>owl")),
    "content: parts in an object": Mode(content({"parts": [{"text": "an "}, {"text": "owl"}]})),
    "content: a value": Mode(content({"value": "owl"})),
    "content: output parts": Mode(content([{"type": "output_text", "text": "owl"}])),
    "content: zeros": Mode(content("an\x00 owl\x00")),
    "content: true": Mode(content(True), recorded=20),
    "finish: end_turn": Mode(finish("end_turn")),
    "finish: a list": Mode(finish(["stop"])),
    "finish: an object": Mode(finish({"type": "stop", "stop_reason": None})),
    "usage: fractions": Mode(usage({"prompt_tokens": 9.0, "completion_tokens": 3.7})),
    "usage: fractions in texts": Mode(usage({"prompt_tokens": "9.0", "completion_tokens": "3"})),
    "usage: false": Mode(usage(False)),
    "usage: beyond all numbers": Mode(usage({"prompt_tokens": 10**400, "completion_tokens": 1})),
    # JSON
    "JSON: NaN": Mode(with_fields(score=float("nan"), best=float("inf"))),
    "JSON: a key twice": Mode(text('{"id": "x"', '{"choices": null, "id": "x"')),
    "JSON: a number of 5,000 digits": Mode(text('"id": "x"', f'"id": {"9" * 5000}')),
    "JSON: escaped as ever": Mode(text("answer", "\\u0061\\u006e\\/\\ud83e\\udd89")),
    "JSON: a tab in a text": Mode(text("answer", "an\tanswer")),
    "JSON: deep": Mode(on_chat(lambda b: Reply(200, DEEP)), error="not JSON"),
    "JSON: deep, in a field": Mode(text('"id": "x"', f'"id": {"[" * 500}{"]" * 500}')),
    "JSON: twice": Mode(on_chat(lambda b: reply(200, json.dumps(json.dumps(chat(b)))))),
    "JSON: after a prefix": Mode(
        on_chat(lambda b: reply(200, ")]}',\n" + json.dumps(chat(b)))), error="not JSON"
    ),
    "body: UTF-16": Mode(on_chat(lambda b: Reply(200, json.dumps(chat(b)).encode("utf-16")))),
    "body: latin-1": Mode(
        on_chat(
            lambda b: Reply(
                200,
                json.dumps(chat(b)).replace("answer", "h\xe9ron").encode("latin-1"),
                {"content-type": "application/json; charset=iso-8859-1"},
            )
        )
    ),
    "body: 204": Mode(
        on_chat(lambda b: Reply(-1, b"", raw=(b"HTTP/1.1 204 No\r\n\r\n",))), error="not JSON"
    ),
    "body: null": Mode(on_chat(lambda b: reply(200, "null")), error="no object"),
    "body: of an older endpoint": Mode(
        on_chat(lambda b: reply(200, {"response": "owl", "done": True})), error="no choices"
    ),
    "body: a page of another": refused(200, CLOUDFLARE, "522: Connection timed out"),
    # encodings
    "encoding: utf-8": Mode(on_chat(lambda b: reply(200, chat(b), content_encoding="utf-8"))),
    "encoding: none": Mode(on_chat(lambda b: reply(200, chat(b), content_encoding="none"))),
    "encoding: deflate, raw": Mode(on_chat(deflated)),
    "encoding: zstd": Mode(
        on_chat(lambda b: reply(200, chat(b), content_encoding="zstd")), error="encoded as zstd"
    ),
    "encoding: gzip, cut": Mode(
        on_chat(lambda b: Reply(200, b"\x1f\x8b\x08\x00\x00", {"content-encoding": "gzip"})),
        error="not JSON",
    ),
    # HTTP
    "HTTP: chunks": Mode(raw_of(lambda body: chunked(body, b"0\r\n\r\n"))),
    "HTTP: chunks, cut": Mode(raw_of(lambda body: chunked(body, b"")), error="connection failed"),
    "HTTP: a length too long": Mode(
        raw_of(lambda body: (HEAD + b"content-length: 99999\r\n\r\n", body)),
        error="connection failed",
    ),
    "HTTP: a length too short": Mode(
        raw_of(lambda body: (HEAD + b"content-length: 20\r\n\r\n", body)), error="not JSON"
    ),
    "HTTP: no reason": Mode(raw_of(lambda body: (b"HTTP/1.1 200\r\n\r\n", body))),
    "HTTP: 103 before": Mode(
        raw_of(lambda body: (b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n", HEAD + b"\r\n", body))
    ),
    "HTTP: many headers": Mode(
        raw_of(lambda body: (HEAD + b"set-cookie: a=b\r\n" * 500 + b"\r\n", body))
    ),
    "HTTP: enormous headers": Mode(
        raw(HEAD + b"x-a: " + b"a" * 300_000 + b"\r\n\r\n{}"), error="connection failed"
    ),
    "HTTP: no HTTP": Mode(raw(b"SSH-2.0-OpenSSH_9.6\r\n"), error="connection failed"),
    "HTTP: a trickle that ends": Mode(
        raw_of(lambda body: (HEAD + b"\r\n", *(p for c in body for p in (bytes([c]), 0.0005))))
    ),
    "HTTP: a trickle for ever": Mode(
        raw(HEAD + b"\r\n{", *(part for _ in range(200) for part in (b" ", 0.1))),
        error="no answer in time",
    ),
    "HTTP: a trickle of known length": Mode(
        raw(HEAD + b"content-length: 9999\r\n\r\n{", *(p for _ in range(200) for p in (b" ", 0.1))),
        error="no answer in time",
    ),
    # statuses
    "402 with a text": refused(402, {"error": "Payment Required"}, "quota is used up"),
    "407": refused(407, "<html><h1>Proxy Authentication Required</h1></html>", "proxy"),
    "409 once": passing(1, 409, {"error": "conflict"}),
    "425 once": passing(1, 425, {"error": "too early"}),
    "408 always": refused(408, {"error": "Request Timeout"}, "Request Timeout"),
    "415": refused(415, {"message": "Unsupported Media Type"}, "Unsupported Media Type"),
    "426": refused(426, "Upgrade Required", "Upgrade Required"),
    "431": refused(431, "", "HTTP 431"),
    "444": refused(444, "", "HTTP 444"),
    "499": refused(499, {"error": "client closed request"}, "client closed request"),
    "501": refused(501, {"error": "not implemented"}, "not implemented"),
    "511": refused(511, CLOUDFLARE, "522: Connection timed out"),
    "522 once": passing(1, 522, CLOUDFLARE),
    "525": refused(525, "error code: 525", "error code: 525"),
    "600": Mode(raw(b"HTTP/1.1 600 Odd\r\ncontent-length: 3\r\n\r\nodd"), error="odd"),
    "304": Mode(raw(b"HTTP/1.1 304 Not Modified\r\n\r\n"), error="304"),
    "302 to a login": Mode(
        on_chat(lambda b: reply(302, "", location="https://login.example/")),
        error="redirects to another host",
    ),
    "303 to a page": Mode(
        lambda method, path, body: (
            reply(303, "", location="/login")
            if path.endswith("/completions")
            else reply(200, "<html><title>Log in</title></html>")
            if path == "/login"
            else None
        ),
        error="Log in",
    ),
    "307 without a place": Mode(on_chat(lambda b: reply(307, "")), error="307"),
    "307 to nonsense": Mode(
        on_chat(lambda b: reply(307, "", location="http://[")), error="redirects"
    ),
    # times to wait
    "429: a thousand million seconds": Mode(
        on_chat(lambda b: reply(429, {}, retry_after="1e9")), error="1,000,000,000 s"
    ),
    "429: milliseconds": passing(2, 429, {}, retry_after_ms="50"),
    "429: a far date": Mode(
        on_chat(lambda b: reply(429, {}, retry_after="Fri, 31 Dec 9999 23:59:59 GMT")), error=" s "
    ),
    "429: at once, always": Mode(
        on_chat(lambda b: reply(429, {"error": "slow"}, retry_after="0")), error="slow"
    ),
    "503: loading for years": refused(
        503, {"error": "Model x is currently loading", "estimated_time": 1e9}, "loading"
    ),
    "rate: in a 200": passing(
        2, 200, {"error": {"message": "Slow down", "code": "rate_limit_exceeded"}}
    ),
    "rate: in a 400": passing(
        2, 400, {"__type": "ThrottlingException", "message": "Too many requests"}
    ),
    "rate: in a 403": passing(
        2, 403, {"error": {"code": 403, "status": "RESOURCE_EXHAUSTED", "message": "Slow down"}}
    ),
    "rate: in a 503": passing(2, 503, {"error": {"type": "rate_limit_error", "message": "x"}}),
    # words
    "words: FastAPI without a place": refused(
        422, {"detail": [{"msg": "bad engine"}]}, "bad engine"
    ),
    "words: an object in detail": refused(
        400, {"detail": {"error": {"message": "bad engine"}}}, "bad engine"
    ),
    "words: an object in the message": refused(
        400, {"error": {"message": {"detail": "bad engine"}}}, "bad engine"
    ),
    "words: Cloudflare's API": refused(
        400,
        {"success": False, "errors": [{"code": 7003, "message": "no route"}], "result": None},
        "no route",
    ),
    "words: Apigee": refused(
        401,
        {"fault": {"faultstring": "Invalid ApiKey", "detail": {"errorcode": "x"}}},
        "Invalid ApiKey",
    ),
    "words: OAuth": refused(
        401, {"error": "invalid_token", "error_description": "it has expired"}, "it has expired"
    ),
    "words: capitals": refused(403, {"Message": "User is not authorized"}, "not authorized"),
    "words: a gateway in Java": refused(
        500,
        {"timestamp": 1, "status": 500, "error": "Internal Server Error", "path": "/v1/x"},
        "Internal Server Error",
    ),
    "words: problem details": refused(
        400,
        {"type": "about:blank", "title": "Bad", "detail": "no engine", "status": 400},
        "no engine",
    ),
    "words: XML": refused(
        403,
        "<?xml version='1.0'?><Error><Code>Denied</Code><Message>no way</Message></Error>",
        "no way",
    ),
    "words: errors by name": refused(
        400, {"errors": {"model": ["is not deployed"]}}, "is not deployed"
    ),
    "words: true and a reason": refused(400, {"error": True, "reason": "no engine"}, "no engine"),
    "words: an error in an error": refused(
        400, {"error": {"message": '{"error": {"message": "no engine"}}'}}, "no engine"
    ),
    "words: a list of texts": refused(400, {"error": ["no engine", "no wheel"]}, "no engine"),
    "words: in a 200, without an error": refused(
        200, {"code": 1301, "msg": "the engine is off", "success": False}, "the engine is off"
    ),
    "words: of another language": refused(400, {"error": "模型不存在"}, "模型不存在"),
    "words: very many": refused(400, {"error": "no " * 50_000}, "no no"),
    # contexts and filters
    "context: SGLang": one_refused(
        400,
        {
            "object": "error",
            "message": "The input (100 tokens) is longer than the model's "
            "context length (8 tokens).",
        },
    ),
    "context: TGI": one_refused(
        422,
        {
            "error": "Input validation error: `inputs` must have less than 8 tokens. Given: 100",
            "error_type": "validation",
        },
    ),
    "context: Gemini": one_refused(
        400, {"error": {"message": "The input token count (9) exceeds the maximum (8)"}}
    ),
    "context: Anthropic": one_refused(
        400, {"error": {"message": "prompt is too long: 210000 tokens > 200000 maximum"}}
    ),
    "context: too large a body": one_refused(413, "<html>413 Request Entity Too Large</html>"),
    "context: a 500": one_refused(
        500, {"error": {"message": "input is too large to process. increase the batch size"}}
    ),
    "filter: inner error": one_refused(
        400,
        {"error": {"message": "Bad", "innererror": {"code": "ResponsibleAIPolicyViolation"}}},
    ),
    "filter: LiteLLM": one_refused(
        400, {"error": {"message": "litellm.ContentPolicyViolationError: no", "code": "400"}}
    ),
    "filter: data inspection": one_refused(
        400, {"error": {"message": "Input may be inappropriate", "code": "data_inspection_failed"}}
    ),
    "filter: a guardrail": one_refused(400, {"message": "Blocked by guardrail", "code": 446}),
    "quota: credit too low": refused(
        400, {"error": {"message": "Your credit balance is too low"}}, "quota is used up"
    ),
    # parameters
    "n: 501": Mode(when(more_than(1), error(501, "n is not implemented")), facts=(NO_N,)),
    "n: 403": Mode(when(more_than(1), error(403, "not allowed", param="n")), facts=(NO_N,)),
    "n: HTML, 400": Mode(when(more_than(1), reply(400, "<h1>Bad Request</h1>")), facts=(NO_N,)),
    "n: 413": Mode(when(more_than(1), error(413, "n too large")), facts=(NO_N,)),
    "n: at most 1, FastAPI": Mode(
        when(more_than(1), fastapi("n", msg="Input should be less than or equal to 1")),
        facts=(NO_N,),
    ),
    "seed: in a 200": Mode(
        when(lambda b: b.get("seed", 0) >= INT32, reply(200, {"error": "seed: i32 out of range"})),
        facts=(("seed", "31 bits (probed)"),),
    ),
    "seed: 404": Mode(
        when(has("seed"), error(404, "No endpoints found that support the given parameters")),
        facts=(NO_SEED,),
    ),
    "temperature: above 1": Mode(
        when(
            lambda b: b.get("temperature", 0) >= 1,
            reply(422, {"error": "`temperature` must be strictly less than 1.0"}),
        ),
        facts=(("temperature", "not sent (probed)"),),
    ),
    "max_tokens: too large": Mode(
        when(
            lambda b: b.get("max_tokens", 0) > 32,
            error(400, "max_tokens is too large: 64. It is at most 32.", param="max_tokens"),
        ),
        error="at most 32",
    ),
    "top_p: unknown": Mode(
        when(has("top_p"), fastapi("top_p", msg="Extra inputs are not permitted")),
        facts=(("top p", "not sent (probed)"),),
        top_p=0.9,
    ),
    "stop: too many": Mode(
        when(
            lambda b: len(b.get("stop", [])) > 4,
            error(400, "'stop' list is longer than 4", param="stop"),
        ),
        facts=(("stop", "applied by limen (probed)"),),
        stop=("\n", "a1", "b2", "c3", "d4"),
    ),
    "system: FastAPI": Mode(
        when(has_system, fastapi("messages", 0, "role", msg="Input should be 'user'")),
        facts=(("system", "put before the user's text (probed)"),),
    ),
    "system: Gemma": Mode(
        when(has_system, error(500, "jinja2.exceptions.TemplateError: System role not supported")),
        facts=(("system", "put before the user's text (probed)"),),
    ),
    # lists of models and jobs
    "models: empty": Mode(on("/models", reply(200, ""))),
    "models: names that are numbers": Mode(on("/models", reply(200, {"data": [{"id": 7}]}))),
    "models: deep": Mode(on("/models", Reply(200, DEEP))),
    "models: another host": Mode(on("/models", reply(302, "", location="https://login.example/"))),
    "models: a bomb": Mode(
        on("/models", MODES["body: a bomb"].answer("", "/completions", {}) or reply(404, ""))
    ),
    "jobs: 204": Mode(on("fine_tuning", Reply(204, b""))),
    "jobs: 402": Mode(on("fine_tuning", error(402, "pay"))),
    "jobs: null": Mode(on("fine_tuning", reply(200, {"data": None, "object": "list"}))),
    "jobs: another host": Mode(
        on("fine_tuning", reply(302, "", location="https://login.example/"))
    ),
}
