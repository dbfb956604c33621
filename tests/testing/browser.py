"""Headless Chromium, and a site on loopback whose pages report what they could do."""

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
HOSTILE = "evil.example"
"""A host name that the browser takes for this machine."""
PATIENCE = 60.0
"""Seconds that a page is given to report."""


@dataclass
class Site:
    """A site that listens on loopback; its pages report by a POST to ``/done``."""

    pages: Mapping[str, str]
    port: int = 0
    visited: list[str] = field(default_factory=list)
    """The paths that were asked for."""
    reports: "Queue[Any]" = field(default_factory=Queue)


@contextmanager
def site(pages: Mapping[str, str]) -> Iterator[Site]:
    """Serve pages of HTML by their paths."""
    made = Site(pages)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.visited.append(self.path)
            page = made.pages.get(self.path.partition("?")[0])
            self._send(404 if page is None else 200, page or "")

        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers.get("content-length", 0)))
            if self.path == "/done":
                made.reports.put(json.loads(text))
            self._send(200, "")

        def _send(self, status: int, page: str) -> None:
            self.send_response(status)
            self.send_header("content-type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.port = server.server_port
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()


def report_of(made: Site, url: str, profile: Path) -> Any:
    """What the page at a URL reports; skips the test where there is no browser."""
    command = [*_command(profile), "--remote-debugging-port=0", url]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        return made.reports.get(timeout=PATIENCE)
    finally:
        process.kill()
        process.wait()


def content_of(url: str, profile: Path) -> str:
    """What the browser shows at a URL, as HTML; skips the test where there is no browser."""
    command = [*_command(profile), "--dump-dom", url]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=PATIENCE)
    return done.stdout


def _command(profile: Path) -> list[str]:
    browser = next(filter(None, map(shutil.which, NAMES)), None)
    if browser is None:
        pytest.skip("no Chromium here")
    return [
        browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
        "--no-first-run", "--disable-background-networking", f"--user-data-dir={profile}",
        f"--host-resolver-rules=MAP {HOSTILE} 127.0.0.1",
    ]  # fmt: skip
