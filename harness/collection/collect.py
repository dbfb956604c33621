"""The experiments of spec files for commands, as pytest itself collects them: nothing is run.

Whatever makes an experiment under pytest (rows of parametrize, marks of a module, nested classes,
``pytest_generate_tests``, fixtures' names, packages, ini keys) makes the same one here. Experiments
that no test uses yet are found by the names that their modules have for them.
"""

import re
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from ...datasets.errors import SpecError
from ..experiment import Experiment, as_experiment
from .imports import forget, remember
from .items import declared_experiment, is_skipped, reached_fixtures, requested_arms
from .titles import Place, place_of, titles_of

ARGUMENTS = (
    "--collect-only",
    "-q",
    "-s",
    "-Wignore::pytest.PytestAssertRewriteWarning",  # of limen, which is imported already
    "-pno:unraisableexception",  # collects garbage five times, of what nobody reads here
)
_IMPORT = re.compile(r"^\s*(?:from|import)\s+limen\b", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class CollectedExperiment:
    """An experiment of a spec file."""

    title: str
    experiment: Experiment
    path: Path


@dataclass(frozen=True, kw_only=True)
class Collection:
    """What pytest collects in some files."""

    experiments: tuple[CollectedExperiment, ...]
    unclear: tuple[str, ...]
    """What may have experiments that were not found: test files and tests, each with the reason."""


def collect(paths: Iterable[Path]) -> Collection:
    """The experiments of spec files and of folders of them.

    What the ini file deselects is collected, too. Raises :class:`~limen.SpecError` for a file that
    pytest cannot collect.
    """
    collector = _Collector()
    given = [str(path.absolute()) for path in paths]
    forget()
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()) as errors:
        code = pytest.main([*given, *ARGUMENTS], plugins=[collector])
    remember(module.obj for module in collector.modules)
    if collector.errors:
        raise SpecError("; ".join(collector.errors))
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        reason = errors.getvalue().strip() or f"it ends with exit code {int(code)}"
        raise SpecError(f"pytest cannot collect {', '.join(given)}: {reason}")
    return collector.collection()


class _Collector:
    """A plugin that keeps what is collected, before anything is deselected."""

    def __init__(self) -> None:
        self.modules: list[pytest.Module] = []
        self.errors: list[str] = []
        self._items: list[pytest.Item] = []
        self._skipped: list[str] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Collect all tests, where the ini file asks for those that failed last."""
        config.option.lf = False

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Keep a test."""
        self._items.append(item)

    def pytest_exception_interact(
        self, node: pytest.Item | pytest.Collector, call: pytest.CallInfo[Any]
    ) -> None:
        """Keep why a file cannot be collected."""
        if call.excinfo is not None:
            self.errors.append(f"{node.path} fails: {_reason(call.excinfo.value)}")

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Keep a module, or that it was skipped."""
        report = yield
        if isinstance(collector, pytest.Module) and report.passed:
            self.modules.append(collector)
        elif report.skipped and _imports_limen(collector.path):
            self._skipped.append(f"{collector.path} is skipped as a whole")
        return report

    def collection(self) -> Collection:
        """The experiments of the tests, and those that modules have beside them."""
        found = [*_used(self._items), *_beside(self.modules)]
        once = _each_once(found)
        titles = titles_of([place for place, _ in once])
        return Collection(
            experiments=tuple(
                CollectedExperiment(title=title, experiment=experiment, path=place.path)
                for title, (place, experiment) in zip(titles, once, strict=True)
            ),
            unclear=tuple(self._unclear({place.path for place, _ in once})),
        )

    def _unclear(self, known: set[Path]) -> Iterator[str]:
        yield from self._skipped
        for module in self.modules:
            if module.path not in known and _imports_limen(module.path):
                yield f"{module.path} imports limen, and no experiment was found in it"
        for item in self._items:
            declared = declared_experiment(item)
            if reached_fixtures(item) and not isinstance(declared, Experiment):
                yield f"{item.nodeid} asks for an arm of an experiment that is known at its run"


def _reason(error: BaseException) -> str:
    """What went wrong; of a file that cannot be imported, what its import raised."""
    wrapped = isinstance(error, pytest.Collector.CollectError)
    cause = error.__cause__ if wrapped else error
    if isinstance(cause, ImportError | SyntaxError) and len(cause.args) < 3:
        return f"{type(cause).__name__}: {cause}"
    return str(error) if wrapped else f"{type(error).__name__}: {error}"


def _imports_limen(file: Path) -> bool:
    try:
        return bool(_IMPORT.search(file.read_text(encoding="utf-8", errors="replace")))
    except OSError:
        return False


def _used(items: Iterable[pytest.Item]) -> Iterator[tuple[Place, Experiment]]:
    """The experiments of tests; those first that a run takes titles from: they have arms."""
    for item in sorted(items, key=lambda item: not _has_arms(item)):
        experiment = declared_experiment(item)
        if isinstance(experiment, Experiment):
            yield place_of(item), experiment


def _has_arms(item: pytest.Item) -> bool:
    experiment = declared_experiment(item)
    if not isinstance(experiment, Experiment) or is_skipped(item):
        return False
    return bool(requested_arms(item, experiment))


def _beside(modules: Iterable[pytest.Module]) -> Iterator[tuple[Place, Experiment]]:
    """The experiments that modules have by name, in classes, and in lists and dictionaries."""
    for module in modules:
        for names, value in _values(module.obj, module.obj.__name__):
            experiment = as_experiment(value)
            if isinstance(experiment, Experiment):
                within = names[:-1] if names[-1] == "experiment" else names
                yield (
                    Place(
                        path=module.path, name=experiment.name, within=within, parameter=None,
                        test="::".join(names),
                    ),
                    experiment,
                )  # fmt: skip


def _values(
    holder: object, module: str, above: Sequence[str] = ()
) -> Iterator[tuple[tuple[str, ...], object]]:
    """The values of a module or a class and of what it holds, each with its names."""
    for name, value in list(vars(holder).items()):
        names = (*above, name)
        yield names, value
        if isinstance(value, type) and value.__module__ == module:
            yield from _values(value, module, names)
        if isinstance(value, list | tuple):
            yield from (((*names, str(place)), part) for place, part in enumerate(value))
        if isinstance(value, dict):
            yield from (((*names, str(key)), part) for key, part in value.items())


def _each_once(found: Iterable[tuple[Place, Experiment]]) -> list[tuple[Place, Experiment]]:
    """The experiments without those that equal another of their file, in the order of files."""
    once: dict[Path, list[tuple[Place, Experiment]]] = {}
    for place, experiment in found:
        known = once.setdefault(place.path, [])
        if all(experiment != other for _, other in known):
            known.append((place, experiment))
    return [pair for pairs in once.values() for pair in pairs]
