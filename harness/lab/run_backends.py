"""The backends of a run: its own, and those that judges name."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ...backends import Backend, Quote
from ..executors import LOCAL
from ..stages import (
    Stage,
    Store,
    backend_of,
    end_evaluations,
    forget_backends,
    remaining_work,
)
from .settings import WAITING, Settings


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

    def waits(self, stage: Stage) -> bool:
        """Whether a stage only waits for a service."""
        return self.of(stage).capabilities.service is not None

    def _open(self, name: str) -> Backend:
        return backend_of(name, self.store, self.settings.terms)

    @property
    def workers(self) -> int:
        """Stages that run side by side."""
        able = self.own.capabilities
        return self.settings.side_by_side(
            waiting=able.service is not None, most=able.max_parallel_stages
        )

    @property
    def window(self) -> int:
        """Stages that the executor is given at a time; one past this machine queues them itself."""
        return self.workers if self.settings.executor == LOCAL else max(self.workers, WAITING)

    def local_workers(self, stages: Iterable[Stage]) -> int:
        """Stages that run side by side on this machine, as far as their backends allow."""
        able = (self.of(stage).capabilities for stage in stages)
        limits = [each.max_parallel_stages for each in able if each.max_parallel_stages]
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
        service = self.of(stage).capabilities.service
        work = None if service is None else remaining_work(self.store, stage)
        return service.quote(work) if service and work else None

    def stop_services(self, stages: Sequence[Stage]) -> None:
        """Let nothing wait for a service any longer; later stages open their backends again."""
        backends = {stage.asks(): self.of(stage) for stage in stages}
        services = [service for b in backends.values() if (service := b.capabilities.service)]
        for service in services:
            service.stop()
        end_evaluations()
        if services:
            forget_backends()
