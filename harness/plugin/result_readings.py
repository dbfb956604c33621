"""What a test reads off its fixtures, compared with what their classes and its experiment have."""

import ast
import inspect
from collections.abc import Iterable, Iterator, Mapping

from ...datasets.errors import SpecError
from ...datasets.suggestions import did_you_mean
from ..experiment import ARMS, Experiment, GridExperiment, LogOdds, TestSource
from ..lab import Arm, GridResults, TrajectoryResults
from ..statistics import GridEffects

Known = Mapping[str, Iterable[object]]
"""By name of a method's argument, the values that it can have."""

_CLASSES: Mapping[str, type] = {
    **dict.fromkeys(ARMS, Arm), "grid": GridResults, "trajectory": TrajectoryResults,
}  # fmt: skip

_RETURNED: Mapping[str, type] = {"grid.on": GridEffects, "trajectory.at": Arm}
"""The class of what a method of a fixture returns."""


def trait_words(experiment: Experiment) -> tuple[str, ...]:
    """The words that show the traits of an experiment."""
    return tuple(trait.shown_by for trait in experiment.traits)


def result_faults(
    nodes: Iterable[ast.AST], source: TestSource, experiment: Experiment
) -> Iterator[str]:
    """Attributes that a fixture's class does not have, and arguments that its methods refuse."""
    for node in nodes:
        if isinstance(node, ast.Attribute):
            yield from _attribute_faults(node, source)
        if isinstance(node, ast.Call):
            for fault in _call_faults(node, source, experiment):
                yield f"{ast.unparse(node)}: {fault}"


def missing_results(fixtures: Iterable[str], experiment: Experiment) -> Iterator[str]:
    """Fixtures whose results the experiment does not have."""
    if "grid" in fixtures and not isinstance(experiment, GridExperiment):
        yield "the fixture 'grid' needs experiment = Grid(traits=[...], ...)"
    if "trajectory" in fixtures and experiment.trajectory is None:
        yield "the fixture 'trajectory' needs Experiment(..., trajectory=Trajectory())"


def _class_of(node: ast.expr, source: TestSource) -> type | None:
    """The class of a fixture, or of one base's grid; None for any other expression."""
    if isinstance(node, ast.Name) and source.is_fixture(node.id):
        return _CLASSES.get(node.id)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        name = ast.unparse(node.func)
        return _RETURNED.get(name) if source.is_fixture(name.partition(".")[0]) else None
    return None


def _attribute_faults(node: ast.Attribute, source: TestSource) -> Iterator[str]:
    kind = _class_of(node.value, source)
    if kind is None:
        return
    fields = (name for base in kind.__mro__ for name in inspect.get_annotations(base))
    known = (*dir(kind), *fields)
    if node.attr not in known:
        public = [name for name in known if not name.startswith("_")]
        near = did_you_mean(node.attr, public).strip()
        yield f"{ast.unparse(node)}: there is no {node.attr!r}{near and f': {near}'}"


def _method(call: ast.Call, source: TestSource) -> tuple[type, object] | None:
    """The class and the method that are called; None for anything else."""
    if not isinstance(call.func, ast.Attribute):
        return None
    kind = _class_of(call.func.value, source)
    method = None if kind is None else vars(kind).get(call.func.attr)
    is_open = any(isinstance(one, ast.Starred) for one in call.args)
    if kind is None or is_open or any(one.arg is None for one in call.keywords):
        return None
    return kind, method


def _call_faults(call: ast.Call, source: TestSource, experiment: Experiment) -> Iterator[str]:
    kind, method = _method(call, source) or (None, None)
    if kind is None or not inspect.isfunction(method):
        return
    named = {str(one.arg): one.value for one in call.keywords}
    try:
        given = inspect.signature(method).bind(None, *call.args, **named).arguments
    except TypeError as error:
        yield str(error)
        return
    values = {name: value for name, node in given.items() if (value := _value(node, source))}
    yield from _unknown(values, kind, experiment)


def _value(node: object, source: TestSource) -> object:
    """A text or a number; None if it is not known before the run."""
    if isinstance(node, ast.Constant):
        return node.value
    return source.names.get(node.id) if isinstance(node, ast.Name) else None


def _unknown(values: Mapping[str, object], kind: type, experiment: Experiment) -> Iterator[str]:
    for name, known in _known(values, kind, experiment).items():
        listed = list(map(str, known))
        if name in values and isinstance(values[name], str | int) and values[name] not in known:
            near = did_you_mean(str(values[name]), listed)
            yield f"no {name} {values[name]!r}: {near}there are {', '.join(listed) or 'none'}"
    if kind is TrajectoryResults and isinstance(word := values.get("word"), str):
        try:
            experiment.measure.check(word)
            if isinstance(experiment.measure, LogOdds):
                experiment.measure.check_computed(word, trait_words(experiment))
        except SpecError as error:
            yield str(error)


def _known(values: Mapping[str, object], kind: type, experiment: Experiment) -> Known:
    if kind is TrajectoryResults:
        trajectories = experiment.trajectories
        places = trajectories.get(str(values.get("arm", "student")), ())
        arms = tuple(trajectories)
        return {"arm": arms, "against": arms, **({"epoch": places} if places else {})}
    if isinstance(experiment, GridExperiment) and kind in (GridResults, GridEffects):
        return {
            "student": tuple(name for arms in experiment.grids.values() for name in arms),
            "word": tuple(trait.shown_by for trait in experiment.columns),
            "base": tuple(base for base in experiment.grids if base is not None),
        }
    return {}
