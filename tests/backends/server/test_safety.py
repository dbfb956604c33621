import asyncio
import contextlib
import json
import queue
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from click.testing import CliRunner

from limen.backends.server import ServerOptions, connections, is_loopback
from limen.harness.cli.serve import command

from ...testing.serving import PLAIN_HTTP, Served, in_thread, store_with

HOSTILE = "https://evil.example"


@pytest.fixture(scope="module")
def guarded(pretrained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that answers to one more host name."""
    store = store_with(pretrained, tmp_path_factory.mktemp("safety") / "store")
    options = ServerOptions(workers=1, allowed_hosts=("box.example",))
    with in_thread(store, options) as server:
        yield server


def asked(server: Served, method: str, path: str, **request: object) -> httpx2.Response:
    """The response to a request as a browser or a program sends it."""
    return PLAIN_HTTP.request(method, f"{server.url}{path}", **request)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "127.0.0.1.evil.example"},
        {"host": ""},
        {"origin": HOSTILE},
        {"origin": "null"},
        {"origin": "http://localhost.evil.example"},
        {"sec-fetch-site": "cross-site"},
    ],
)
@pytest.mark.parametrize("path", ["/models", "/files", "/fine_tuning/jobs"])
def test_pages_of_other_sites_read_nothing(
    guarded: Served, headers: dict[str, str], path: str
) -> None:
    """A request that a page of another site makes, or that comes by another name, is refused."""
    response = asked(guarded, "GET", path, headers=headers)
    assert response.status_code in (400, 403)
    assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"host": "localhost"},
        {"host": "[::1]:8000"},
        {"host": "box.example:8000"},
        {"origin": "http://localhost:3000"},
        {"origin": "https://box.example"},
    ],
)
def test_names_that_belong_are_answered(guarded: Served, headers: dict[str, str]) -> None:
    """Programs on this machine, and pages of names that the server was started with, are served."""
    assert asked(guarded, "GET", "/models", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
def test_a_job_needs_a_json_body(guarded: Served, kind: str) -> None:
    """Content types that any web page may send start no job and ask no model."""
    body = json.dumps({"model": "toy-1", "training_file": "file-x"})
    for path in ("/fine_tuning/jobs", "/chat/completions"):
        response = asked(guarded, "POST", path, content=body, headers={"content-type": kind})
        assert response.status_code == 415


def test_a_page_may_not_leave_the_type_out(guarded: Served) -> None:
    """A body without a type is accepted from programs alone, which have no origin."""
    headers = {"origin": "http://localhost:3000"}
    path = "/chat/completions"
    assert asked(guarded, "POST", path, content=b"{}", headers=headers).status_code == 415
    assert asked(guarded, "POST", path, content=b"{}").status_code == 400


def test_other_addresses_than_loopback_need_a_key(tmp_path: Path) -> None:
    """Whoever listens for other machines must set a key."""
    arguments = ["--engine", "toy", "--host", "0.0.0.0", "--store", str(tmp_path)]
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 2
    assert "LIMEN_SERVE_API_KEY" in result.output


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "192.168.0.5:8000"}, 200),
        ({"host": "[fd00::5]:8000"}, 200),
        ({"host": "evil.example"}, 403),
        ({"host": "192.168.0.5.evil.example"}, 403),
        ({"host": "192.168.0.5", "origin": "http://192.168.0.9"}, 403),
        ({"host": "192.168.0.5", "authorization": "Bearer other"}, 401),
    ],
)
def test_other_machines_call_by_number_with_a_key(
    pretrained: Path, tmp_path: Path, headers: dict[str, str], status: int
) -> None:
    """A server with a key answers to IP addresses, which no page can make its own."""
    store = store_with(pretrained, tmp_path / "store")
    with in_thread(store, ServerOptions(workers=1, api_key="sk-of-the-server")) as server:
        sent = {"authorization": "Bearer sk-of-the-server", **headers}
        assert asked(server, "GET", "/models", headers=sent).status_code == status


def test_half_sent_requests_are_ended(guarded: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Headers and bodies that do not come in time are answered by 408, and the connection ends."""
    monkeypatch.setattr(connections, "HEADER_TIME", 0.2)
    monkeypatch.setattr(connections, "BODY_TIME", 0.2)
    head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n"
    body = b"content-type: application/json\r\ncontent-length: 100\r\n\r\n{"
    for sent in (b"", head, head + body):
        with socket.create_connection(("127.0.0.1", guarded.port), timeout=10) as client:
            client.sendall(sent)
            answer = b"".join(iter(lambda: client.recv(65536), b""))
        assert b"408" in answer.partition(b"\r\n")[0]


ANSWERED_EARLY = (
    b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: text/plain\r\n"
    b"content-length: 10\r\n\r\n"
)


def one_answer(client: socket.socket) -> bytes:
    """One whole response: its head, and as much of a body as that says."""
    with client.makefile("rb") as stream:
        head = b"".join(iter(stream.readline, b"\r\n"))
        (size,) = re.findall(rb"content-length: (\d+)", head)
        return head + stream.read(int(size))


def test_a_late_body_gets_no_second_answer(
    guarded: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was refused before its body came is ended without an answer that nobody asked for."""
    monkeypatch.setattr(connections, "BODY_TIME", 0.2)
    with socket.create_connection(("127.0.0.1", guarded.port), timeout=10) as client:
        client.sendall(ANSWERED_EARLY)
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 415")
    assert answer.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize("late", [b"", b"01234"])
def test_what_comes_behind_a_request_has_its_time_limit(
    guarded: Served, monkeypatch: pytest.MonkeyPatch, late: bytes
) -> None:
    """The rest of a second request that came in one piece with the first is not waited for."""
    monkeypatch.setattr(connections, "BODY_TIME", 0.3)
    post = ANSWERED_EARLY.replace(b"text/plain", b"application/json")
    with socket.create_connection(("127.0.0.1", guarded.port), timeout=10) as client:
        client.sendall(b"GET /v1/models HTTP/1.1\r\nhost: localhost\r\n\r\n" + post + late)
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.count(b"HTTP/1.1") == 2
    assert b"HTTP/1.1 408" in answer


def test_a_connection_is_not_kept_for_ever_after_a_late_body(
    guarded: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that was answered before its body came is unused from then on, and ends as others do."""
    made = connections.LimitedProtocol.connection_made

    def soon_unused(self: connections.LimitedProtocol, transport: asyncio.Transport) -> None:
        self.timeout_keep_alive = 0.3  # type: ignore[assignment]
        made(self, transport)

    monkeypatch.setattr(connections.LimitedProtocol, "connection_made", soon_unused)
    with socket.create_connection(("127.0.0.1", guarded.port), timeout=10) as client:
        client.sendall(ANSWERED_EARLY)
        assert one_answer(client).startswith(b"HTTP/1.1 415")
        client.sendall(b"0123456789")
        assert client.recv(65536) == b""


def test_an_answered_connection_is_told_of_bad_requests(guarded: Served) -> None:
    """What is no HTTP gets its error on a connection that was used before as well."""
    with socket.create_connection(("127.0.0.1", guarded.port), timeout=10) as client:
        client.sendall(b"GET /v1/models HTTP/1.1\r\nhost: localhost\r\n\r\n")
        assert one_answer(client).startswith(b"HTTP/1.1 200")
        client.sendall(b"nonsense\r\n\r\n")
        assert b"HTTP/1.1 400" in b"".join(iter(lambda: client.recv(65536), b""))


def test_a_connection_answered_early_is_used_again(
    guarded: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half-sent requests make room before a connection that has had its answer and owes a body."""
    monkeypatch.setattr(connections, "max_connections", lambda: 20)
    with contextlib.ExitStack() as stack:
        client = stack.enter_context(socket.create_connection(("127.0.0.1", guarded.port), 10))
        client.sendall(ANSWERED_EARLY)
        assert one_answer(client).startswith(b"HTTP/1.1 415")
        for _ in range(60):
            half = stack.enter_context(socket.create_connection(("127.0.0.1", guarded.port)))
            half.sendall(b"GET /v1/models HTTP/1.1\r\n")
        client.sendall(b"0123456789GET /v1/models HTTP/1.1\r\nhost: localhost\r\n\r\n")
        assert one_answer(client).startswith(b"HTTP/1.1 200")


def test_enormous_headers_are_refused(guarded: Served) -> None:
    """Headers beyond the limit are answered by 431."""
    with socket.create_connection(("127.0.0.1", guarded.port), timeout=10) as client:
        client.sendall(b"GET /v1/models HTTP/1.1\r\nhost: localhost\r\nx: " + b"a" * 200_000)
        answer = client.recv(65536)
    assert answer.startswith(b"HTTP/1.1 431")


def test_a_large_body_is_refused(guarded: Served) -> None:
    """A JSON body beyond the limit is answered by 413."""
    body = json.dumps({"model": "toy-1", "messages": [{"role": "user", "content": "a" * 2**23}]})
    headers = {"content-type": "application/json"}
    response = asked(guarded, "POST", "/chat/completions", content=body, headers=headers)
    assert response.status_code == 413


def test_idle_connections_make_room(guarded: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many half-sent requests there are, a client is served before any of them is late."""
    monkeypatch.setattr(connections, "HEADER_TIME", 600)
    monkeypatch.setattr(connections, "max_connections", lambda: 20)
    with contextlib.ExitStack() as stack:
        for _ in range(60):
            half = stack.enter_context(socket.create_connection(("127.0.0.1", guarded.port)))
            half.sendall(b"GET /v1/models HTTP/1.1\r\n")
        assert asked(guarded, "GET", "/models").status_code == 200


def test_unused_connections_make_room(guarded: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections that clients keep open without using them do not shut others out."""
    monkeypatch.setattr(connections, "max_connections", lambda: 20)
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(httpx2.Client(verify=False)) for _ in range(30)]
        for client in clients:
            assert client.get(f"{guarded.url}/models").status_code == 200
        assert asked(guarded, "GET", "/models").status_code == 200
        assert clients[-1].get(f"{guarded.url}/models").status_code == 200


def test_a_client_that_reads_nothing_is_left(
    guarded: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer that nobody reads does not occupy its connection for ever."""
    ended: queue.Queue[object] = queue.Queue()
    lost = connections.LimitedProtocol.connection_lost

    def noted(self: connections.LimitedProtocol, error: Exception | None) -> None:
        ended.put(self.client)
        lost(self, error)

    line = json.dumps({"text": "x" * 10**6}) + "\n"
    file = guarded.client().files.create(file=("a.jsonl", line.encode() * 20), purpose="batch").id
    request = f"GET /v1/files/{file}/content HTTP/1.1\r\nhost: localhost\r\n\r\n".encode()
    monkeypatch.setattr(connections, "READ_TIME", 0.2)
    monkeypatch.setattr(connections.LimitedProtocol, "connection_lost", noted)
    with socket.create_connection(("127.0.0.1", guarded.port), timeout=10) as client:
        client.sendall(request)
        while ended.get(timeout=30) != client.getsockname():
            pass


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("127.8.0.1", True),
     ("0.0.0.0", False), ("", False), ("127.evil.example", False), ("192.168.0.5", False)],
)  # fmt: skip
def test_what_is_this_machine_alone(host: str, loopback: bool) -> None:
    """Only addresses that no other machine can reach need no key."""
    assert is_loopback(host) == loopback


FEW_FILES = """
import resource, sys
from limen.harness.cli import main

if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
    main(["serve", "--engine", "toy", "--port", "0", "--store", sys.argv[1]])
"""


@pytest.mark.slow
def test_few_descriptors_are_enough(pretrained: Path, tmp_path: Path) -> None:
    """With 300 half-sent requests and 256 descriptors others are served, and the log stays small."""
    store, log = store_with(pretrained, tmp_path / "store"), tmp_path / "log"
    command = [sys.executable, "-c", FEW_FILES, str(store)]
    with log.open("wb") as errors, contextlib.ExitStack() as stack:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
        stack.callback(process.wait)
        stack.callback(process.terminate)
        assert process.stdout is not None
        server = Served(process.stdout.readline().split()[3], store)
        for _ in range(300):
            half = stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            half.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n")
        began = time.monotonic()
        assert asked(server, "GET", "/models").status_code == 200
        print(f"served after {time.monotonic() - began:.2f} s")
        assert server.client().chat.completions.create(
            model="toy-1", messages=[{"role": "user", "content": "hi"}]
        )
    assert log.stat().st_size < 10_000
