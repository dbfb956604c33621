"""Fine-tuning jobs: made, listed, retrieved, cancelled."""

import hashlib
import os
import re
import secrets
import shutil
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StringConstraints
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..base import Engine, Recipe
from . import events
from .catalog import Catalog, ServedModel
from .files import Files
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
)
from .record_store import RecordStore, ServerRecord
from .trainer import ACTIVE_STATUSES, PARAMS, Trainer

Metadata = Annotated[
    dict[
        Annotated[str, StringConstraints(max_length=64)],
        Annotated[str, StringConstraints(max_length=512)],
    ],
    Field(max_length=16),
]


def _auto(value: object) -> object:
    return None if value == "auto" else value


class _Hyperparameters(RequestBody):
    n_epochs: Annotated[Annotated[int, Field(ge=1, le=1000)] | None, BeforeValidator(_auto)] = None
    batch_size: Annotated[
        Annotated[int, Field(ge=1, le=100_000)] | None, BeforeValidator(_auto)
    ] = None
    learning_rate_multiplier: Annotated[
        Annotated[float, Field(gt=0, le=1e6)] | None, BeforeValidator(_auto)
    ] = None


class _Supervised(RequestBody):
    hyperparameters: _Hyperparameters = _Hyperparameters()


class _Method(RequestBody):
    type: Literal["supervised"]
    supervised: _Supervised = _Supervised()


class JobBody(RequestBody):
    """The body of ``POST /v1/fine_tuning/jobs``."""

    model: str
    training_file: str
    validation_file: str | None = None
    suffix: Annotated[str, StringConstraints(max_length=64, pattern=r"^[A-Za-z0-9_.-]*$")] = ""
    seed: Annotated[int, Field(ge=0, lt=2**64)] | None = None
    metadata: Metadata | None = None
    hyperparameters: _Hyperparameters | None = None
    method: _Method | None = None
    integrations: list[object] = Field(default_factory=list, max_length=0)

    @property
    def settings(self) -> _Hyperparameters:
        """The hyperparameters, in whichever form they came."""
        if self.method is None:
            return self.hyperparameters or _Hyperparameters()
        if self.hyperparameters is not None:
            raise ApiError(
                400, "Give the hyperparameters once: under 'method', or at the top.",
                param="hyperparameters",
            )  # fmt: skip
        return self.method.supervised.hyperparameters


class Jobs:
    """The endpoints of fine-tuning jobs."""

    def __init__(
        self, engine: Engine, jobs: RecordStore, *, files: Files, catalog: Catalog,
        trainer: Trainer, recipe: Recipe,
    ) -> None:  # fmt: skip
        self._engine = engine
        self._jobs = jobs
        self._files = files
        self._catalog = catalog
        self._trainer = trainer
        self._default = engine.recipe(recipe)
        self._own = recipe

    def routes(self) -> list[Route]:
        """The routes of this part."""
        one = "/v1/fine_tuning/jobs/{id}"
        return [
            Route("/v1/fine_tuning/jobs", self.create, methods=["POST"]),
            Route("/v1/fine_tuning/jobs", self.list),
            Route(one, self.retrieve),
            Route(f"{one}/cancel", self.cancel, methods=["POST"]),
            Route(f"{one}/pause", self.pause, methods=["POST"]),
            Route(f"{one}/resume", self.resume, methods=["POST"]),
            Route(f"{one}/events", self.events),
            Route(f"{one}/checkpoints", self.checkpoints),
        ]

    async def create(self, request: Request) -> Response:
        """``POST /v1/fine_tuning/jobs``."""
        body = await read(request, JobBody)
        parent = self._catalog.find(body.model)
        recipe, numbers = self._recipe(body.settings)
        entry = _entry(body, parent, recipe, numbers)
        await run_in_threadpool(self._keep_files, body, entry.id)
        self._trainer.start(self._jobs.put(entry))
        return JsonResponse(entry.wire)

    async def list(self, request: Request) -> Response:
        """``GET /v1/fine_tuning/jobs``, newest first, those with the metadata asked for."""
        jobs = self._jobs.newest()
        if request.query_params.get("metadata") == "null":
            jobs = [job for job in jobs if not job.wire["metadata"]]
        for name, value in request.query_params.multi_items():
            if match := re.fullmatch(r"metadata\[(.*)\]", name, re.DOTALL):
                jobs = [j for j in jobs if (j.wire["metadata"] or {}).get(match[1]) == value]
        return page(request, [job.wire for job in jobs])

    async def retrieve(self, request: Request) -> Response:
        """``GET /v1/fine_tuning/jobs/{id}``."""
        return JsonResponse(self._requested(request).wire)

    async def cancel(self, request: Request) -> Response:
        """``POST /v1/fine_tuning/jobs/{id}/cancel``."""
        job = self._requested(request)
        if job.status not in (*ACTIVE_STATUSES, "paused"):
            raise ApiError(
                400, f"Job {job.id} has already ended: it {_ENDED[job.status]}.",
                code="job_not_cancellable",
            )  # fmt: skip
        return JsonResponse(self._trainer.cancel(job).wire)

    async def pause(self, request: Request) -> Response:
        """``POST /v1/fine_tuning/jobs/{id}/pause``: it keeps its place and does no work."""
        job = self._requested(request, status="running", code="job_not_pausable")
        return JsonResponse(self._trainer.pause(job).wire)

    async def resume(self, request: Request) -> Response:
        """``POST /v1/fine_tuning/jobs/{id}/resume``."""
        job = self._requested(request, status="paused", code="job_not_resumable")
        return JsonResponse(self._trainer.unpause(job).wire)

    async def events(self, request: Request) -> Response:
        """``GET /v1/fine_tuning/jobs/{id}/events``, newest first."""
        lines = events.read(self._trainer.folder(self._requested(request).id).events)
        return page(request, lines[::-1])

    async def checkpoints(self, request: Request) -> Response:
        """``GET /v1/fine_tuning/jobs/{id}/checkpoints``, newest first."""
        job = self._requested(request)
        points = job.hidden.get("checkpoints", [])
        listed = [_checkpoint(job, point, last=point is points[-1]) for point in points[::-1]]
        return page(request, listed, default=10)

    def _requested(
        self, request: Request, *, status: str | None = None, code: str = ""
    ) -> ServerRecord:
        """The job of a path; a 404 without one, a 400 with this code for another status."""
        name = request.path_params["id"]
        job = self._jobs.get(name)
        if job is None:
            raise ApiError(
                404, f"Could not find fine tune: {name[:200]}", param="fine_tune_id",
                code="fine_tune_not_found",
            )  # fmt: skip
        if status and job.status != status:
            raise ApiError(400, f"Job {job.id} is not {status}: it is {job.status}.", code=code)
        return job

    def _recipe(self, asked: _Hyperparameters) -> tuple[Recipe, JsonObject]:
        """The engine's settings, and the same as the wire has them."""
        rate = asked.learning_rate_multiplier
        wanted = {"epochs": asked.n_epochs, "batch_size": asked.batch_size}
        overrides = {**self._own, **{k: v for k, v in wanted.items() if v is not None}}
        if rate is not None:
            overrides["learning_rate"] = float(self._default["learning_rate"] or 0) * rate
        recipe = self._engine.recipe(overrides)
        numbers = {
            "n_epochs": recipe["epochs"],
            "batch_size": recipe["batch_size"],
            "learning_rate_multiplier": 1.0 if rate is None else rate,
        }
        return recipe, numbers

    def _keep_files(self, body: JobBody, name: str) -> None:
        """Keep the job's files for it: they may be deleted before it is done with them."""
        folder = self._trainer.folder(name)
        found = {
            param: self._files.find(asked, purpose="fine-tune", param=param)
            for param in PARAMS
            if (asked := getattr(body, param)) is not None
        }
        folder.data.mkdir(parents=True)
        try:
            for param, entry in found.items():
                hard_link(self._files.path(entry.id), folder.upload(param))
        except BaseException:  # a full disk leaves nothing behind
            shutil.rmtree(folder.path, ignore_errors=True)
            raise


