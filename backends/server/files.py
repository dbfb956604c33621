"""Files: uploaded, made by jobs and batches, listed, read, deleted.

The client's file name is only returned to clients; on disk the file is named by its id.
"""

import os
import re
import shutil
from pathlib import Path
from typing import BinaryIO

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from .protocol import (
    ApiError,
    JsonObject,
    JsonResponse,
    limited_receive,
    new_id,
    no_such,
    now,
    page,
    too_large,
)
from .record_store import RecordStore, ServerRecord

PURPOSES = ("fine-tune", "batch", "user_data", "assistants", "evals")
EXPIRES_AFTER = ("expires_after[anchor]", "expires_after[seconds]")
HOUR, MONTH = 3600, 30 * 24 * 3600
MULTIPART = 64 * 2**10
"""Bytes that a multipart body may have besides the file."""


class Files:
    """The endpoints of files."""

    def __init__(self, folder: Path, max_upload: int) -> None:
        self._entries = RecordStore(folder, "file")
        self._max_upload = max_upload
        for path in folder.glob("*.data"):  # uploads that a crash cut short
            if self._entries.get(path.stem) is None:
                path.unlink()

    def routes(self) -> list[Route]:
        """The routes of this part."""
        return [
            Route("/v1/files", self.create, methods=["POST"]),
            Route("/v1/files", self.list),
            Route("/v1/files/{id}", self.retrieve),
            Route("/v1/files/{id}", self.delete, methods=["DELETE"]),
            Route("/v1/files/{id}/content", self.content),
        ]

    async def create(self, request: Request) -> Response:
        """``POST /v1/files``."""
        limit = self._max_upload + MULTIPART
        if int(request.headers.get("content-length") or 0) > limit:
            raise too_large(self._max_upload)
        limited = Request(request.scope, limited_receive(request.receive, limit))
        async with limited.form(max_files=1, max_fields=8) as form:
            upload, purpose = _upload(form)
            lifetime = _lifetime(form)
            entry = await run_in_threadpool(self._store, upload, purpose, lifetime)
        return JsonResponse(entry.wire)

    async def list(self, request: Request) -> Response:
        """``GET /v1/files``."""
        purpose, order = (request.query_params.get(name) for name in ("purpose", "order"))
        self._expire()
        entries = list(self._entries) if order == "asc" else self._entries.newest()
        found = [e.wire for e in entries if purpose in (None, e.wire["purpose"])]
        return page(request, found, default=10_000, most=10_000)

    async def retrieve(self, request: Request) -> Response:
        """``GET /v1/files/{id}``."""
        return JsonResponse(self._requested(request).wire)

    async def content(self, request: Request) -> Response:
        """``GET /v1/files/{id}/content``."""
        path = self.path(self._requested(request).id)
        return FileResponse(path, media_type="application/octet-stream")

    async def delete(self, request: Request) -> Response:
        """``DELETE /v1/files/{id}``."""
        name = self._requested(request).id
        self._remove(name)
        return JsonResponse({"id": name, "object": "file", "deleted": True})

    def path(self, name: str) -> Path:
        """Where the bytes of a file of that id lie."""
        return self._entries.folder / f"{name}.data"

    def find(self, name: str, *, purpose: str, param: str) -> ServerRecord:
        """The file that a request means by ``param``; raises :class:`ApiError`."""
        entry = self._entries.get(name)
        if entry is None:
            raise ApiError(
                400, f"Invalid {param}: no such file: {name[:200]}", param=param,
                code="file_not_found",
            )  # fmt: skip
        if entry.wire["purpose"] != purpose:
            raise ApiError(
                400,
                f"Invalid {param}: {name} has the purpose '{entry.wire['purpose']}', and "
                f"'{purpose}' is needed.",
                param=param,
                code="invalid_file_purpose",
            )
        return entry

    def adopt(
        self, source: Path, *, filename: str, purpose: str, number: str, lifetime: int | None = None
    ) -> str:
        """Take in a file that is here already; the same ``number`` gives the same id."""
        name = f"file-{number}"
        size = source.stat().st_size
        source.replace(self.path(name))
        self._entries.put(ServerRecord(wire=_wire(name, size, filename, purpose, lifetime)))
        return name

    def _requested(self, request: Request) -> ServerRecord:
        self._expire()
        name = request.path_params["id"]
        entry = self._entries.get(name)
        if entry is None:
            raise no_such("File object", name)
        return entry

    def _expire(self) -> None:
        """Remove the files whose time is over."""
        for entry in self._entries:
            if (ends := entry.wire.get("expires_at")) is not None and ends <= now():
                self._remove(entry.id)

    def _remove(self, name: str) -> None:
        self._entries.remove(name)
        self.path(name).unlink(missing_ok=True)

    def _store(self, upload: UploadFile, purpose: str, lifetime: int | None) -> ServerRecord:
        name = new_id("file")
        try:
            with self.path(name).open("xb") as file:
                _copy(upload.file, file)
                size = file.tell()
            self._check_size(size)
            wire = _wire(name, size, clean(upload.filename or ""), purpose, lifetime)
            return self._entries.put(ServerRecord(wire=wire))
        except BaseException:  # a full disk leaves nothing behind
            self._remove(name)
            raise

    def _check_size(self, size: int) -> None:
        if size == 0:
            raise ApiError(400, "The file is empty.", param="file", code="empty_file")
        if size > self._max_upload:
            raise too_large(self._max_upload)


