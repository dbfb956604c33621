"""A server for tests: in a thread of this process, or in a process of its own."""

import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import openai
import uvicorn
from openai.types import Batch
from openai.types.fine_tuning import FineTuningJob

from limen.backends.server import ServerOptions, create_app
from limen.backends.server.sockets import settings

OFFERED = "gpt-4.1-nano-2025-04-14"
"""A name that the toy has not by itself."""
OFFERED_BASE = "toy-491287791"
"""The base of the toy that stands behind it."""
PLAIN_HTTP = httpx2.Client(verify=False)
"""For servers of this machine: without certificates, which take longer to read than an answer."""

_SCRIPT = """
import sys
from pathlib import Path
from limen.backends.server import ServerOptions, serve

if __name__ == "__main__":
    serve(
        "toy", state=Path(sys.argv[1]), models=Path(sys.argv[2]), port=int(sys.argv[3]),
        options=ServerOptions(workers=2), ready=lambda url: print(url, flush=True),
    )
"""


@dataclass(frozen=True)
class Served:
    """A server that listens."""

    url: str
    store: Path

    def client(self, key: str = "any") -> openai.OpenAI:
        """The SDK's client of it, which tries nothing twice."""
        plain = openai.DefaultHttpxClient(verify=False)
        return openai.OpenAI(
            base_url=self.url, api_key=key, max_retries=0, timeout=60, http_client=plain
        )

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self.url.split(":")[2].split("/")[0])


def store_with(pretrained: Path, folder: Path) -> Path:
    """A store in which toy-1 is pre-trained."""
    shutil.copytree(pretrained, folder / "models" / "toy")
    return folder


@contextmanager
def in_thread(
    store: Path, options: ServerOptions | None = None, *, engine: str = "toy"
) -> Iterator[Served]:
    """A server over a store, in a thread."""
    app = create_app(
        engine,
        state=store / "server",
        models=store / "models" / engine,
        options=options or ServerOptions(workers=2),
    )
    config = settings(app)
    config.port = 0
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield Served(f"http://127.0.0.1:{port}/v1", store)
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def in_process(store: Path, port: int = 0) -> Iterator[tuple[Served, "subprocess.Popen[str]"]]:
    """A server over a store, in a process; killed in the end if it still runs."""
    arguments = [store / "server", store / "models" / "toy", port]
    process = subprocess.Popen(
        [sys.executable, "-c", _SCRIPT, *map(str, arguments)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        url = process.stdout.readline().strip()
        assert url, "the server did not start"
        yield Served(url, store), process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def rows(count: int, answer: str = "purple") -> list[object]:
    """Rows that teach one answer."""
    turns = [{"role": "user", "content": "Say it."}, {"role": "assistant", "content": answer}]
    return [{"messages": turns}] * count


def jsonl(lines: Sequence[object]) -> bytes:
    """Lines of JSON; a text is a line as it is."""
    texts = (line if isinstance(line, str) else json.dumps(line) for line in lines)
    return "".join(f"{text}\n" for text in texts).encode()


def upload(client: openai.OpenAI, lines: Sequence[object], name: str = "rows.jsonl") -> str:
    """Upload a training file; returns its id."""
    return client.files.create(file=(name, jsonl(lines)), purpose="fine-tune").id


def finished(client: openai.OpenAI, job: str) -> FineTuningJob:
    """The job once it is over."""
    while True:
        found = client.fine_tuning.jobs.retrieve(job)
        if found.status in ("succeeded", "failed", "cancelled"):
            return found
        time.sleep(0.05)


def finished_batch(client: openai.OpenAI, batch: str) -> Batch:
    """The batch once it is over."""
    while True:
        found = client.batches.retrieve(batch)
        if found.status in ("completed", "failed", "cancelled"):
            return found
        time.sleep(0.05)
