"""Other people's servers, each in a process of its own, with a tiny model or before limen's own."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

import httpx2
import pytest

VARIABLE = "LIMEN_TEST_SERVERS"
"""A folder with the servers' programs, where they are installed in an environment of their own."""
START = 240.0
"""Seconds that a server may take to listen."""


@dataclass(frozen=True)
class RealServer:
    """A server that listens, and a model that it has."""

    url: str
    model: str
    key: str = "any"


def program(name: str) -> str:
    """The path of a server's program; skips the test where it is not installed."""
    folders = (os.environ.get(VARIABLE), str(Path(sys.executable).parent), None)
    found = next((path for folder in folders if (path := shutil.which(name, path=folder))), None)
    if found is None:
        pytest.skip(f'{name} is not installed: pip install "limen[servers]"')
    return found


@contextmanager
def transformers_serve(model: str, folder: Path) -> Iterator[RealServer]:
    """``transformers serve`` with a model from a folder, loaded at its first request."""
    pytest.importorskip("fastapi", reason='not installed: pip install "limen[servers]"')
    port = free_port()
    command = [program("transformers"), "serve", "--port", str(port), "--device", "cpu"]
    with _running(command, port, folder, {"HF_HUB_OFFLINE": "1"}):
        yield RealServer(f"http://127.0.0.1:{port}/v1", model)


@contextmanager
def litellm_proxy(upstream: str, folder: Path) -> Iterator[RealServer]:
    """LiteLLM's proxy before another server, whose model it calls by another name."""
    model = {"model": "openai/toy-1", "api_base": upstream, "api_key": "any"}
    listed = [{"model_name": "company/toy:1", "litellm_params": model}]
    config = _config(folder / "litellm.yaml", {"model_list": listed})
    port = free_port()
    command = [program("litellm"), "--config", config, "--host", "127.0.0.1", "--port", str(port)]
    key = f"sk-{token_hex(32)}"
    extra = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MASTER_KEY": key}
    with _running(command, port, folder, extra):
        yield RealServer(f"http://127.0.0.1:{port}/v1", "company/toy:1", key)


@contextmanager
def mlflow_gateway(upstream: str, folder: Path) -> Iterator[RealServer]:
    """MLflow's AI gateway before another server."""
    keys = {"openai_api_key": "any", "openai_api_base": upstream}
    model = {"provider": "openai", "name": "toy-1", "config": keys}
    endpoint = {"name": "chat", "endpoint_type": "llm/v1/chat", "model": model}
    config = _config(folder / "gateway.yaml", {"endpoints": [endpoint]})
    port = free_port()
    start = ["gateway", "start", "--config-path", config, "--port", str(port), "--workers", "1"]
    extra = {"MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'mlflow.db'}", "DO_NOT_TRACK": "true"}
    with _running([program("mlflow"), *start], port, folder, extra):
        yield RealServer(f"http://127.0.0.1:{port}/v1", "chat")


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


@contextmanager
def _running(
    command: list[str], port: int, folder: Path, extra: Mapping[str, str]
) -> Iterator[None]:
    """The server while it listens; it is stopped with all the processes that it started."""
    log = folder / "server.log"
    environment = {**os.environ, **extra, "PATH": f"{Path(command[0]).parent}:{os.environ['PATH']}"}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_until_it_listens(process, port, log)
        yield
    finally:
        _stop(process)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)


def _wait_until_it_listens(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    begun = time.monotonic()
    while time.monotonic() - begun < START:
        assert process.poll() is None, log.read_text(errors="replace")[-2000:]
        try:
            httpx2.get(f"http://127.0.0.1:{port}/v1/models", timeout=5)
        except httpx2.HTTPError:
            time.sleep(0.5)
        else:
            return
    raise AssertionError(log.read_text(errors="replace")[-2000:])


def _config(file: Path, content: Mapping[str, object]) -> str:
    """A configuration file; JSON is YAML."""
    file.write_text(json.dumps(content))
    return str(file)
