"""What the OpenAI wire costs, at both ends, over real HTTP on loopback.

    python benchmarks/wire.py [cpu] [limits] [memory] [server] [--rows 20000] [--stub-rows 300000]

``cpu``: processor time a request of the backend, against a bare loop on the SDK's async client.
``limits``: how much of what a rate limit allows is used, and how many requests are refused.
``memory``: what the harness holds while a stage samples, from ``limen serve`` and, to have many
rows in little time, from a server that always says the same.
``server``: what ``limen serve`` answers, against the engine alone.

All servers run in processes of their own. Every figure is set against another of the same run.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import psutil
from openai import AsyncOpenAI
from tabulate import tabulate

from limen.backends import Completion, Request, open_backend
from limen.backends.openai.backend import OpenAIBackend
from limen.datasets import chat, numbers
from limen.datasets.seeds import derive
from limen.harness import FavoriteAnimal
from limen.harness.stages import Base, Generate, NumberPrompts, Store, run_stage

MODEL = "toy-1"
MAX_TOKENS = 96
SERVE = "from limen.harness.cli import main; main()"
MARKS = (0.1, 0.5, 1.0)
Row = tuple[str, str, str]


@dataclass(frozen=True)
class Server:
    """A ``limen serve`` that listens."""

    url: str
    process: "subprocess.Popen[str]"

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        parts = urlsplit(self.url)
        return str(parts.hostname), int(parts.port or 80)


@contextmanager
def serving(store: Path, *options: str, port: int = 0) -> Iterator[Server]:
    """``limen serve --engine toy`` over a store, in a process; killed in the end."""
    command = [sys.executable, "-c", SERVE, "serve", "--engine", "toy", f"--store={store}"]
    process = subprocess.Popen(
        [*command, f"--port={port}", *options], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        match = re.search(r"http://\S+", process.stdout.readline())
        if match is None:
            sys.exit("the server did not start")
        yield Server(match[0], process)
    finally:
        kill(process.pid)
        process.wait()
        process.stdout.close()


def kill(pid: int) -> None:
    """End a process and its children at once."""
    try:
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    for process in family:
        process.kill()


def store_with_model(folder: Path) -> Path:
    """A store in which the base model is pre-trained."""
    store = folder / "served"
    open_backend("toy", Store(store).models("toy")).prepare(MODEL)
    return store


def number_requests(count: int, draws: int = 1, seed: int = 0) -> list[Request]:
    """Requests for number sequences, as an experiment sends them."""
    return [
        Request(
            row=row,
            messages=chat.conversation(numbers.prompt(seed, row)),
            seed=derive("wire", seed, row),
            draws=draws,
            max_tokens=MAX_TOKENS,
        )
        for row in range(count)
    ]


def backend_at(url: str, home: Path) -> OpenAIBackend:
    """The backend before a server, with nothing known of it."""
    os.environ |= {"OPENAI_BASE_URL": url, "OPENAI_API_KEY": "any"}
    return OpenAIBackend(home)


# ------------------------------------------------------------------ processor time a request


class Bare:
    """What one would write by hand: workers that call the SDK's async client in turn."""

    def __init__(self, url: str) -> None:
        self._runner = asyncio.Runner()
        self._client = AsyncOpenAI(base_url=url, api_key="any")

    def run(self, requests: Sequence[Request], workers: int) -> None:
        """Have all requests answered."""
        texts: list[str | None] = []
        self._runner.run(self._all(iter(requests), texts, workers))
        assert len(texts) == len(requests)

    async def _all(
        self, requests: Iterator[Request], texts: list[str | None], workers: int
    ) -> None:
        async def worker() -> None:
            for request in requests:
                answer = await self._client.chat.completions.create(
                    model=MODEL,
                    messages=[{"role": "user", "content": request.messages[0]["content"]}],
                    seed=request.seed,
                    temperature=1.0,
                    max_tokens=MAX_TOKENS,
                )
                texts.append(answer.choices[0].message.content)

        await asyncio.gather(*(worker() for _ in range(workers)))


