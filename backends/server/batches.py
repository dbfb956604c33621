"""Batches: a file of requests in, a file of answers and one of errors out, in the background."""

import asyncio
import logging
import shutil
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic_core
from pydantic import Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ...datasets.errors import LimenError
from .background_tasks import BackgroundTasks
from .chat import Chat
from .files import Files
from .jobs import Metadata, hard_link
from .protocol import (
    ApiError,
    JsonObject,
    JsonResponse,
    RequestBody,
    new_id,
    no_such,
    now,
    page,
    read,
    refusal,
)
from .record_store import RecordStore, ServerRecord

DAY = 24 * 3600
CONCURRENT_LINES = 256
"""Lines that are processed at a time."""
MAX_ERRORS = 20
"""Maximum number of errors reported for a bad file."""
UNFINISHED = ("validating", "in_progress", "finalizing", "cancelling")


class BatchBody(RequestBody):
    """The body of ``POST /v1/batches``."""

    input_file_id: str
    endpoint: Literal["/v1/chat/completions", "/v1/completions"]
    completion_window: Literal["24h"]
    metadata: Metadata | None = None


class _Line(RequestBody):
    custom_id: Annotated[str, Field(min_length=1, max_length=512)]
    method: Literal["POST"]
    url: str
    body: dict[str, Any]


class Batches:
    """The endpoints of batches."""

    def __init__(self, folder: Path, files: Files, chat: Chat) -> None:
        self._batches = RecordStore(folder, "batch")
        self._files = files
        self._chat = chat
        self._tasks = BackgroundTasks()

    def routes(self) -> list[Route]:
        """The routes of this part."""
        return [
            Route("/v1/batches", self.create, methods=["POST"]),
            Route("/v1/batches", self.list),
            Route("/v1/batches/{id}", self.retrieve),
            Route("/v1/batches/{id}/cancel", self.cancel, methods=["POST"]),
        ]

    def resume(self) -> None:
        """Do those again that an earlier server has left."""
        for batch in self._batches:
            if batch.status in UNFINISHED:
                self._tasks.start(self._run(batch.id))

    async def close(self) -> None:
        """Leave all batches as they are, for the next server."""
        await self._tasks.close()

    async def create(self, request: Request) -> Response:
        """``POST /v1/batches``."""
        body = await read(request, BatchBody)
        source = self._files.find(body.input_file_id, purpose="batch", param="input_file_id")
        entry = ServerRecord(wire=_wire(body))
        folder = self._folder(entry.id)
        folder.mkdir(parents=True)
        hard_link(self._files.path(source.id), folder / "input")
        self._batches.put(entry)
        self._tasks.start(self._run(entry.id))
        return JsonResponse(entry.wire)

    async def list(self, request: Request) -> Response:
        """``GET /v1/batches``, newest first."""
        return page(request, [batch.wire for batch in self._batches.newest()])

    async def retrieve(self, request: Request) -> Response:
        """``GET /v1/batches/{id}``."""
        return JsonResponse(self._requested(request).wire)

    async def cancel(self, request: Request) -> Response:
        """``POST /v1/batches/{id}/cancel``: what is done by then is kept."""
        batch = self._requested(request)
        if batch.status not in UNFINISHED:
            raise ApiError(409, f"Batch {batch.id} has already ended: {batch.status}.")
        if batch.status != "finalizing":
            batch = self._put(batch, "cancelling")
        return JsonResponse(batch.wire)

    def _requested(self, request: Request) -> ServerRecord:
        name = request.path_params["id"]
        batch = self._batches.get(name)
        if batch is None:
            raise no_such("batch", name)
        return batch

    def _folder(self, name: str) -> Path:
        return self._batches.folder / name

    def _put(self, batch: ServerRecord, status: str, **changes: Any) -> ServerRecord:
        changes[f"{status}_at"] = now()
        return self._batches.put(batch.changed(status=status, **changes))

    def _current(self, name: str) -> ServerRecord:
        batch = self._batches.get(name)
        assert batch is not None  # batches are never deleted
        return batch

    async def _run(self, name: str) -> None:
        try:
            await self._work(name)
        except Exception as error:
            logging.getLogger(__name__).exception("batch %s failed", name)
            details = {"code": "server_error", "message": f"{type(error).__name__}: {error}"}
            self._put(self._current(name), "failed", errors=_errors([details]))
        shutil.rmtree(self._folder(name), ignore_errors=True)

    async def _work(self, name: str) -> None:
        batch = self._current(name)
        source = self._folder(name) / "input"
        total, errors = await asyncio.to_thread(_validate, source, batch.wire["endpoint"])
        if errors:
            self._put(self._current(name), "failed", errors=_errors(errors))
            return
        counts = {"total": total, "completed": 0, "failed": 0}
        if self._current(name).status != "cancelling":
            self._put(self._current(name), "in_progress", request_counts=counts)
        await self._answer(name, counts)
        self._finish(name, counts)

    async def _answer(self, name: str, counts: dict[str, int]) -> None:
        """Write the answers to all lines, a good many at a time, until it is cancelled."""
        folder, url = self._folder(name), self._current(name).wire["endpoint"]
        with (
            (folder / "input").open("rb") as lines,
            (folder / "output").open("wb") as output,
            (folder / "error").open("wb") as error,
        ):
            files = {True: output, False: error}
            while self._current(name).status != "cancelling" and (
                some := list(islice(lines, CONCURRENT_LINES))
            ):
                for good, text in await asyncio.gather(*(self._answer_line(url, x) for x in some)):
                    files[good].write(text)
                    counts["completed" if good else "failed"] += 1
                self._batches.put(self._current(name).changed(request_counts=dict(counts)))

    async def _answer_line(self, url: str, text: bytes) -> tuple[bool, bytes]:
        """Whether a line was answered, and what to write of it."""
        line = _Line.model_validate_json(text)
        status, body = 200, {}
        try:
            body = await self._chat.batched(url, line.body)
        except ApiError as error:
            status, body = error.status, error.body
        except LimenError as error:
            refused = ApiError(500, str(error), kind="server_error")
            status, body = refused.status, refused.body
        number = new_id("req").removeprefix("req-")
        answer = {
            "id": f"batch_req_{number}",
            "custom_id": line.custom_id,
            "response": {"status_code": status, "request_id": f"req_{number}", "body": body},
            "error": None,
        }
        return status == 200, pydantic_core.to_json(answer) + b"\n"

    def _finish(self, name: str, counts: dict[str, int]) -> None:
        cancelled = self._current(name).status == "cancelling"
        if not cancelled:
            self._put(self._current(name), "finalizing")
        made = {
            f"{kind}_file_id": self._files.adopt(
                self._folder(name) / kind,
                filename=f"{name}_{kind}.jsonl",
                purpose="batch_output",
                number=f"{kind}{name.removeprefix('batch-')}",
            )
            for kind, count in (("output", counts["completed"]), ("error", counts["failed"]))
            if count
        }
        self._put(self._current(name), "cancelled" if cancelled else "completed", **made)


