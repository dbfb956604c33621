"""Backends by name: limen's own, and those that other packages register as entry points."""

from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from ..datasets.errors import LimenError, SpecError
from ..datasets.suggestions import did_you_mean
from .base import Backend, BackendFactory, Capabilities, Engine, ServiceTerms

BUILT_IN = {
    "toy": (".toy", "ToyBackend"),
    "openai": (".openai", "OpenAIBackend"),
    "inspect": (".inspect", "InspectBackend"),
    "local": (".local", "LocalBackend"),
    "tinker": (".tinker", "TinkerBackend"),
}
"""By name: a backend's module, relative to this package, and its class."""
ENGINES = ("toy", "local")
"""limen's own backends whose models run on this machine."""
ENTRY_POINTS = "limen.backends"
"""The group of entry points by which other packages add backends."""


def backend_names() -> list[str]:
    """The names that :func:`open_backend` knows, sorted. Raises nothing.

    Examples:
        >>> names = backend_names()
    """
    return sorted({*BUILT_IN, *(entry.name for entry in entry_points(group=ENTRY_POINTS))})


def open_backend(name: str, home: Path, terms: ServiceTerms | None = None) -> Backend:
    """The backend of that name, keeping its models below ``home``, on the given terms.

    limen's own names cannot be taken by an entry point. Raises :class:`~limen.SpecError` for an
    unknown name, and for an entry point that cannot be loaded or gives no backend.

    Args:
        name: "toy", "local", "openai", "inspect" or that of an entry point.
        home: The folder of its models.
        terms: What a service may do and spend. Default: None, no limits.

    Examples:
        >>> backend = open_backend("toy", store)
    """
    if name in BUILT_IN:
        module, kind = BUILT_IN[name]
        factory: BackendFactory = vars(import_module(module, __package__))[kind]
        return factory(home, terms or ServiceTerms())
    return _opened(_entry_point(name), home, terms or ServiceTerms())


def open_engine(name: str, home: Path) -> Engine:
    """The engine of that name.

    Raises :class:`~limen.SpecError` for an unknown name, and for a backend that is no engine.

    Args:
        name: "toy", "local" or a third party's engine.
        home: The folder of its models.

    Examples:
        >>> engine = open_engine("toy", store)
    """
    engine = open_backend(name, home).capabilities.engine
    if engine is None:
        raise SpecError(
            f"the backend {name!r} is not an engine: its models do not run on this machine; "
            f"choose one of {', '.join(ENGINES)}"
        )
    return engine


def _entry_point(name: str) -> EntryPoint:
    entries = list(entry_points(group=ENTRY_POINTS, name=name))
    if not entries:
        known = backend_names()
        raise SpecError(
            f"unknown backend {name!r}: {did_you_mean(name, known)}choose one of {', '.join(known)}"
        )
    if len({entry.value for entry in entries}) > 1:
        places = " and ".join(sorted({entry.value for entry in entries}))
        raise SpecError(
            f"the backend {name!r} is registered twice, as {places}: uninstall one of the packages"
        )
    return entries[0]


def _opened(entry: EntryPoint, home: Path, terms: ServiceTerms) -> Backend:
    """The backend of an entry point; its package's own errors become one of limen's."""
    try:
        factory: BackendFactory = entry.load()
        backend = factory(home, terms)
        declared = backend.capabilities
    except LimenError:
        raise
    except Exception as error:  # whatever another package raises
        raise SpecError(
            f"the backend {entry.name!r} ({entry.value}) could not be opened: "
            f"{type(error).__name__}: {error}"
        ) from error
    if not isinstance(declared, Capabilities):
        raise SpecError(
            f"the backend {entry.name!r} ({entry.value}) must declare its capabilities as a "
            f"limen.backends.Capabilities, not {declared!r}"
        )
    return backend