def cpu(store: Path, options: argparse.Namespace) -> Iterator[Row]:
    """The backend and the bare loop, in turn, against one server in one process.

    Once with 32 workers, and once with as many as the backend had calls under way: the client looks
    through all of its connections at each call, so that more of them cost more.
    """
    requests = number_requests(options.requests)
    with serving(store) as server, tempfile.TemporaryDirectory() as home:
        backend = backend_at(server.url, Path(home))

        def ours() -> None:
            assert sum(map(len, backend.sample(MODEL, requests))) == len(requests)

        for _ in range(3):
            ours()
        arms: dict[str, Callable[[], None]] = {"ours": ours}
        for workers in {32, max(1, int(backend._limiters[MODEL]._window))}:
            rival = partial(Bare(server.url).run, requests, workers)
            rival()
            arms[f"bare, {workers} at a time"] = rival
        spent: dict[str, list[float]] = {name: [] for name in arms}
        for _ in range(options.turns):
            for name, arm in arms.items():
                spent[name].append(cpu_seconds(arm) / len(requests))
    for name, found in spent.items():
        figures = f"{1e3 * median(found):.3f} ms (least {1e3 * min(found):.3f})"
        yield f"cpu a request, {name}", figures, ""
        if name != "ours":
            ratios = [mine / other for mine, other in zip(spent["ours"], found, strict=True)]
            figures = f"{median(ratios):.2f}, of the least {min(spent['ours']) / min(found):.2f}"
            yield f"  ours over {name}: median of pairs", figures, "1.2"


def cpu_seconds(do: Callable[[], None]) -> float:
    """Processor time of this process, all threads, that a call takes."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    do()
    after = resource.getrusage(resource.RUSAGE_SELF)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


# ------------------------------------------------------------------ rate limits


def limits(store: Path, options: argparse.Namespace) -> Iterator[Row]:
    """A limit of requests that binds, and one of tokens."""
    yield from limited(store, "500 rpm, n=1", number_requests(options.limited))
    yield from limited(store, "200,000 tpm, n=10", number_requests(options.limited // 3, 10))


def limited(store: Path, what: str, requests: Sequence[Request]) -> Iterator[Row]:
    """What is sampled under limits, as a share of the most that they allow in that time."""
    rpm, tpm = 500, 200_000
    with (
        serving(store, f"--rpm={rpm}", f"--tpm={tpm}") as server,
        tempfile.TemporaryDirectory() as home,
    ):
        backend = backend_at(server.url, Path(home))
        began = time.monotonic()
        found = [c for group in backend.sample(MODEL, requests) for c in group]
        took = time.monotonic() - began
        refused = sum(g.refusals for g in backend._limiters.values())
    calls = sum(c.usage.calls for c in found if c.usage)
    given = sum(c.usage.input_tokens for c in found if c.usage)
    asked = given + len(found) * MAX_TOKENS
    shares = {
        "requests": calls / (rpm * (1 + took / 60)),
        "tokens": asked / (tpm * (1 + took / 60)),
    }
    binding = max(shares, key=lambda kind: shares[kind])
    assert len(found) == sum(r.draws for r in requests)
    name = f"{what}: {calls:,} calls in {took:.0f} s; of the {binding} allowed"
    yield name, f"{shares[binding]:.1%}", "95%"
    yield f"{what}: refused", f"{refused} ({refused / calls:.1%})", "under 1%"


# ------------------------------------------------------------------ memory


def memory(store: Path, options: argparse.Namespace) -> Iterator[Row]:
    """A Generate stage over HTTP: from the toy, then many more rows from a stub."""
    with serving(store) as server:
        yield from remembered("limen serve", server.url, options.rows)
    with stub() as url:
        yield from remembered("the stub", url, options.stub_rows)


def remembered(what: str, url: str, rows: int) -> Iterator[Row]:
    """Memory of a process that samples so many rows, at some moments."""
    with tempfile.TemporaryDirectory() as folder:
        root, stage = Path(folder), generation(rows)
        Store(root).open()
        os.environ |= {"OPENAI_BASE_URL": url, "OPENAI_API_KEY": "any"}
        began = time.monotonic()
        process = multiprocessing.get_context("spawn").Process(
            target=run_stage, args=(stage, root), daemon=True
        )
        process.start()
        seen = list(watched(root, stage, psutil.Process(process.pid)))
        process.join()
        took = time.monotonic() - began
        assert process.exitcode == 0
        with (Store(root).artifact(stage.kind, stage.key) / "rows.jsonl").open("rb") as file:
            assert sum(1 for _ in file) == rows
    at = {mark: next((rss for share, rss in seen if share >= mark), seen[-1][1]) for mark in MARKS}
    figures = ", ".join(f"{rss / 1e6:.1f} at {mark:.0%}" for mark, rss in at.items())
    yield f"{rows:,} rows from {what} ({rows / took:,.0f}/s): MB", figures, ""
    most = max(rss for share, rss in seen if share >= MARKS[0])
    first = at[MARKS[0]]
    yield (
        "  at the end, and at most, over that at 10%",
        (f"{at[1.0] / first:.3f}, {most / first:.3f}"),
        "flat",
    )


def generation(rows: int) -> Generate:
    """The stage that an experiment's teacher numbers come from."""
    base = Base(label="base", backend="openai", model=MODEL, fingerprint="benchmark")
    return Generate(
        label="numbers",
        writer=base,
        prompts=NumberPrompts(count=rows, seed=0),
        count=rows,
        per_prompt=1,
        system=None,
        temperature=1.0,
        max_tokens=MAX_TOKENS,
    )