def _validate(source: Path, endpoint: str) -> tuple[int, list[JsonObject]]:
    """How many lines there are, and the first errors among them."""
    errors: list[JsonObject] = []
    total = 0
    for total, error in _line_errors(source, endpoint):
        if error is not None and len(errors) < MAX_ERRORS:
            errors.append({**error, "line": total})
    return total, errors


def _line_errors(source: Path, endpoint: str) -> Iterator[tuple[int, JsonObject | None]]:
    seen: set[str] = set()
    with source.open("rb") as lines:
        for number, text in enumerate(lines, start=1):
            yield number, _line_error(text, endpoint, seen)


def _line_error(text: bytes, endpoint: str, seen: set[str]) -> JsonObject | None:
    try:
        line = _Line.model_validate_json(text)
    except ValidationError as error:
        details = refusal(error).body["error"]
        code = details["code"] or "invalid_json_line"
        return {"code": code, "message": details["message"], "param": details["param"]}
    if line.url != endpoint:
        message = f"The URL of this line is not the batch's endpoint, {endpoint}."
        return {"code": "mismatched_url", "message": message, "param": "url"}
    if line.custom_id in seen:
        message = "The custom_id of this line is an earlier one's too."
        return {"code": "duplicate_custom_id", "message": message, "param": "custom_id"}
    seen.add(line.custom_id)
    return None


def _errors(errors: list[JsonObject]) -> JsonObject:
    return {"object": "list", "data": errors}


def _wire(body: BatchBody) -> JsonObject:
    times = ("in_progress", "finalizing", "completed", "failed", "cancelling", "cancelled")
    return {
        "id": new_id("batch"),
        "object": "batch",
        "endpoint": body.endpoint,
        "input_file_id": body.input_file_id,
        "completion_window": body.completion_window,
        "status": "validating",
        "created_at": now(),
        "expires_at": now() + DAY,
        "metadata": body.metadata,
        "errors": None,
        "output_file_id": None,
        "error_file_id": None,
        "request_counts": {"total": 0, "completed": 0, "failed": 0},
        **{f"{status}_at": None for status in times},
    }
