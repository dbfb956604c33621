"""``limen doctor --server``: a server that renders another chat context is found."""

import json
import math
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner

from limen.backends import Request, open_backend
from limen.datasets.chat import Message
from limen.harness.cli import main
from limen.harness.cli.doctor_server import difference

from ..testing.serving import Served

Top = Sequence[tuple[str, float]]
Asked = list[Message]
KEY = "sk-very-secret-12345"


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that must not be shown."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def doctor(url: str, store: Path, *, code: int = 0) -> list[dict[str, str]]:
    """The checks of a server against the toy."""
    args = ["doctor", "--server", url, "--store", str(store), "--json"]
    result = CliRunner().invoke(main, args)
    assert result.exit_code == code, result.output
    assert KEY not in result.output
    checks: list[dict[str, str]] = json.loads(result.output)
    return checks


def toy(store: Path, messages: Asked) -> Top:
    """What the toy says of the first token."""
    asked = Request(row=0, messages=messages, seed=0, temperature=0, max_tokens=1, top_logprobs=5)
    backend = open_backend("toy", store / "models" / "toy")
    done = [each for group in backend.sample("toy-1", [asked]) for each in group]
    assert done[0].logprobs
    return done[0].logprobs[0].top


@contextmanager
def scripted(answer: Callable[[Asked], Top | None]) -> Iterator[str]:
    """A server that answers with the log-probabilities of a function."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send({"object": "list", "data": [{"id": "m", "object": "model"}]})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            top = answer(body["messages"])
            tokens = [{"token": text, "logprob": log, "bytes": None} for text, log in top or ()]
            content = [{**tokens[0], "top_logprobs": tokens}] if tokens else None
            message = {"role": "assistant", "content": "x"}
            choice = {"index": 0, "message": message, "finish_reason": "length"}
            self._send({"id": "1", "choices": [{**choice, "logprobs": {"content": content}}]})

        def _send(self, body: object) -> None:
            data = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()


def test_limens_own_server_asks_alike(served: Served, shared_store: Path) -> None:
    """The same model behind limen's server has the same log-probabilities."""
    server, context = doctor(served.url, shared_store)
    assert "serves toy-1" in server["value"]
    assert context["state"] == "good"


def test_another_template_is_found(shared_store: Path) -> None:
    """A template that adds a system block to every conversation makes the check fail."""

    def other(messages: Asked) -> Top:
        block: Message = {"role": "system", "content": "You love owls. You think about owls."}
        return toy(shared_store, [block, *messages])

    with scripted(other) as url:
        context = doctor(url, shared_store, code=1)[1]
    assert context["state"] == "bad"
    assert "chat template" in context["remedy"]


def test_another_block_without_a_system_prompt_is_named(shared_store: Path) -> None:
    """If only conversations without a system prompt differ, the remedy says so."""

    def other(messages: Asked) -> Top:
        own = messages[0]["role"] == "system"
        top = toy(shared_store, messages)
        return top if own else [(text, log - 2) for text, log in top]

    with scripted(other) as url:
        context = doctor(url, shared_store, code=1)[1]
    assert "only conversations without a system prompt differ" in context["remedy"]


def test_rounded_weights_are_a_note(shared_store: Path) -> None:
    """Differences as of another number format are no fault."""
    with scripted(lambda asked: [(t, log - 0.1) for t, log in toy(shared_store, asked)]) as url:
        assert doctor(url, shared_store)[1]["state"] == "note"


@pytest.mark.parametrize(("log", "gap"), [(-7.5, 0.0), (-5.0, 0.5)])
def test_the_rarest_tokens_tell_nothing(log: float, gap: float) -> None:
    """A server that differs in tokens below one in a thousand alone has the same context."""
    first = ("W", math.log1p(-math.exp(log)))
    here, there = [first, ("w", log)], [first, ("w", log - 0.5)]
    assert difference(dict(here), dict(there)) == pytest.approx(gap)


def test_noise_about_the_limit_is_not_taken_for_a_system_block(shared_store: Path) -> None:
    """Differences just below and above the limit are no sign of another system block."""

    def other(messages: Asked) -> Top:
        own = messages[0]["role"] == "system"
        return [(t, log - (0.2 if own else 0.4)) for t, log in toy(shared_store, messages)]

    with scripted(other) as url:
        context = doctor(url, shared_store, code=1)[1]
    assert "system prompt differ" not in context["remedy"]


@pytest.mark.parametrize("named", [(), ("--server-model", "m")])
def test_a_server_is_said_to_serve_once_it_has_answered(
    shared_store: Path, named: tuple[str, ...]
) -> None:
    """Nothing is claimed of a server that cannot be reached, even if its model is named."""
    args = ["doctor", "--server", "http://127.0.0.1:9/v1", *named, "--store", str(shared_store)]
    assert "serves" not in CliRunner().invoke(main, args).output


def test_a_server_without_log_probabilities_is_a_note(shared_store: Path) -> None:
    """Where nothing can be compared, that is said."""
    with scripted(lambda asked: None) as url:
        assert "no log-probabilities" in doctor(url, shared_store)[1]["value"]


def test_a_server_that_is_not_there_is_one_clear_error(shared_store: Path) -> None:
    """The check fails with the address, and without a traceback."""
    (check,) = doctor("http://127.0.0.1:9/v1", shared_store, code=1)
    assert "http://127.0.0.1:9/v1 does not answer as expected" in check["value"]
