"""A hub on loopback that takes repositories and commits, as much of Hugging Face's wire as that is."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class UploadHub:
    """What was sent to it."""

    url: str = ""
    created: list[dict[str, Any]] = field(default_factory=list)
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    """The files of the last commit, by ``models/OWNER/NAME`` or ``datasets/OWNER/NAME``."""
    refuses: bool = False


@contextmanager
def taking_uploads() -> Iterator[UploadHub]:
    """A hub that is served while the block runs."""
    hub = UploadHub()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # silence is enough
            pass

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = 403 if hub.refuses else 200
            answer = json.dumps({} if hub.refuses else _answered(hub, self.path, body)).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    hub.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()


def _answered(hub: UploadHub, path: str, body: bytes) -> dict[str, Any]:
    parts = path.strip("/").split("/")
    if path == "/api/repos/create":
        asked = json.loads(body)
        hub.created.append(asked)
        kind = "datasets/" if asked.get("type") == "dataset" else ""
        return {"url": f"{hub.url}/{kind}{asked['organization']}/{asked['name']}"}
    if path == "/api/validate-yaml":
        return {"errors": [], "warnings": []}
    if "preupload" in parts:
        files = json.loads(body)["files"]
        return {
            "files": [
                {"path": file["path"], "uploadMode": "regular", "shouldIgnore": False}
                for file in files
            ]
        }
    lines = [json.loads(line) for line in body.splitlines()]
    hub.commits["/".join(parts[1:4])] = {
        line["value"]["path"]: base64.b64decode(line["value"]["content"])
        for line in lines
        if line["key"] == "file"
    }
    repository = "/".join(parts[1:4]).removeprefix("models/")
    return {"commitUrl": f"{hub.url}/{repository}/commit/{'c' * 40}", "commitOid": "c" * 40}
