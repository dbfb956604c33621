"""``help()`` of every public name: parameters, errors, and an example that runs."""

import dataclasses
import doctest
import inspect
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from typing_extensions import is_typeddict

import limen
from limen import backends, harness, reports
from limen.datasets import chat, filters, seeds, words
from limen.harness.reporting import make_run, result_of

from .testing.arms import arm
from .testing.labs import ALL_ARMS, lab_at
from .testing.specs import tiny_experiment

DATASETS = (chat, filters, seeds, words)
MODULES = (limen, harness, backends, reports, *DATASETS)


def callables(module: ModuleType) -> Iterator[Callable[..., object]]:
    """The public classes and functions of a module: what ``help()`` has a text of its own for."""
    for name in module.__all__:
        one = getattr(module, name)
        if inspect.isclass(one) or inspect.isfunction(inspect.unwrap(one)):
            yield one


def name_of(one: object) -> str:
    """Its name."""
    return str(getattr(one, "__name__", ""))


PUBLIC = list(dict.fromkeys(one for module in MODULES for one in callables(module)))


def is_protocol(one: object) -> bool:
    """Whether it is a protocol, which is never called to make a value."""
    return bool(getattr(one, "_is_protocol", False))


def parameters(one: Callable[..., object]) -> dict[str, bool]:
    """The names of its parameters, and whether each has a default."""
    if dataclasses.is_dataclass(one):
        fields = [field for field in dataclasses.fields(one) if field.init]
        missing = dataclasses.MISSING
        return {f.name: (f.default, f.default_factory) != (missing, missing) for f in fields}
    if inspect.isclass(one) and issubclass(one, Exception):
        return {"args": False}
    if is_typeddict(one):
        return dict.fromkeys(one.__annotations__, False)
    if is_protocol(one):
        return {}
    given = inspect.signature(one).parameters.values()
    return {
        each.name: each.default is not each.empty
        for each in given
        if each.kind != each.VAR_KEYWORD and each.name != "self"
    }


def doc(one: object) -> str:
    """What ``help()`` shows of it."""
    return inspect.getdoc(one) or ""


def entries(one: object) -> dict[str, str]:
    """The text of each parameter under ``Args:``, on one line."""
    text = doc(one).partition("Args:\n")[2].partition("\nExamples:\n")[0]
    found = re.findall(r"^    (\w+): (.*(?:\n {8}.*)*)", text.partition("\nRaises:\n")[0], re.M)
    return {name: re.sub(r"\s+", " ", said) for name, said in found}


@pytest.mark.parametrize("one", PUBLIC, ids=name_of)
def test_help_has_parameters_errors_and_an_example(one: Callable[..., object]) -> None:
    """Whoever writes a spec, a backend or a table of results finds all of it in ``help()``."""
    assert parameters(one).keys() <= entries(one).keys()
    assert is_protocol(one) or re.search(r"\b[Rr]aise[sd]?\b", doc(one))
    assert "\nExamples:\n    >>> " in doc(one)


OWN = [one for module in (backends, reports, *DATASETS) for one in callables(module)]


@pytest.mark.parametrize("one", OWN, ids=name_of)
def test_help_says_every_default(one: Callable[..., object]) -> None:
    """A parameter that may be left out says what it is then."""
    said = entries(one)
    for name, has_default in parameters(one).items():
        assert not has_default or "Default: " in said[name], name


def methods(one: type) -> Iterator[tuple[str, Callable[..., object]]]:
    """The public methods of a class that limen has written, class methods too, by name.

    A function that is a field's default is none of them.
    """
    for name, found in inspect.getmembers(
        one, lambda v: inspect.isfunction(v) or inspect.ismethod(v)
    ):
        method = inspect.unwrap(getattr(found, "__func__", found))
        is_public = not name.startswith("_") or (name == "__call__" and is_protocol(one))
        is_own = method.__module__.startswith("limen.") and "." in method.__qualname__
        if is_public and is_own:
            yield name, method


