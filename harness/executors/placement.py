"""What stages need, compared with what nodes have."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from ...backends import Needs
from ...datasets.errors import SpecError
from .base import Node

_FIELDS = ("cores", "gpus", "gpu_memory", "memory")


def needs_from(text: str | None, source: str) -> Needs | None:
    """Needs in words, such as ``gpus=1,gpu_memory=40``; None for None.

    Raises :class:`~limen.SpecError`.
    """
    if text is None:
        return None
    try:
        amounts: Any = dict(_amount(part) for part in text.split(","))
    except ValueError:
        raise SpecError(
            f"{source}={text!r} must be amounts such as gpus=1,gpu_memory=40: "
            f"{', '.join(_FIELDS)} (memory in GiB)"
        ) from None
    return Needs(**amounts)


def _amount(part: str) -> tuple[str, float]:
    name, _, number = part.partition("=")
    if name.strip() not in _FIELDS:
        raise ValueError(name)
    return name.strip(), float(number)


def largest(needs: Iterable[Needs]) -> Needs:
    """The most of each amount that some needs state: a stage that two experiments share."""
    found = list(needs)
    stated = {name: [v for n in found if (v := vars(n)[name]) is not None] for name in _FIELDS}
    return Needs(**{name: max(values) for name, values in stated.items() if values})


def placed(stated: Needs, backend: Needs, nodes: Sequence[Node]) -> Needs:
    """All that a stage requests: what the user states, then its backend, then what nodes have.

    Where no node has a GPU, a backend's wish for one is dropped, and a model gets all cores of the
    smallest node. A GPU is shared where its memory is known to be enough for several stages.
    """
    needs = stated.over(backend)
    if stated.gpus is None and not any(node.gpus for node in nodes):
        needs = replace(needs, gpus=0, gpu_memory=None)
    if needs.cores is None:
        sizes = [node.cores for node in nodes if node.cores]
        whole = bool(needs.model) and not needs.gpus and sizes
        needs = replace(needs, cores=min(sizes) if whole else 1)
    if stated.gpus is None and needs.gpus == 1 and needs.gpu_memory:
        needs = replace(needs, gpus=_share_of_a_gpu(needs.gpu_memory, nodes))
    return needs


def _share_of_a_gpu(gib: float, nodes: Sequence[Node]) -> float:
    """One part in as many as fit on the smallest GPU that is large enough; 1 if none is known."""
    known = [n.gpu_memory for n in nodes if n.gpu_memory and n.gpu_memory >= gib]
    return 1 / int(min(known) // gib) if known else 1


def check_fits(label: str, needs: Needs, nodes: Sequence[Node]) -> None:
    """Raise :class:`~limen.SpecError` if no node can ever meet some needs."""
    if any(_fits(needs, node) for node in nodes):
        return
    listed = "; ".join(f"{node.name} has {_described(node)}" for node in nodes[:8])
    more = f"; and {len(nodes) - 8} nodes more" if len(nodes) > 8 else ""
    raise SpecError(
        f"no node can run {label!r}, which needs {needs}: {listed or 'there is no node'}{more}. "
        f"Add such a node, or state other needs with --limen-needs or Experiment(needs=Needs(...))"
    )


def _fits(needs: Needs, node: Node) -> bool:
    """Whether a node, empty, would have enough. What is not known of it is taken to be enough."""
    pairs = (
        (needs.cores, node.cores),
        (needs.gpus, node.gpus),
        (needs.gpu_memory if needs.gpus else None, node.gpu_memory),
        (needs.memory, node.memory),
    )
    return all(has is None or (needed or 0) <= has for needed, has in pairs)


def _described(node: Node) -> str:
    has = Needs(
        cores=node.cores, gpus=node.gpus, gpu_memory=node.gpu_memory, memory=_rounded(node.memory)
    )
    return str(has)


def _rounded(gib: float | None) -> float | None:
    return None if gib is None else round(gib, 1)
