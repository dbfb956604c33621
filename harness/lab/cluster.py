"""Runs of several machines: which stages are sent to an executor, and what is checked before."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property

from ...backends import Needs
from ...datasets.errors import NodeWarning
from ..executors import (
    Node,
    NodeFacts,
    Shipping,
    ShippingExecutor,
    StageExecutor,
    check_fits,
    named_variables,
    open_executor,
    other_versions,
    placed,
    probe_nodes,
)
from ..stages import Checkpoint, Stage, model_of
from .executors import RoutingExecutor, local_executor, thread_executor
from .run_backends import RunBackends


@dataclass(frozen=True)
class StageNeeds:
    """What each stage of a run needs: by the option, else by its spec, else by its backend."""

    backends: RunBackends
    of_specs: Mapping[str, Needs]
    """What experiments state, by the key of a stage."""

    def on(self, stage: Stage, nodes: Sequence[Node]) -> Needs:
        """What a stage requests of these nodes."""
        stated = (self.backends.settings.needs or Needs()).over(
            self.of_specs.get(stage.key, Needs())
        )
        return placed(stated, self._of_backend(stage), nodes)

    def _of_backend(self, stage: Stage) -> Needs:
        state = self.backends.of(stage).capabilities.needs
        model, recipe = model_of(stage)
        return state(model, recipe) if state and model else Needs()


@dataclass(frozen=True)
class ClusterRun:
    """One run on an executor: its nodes are checked before anything is sent."""

    executor: StageExecutor
    needs: StageNeeds
    stages: Sequence[Stage]
    """What is to be sent."""

    @property
    def _backends(self) -> RunBackends:
        return self.needs.backends

    @cached_property
    def nodes(self) -> list[Node]:
        """The nodes; raises :class:`~limen.SpecError` for a need that none of them meets, and for
        nodes that cannot be used.
        """
        nodes = list(self.executor.capacity())
        self._check_needs(nodes)
        facts = probe_nodes(
            self.executor,
            nodes,
            self._backends.store,
            shared=self._backends.settings.shared_store,
        )
        nodes = [replace(node, gpu_memory=facts[node.id].gpu_memory) for node in nodes]
        self._check_needs(nodes)
        _warn_of_versions(nodes, facts)
        return nodes

    def _check_needs(self, nodes: Sequence[Node]) -> None:
        for stage in self.stages:
            check_fits(stage.label, self.needs.on(stage, nodes), nodes)

    def shipping(self) -> ShippingExecutor:
        """What sends stages to the nodes."""
        settings, nodes = self._backends.settings, self.nodes
        how = Shipping(
            store=self._backends.store,
            shared=settings.shared_store,
            retries=settings.executor_retries,
            variables=named_variables(settings.executor_env),
            needs_of=lambda stage: self.needs.on(stage, nodes),
        )
        return ShippingExecutor(self.executor, how)


@contextmanager
def cluster_executor(
    stages: Sequence[Stage], backends: RunBackends, of_specs: Mapping[str, Needs]
) -> Iterator[Executor]:
    """The executor of a run that ``--limen-executor`` sends elsewhere.

    Stages that ask a service stay in threads of this process, under one budget and one limit of
    rates; stages that ask no model are short, and stay on this machine.
    """
    sent = [s for s in stages if is_sent(s, backends) and not backends.store.has(s.kind, s.key)]
    cores = backends.settings.side_by_side(waiting=False)
    with (
        local_executor(cores) as local,
        thread_executor(backends.workers) as threads,
        _opened(sent, backends, of_specs) as cluster,
    ):

        def executor_of(stage: Stage) -> Executor:
            if stage.asks() and backends.waits(stage):
                return threads
            return cluster if cluster and is_sent(stage, backends) else local

        yield RoutingExecutor(executor_of)


def is_sent(stage: Stage, backends: RunBackends) -> bool:
    """Whether a stage runs a model on this machine, or on another one in its place."""
    return bool(stage.asks()) and not isinstance(stage, Checkpoint) and not backends.waits(stage)


@contextmanager
def _opened(
    sent: Sequence[Stage], backends: RunBackends, of_specs: Mapping[str, Needs]
) -> Iterator[ShippingExecutor | None]:
    """The executor, with its nodes checked; None, and no cluster is asked, if nothing is sent."""
    if not sent:
        yield None
        return
    executor = open_executor(backends.settings.executor)
    stop = True
    try:
        shipping = ClusterRun(executor, StageNeeds(backends, of_specs), sent).shipping()
        with closing(_Stopping(shipping)):
            yield shipping
            stop = False
    finally:
        executor.close(stop=stop)


@dataclass(frozen=True)
class _Stopping:
    """Lets nothing be sent again, before what runs is ended."""

    shipping: ShippingExecutor

    def close(self) -> None:
        self.shipping.shutdown(wait=False, cancel_futures=True)


def _warn_of_versions(nodes: Sequence[Node], facts: Mapping[str, NodeFacts]) -> None:
    for node in nodes:
        if others := other_versions(facts[node.id]):
            warnings.warn(
                f"{node.name} has {', '.join(others)}: results may differ in their last digits",
                NodeWarning,
                stacklevel=2,
            )
