"""The models of a server: base models and fine-fine_tuned models."""

import asyncio
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .. import open_engine
from ..base import Engine
from .protocol import ApiError, JsonObject, JsonResponse
from .rate_limits import RateLimiter
from .record_store import RecordStore, ServerRecord
from .workers import Workers

CREATED = 1_735_689_600
"""When base models were made, in seconds since 1970: a fixed value, since they never change."""


@dataclass(frozen=True, kw_only=True)
class ServedModel:
    """A model that can be sampled from."""

    name: str
    """The name that clients use."""
    engine_model: str
    """The engine's own."""
    base: str
    """The name of the base model that it came from."""
    fingerprint: str
    created: int = CREATED

    @property
    def fine_tuned(self) -> bool:
        """Whether it is a fine-tune."""
        return self.name != self.base

    def wire(self) -> JsonObject:
        """The model as a JSON object of the API."""
        return {
            "id": self.name,
            "object": "model",
            "created": self.created,
            "owned_by": "user-limen" if self.fine_tuned else "limen",
            "fingerprint": self.fingerprint,
        }


class Catalog:
    """The endpoints of models."""

    def __init__(
        self,
        engine: Engine,
        jobs: RecordStore,
        *,
        workers: Workers,
        limiter: RateLimiter,
        home: Path,
        names: Mapping[str, str],
        prepared: bool,
    ) -> None:
        self._engine = engine
        self._jobs = jobs
        self._workers = workers
        self._limiter = limiter
        self._home = home
        self._names = dict(names)
        self._prepared = set(names) if prepared else set()
        for job in jobs:  # the base of a job was offered by an earlier server, and is there
            self._names.setdefault(job.hidden["base"], job.hidden["base"])
        self._tuned: dict[str, ServedModel] = {}
        self._base = lru_cache(maxsize=1024)(self._base_offer)
        self._preparing: dict[str, asyncio.Task[None]] = {}
        for job in jobs:
            self.add(job)

    def routes(self) -> list[Route]:
        """The routes of this part."""
        return [
            Route("/v1/models", self.list),
            Route("/v1/models/{id:path}", self.retrieve),
            Route("/v1/models/{id:path}", self.delete, methods=["DELETE"]),
        ]

    async def list(self, request: Request) -> Response:
        """``GET /v1/models``, with the limits' headers, which cost nothing here."""
        data = [served.wire() for served in self._listed()]
        return JsonResponse({"object": "list", "data": data}, headers=self._limiter.limits())

    async def retrieve(self, request: Request) -> Response:
        """``GET /v1/models/{id}``."""
        return JsonResponse(self.find(request.path_params["id"]).wire())

    async def delete(self, request: Request) -> Response:
        """``DELETE /v1/models/{id}``: a fine-tune, and its checkpoints with it."""
        served = self.find(request.path_params["id"])
        job = next((j for j in self._jobs if j.wire["fine_tuned_model"] == served.name), None)
        if job is None:
            raise ApiError(
                403, "Only a fine-tuned model can be deleted, with all its checkpoints.",
                param="model",
            )  # fmt: skip
        for made in _models_of(job):
            self._tuned.pop(made.name, None)
        self._jobs.put(job.changed(hidden={"deleted": True}))
        return JsonResponse({"id": served.name, "object": "model", "deleted": True})

    def add(self, job: ServerRecord) -> None:
        """Offer what a job has made, if it has made anything."""
        self._tuned.update((served.name, served) for served in _models_of(job))

    def find(self, name: str) -> ServedModel:
        """The model of that name; raises :class:`ApiError`."""
        if name in self._tuned:
            return self._tuned[name]
        if name not in self._names:
            there = f" There is {', '.join(self._names)}: start the server with --model for others."
            raise ApiError(
                404,
                f"The model '{name[:200]}' does not exist or you do not have access to it.{there}",
                param="model",
                code="model_not_found",
            )
        return self._base(name)

    async def ready(self, served: ServedModel) -> None:
        """Wait until the model can be sampled from; all who wait share one preparation."""
        if served.fine_tuned or served.name in self._prepared:
            return
        model = served.engine_model
        if model not in self._preparing:
            self._preparing[model] = asyncio.create_task(self._prepare(model))
        try:
            await asyncio.shield(self._preparing[model])
        except Exception:
            self._preparing.pop(model, None)  # the next request tries again
            raise

    async def _prepare(self, model: str) -> None:
        async with self._workers.one() as worker:
            await worker.run(_prepare, self._engine.name, self._home, model)

    def _base_offer(self, name: str) -> ServedModel:
        model = self._engine.base(self._names.get(name, name))
        fingerprint = self._engine.describe(model).fingerprint
        return ServedModel(name=name, engine_model=model, base=name, fingerprint=fingerprint)

    def _listed(self) -> Iterator[ServedModel]:
        """The named models, or the default and the bases of jobs; then the fine-tunes."""
        yield from map(self._base, self._names)
        final = (job.wire["fine_tuned_model"] for job in self._jobs)
        yield from (self._tuned[name] for name in final if name in self._tuned)


def _models_of(job: ServerRecord) -> Iterator[ServedModel]:
    """The models that a finished job has made: the last, and each checkpoint."""
    name = job.wire["fine_tuned_model"]
    if name is None or job.hidden.get("deleted"):
        return
    made = {name: job.hidden["engine_model"]}
    made.update((point["name"], point["model"]) for point in job.hidden["checkpoints"])
    for each, model in made.items():
        yield ServedModel(
            name=each,
            engine_model=model,
            base=job.hidden["base"],
            fingerprint=_fingerprint(job.hidden["parent"], job.id, model),
            created=job.wire["finished_at"],
        )


def _fingerprint(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def _prepare(engine: str, home: Path, model: str) -> None:
    open_engine(engine, home).prepare(model)