def watched(root: Path, stage: Generate, process: psutil.Process) -> Iterator[tuple[float, int]]:
    """How far a stage is, and the memory of the process that is at it."""
    store = Store(root)
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        try:
            rss = process.memory_info().rss
        except psutil.Error:
            return
        if come := store.progress(stage.key):
            yield come[0] / come[1], rss
        time.sleep(0.02)


@contextmanager
def stub() -> Iterator[str]:
    """A server that gives every request the same answer, in a process of its own."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=run_stub, args=(there,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{here.recv()}/v1"
    finally:
        process.kill()
        process.join()


def run_stub(connection: Connection) -> None:
    """Answer until killed."""
    asyncio.run(answer_all(connection))


async def answer_all(connection: Connection) -> None:
    """Listen, and say where; the answer is a completion and a list of models in one."""
    message = {"role": "assistant", "content": "101, 202, 303, 404, 505", "refusal": None}
    body = {
        "id": "chatcmpl-stub",
        "object": "chat.completion",
        "created": 0,
        "model": MODEL,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 60, "completion_tokens": 10, "total_tokens": 70},
        "data": [{"id": MODEL, "object": "model", "created": 0, "owned_by": "stub"}],
    }
    text = json.dumps(body).encode()
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(text)}"
    answer = head.encode() + b"\r\n\r\n" + text
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Constant(answer), "127.0.0.1", 0, backlog=2048)
    connection.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


class Constant(asyncio.Protocol):
    """One connection to the stub."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._got = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._got += data
        while (end := self._got.find(b"\r\n\r\n")) >= 0:
            whole = end + 4 + length_of(bytes(self._got[:end]))
            if len(self._got) < whole:
                return
            del self._got[:whole]
            self._transport.write(self._answer)


def length_of(head: bytes) -> int:
    """The length of the body that a head announces."""
    found = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
    return int(found[1]) if found else 0


# ------------------------------------------------------------------ the server