def _upload(form: FormData) -> tuple[UploadFile, str]:
    """The file and its purpose; raises :class:`ApiError`."""
    for name in form:
        if name not in {"file", "purpose", *EXPIRES_AFTER}:
            raise ApiError(400, f"Unrecognized request argument supplied: {clean(name)[:100]}")
    upload, purpose = form.get("file"), form.get("purpose")
    if not isinstance(upload, UploadFile):
        raise ApiError(400, "Missing required parameter: 'file'.", param="file")
    if purpose not in PURPOSES:
        known = ", ".join(PURPOSES)
        raise ApiError(400, f"Invalid 'purpose': it must be one of {known}.", param="purpose")
    check_name(upload.filename or "", str(purpose))
    return upload, str(purpose)


def check_name(filename: str, purpose: str) -> None:
    """Raise :class:`ApiError` for a training file whose name does not end in .jsonl."""
    if purpose == "fine-tune" and not filename.endswith(".jsonl"):
        raise ApiError(
            400,
            "Invalid file format for fine-tuning: the name must end in .jsonl.",
            param="file",
            code="invalid_file_format",
        )


def _lifetime(form: FormData) -> int | None:
    """Seconds that a file is kept; None for ever. Raises :class:`ApiError`."""
    anchor, seconds = (form.get(name) for name in EXPIRES_AFTER)
    if anchor is None and seconds is None:
        return None
    number = int(str(seconds)) if re.fullmatch("[0-9]{1,9}", str(seconds), re.ASCII) else 0
    if anchor != "created_at" or not HOUR <= number <= MONTH:
        raise ApiError(
            400,
            f"Invalid 'expires_after': anchor must be 'created_at' and seconds from {HOUR} to "
            f"{MONTH}.",
            param="expires_after",
        )
    return number


def clean(text: str) -> str:
    """The text as UTF-8 can have it: a form may be in any encoding that its sender names."""
    return text.encode("utf-8", "replace").decode()


def _copy(source: BinaryIO, target: BinaryIO) -> None:
    shutil.copyfileobj(source, target, 2**20)
    target.flush()
    os.fsync(target.fileno())


def _wire(
    name: str, size: int, filename: str, purpose: str, lifetime: int | None = None
) -> JsonObject:
    made = now()
    ends = {} if lifetime is None else {"expires_at": made + lifetime}
    return {
        "id": name,
        "object": "file",
        "bytes": size,
        "created_at": made,
        "filename": filename,
        "purpose": purpose,
        "status": "processed",
        "status_details": None,
        **ends,
    }
