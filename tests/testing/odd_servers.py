"""A scripted server that speaks OpenAI's API as other servers do, one oddity at a time.

A :class:`Mode` changes how requests are answered: a chat request that the mode does not refuse is
answered with as many texts as were asked for.
"""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Json = dict[str, Any]
MODEL = "some-model"


@dataclass(frozen=True)
class Reply:
    """A response as it goes over the wire."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: tuple[bytes | float, ...] = ()
    """What goes over the wire in place of all that: bytes, and seconds of silence."""


Answer = Callable[[str, str, Json], Reply | None]
"""Method, path and body of a request to the response; None for the usual one."""


def reply(status: int, body: object, **headers: str) -> Reply:
    """A response with a JSON body, or with a text as it is."""
    data = (
        body
        if isinstance(body, bytes)
        else (body if isinstance(body, str) else json.dumps(body)).encode()
    )
    kind = "text/html" if data.lstrip().startswith(b"<") else "application/json"
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, data, {"content-type": kind, **named})


def error(status: int, message: str, **fields: object) -> Reply:
    """An error in OpenAI's form."""
    return reply(status, {"error": {"message": message, **fields}})


def chat(body: Json, **changes: object) -> Json:
    """The usual response to a chat request."""
    choices = [
        {
            "index": index,
            "message": {"role": "assistant", "content": f"answer {index}"},
            "finish_reason": "stop",
        }
        for index in range(body.get("n") or 1)
    ]
    usage = {"prompt_tokens": 9, "completion_tokens": 3 * len(choices), "total_tokens": 0}
    return {"id": "x", "object": "chat.completion", "choices": choices, "usage": usage, **changes}


def changed(body: Json, **changes: object) -> Reply:
    """The usual response with each choice changed."""
    data = chat(body)
    return reply(200, {**data, "choices": [{**c, **changes} for c in data["choices"]]})


@dataclass
class OddServer:
    """A server that listens."""

    answer: Answer
    url: str = ""
    requests: list[tuple[str, str, Json]] = field(default_factory=list)
    refusals: Counter[tuple[str, int, bytes]] = field(default_factory=Counter)
    """How often each response that is no success was given, by path."""
    _usual_tokens: int = 0

    @property
    def usual_tokens(self) -> int:
        """Tokens of the usual answers to chat requests that were given."""
        return self._usual_tokens

    @property
    def chats(self) -> list[Json]:
        """The bodies of all chat requests."""
        return [body for _, path, body in self.requests if path.endswith("/chat/completions")]

    def respond(self, method: str, path: str, body: Json) -> Reply:
        """The response to a request."""
        self.requests.append((method, path, body))
        path = path.partition("?")[0]
        answered = self.answer(method, path, body)
        made = answered or usual(method, path, body)
        if answered is None and path.endswith("/chat/completions"):
            self._usual_tokens += 3 * (body.get("n") or 1)
        if made.status >= 400 or b'"error"' in made.body:
            self.refusals[path, made.status, made.body] += 1
        return made


def usual(method: str, path: str, body: Json) -> Reply:
    """What a plain chat server answers: chat and a list of models."""
    if method == "POST" and path.endswith("/chat/completions"):
        return reply(200, chat(body))
    if path.endswith("/models"):
        return reply(200, {"object": "list", "data": [{"id": MODEL, "object": "model"}]})
    return reply(404, {"detail": "Not Found"})


@contextmanager
def odd_server(answer: Answer) -> Iterator[OddServer]:
    """A server on loopback, in a thread."""
    made = OddServer(answer)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._respond({})

        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers.get("content-length", 0)))
            is_json = text.lstrip().startswith(b"{")
            self._respond(json.loads(text) if is_json else {})

        def _respond(self, body: Json) -> None:
            response = made.respond(self.command, self.path, body)
            if response.status == 0:  # silence
                release.wait(30)
                self.close_connection = True
                return
            if response.raw:
                self._write(response.raw)
                return
            self.send_response(response.status)
            for name, value in response.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(response.body)))
            self.end_headers()
            self.wfile.write(response.body)

        def _write(self, parts: tuple[bytes | float, ...]) -> None:
            self.close_connection = True
            for part in parts:
                if isinstance(part, bytes):
                    self.wfile.write(part)
                    self.wfile.flush()
                else:
                    release.wait(part)

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

    release = threading.Event()
    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield made
    finally:
        release.set()
        server.shutdown()
        thread.join()
        server.server_close()