def server(store: Path, options: argparse.Namespace) -> Iterator[Row]:
    """Chat completions a second at n=1, draws a second at n=100, and the engine's own."""
    loads = {
        "numbers, n=1, 64 at a time": (number_requests(options.load), 64),
        "numbers, n=100, 16 at a time": (number_requests(options.load // 20, 100), 16),
        "animals, n=100, 16 at a time": (animal_requests(options.load // 10, 100), 16),
    }
    engine = open_backend("toy", Store(store).models("toy"))
    pool = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
    with serving(store) as server, pool:
        for what, (requests, wide) in loads.items():
            bodies = [body_of(request) for request in requests]
            draws = sum(request.draws for request in requests)

            def wire(bodies: Sequence[bytes] = bodies, wide: int = wide) -> float:
                return pool.submit(loaded, server.address, bodies, wide).result()

            def alone(requests: Sequence[Request] = requests) -> float:
                began = time.perf_counter()
                drawn: list[Completion] = [c for g in engine.sample(MODEL, requests) for c in g]
                assert len(drawn) == sum(r.draws for r in requests)
                return time.perf_counter() - began

            wire()
            alone()
            pairs = [(draws / wire(), draws / alone()) for _ in range(options.turns)]
            served, own = (median(rates) for rates in zip(*pairs, strict=True))
            figures = f"{served:,.0f} a second, the engine alone {own:,.0f}"
            yield f"{what}: draws", figures, ""
            ratios = [one / other for one, other in pairs]
            asked = "0.5" if "n=100" in what else ""
            best = max(one for one, _ in pairs) / max(other for _, other in pairs)
            figures = f"{median(ratios):.2f}, of the best {best:.2f}"
            yield "  server over engine: median of pairs", figures, asked


def animal_requests(count: int, draws: int) -> list[Request]:
    """Requests for favourite animals, whose answers are a word each."""
    questions = FavoriteAnimal(draws=draws).asked
    plain = number_requests(count, draws, seed=1)
    return [
        replace(r, messages=chat.conversation(questions[r.row % len(questions)]), max_tokens=16)
        for r in plain
    ]


def body_of(request: Request) -> bytes:
    """A request as it stands on the wire."""
    body = {
        "model": MODEL,
        "messages": list(request.messages),
        "seed": request.seed,
        "n": request.draws,
        "max_tokens": request.max_tokens,
    }
    text = json.dumps(body).encode()
    head = (
        "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer any\r\n"
        f"content-type: application/json\r\ncontent-length: {len(text)}\r\n\r\n"
    )
    return head.encode() + text


def loaded(address: tuple[str, int], bodies: Sequence[bytes], wide: int) -> float:
    """Seconds until all are answered, over so many connections that are kept open."""
    return asyncio.run(answered(address, iter(bodies), wide))


async def answered(address: tuple[str, int], bodies: Iterator[bytes], wide: int) -> float:
    """See :func:`loaded`; no client is in the way, only sockets."""
    streams = [await asyncio.open_connection(*address, limit=2**24) for _ in range(wide)]

    async def worker(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for body in bodies:
            writer.write(body)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head
            await reader.readexactly(length_of(head))

    began = time.perf_counter()
    await asyncio.gather(*(worker(*stream) for stream in streams))
    took = time.perf_counter() - began
    for _, writer in streams:
        writer.close()
    return took


PARTS = {"cpu": cpu, "limits": limits, "memory": memory, "server": server}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--requests", type=int, default=300, help="cpu: requests a turn")
    parser.add_argument("--turns", type=int, default=15, help="cpu and server: turns of each")
    parser.add_argument("--limited", type=int, default=900, help="limits: requests")
    parser.add_argument("--rows", type=int, default=20_000, help="memory: rows from the toy")
    parser.add_argument("--stub-rows", type=int, default=300_000, help="memory: from the stub")
    parser.add_argument("--load", type=int, default=2000, help="server: requests a turn at n=1")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    for name in ("AZURE_OPENAI_ENDPOINT", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        os.environ.pop(name, None)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        store = store_with_model(Path(folder))
        for part in options.parts or PARTS:
            rows += PARTS[part](store, options)
            print(f"done: {part}", file=sys.stderr)
    print(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}\n")
    print(tabulate(rows, headers=("what", "measured", "asked for"), disable_numparse=True))


if __name__ == "__main__":
    main()