_ENDED = {"succeeded": "has succeeded", "failed": "has failed", "cancelled": "was cancelled"}


def hard_link(source: Path, target: Path) -> None:
    """Have the same file under another name, without a copy where the file system allows."""
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise no_such("File object", source.stem) from None
    except OSError:
        shutil.copyfile(source, target)


def _entry(body: JobBody, parent: ServedModel, recipe: Recipe, numbers: JsonObject) -> ServerRecord:
    name = new_id("ftjob")
    asked = dict.fromkeys(numbers, "auto") | body.settings.model_dump(exclude_none=True)
    wire = {
        "object": "fine_tuning.job",
        "id": name,
        "created_at": now(),
        "error": None,
        "estimated_finish": None,
        "fine_tuned_model": None,
        "finished_at": None,
        "hyperparameters": asked,
        "integrations": [],
        "metadata": body.metadata,
        "method": {"type": "supervised", "supervised": {"hyperparameters": asked}},
        "model": body.model,
        "organization_id": "org-limen",
        "result_files": [],
        "seed": secrets.randbits(31) if body.seed is None else body.seed,
        "status": ACTIVE_STATUSES[0],
        "trained_tokens": None,
        "training_file": body.training_file,
        "user_provided_suffix": body.suffix or None,
        "validation_file": body.validation_file,
    }
    hidden = {
        "name": f"ft:{parent.base}:limen:{body.suffix}:{name[-8:]}",
        "base": parent.base,
        "parent": parent.fingerprint,
        "parent_model": parent.engine_model,
        "recipe": dict(recipe),
        "hyperparameters": numbers,
    }
    return ServerRecord(wire=wire, hidden=hidden)


def _checkpoint(job: ServerRecord, point: JsonObject, *, last: bool) -> JsonObject:
    """A checkpoint; the last one is the fine-tuned model itself."""
    number = hashlib.sha256(f"{job.id} {point['step']}".encode()).hexdigest()[:24]
    return {
        "object": "fine_tuning.job.checkpoint",
        "id": f"ftckpt-{number}",
        "created_at": job.wire["finished_at"],
        "fine_tuned_model_checkpoint": job.wire["fine_tuned_model"] if last else point["name"],
        "fine_tuning_job_id": job.id,
        "metrics": {
            "step": point["step"],
            "train_loss": point["loss"],
            "full_valid_loss": point["validation_loss"],
        },
        "step_number": point["step"],
    }
