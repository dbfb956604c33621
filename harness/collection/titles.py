"""The titles of experiments, which runs and commands give alike: where each stands in its files."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ...datasets.visible import visible_line
from ..experiment import Experiment
from .items import declared_experiment, parameters_of

PARAM: Any = type(pytest.param())
"""The class of the rows that ``pytest.param(...)`` makes, which pytest exports no name for."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where an experiment stands in its file. None of it depends on the folder that pytest takes
    for its root.
    """

    path: Path
    name: str | None
    """The experiment's own, if it has one."""
    within: tuple[str, ...]
    """The classes that it stands in."""
    parameter: str | None
    """The id of the row that has it, if it is a parameter."""
    test: str
    """The test that asks for it, as in node ids, without the file."""

    def title(self, parents: int = 0) -> str:
        """The experiment's own name, or the file, class and parameter.

        ``parents`` folders stand before the file, for files of one name.
        """
        if self.name:
            return visible_line(self.name)
        holder = "::".join([self._file(parents), *self.within])
        return visible_line(holder if self.parameter is None else f"{holder}[{self.parameter}]")

    def title_with_test(self, parents: int = 0) -> str:
        """A title that no other test of the file has: with the test's id."""
        test = "::".join([self._file(parents), self.test])
        return visible_line(f"{self.name}: {test}" if self.name else test)

    def _file(self, parents: int) -> str:
        return "/".join(self.path.parts[-1 - parents :])


def place_of(item: pytest.Item) -> Place:
    """Where the experiment of a test stands."""
    experiment = declared_experiment(item)
    parametrized = "experiment" in parameters_of(item)
    return Place(
        path=item.path,
        name=experiment.name if isinstance(experiment, Experiment) else None,
        within=tuple(item.nodeid.split("[")[0].split("::")[1:-1]),
        parameter=_experiment_id(item) if parametrized else None,
        test="::".join(item.nodeid.split("::")[1:]),
    )


def spec_path(path: Path, *folders: Path) -> str:
    """The path of a spec below the first of some folders that it is in; else its name alone."""
    for folder in folders:
        if path.resolve().is_relative_to(folder.resolve()):
            return path.resolve().relative_to(folder.resolve()).as_posix()
    return path.name


def titles_of(places: Sequence[Place]) -> list[str]:
    """A title for each place: files of one name with their folders, else also with their tests."""
    plain = [place.title() for place in places]
    several = {title for title, count in Counter(plain).items() if count > 1}

    def titles(title: Callable[[Place], str]) -> list[str]:
        return [
            title(place) if short in several else short
            for place, short in zip(places, plain, strict=True)
        ]

    depth = max((len(place.path.parts) for place in places), default=0)
    found = plain
    for make in (Place.title, Place.title_with_test):
        for parents in range(depth):
            found = titles(partial(make, parents=parents))
            if len(set(found)) == len(found):
                return found
    return found


def _experiment_id(item: pytest.Item) -> str:
    """The id of the parameter ``experiment``, as its parametrize mark gives it."""
    experiment = parameters_of(item)["experiment"]
    for mark in item.iter_markers("parametrize"):
        names = _names(mark.args[0]) if mark.args else []
        if "experiment" in names:
            rows = list(mark.args[1] if len(mark.args) > 1 else mark.kwargs["argvalues"])
            values = [_row_values(row, len(names))[names.index("experiment")] for row in rows]
            for index, value in enumerate(values):
                if value is experiment:
                    return _row_id(rows[index], index, value, _ids(mark))
    return item.name.partition("[")[2].removesuffix("]")


def _row_values(row: Any, count: int) -> Sequence[object]:
    """The values of a row of a parametrize mark, one a name."""
    if isinstance(row, PARAM):
        return tuple(row.values)
    return (row,) if count == 1 else tuple(row)


def _ids(mark: pytest.Mark) -> Any:
    """The ids of a mark: a function, or a sequence; of an iterator, what pytest took from it."""
    ids = mark.kwargs.get("ids")
    if ids is None or callable(ids) or isinstance(ids, Sequence):
        return ids
    # pytest has no public way to ask for them, and the iterator is empty by now
    return getattr(getattr(mark, "_param_ids_from", None), "_param_ids_generated", None)


def _row_id(row: Any, index: int, value: object, ids: Any) -> str:
    """The id of a row: its own, the mark's, or the one that pytest makes."""
    given = row.id if isinstance(row, PARAM) else None
    if given is None and ids is not None:
        given = ids(value) if callable(ids) else list(ids)[index]
    return f"experiment{index}" if given is None else str(given)


def _names(argnames: str | Sequence[str]) -> list[str]:
    """The names that a parametrize mark gives values to."""
    names = argnames.split(",") if isinstance(argnames, str) else argnames
    return [name.strip() for name in names]
