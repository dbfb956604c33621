"""Executors by name: limen's own, and those that other packages register as entry points."""

from importlib import import_module
from importlib.metadata import entry_points

from ...datasets.errors import LimenError, SpecError
from ...datasets.suggestions import did_you_mean
from .base import ExecutorFactory, StageExecutor

LOCAL = "local"
"""The worker processes of this machine, which are no executor of this kind."""
BUILT_IN = {
    "ray": (".ray_executor", "RayExecutor"),
    "dask": (".dask_executor", "DaskExecutor"),
}
"""By name: an executor's module, relative to this package, and its class."""
ENTRY_POINTS = "limen.executors"
"""The group of entry points by which other packages add executors."""


def executor_names() -> list[str]:
    """The names that ``--limen-executor`` knows, sorted."""
    return sorted({LOCAL, *BUILT_IN, *(entry.name for entry in entry_points(group=ENTRY_POINTS))})


def check_executor(text: str) -> None:
    """Raise :class:`~limen.SpecError` if no executor has the name in ``NAME:ADDRESS``."""
    name, _ = _parts(text)
    known = executor_names()
    if name not in known:
        raise SpecError(
            f"unknown executor {text!r}: {did_you_mean(name, known)}choose one of "
            f"{', '.join(known)}, where needed with an address (ray:HOST:PORT, ray://HOST:PORT, "
            f"dask:tcp://HOST:PORT)"
        )


def open_executor(text: str) -> StageExecutor:
    """The executor of ``NAME`` or ``NAME:ADDRESS``.

    Raises :class:`~limen.SpecError` for an unknown name, an extra that is not installed, and a
    cluster that cannot be reached.
    """
    check_executor(text)
    name, address = _parts(text)
    try:
        return _factory(name)(address)
    except LimenError:
        raise
    except ImportError as error:
        raise SpecError(
            f"the executor {name!r} needs another package ({error}): pip install 'limen[{name}]'"
        ) from error
    except Exception as error:  # whatever a cluster's library raises
        raise SpecError(
            f"the executor {text!r} could not be opened: {type(error).__name__}: {error}"
        ) from error


def _parts(text: str) -> tuple[str, str]:
    """The name and the address; "ray://head:10001" is an address as a whole."""
    name, _, address = text.partition(":")
    return name, text if address.startswith("//") else address


def _factory(name: str) -> ExecutorFactory:
    if name in BUILT_IN:
        module, kind = BUILT_IN[name]
        own: ExecutorFactory = vars(import_module(module, __package__))[kind]
        return own
    (entry, *_) = entry_points(group=ENTRY_POINTS, name=name)
    factory: ExecutorFactory = entry.load()
    return factory
