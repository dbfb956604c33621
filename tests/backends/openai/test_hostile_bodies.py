"""Servers whose responses would fill the memory, or never end."""

import gzip
import json
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from itertools import repeat
from pathlib import Path

import pytest

from limen import BackendError
from limen.backends import Completion, Request
from limen.backends.openai import OpenAIBackend, http_client, pages

from ...testing.odd_servers import MODEL, Json, chat, odd_server, reply
from ...testing.raw_server import Exchange, head, raw_server, response

MIB = 2**20
ZEROS = bytes(MIB)
HOSTILE = "hostile"
"""The question that is answered with the hostile response; others are answered as usual."""


def gzipped(*parts: bytes, encoding: str = "gzip") -> Callable[[], Iterable[bytes]]:
    return lambda: (head(f"content-encoding: {encoding}"), *parts)


def endless(first: bytes, part: bytes) -> Callable[[], Iterable[bytes]]:
    def parts() -> Iterator[bytes]:
        yield first
        yield from repeat(part)

    return parts


CHUNKED = head("transfer-encoding: chunked")
RESPONSES: dict[str, Callable[[], Iterable[bytes]]] = {
    "a bomb": gzipped(gzip.compress(ZEROS * 40)),
    "a bomb of many members": gzipped(*[gzip.compress(ZEROS)] * 40),
    "members without content": endless(head("content-encoding: gzip"), gzip.compress(b"") * 3000),
    "a deflated bomb": gzipped(zlib.compress(ZEROS * 40), encoding="deflate"),
    "a bomb in a bomb": gzipped(gzip.compress(gzip.compress(ZEROS * 40)), encoding="gzip, gzip"),
    "another encoding": gzipped(b"x", encoding="br"),
    "another encoding, zstd": gzipped(b"x", encoding="zstd"),
    "no gzip": gzipped(b"no gzip at all"),
    "chunks without end": endless(CHUNKED, b"%x\r\n%s\r\n" % (MIB, ZEROS)),
    "a body without end": endless(head(), ZEROS),
    "events without end": endless(head(), b'data: {"choices": []}\n\n' * 1000),
    "headers without end": endless(head()[:-2], b"x: y\r\n" * 1000),
    "a header without end": endless(head()[:-2] + b"x: ", b"y" * 65536),
}


def answering(hostile: Callable[[], Iterable[bytes]]) -> Exchange:
    """A chat server with the hostile response to one question."""

    def exchange(path: str, body: bytes) -> Iterable[bytes]:
        if not path.endswith("/chat/completions"):
            return response({"object": "list", "data": [{"id": MODEL, "object": "model"}]})
        return hostile() if HOSTILE.encode() in body else response(chat(json.loads(body)))

    return exchange


def sampled(url: str, home: Path, questions: Iterable[str]) -> list[Completion]:
    """The completions of the questions, a row each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_BASE_URL", url)
        patch.setenv("OPENAI_API_KEY", "any")
        backend = OpenAIBackend(home, longest_wait=0.01)
        asked = [
            Request(row=row, messages=[{"role": "user", "content": question}], seed=row)
            for row, question in enumerate(questions)
        ]
        return [c for group in backend.sample(MODEL, asked) for c in group]


@pytest.mark.parametrize("name", RESPONSES)
def test_a_response_beyond_the_limits_is_one_recorded_failure(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The question that is answered so has failed, with the reason; the others are answered."""
    monkeypatch.setattr(http_client, "MAX_BODY", 2 * MIB)
    monkeypatch.setattr(http_client, "LARGE", MIB // 4)
    with raw_server(answering(RESPONSES[name])) as url:
        found = sampled(url, tmp_path, ["good", HOSTILE, "good"])
    errors = {c.row: c.error for c in found}
    assert errors[0] is None
    assert errors[2] is None
    assert errors[1]


def test_a_large_response_is_read_whole(tmp_path: Path) -> None:
    """Large responses within the limit are used, compressed or not, many at a time."""
    text = "long answer " * 200_000

    def exchange(path: str, body: bytes) -> Iterable[bytes]:
        if not path.endswith("/chat/completions"):
            return response({"object": "list", "data": [{"id": MODEL, "object": "model"}]})
        made = chat(json.loads(body))
        made["choices"][0]["message"]["content"] = text
        if b"zip" in body:
            return head("content-encoding: gzip"), gzip.compress(json.dumps(made).encode())
        return response(made)

    with raw_server(exchange) as url:
        found = sampled(url, tmp_path, ["plain", "zip", "plain", "zip", "zip"])
    assert [c.text for c in found] == [text] * 5


@pytest.mark.parametrize("target", ["http://127.0.0.2:1/v1/x", "https://127.0.0.1:1/v1/x"])
def test_a_redirect_to_another_server_is_not_followed(target: str, tmp_path: Path) -> None:
    """Another host or port is another server, which must see no prompt; it ends the run."""
    away = (head(f"location: {target}", "content-length: 0", status="307 Temporary Redirect"),)
    with (
        raw_server(lambda path, body: away) as url,
        pytest.raises(BackendError, match="redirects to another"),
    ):
        sampled(url, tmp_path, ["good"])


@pytest.mark.parametrize("fresh", [False, True])
def test_a_list_without_an_end_is_left(
    fresh: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Pages that repeat themselves, or never end, do not keep a search from ending."""
    monkeypatch.setattr(pages, "MAX_ITEMS", 50)
    served = 0

    def answer(method: str, path: str, body: Json) -> object:
        nonlocal served
        if "/files" not in path:
            return None
        served += 1
        name = f"file-{served if fresh else 0}"
        item = {"id": name, "object": "file", "filename": "x", "purpose": "batch", "bytes": 1,
                "created_at": 1, "status": "processed"}  # fmt: skip
        return reply(200, {"object": "list", "data": [item], "has_more": True})

    with odd_server(answer) as server:  # type: ignore[arg-type]
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        client = OpenAIBackend(tmp_path).account.client
        found = pages.items(client.files.list)
        if fresh:
            with pytest.raises(Exception, match="more than 50 items"):
                list(found)
        else:
            assert len(list(found)) == 1
    assert served <= 52


PEAK = """
import re, sys
from pathlib import Path
from limen.backends import Request
from limen.backends.openai import OpenAIBackend

questions = ["good", "hostile"] * int(sys.argv[2]) + ["good"] * 9
backend = OpenAIBackend(Path(sys.argv[1]), longest_wait=0.01)
asked = [
    Request(row=row, messages=[{"role": "user", "content": text}], seed=row)
    for row, text in enumerate(questions)
]
found = {c.row: c.error for group in backend.sample("some-model", asked) for c in group}
failed = [error for error in found.values() if error]
peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())
print(len(failed), int(peak[1]) // 1024)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak from /proc")
@pytest.mark.parametrize("questions", [1, 10])
def test_the_memory_stays_small(
    questions: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """64 MB that unpack to 60 GB take less than 200 MB, though many come at once."""
    member = gzip.compress(ZEROS * 240)
    assert len(member) * 256 < 64 * 10**6
    with raw_server(answering(gzipped(*[member] * 256))) as url:
        monkeypatch.setenv("OPENAI_BASE_URL", url)
        monkeypatch.setenv("OPENAI_API_KEY", "any")
        command = [sys.executable, "-c", PEAK, str(tmp_path), str(questions)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    failed, megabytes = map(int, done.stdout.split())
    assert failed == questions
    assert megabytes < 200