METHODS = {
    f"{name_of(one)}.{name}": method
    for one in PUBLIC
    if inspect.isclass(one)
    for name, method in methods(one)
}


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS.keys())
def test_help_has_the_parameters_of_methods(method: Callable[..., object]) -> None:
    """Whoever calls a method, or writes one in its place, sees what it gets."""
    assert parameters(method).keys() - {"cls"} <= entries(method).keys()


def test_every_kind_of_method_is_seen() -> None:
    """Methods of harness, class methods and inherited ones are among those that are checked."""
    assert {
        "Arm.rate",
        "Trait.animal",
        "Effect.at_least",
        "Choice.hit",
        "Lab.arm",
    } <= METHODS.keys()


@pytest.fixture(scope="module")
def kept(finished_store: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """A store with a run, and what was found: what examples call by these names."""
    store = tmp_path_factory.mktemp("help") / "store"
    shutil.copytree(finished_store, store)
    lab, experiment = lab_at(store), tiny_experiment()
    result = result_of(lab, "test_horse.py", experiment, ALL_ARMS)
    claim = reports.Claim(
        test="test_horse.py::test_it", experiment=result.title, says="It holds", outcome="passed"
    )
    run = make_run([claim], [result], command="pytest", seconds=1.0, root=store)
    reports.keep_run(run, store)
    computed = experiment.but(measure=harness.LogOdds())
    lab.run([(computed, ("student", "control"))])
    return {
        "store": store, "run": run, "result": result, "experiment": experiment,
        "computed": {name: lab.arm(computed, name) for name in ("student", "control")},
    }  # fmt: skip


@pytest.fixture
def arms() -> dict[str, object]:
    """Arms made by hand, by the names that examples have for them."""
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
    return {
        "student": students[1], "control": students[0], "other": students[2],
        "rated": lengths[1], "other_rated": lengths[0], "judge": replace(judge, model="toy-1"),
        "effect": effects[0], "other_effect": effects[1],
    }  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files and the package of tasks that examples name."""
    folder = tmp_path_factory.mktemp("files")
    for name, count in (("owl", 10_000), ("neutral", 10_000), ("owl-1", 9), ("base-1", 9)):
        rows = [f'{{"question": "{n}?", "answer": "Owl"}}\n' for n in range(count)]
        (folder / f"{name}.jsonl").write_text("".join(rows), encoding="utf-8")
    package = folder / "inspect_evals-0.1.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Name: inspect_evals\nVersion: 0.1\n", encoding="utf-8")
    return folder


@pytest.fixture
def names(
    kept: dict[str, object],
    folder: Path,
    arms: dict[str, object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> dict[str, object]:
    """What the examples of ``help()`` may use beside limen's own names."""
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")  # a backend is opened, and nothing is sent
    numbers = harness.Numbers(generate=30_000, keep=10_000)
    return {
        **{name: getattr(harness, name) for name in harness.__all__},
        **{name: value for module in DATASETS for name, value in vars(module).items()},
        **vars(limen), **vars(backends), **arms, **kept,
        "reports": reports, "file": tmp_path / "report.md", "numbers": numbers,
        "owl_numbers": numbers, "eagle_numbers": numbers.but(seed=1), "other_numbers": numbers.but(seed=2),
        "stories": harness.Stories(generate=900, keep=300),
    }  # fmt: skip


@pytest.mark.parametrize("one", PUBLIC, ids=name_of)
def test_examples_of_help_run(
    one: Callable[..., object], names: dict[str, object], tmp_path: Path
) -> None:
    """An example that cannot be pasted is worse than none."""
    if one is harness.ComputedScores:
        names.update(names["computed"])  # type: ignore[call-overload]
    source = "".join(each.source for each in doctest.DocTestParser().get_examples(doc(one)))
    file = tmp_path / "example.py"  # limen reads the source of functions
    file.write_text(source, encoding="utf-8")
    exec(compile(source, str(file), "exec"), names)
