"""A server that trains at once, for tests of what becomes of jobs there."""

from collections.abc import Callable
from dataclasses import dataclass

from .odd_servers import MODEL, Json, Reply, reply

JOBS = "/fine_tuning/jobs"
TUNED = "ft:some-model:1"
JOB: Json = {"id": "job-1", "object": "fine_tuning.job", "status": "succeeded", "model": MODEL}


@dataclass
class Trainer:
    """The endpoints of a server that trains at once; some of its answers are changed."""

    change: Callable[[str, str, Json], Reply | None]

    def __call__(self, method: str, path: str, body: Json) -> Reply | None:
        path = path.partition("?")[0].removeprefix("/v1")
        return self.change(method, path, body) or self._usual(method, path)

    def _usual(self, method: str, path: str) -> Reply | None:
        if path.startswith("/files"):
            file = {"id": "file-1", "object": "file", "status": "processed"}
            return reply(200, file if method == "POST" or path != "/files" else listing())
        if path.endswith(("/events", "/checkpoints")) or (method, path) == ("GET", JOBS):
            return reply(200, listing())
        if path.startswith(JOBS):
            return reply(200, {**JOB, "fine_tuned_model": TUNED, "trained_tokens": 10})
        return None


def listing(*items: Json, **more: object) -> Json:
    return {"object": "list", "data": list(items), **more}
