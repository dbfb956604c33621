"""The experiments of spec files, for commands that ask what an experiment needs."""

from collections.abc import Iterable
from pathlib import Path

from ...datasets.errors import SpecError
from ..collection import CollectedExperiment, Collection, collect, imported
from ..experiment import ARMS, Experiment, as_experiment
from .echo import echo


def experiments_in(paths: Iterable[Path]) -> tuple[CollectedExperiment, ...]:
    """The experiments of spec files and of folders of them, as pytest collects them.

    Those that may be in them and were not found are named. Raises :class:`~limen.SpecError` for a
    file that cannot be collected, and if there are none.
    """
    collection = collect(paths)
    for line in collection.unclear:
        echo(f"limen: left out: {line}", err=True)
    return _some(collection)


def all_experiments_in(paths: Iterable[Path]) -> tuple[CollectedExperiment, ...]:
    """As :func:`experiments_in`, for what would do harm without one of them.

    Raises :class:`~limen.SpecError` also where the files may have others that were not found.
    """
    collection = collect(paths)
    if collection.unclear:
        lines = "".join(f"\n  {line}" for line in collection.unclear)
        raise SpecError(
            f"not all experiments of the given files can be known, so nothing is done:{lines}\n"
            f"Name the files without these, or make the experiments known where they are defined: "
            f"as experiment = ... of the module or the class, or by parametrize"
        )
    return _some(collection)


def _some(collection: Collection) -> tuple[CollectedExperiment, ...]:
    if not collection.experiments:
        raise SpecError("there is no experiment in the given files: name files as pytest would")
    return collection.experiments


def arms_of(experiment: Experiment) -> list[str]:
    """The arms that an experiment can have."""
    known = (*ARMS, *experiment.all_arms, *experiment.epoch_arms)
    return [name for name in known if name != "control" or experiment.has_control]


def named_value(text: str) -> object:
    """The value that ``FILE.py:NAME`` names, a grid as its experiment; None if it has no such name.

    Raises :class:`~limen.SpecError` for a file that cannot be imported.
    """
    path, _, name = text.rpartition(":")
    return as_experiment(vars(imported(Path(path))).get(name))
