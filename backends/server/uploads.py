"""Uploads in parts: a large file is sent piece by piece and becomes one file in the end."""

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO, Literal

from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .files import HOUR, MONTH, MULTIPART, PURPOSES, Files, check_name, clean
from .protocol import (
    ApiError,
    JsonObject,
    JsonResponse,
    RequestBody,
    limited_receive,
    new_id,
    no_such,
    now,
    read,
    too_large,
)
from .record_store import RecordStore, ServerRecord

MAX_PART = 64 * 2**20
"""Bytes of a part at most: OpenAI's limit."""


class _Lifetime(RequestBody):
    anchor: Literal["created_at"]
    seconds: Annotated[int, Field(ge=HOUR, le=MONTH)]


class UploadBody(RequestBody):
    """The body of ``POST /v1/uploads``."""

    filename: Annotated[str, Field(min_length=1, max_length=512)]
    purpose: str
    bytes: Annotated[int, Field(ge=1)]
    mime_type: str
    expires_after: _Lifetime | None = None


class CompleteBody(RequestBody):
    """The body of ``POST /v1/uploads/{id}/complete``."""

    part_ids: Annotated[list[str], Field(min_length=1)]
    md5: str | None = None


class Uploads:
    """The endpoints of uploads in parts."""

    def __init__(self, folder: Path, files: Files, max_upload: int) -> None:
        self._uploads = RecordStore(folder, "upload")
        self._files = files
        self._max_upload = max_upload

    def routes(self) -> list[Route]:
        """The routes of this part."""
        one = "/v1/uploads/{id}"
        return [
            Route("/v1/uploads", self.create, methods=["POST"]),
            Route(f"{one}/parts", self.add_part, methods=["POST"]),
            Route(f"{one}/complete", self.complete, methods=["POST"]),
            Route(f"{one}/cancel", self.cancel, methods=["POST"]),
        ]

    async def create(self, request: Request) -> Response:
        """``POST /v1/uploads``."""
        body = await read(request, UploadBody)
        if body.purpose not in PURPOSES:
            known = ", ".join(PURPOSES)
            raise ApiError(400, f"Invalid 'purpose': it must be one of {known}.", param="purpose")
        if body.bytes > self._max_upload:
            raise too_large(self._max_upload)
        self._expire()
        check_name(body.filename, body.purpose)
        wire: JsonObject = {
            "id": new_id("upload"),
            "object": "upload",
            "bytes": body.bytes,
            "created_at": now(),
            "expires_at": now() + HOUR,
            "filename": clean(body.filename),
            "purpose": body.purpose,
            "status": "pending",
            "file": None,
        }
        lifetime = body.expires_after.seconds if body.expires_after else None
        entry = self._uploads.put(ServerRecord(wire=wire, hidden={"lifetime": lifetime}))
        self._folder(entry).mkdir(parents=True)
        return JsonResponse(entry.wire)

    async def add_part(self, request: Request) -> Response:
        """``POST /v1/uploads/{id}/parts``."""
        entry = self._pending(request)
        limited = Request(request.scope, limited_receive(request.receive, MAX_PART + MULTIPART))
        async with limited.form(max_files=1, max_fields=1) as form:
            data = form.get("data")
            if not isinstance(data, UploadFile):
                raise ApiError(400, "Missing required parameter: 'data'.", param="data")
            part = new_id("part")
            await run_in_threadpool(self._keep_part, entry, data, part)
        return JsonResponse(
            {"id": part, "object": "upload.part", "created_at": now(), "upload_id": entry.id}
        )

    async def complete(self, request: Request) -> Response:
        """``POST /v1/uploads/{id}/complete``: the parts, in the order given, are the file."""
        entry = self._pending(request)
        body = await read(request, CompleteBody)
        file = await run_in_threadpool(self._joined, entry, body)
        done = self._uploads.put(entry.changed(status="completed", file=file))
        return JsonResponse(done.wire)

    async def cancel(self, request: Request) -> Response:
        """``POST /v1/uploads/{id}/cancel``."""
        entry = self._pending(request)
        shutil.rmtree(self._folder(entry), ignore_errors=True)
        return JsonResponse(self._uploads.put(entry.changed(status="cancelled")).wire)

    def _expire(self) -> None:
        """Remove the parts of uploads that were not completed in time."""
        for entry in self._uploads:
            if entry.status == "pending" and entry.wire["expires_at"] <= now():
                shutil.rmtree(self._folder(entry), ignore_errors=True)
                self._uploads.put(entry.changed(status="expired"))

    def _pending(self, request: Request) -> ServerRecord:
        name = request.path_params["id"]
        entry = self._uploads.get(name)
        if entry is None:
            raise no_such("upload", name)
        if entry.status != "pending" or entry.wire["expires_at"] <= now():
            raise ApiError(400, f"Upload {name} takes no more: it is {entry.status}.")
        return entry

    def _folder(self, entry: ServerRecord) -> Path:
        return self._uploads.folder / entry.id

    def _keep_part(self, entry: ServerRecord, data: UploadFile, part: str) -> None:
        folder = self._folder(entry)
        stored = sum(path.stat().st_size for path in folder.iterdir())
        with _new_file(folder / part) as target:
            shutil.copyfileobj(data.file, target, 2**20)
            if stored + target.tell() > entry.wire["bytes"]:
                raise ApiError(400, f"The parts have more than {entry.wire['bytes']} bytes.")

    def _joined(self, entry: ServerRecord, body: CompleteBody) -> JsonObject:
        folder = self._folder(entry)
        there = {path.name: path for path in folder.iterdir()}
        for part in body.part_ids:
            if part not in there:
                raise no_such("part", part, param="part_ids")
        whole, digest = folder / "whole", hashlib.md5(usedforsecurity=False)
        with _new_file(whole) as target:
            for part in body.part_ids:
                content = there[part].read_bytes()
                digest.update(content)
                target.write(content)
            if target.tell() != entry.wire["bytes"] or body.md5 not in (None, digest.hexdigest()):
                raise ApiError(400, "The parts are not the file that was announced (bytes or md5).")
        made = self._files.adopt(
            whole,
            filename=entry.wire["filename"],
            purpose=entry.wire["purpose"],
            number=new_id("file").removeprefix("file-"),
            lifetime=entry.hidden.get("lifetime"),
        )
        shutil.rmtree(folder, ignore_errors=True)
        return self._files.find(made, purpose=entry.wire["purpose"], param="file").wire


@contextmanager
def _new_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write, which is removed if that fails: a full disk leaves nothing behind."""
    try:
        with path.open("wb") as target:
            yield target
    except BaseException:
        path.unlink(missing_ok=True)
        raise
