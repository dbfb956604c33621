"""The backends of a run: its own, and those that judges name."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ...backends import Backend, Quote, is_service
from ..stages import Stage, Store, backend_of, forget_backends
from .settings import Settings


@dataclass(frozen=True)
class RunBackends:
    """Which backend each stage asks, what services will charge, and how much runs side by side."""

    settings: Settings
    store: Store

    @property
    def own(self) -> Backend:
        """The backend that the settings name; raises :class:`~limen.SpecError` if unknown."""
        return self._open(self.settings.backend)

    def of(self, stage: Stage) -> Backend:
        """The backend that a stage asks; the run's own for stages that ask none."""
        return self._open(stage.asks() or self.settings.backend)

    def _open(self, name: str) -> Backend:
        return backend_of(name, self.store, self.settings.terms)

    @property
    def workers(self) -> int:
        """Stages that run side by side."""
        own = self.own
        return self.settings.side_by_side(
            waiting=is_service(own), most=getattr(own, "side_by_side", None)
        )

    def local_workers(self, stages: Iterable[Stage]) -> int:
        """Stages that run side by side on this machine, as far as their backends allow."""
        backends = (self.of(stage) for stage in stages)
        limits = [limit for each in backends if (limit := getattr(each, "side_by_side", None))]
        return self.settings.side_by_side(waiting=False, most=min(limits, default=None))

    def quotes(self, stages: Iterable[Stage]) -> dict[str, Quote]:
        """What services will charge for the unfinished stages, by key.

        Raises :class:`~limen.BackendError` if the budget does not allow a stage.
        """
        unfinished = (stage for stage in stages if not self.store.has(stage.kind, stage.key))
        quotes = ((stage.key, self._quote(stage)) for stage in unfinished)
        return {key: quote for key, quote in quotes if quote}

    def _quote(self, stage: Stage) -> Quote | None:
        """What a service will charge for a stage; None if it asks no service."""
        backend = self.of(stage)
        if not is_service(backend):
            return None
        work = stage.work()
        return backend.quote(work) if work else None

    def stop_services(self, stages: Sequence[Stage]) -> None:
        """Let nothing wait for a service any longer; later stages open their backends again."""
        backends = {stage.asks(): self.of(stage) for stage in stages}
        services = [backend for backend in backends.values() if is_service(backend)]
        for service in services:
            service.stop()
        if services:
            forget_backends()
