"""``help()`` of every public name: parameters, errors, and an example that runs."""

import dataclasses
import doctest
import inspect
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import limen
from limen import backends, harness, reports

from .testing.arms import arm
from .testing.specs import tiny_experiment

RAISE_NOTHING = {"report_of", "result_to_json", "backend_names"}


def callables(module: object, names: list[str]) -> list[Callable[..., object]]:
    """The classes and functions among some names of a module."""
    found = [getattr(module, name) for name in names]
    return [one for one in found if inspect.isclass(one) or inspect.isfunction(one)]


def name_of(one: object) -> str:
    """Its name."""
    return one.__name__ if inspect.isclass(one) or inspect.isfunction(one) else ""


WRITTEN = callables(harness, harness.__all__)
FUNCTIONS = [
    one
    for module in (reports, backends)
    for one in callables(module, module.__all__)
    if inspect.isfunction(one)
]
ERRORS = callables(limen, limen.__all__)
PUBLIC = [*WRITTEN, *FUNCTIONS, *(one for one in ERRORS if one not in WRITTEN)]
IDS = [name_of(one) for one in PUBLIC]


def parameters(one: Callable[..., object]) -> set[str]:
    """The names of its parameters."""
    if dataclasses.is_dataclass(one):
        return {field.name for field in dataclasses.fields(one) if field.init}
    if inspect.isclass(one) and issubclass(one, Exception):
        return {"args"}
    given = inspect.signature(one).parameters.values()
    return {each.name for each in given if each.kind != each.VAR_KEYWORD}


def doc(one: Callable[..., object]) -> str:
    return inspect.getdoc(one) or ""


@pytest.mark.parametrize("one", PUBLIC, ids=IDS)
def test_help_has_parameters_errors_and_an_example(one: Callable[..., object]) -> None:
    """Whoever writes a spec or reads results finds all of it in ``help()``."""
    text = doc(one).partition("\nArgs:\n")[2].partition("\nExamples:\n")[0]
    entries = set(re.findall(r"^    (\w+): ", text.partition("\nRaises:\n")[0], re.M))
    assert parameters(one) <= entries
    assert name_of(one) in RAISE_NOTHING or re.search(r"\b[Rr]aise[sd]?\b", doc(one))
    assert "\nExamples:\n    >>> " in doc(one)


@pytest.fixture
def names(shared_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """What the examples of ``help()`` may use beside limen's own names."""
    monkeypatch.chdir(tmp_path)
    asked = harness.FavoriteAnimal(questions=("One?", "Two?"), draws=10)
    judge = harness.Judge(prompt="Rate this: {reply}", name="a")
    rated = harness.Rated(
        questions=("One?", "Two?"), by=(judge, replace(judge, name="b")), draws=10
    )
    students = [
        arm(asked, [{"Owl": n, "Cat": 10 - n}] * 2, [{"Owl": 7, "Cat": 3}] * 2) for n in (5, 6, 8)
    ]
    lengths = [
        arm(rated, [{"x": 5, "y": 5}] * 2, said={name: {"x": "3", "y": n} for name in ("a", "b")})
        for n in "48"
    ]
    effects = [student.rate("owl") - students[0].rate("owl") for student in students[1:]]
    numbers = harness.Numbers(generate=30_000, keep=10_000)
    return {
        **{name: getattr(harness, name) for name in harness.__all__},
        **vars(limen), **vars(backends),
        "reports": reports, "store": shared_store, "file": tmp_path / "report.md",
        "experiment": tiny_experiment(), "numbers": numbers,
        "owl_numbers": numbers, "eagle_numbers": numbers.but(seed=1), "other_numbers": numbers.but(seed=2),
        "stories": harness.Stories(generate=900, keep=300), "judge": replace(judge, model="toy-1"),
        "student": students[1], "control": students[0], "other": students[2],
        "rated": lengths[1], "other_rated": lengths[0],
        "effect": effects[0], "other_effect": effects[1],
    }  # fmt: skip


UNRUN = {"compare_answers", "Rows", "InspectTask", "ComputedScores"}
"""They read files, data sets or models that a test does not have."""
OF_RUNS = {name_of(each) for each in FUNCTIONS if each.__module__.startswith("limen.reports")}
"""They read a store with runs."""


@pytest.mark.parametrize(
    "one",
    [one for one in PUBLIC if name_of(one) not in UNRUN | OF_RUNS],
    ids=name_of,
)
def test_examples_of_help_run(
    one: Callable[..., object], names: dict[str, object], tmp_path: Path
) -> None:
    """An example that cannot be pasted is worse than none."""
    source = "".join(each.source for each in doctest.DocTestParser().get_examples(doc(one)))
    file = tmp_path / "example.py"  # limen reads the source of functions
    file.write_text(source)
    exec(compile(source, str(file), "exec"), names)
