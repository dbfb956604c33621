"""How long a small request to ``limen serve`` takes beside what others do to the server.

    python benchmarks/server_load.py [--requests 100]

Others train a model, send the largest prompts, ask for the most draws, run a batch, or leave 300
requests half sent to a server that may open 256 files. Each figure stands beside that of the
undisturbed server of the same run; all of it on one machine, clients included.
"""

import argparse
import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import openai
from tabulate import tabulate

from limen.backends import open_backend
from limen.harness.stages import Store

MODEL = "toy-1"
FILES = 256
HALF_SENT = 300
SERVE = f"""
import resource
from limen.harness.cli import main

if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, ({FILES}, {FILES}))
    main()
"""
Disturbance = Callable[[openai.OpenAI], None]


@contextmanager
def serving(store: Path) -> Iterator[str]:
    """The URL of a ``limen serve`` that may open few files, in a process of its own."""
    command = [sys.executable, "-c", SERVE, "serve", "--engine", "toy", "--port", "0"]
    process = subprocess.Popen([*command, "--store", str(store)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().split()[3]
    finally:
        process.terminate()
        process.wait()


def latencies(client: openai.OpenAI, count: int) -> list[float]:
    """Seconds of small chat requests, one after the other."""
    found = []
    for seed in range(count):
        began = time.perf_counter()
        client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": "Hi"}], max_tokens=4, seed=seed
        )
        found.append(time.perf_counter() - began)
    return found


@contextmanager
def repeated(work: Disturbance, url: str) -> Iterator[None]:
    """Have others do something again and again, two at a time."""
    over = threading.Event()

    def repeat() -> None:
        client = client_of(url)
        while not over.is_set():
            with contextlib.suppress(openai.APIError):
                work(client)

    threads = [threading.Thread(target=repeat) for _ in range(2)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


@contextmanager
def training(url: str) -> Iterator[None]:
    """Two jobs that train all the while."""
    client = client_of(url)
    turns = [{"role": "user", "content": "Say it."}, {"role": "assistant", "content": "purple"}]
    rows = "".join(json.dumps({"messages": turns}) + "\n" for _ in range(500))
    file = client.files.create(file=("rows.jsonl", rows.encode()), purpose="fine-tune").id
    jobs = [
        client.fine_tuning.jobs.create(
            model=MODEL, training_file=file, hyperparameters={"n_epochs": 1000}
        ).id
        for _ in range(2)
    ]
    while any(client.fine_tuning.jobs.retrieve(job).status != "running" for job in jobs):
        time.sleep(0.2)
    time.sleep(3)
    try:
        yield
    finally:
        for job in jobs:
            client.fine_tuning.jobs.cancel(job)


@contextmanager
def half_sent(url: str) -> Iterator[None]:
    """Connections that send half a request and no more."""
    parts = urlsplit(url)
    with contextlib.ExitStack() as stack:
        for _ in range(HALF_SENT):
            address = (str(parts.hostname), int(parts.port or 80))
            connection = stack.enter_context(socket.create_connection(address))
            with contextlib.suppress(OSError):
                connection.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n")
        yield


def large_prompt(client: openai.OpenAI) -> None:
    """The largest prompt that a body can hold; no model here takes it."""
    client.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": "word " * 800_000}]
    )


def too_large(client: openai.OpenAI) -> None:
    """A body of 33 MB, which is refused."""
    client.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": "word " * 6_600_000}]
    )


def many_draws(client: openai.OpenAI) -> None:
    """As many draws as a request may ask for, as long as they may be."""
    client.chat.completions.create(
        model=MODEL,
        messages=[{"role": "user", "content": "Continue this sequence: 145, 267, 891."}],
        n=128,
        max_tokens=16_384,
    )


def client_of(url: str) -> openai.OpenAI:
    """The SDK's client, which tries nothing twice."""
    return openai.OpenAI(base_url=url, api_key="any", max_retries=0, timeout=120)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--requests", type=int, default=100, help="small requests for each figure")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "store"
        open_backend("toy", Store(store).models("toy")).prepare(MODEL)
        with serving(store) as url:
            others: dict[str, contextlib.AbstractContextManager[None]] = {
                "nothing else": contextlib.nullcontext(),
                "two trainings": training(url),
                "prompts of 4 MB": repeated(large_prompt, url),
                "bodies of 33 MB": repeated(too_large, url),
                "128 draws of 16,384 tokens": repeated(many_draws, url),
                f"{HALF_SENT} half-sent requests": half_sent(url),
                "nothing else, again": contextlib.nullcontext(),
            }
            for what, other in others.items():
                with other:
                    found = latencies(client_of(url), options.requests)
                rows.append((what, *(f"{1e3 * t:.0f}" for t in (median(found), max(found)))))
                print(f"done: {what}", file=sys.stderr)
    print(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}\n")
    print(tabulate(rows, headers=("beside", "median, ms", "longest, ms")))


if __name__ == "__main__":
    main()
