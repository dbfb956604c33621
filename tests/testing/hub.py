"""A hub of models on loopback, that speaks as much of Hugging Face's wire as a download takes."""

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMITS = {"main": "a" * 40, "first": "b" * 40}
GATED = "some/gated"
_PATH = re.compile(
    r"/(?:api/models/(?P<api>[^/]+/[^/]+)/(?:revision|tree)/(?P<of>[^/?]+)"
    r"|(?P<repo>[^/]+/[^/]+)/resolve/(?P<at>[^/]+)/(?P<file>[^?]+))"
)


@dataclass
class Hub:
    """Repositories by name, and by commit the folder of their files."""

    repositories: dict[str, dict[str, Path]]
    url: str = ""
    downloads: list[str] = field(default_factory=list)
    """The files that were fetched, in order."""


@contextmanager
def on_loopback(repositories: dict[str, dict[str, Path]]) -> Iterator[Hub]:
    """A hub that is served while the block runs."""
    hub = Hub(repositories)

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # silence is enough
            pass

        def do_HEAD(self) -> None:
            self._answer()

        def do_GET(self) -> None:
            self._answer()

        def _answer(self) -> None:
            status, headers, body = _answered(hub, self.path, self.command)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    hub.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()


def _answered(hub: Hub, path: str, verb: str) -> tuple[int, dict[str, str], bytes]:
    match = _PATH.match(path)
    if match is None:
        return 404, {}, b""
    name = match["api"] or match["repo"]
    if name == GATED:
        return 403, {"X-Error-Code": "GatedRepo"}, b""
    if name not in hub.repositories:
        return 404, {"X-Error-Code": "RepoNotFound"}, b""
    commit = COMMITS.get(match["of"] or match["at"], match["of"] or match["at"])
    folder = hub.repositories[name].get(commit)
    if folder is None:
        return 404, {"X-Error-Code": "RevisionNotFound"}, b""
    if match["api"]:
        return 200, {"Content-Type": "application/json"}, _description(path, name, commit, folder)
    return _file(hub, folder / match["file"], commit, verb)


def _description(path: str, name: str, commit: str, folder: Path) -> bytes:
    files = [(file.name, file.stat().st_size, _digest(file)) for file in sorted(folder.iterdir())]
    if "/tree/" in path:
        return json.dumps(
            [
                {"type": "file", "path": own, "size": size, "oid": digest[:40],
                 "lfs": {"oid": digest, "size": size, "pointerSize": 100}}
                for own, size, digest in files
            ]
        ).encode()  # fmt: skip
    siblings = [
        {"rfilename": own, "size": size, "blobId": digest[:40],
         "lfs": {"sha256": digest, "size": size, "pointerSize": 100}}
        for own, size, digest in files
    ]  # fmt: skip
    return json.dumps({"id": name, "sha": commit, "siblings": siblings}).encode()


def _file(hub: Hub, file: Path, commit: str, verb: str) -> tuple[int, dict[str, str], bytes]:
    if not file.is_file():
        return 404, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": commit}, b""
    if verb == "GET":
        hub.downloads.append(file.name)
    return 200, {"ETag": f'"{_digest(file)}"', "X-Repo-Commit": commit}, file.read_bytes()


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
