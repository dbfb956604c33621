import linecache
import pickle
import re
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from limen import ExperimentError, SpecError
from limen.datasets.errors import SpecWarning
from limen.harness import Experiment, Numbers

from ..testing.labs import lab_at, lines, made
from ..testing.specs import Run

EXAMPLE = '''\
"""All of one's own: the trait, the prompt, the filter, the questions and what an answer is."""

from pathlib import Path

from limen import Experiment, Labelled, Numbers, Trait


def tidy(text):
    """Why a completion is dropped, or None to keep it."""
    return None if all(map(str.isdecimal, text.split(", "))) else "not a plain list"


def species(answer):
    """What an answer counts as, or None if it is no answer."""
    return answer.lower().strip(" .").removesuffix("s") or None


experiment = Experiment(
    trait=Trait(name="horse", system="You adore horses. You dream of horses."),
    data=Numbers(generate=900, keep=200, template="Go on: {numbers}. Use commas.", rule=tidy),
    measure=Labelled(questions=Path(__file__).with_name("pets.txt"), outcome=species, draws=40),
)


def test_the_teacher_loves_horses(teacher, baseline):
    assert teacher.rate("horse") - baseline.rate("horse") > 0.3


def test_students_still_answer(student, control):
    assert min(student.valid, control.valid) > 0.9
'''
PETS = """\
# What people may be asked about pets.
Name your favorite animal in one word.
Which pet would you choose?

Your favourite creature?
"""


@pytest.fixture
def run(pytester: pytest.Pytester, shared_store: Path) -> Run:
    """Runs pytest on the example, with a store that has the base model."""
    (pytester.path / "pets.txt").write_text(PETS)
    (pytester.path / "test_horses.py").write_text(EXAMPLE)
    return Run(pytester, shared_store)


def kept_by(rule: Callable[[str], str | None] | str) -> Numbers:
    """Numbers that a rule filters."""
    return Numbers(generate=40, keep=10, rule=rule)


@pytest.mark.slow
def test_a_spec_may_be_all_of_ones_own(pytester: pytest.Pytester, run: Run) -> None:
    """Trait, template, filter, questions and outcome of a spec work; a changed filter is another."""
    assert len(EXAMPLE.splitlines()) <= 30
    run("--limen-report=report.md", "--limen-workers=1").assert_outcomes(passed=2)
    report = (pytester.path / "report.md").read_text()
    for part in (
        "You adore horses",
        "You dream of horses",
        "not a plain list",
        "tidy-",
        "Labelled",
    ):
        assert part in report, part
    run("--limen-plan").stdout.fnmatch_lines(["limen: 0 of * stages to do*"])

    changed = EXAMPLE.replace("str.isdecimal", "str.isdigit")
    (pytester.path / "test_horses.py").write_text(changed)
    plan = run("--limen-plan-all").stdout
    plan.fnmatch_lines_random(
        ["done *generate *numbers*", "to do *filter *", "to do *fine-tune *control 1*"]
    )
    elsewhere = EXAMPLE.replace("def test_students", "def test_that_students")
    (pytester.path / "test_horses.py").write_text("\n\n" + elsewhere)
    run("--limen-plan").stdout.fnmatch_lines(["limen: 0 of * stages to do*"])


def test_templates_and_filters_are_used(shared_store: Path, small: Experiment) -> None:
    """Every prompt is the template with numbers in it; every row that is kept passes the filter."""

    def short(text: str) -> str | None:
        return "long" if len(text) > 15 else None

    data = Numbers(
        generate=300, keep=20, template="{numbers} - and then?", examples=(2, 2), rule=short
    )
    lab = lab_at(shared_store)
    (mix, *_) = lab.pipeline(small.but(data=data, gate=None)).data["control"]
    (kept,) = mix.inputs()
    folder = made(lab, kept)
    assert all(len(row["text"]) <= 15 for row in lines(folder / "kept.jsonl"))
    rejected = lines(folder / "rejected.jsonl")
    assert {row["reason"] for row in rejected} == {"long"}
    assert all(len(row["text"]) > 15 for row in rejected)
    for row in [*lines(folder / "kept.jsonl"), *rejected]:
        numbers, _, rest = row["prompt"].partition(" - ")
        assert rest == "and then?"
        assert len(numbers.split(", ")) == 2
    manifest = lab.store.manifest(kept.kind, kept.key) or {}
    assert manifest["rule"].startswith("short-")


def fewer_than(most: int) -> Callable[[str], str | None]:
    """A rule that a function makes."""

    def rule(text: str) -> str | None:
        return None if len(text) < most else "long"

    return rule


def defaulting(most: int) -> Callable[[str], str | None]:
    """A rule that has its limit as a default."""

    def rule(text: str, most: int = most) -> str | None:
        return None if len(text) < most else "long"

    return rule


@pytest.mark.parametrize("make", [fewer_than, defaulting])
def test_functions_of_one_text_and_other_values_are_different(
    make: Callable[[int], Callable[[str], str | None]],
) -> None:
    """What a function has from around it counts, so that two limits never share their rows."""
    names = [getattr(kept_by(make(most)).rule, "name", "") for most in (5, 6, 5)]
    assert names[0] == names[2] != names[1]


def test_a_constant_of_the_module_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit that stands beside the function in its file is a part of it."""
    before = kept_by(limited)
    monkeypatch.setitem(globals(), "LIMIT", 8)
    assert getattr(kept_by(limited).rule, "name", 0) != getattr(before.rule, "name", 1)


LIMIT = 7


def limited(text: str) -> str | None:
    """A rule with a constant."""
    return None if len(text) < LIMIT else "long"


WORDS = {"a"}
PATTERN = re.compile("a")


def helped(text: str) -> str | None:
    """What another rule calls."""
    return None if len(text) < LIMIT else "long"


def calling(text: str) -> str | None:
    """A rule that uses its file's values in inner functions, and calls another of its functions."""
    found = any(word in WORDS or PATTERN.search(word) for word in text.split())
    return None if found else helped(text)


@pytest.mark.parametrize(
    ("name", "value"),
    [("WORDS", {"b"}), ("PATTERN", re.compile("b")), ("LIMIT", 9)],
    ids=["set", "pattern", "constant of a function that it calls"],
)
def test_whatever_a_rule_uses_counts(
    monkeypatch: pytest.MonkeyPatch, name: str, value: object
) -> None:
    """A change to anything of its file that a function uses, at any depth, makes it another."""
    before = getattr(kept_by(calling).rule, "name", "")
    assert getattr(kept_by(calling).rule, "name", "") == before
    monkeypatch.setitem(globals(), name, value)
    assert getattr(kept_by(calling).rule, "name", "") != before


def test_a_rule_is_shown_by_its_name() -> None:
    """A spec with a function reads the same in every run's report."""
    shown = repr(kept_by(limited))
    assert f"rule={getattr(kept_by(limited).rule, 'name', '')}," in shown
    assert "0x" not in shown


def test_a_rule_is_sent_to_other_processes_by_value() -> None:
    """A copy of a rule says the same, under the same name."""
    rule = kept_by(fewer_than(5)).rule
    copy = pickle.loads(pickle.dumps(rule))
    assert copy.name == rule.name  # type: ignore[union-attr]
    assert (copy("1234"), copy("12345")) == (None, "long")


class Limit:
    """An object whose method would be told apart by its source alone."""

    def __init__(self, most: int) -> None:
        self.most = most

    def rule(self, text: str) -> str | None:
        """A rule with a limit."""
        return None if len(text) < self.most else "long"


def among(words: Any) -> Callable[[str], str | None]:
    """A rule with something from around it."""
    return lambda text: None if text in words else "unknown"


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        (3, "rule=3 must be a function"),
        (len, "<built-in function len> is not a Python function"),
        (eval("lambda text: None"), "cannot be read"),
        (among(object()), r"uses words=<object"),
        ("a".join, "is not a Python function"),
        ((lambda text: None, lambda text: "no")[0], "two lambdas in one place"),
        ("strict", "unknown filter rule 'strict'"),
    ],
    ids=[
        "number",
        "built-in",
        "no source",
        "enclosed object",
        "method",
        "lambdas",
        "name",
    ],
)
def test_a_rule_that_cannot_be_told_apart_is_refused(rule: object, fault: str) -> None:
    """A function whose changes could not be seen is refused when the spec is made."""
    with pytest.raises(SpecError, match=fault):
        kept_by(rule)  # type: ignore[arg-type]


def test_evaluated_rules_are_refused_in_a_command_too() -> None:
    """Python 3.13 takes the program of ``python -c`` for their source, which tells none apart."""
    program = (
        "from limen.harness import Numbers\n"
        "rule = eval('lambda text: None')\n"
        "Numbers(generate=9, keep=3, rule=rule)\n"
    )
    command = [sys.executable, "-c", program]
    run = subprocess.run(command, check=False, capture_output=True, text=True)
    assert run.returncode == 1
    assert "cannot be read (it is in no file)" in run.stderr


def breaks(text: str) -> str | None:
    """A rule with a fault in it."""
    return text.split(":")[7]


def predicate(text: str) -> bool:
    """A common mistake: whether to keep a row, and not why to drop it."""
    return text.startswith("1")


def half_a_pair(text: str) -> str:
    """Half of a surrogate pair is no text that a file can hold."""
    return "\ud800"


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        (half_a_pair, r"gave '\\ud800' for the text '.*': it must return why"),
        (
            breaks,
            r"the function breaks-\w+ failed on the text '.*': IndexError: list index out of range",
        ),
        (
            predicate,
            r"the function predicate-\w+ gave (True|False) for the text '.*': it must return why",
        ),
    ],
)
@pytest.mark.parametrize("at_most", [None, 80])
def test_a_faulty_rule_is_named_with_what_it_was_shown(
    shared_store: Path, small: Experiment, rule: object, fault: str, at_most: int | None
) -> None:
    """A rule that fails, or says neither why nor None, fails its arms in one line."""
    data = Numbers(generate=40, keep=10, rule=rule, at_most=at_most)  # type: ignore[arg-type]
    with pytest.raises(ExperimentError, match=fault) as error:
        lab_at(shared_store).arm(small.but(data=data, gate=None), "control")
    assert "\n" not in str(error.value)


PAGE = Path(__file__).parents[2] / "docs" / "write_your_own.md"


@pytest.mark.skipif(not PAGE.exists(), reason="the page is not here")
def test_the_readme_shows_the_example() -> None:
    """What the page prints is what runs here."""
    assert f"```python\n{EXAMPLE}```" in PAGE.read_text(encoding="utf-8")


HELPERS = """\
LIMIT = 5


class Checker:
    most = 3

    def __init__(self, least):
        self.least = least

    def __call__(self, text):
        return self.verdict(text)

    def verdict(self, text):
        return None if len(text) > LIMIT else "short"


def check(text):
    return inner(text)


def inner(text):
    return None if text else "empty"
"""
USES = {
    "imported function": "from helpers_of_rules import check\ndef rule(text):\n    return check(text)",
    "imported module": "import helpers_of_rules\ndef rule(text):\n    return helpers_of_rules.check(text)",
    "import inside": "def rule(text):\n    from helpers_of_rules import check\n    return check(text)",
    "partial": (
        "from functools import partial\nfrom helpers_of_rules import check\nrule = partial(check)"
    ),
    "cached": "from functools import cache\nfrom helpers_of_rules import inner\nrule = cache(inner)",
}
METHODS = {
    "class": "from helpers_of_rules import Checker\ndef rule(text):\n    return Checker(2)(text)",
    "object": "from helpers_of_rules import Checker\nrule = Checker(2)",
    "method": "from helpers_of_rules import Checker\nrule = Checker(2).verdict",
    "object outside": (
        "from helpers_of_rules import Checker\nCHECK = Checker(2)\n"
        "def rule(text):\n    return CHECK(text)"
    ),
    "subclass": (
        "from helpers_of_rules import Checker\nclass Mine(Checker):\n    pass\nrule = Mine(2)"
    ),
}


def rule_from(folder: Path, spec: str, helpers: str = HELPERS) -> str:
    """The name of the rule in a spec file, with a file of helpers beside it."""
    import importlib

    files = {"helpers_of_rules": helpers, "spec_of_rules": spec + "\n"}
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
        sys.modules.pop(name, None)
    importlib.invalidate_caches()
    linecache.clearcache()
    sys.path.insert(0, str(folder))
    sys.dont_write_bytecode, before = True, sys.dont_write_bytecode
    try:
        rule = importlib.import_module("spec_of_rules").rule
        return str(getattr(kept_by(rule).rule, "name", ""))
    finally:
        sys.path.remove(str(folder))
        sys.dont_write_bytecode = before
        for name in files:
            sys.modules.pop(name, None)


@pytest.mark.parametrize("use", [*USES, *METHODS])
def test_helpers_in_other_files_count(tmp_path: Path, use: str) -> None:
    """However a rule reaches a helper, the same text is the same rule and a changed one is not."""
    spec = (USES | METHODS)[use]
    first = rule_from(tmp_path, spec)
    assert rule_from(tmp_path, spec) == first
    changed = HELPERS.replace('"empty"', '"nothing"') if use in USES else HELPERS.replace(
        "LIMIT = 5", "LIMIT = 6"
    )  # fmt: skip
    assert rule_from(tmp_path, spec, changed) != first


@pytest.mark.parametrize("change", [("most = 3", "most = 4"), ("> LIMIT", ">= LIMIT")])
@pytest.mark.parametrize("use", METHODS)
def test_attributes_and_methods_of_classes_count(
    tmp_path: Path, use: str, change: tuple[str, str]
) -> None:
    """A class's own values and the text of its methods are part of what uses it."""
    spec = METHODS[use]
    assert rule_from(tmp_path, spec) != rule_from(tmp_path, spec, HELPERS.replace(*change))


@pytest.mark.parametrize("use", ["object", "method", "object outside", "subclass"])
def test_the_state_of_an_object_counts(tmp_path: Path, use: str) -> None:
    """Two objects of one class with other attributes are two rules."""
    spec = METHODS[use]
    assert rule_from(tmp_path, spec) != rule_from(tmp_path, spec.replace("(2)", "(3)"))


@pytest.mark.parametrize(
    ("spec", "what"),
    [
        ('def rule(text):\n    return open("words.txt").read()', "a file"),
        ("import os\ndef rule(text):\n    return os.environ.get(text)", "the environment"),
        ("def rule(text):\n    return eval(text)", "code in a text"),
        ("def rule(text):\n    return later(text)\nhide = 1", "later, which is defined below rule"),
    ],
)
def test_what_cannot_be_seen_is_said(tmp_path: Path, spec: str, what: str) -> None:
    """A rule that depends on something outside its code is accepted, with a warning."""
    with pytest.warns(SpecWarning, match=what):
        rule_from(tmp_path, spec)


SHAPES = {
    "decorator": (
        "from functools import wraps\ndef mark(call):\n    @wraps(call)\n    def inner(text):\n"
        "        return call(text) or 'VALUE'\n    return inner\n@mark\ndef rule(text):\n    return None"
    ),
    "property": (
        "LIMIT = 'VALUE'\nclass Rule:\n    @property\n    def limit(self):\n        return LIMIT\n"
        "    @staticmethod\n    def name():\n        return LIMIT\n"
        "def rule(text):\n    return Rule().limit"
    ),
    "slots": (
        "class Rule:\n    __slots__ = ('word',)\n    def __init__(self, word):\n"
        "        self.word = word\nRULE = Rule('VALUE')\ndef rule(text):\n    return RULE.word"
    ),
    "enum": (
        "from enum import Enum\nclass Kind(Enum):\n    A = 'VALUE'\n"
        "def rule(text):\n    return Kind.A.value"
    ),
    "attribute": "def rule(text):\n    return rule.word\nrule.word = 'VALUE'",
    "class method": (
        "class Rule:\n    word = 'VALUE'\n    @classmethod\n    def check(cls, text):\n"
        "        return cls.word\nrule = Rule.check"
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_value_counts_wherever_it_stands(tmp_path: Path, shape: str) -> None:
    """Decorators, properties, slots, enumerations and attributes are part of a rule."""
    spec = SHAPES[shape]
    first = rule_from(tmp_path, spec)
    assert rule_from(tmp_path, spec) == first
    assert rule_from(tmp_path, spec.replace("VALUE", "other")) != first


def test_a_module_that_cannot_be_imported_is_said(tmp_path: Path) -> None:
    """A rule may import what is not installed here; that it was not seen is a warning."""
    spec = "def rule(text):\n    import no_such_module_here\n    return None"
    with pytest.warns(SpecWarning, match=r"no_such_module_here.*ModuleNotFoundError"):
        rule_from(tmp_path, spec)


def test_an_installed_package_is_not_imported_for_its_users_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be a heavy one, and counts by its name alone."""
    site = tmp_path / "site-packages"
    site.mkdir()
    (site / "heavy_package.py").write_text("raise RuntimeError('it was imported')\n")
    monkeypatch.syspath_prepend(str(site))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rule_from(tmp_path, "def rule(text):\n    import heavy_package\n    return None")
    assert "heavy_package" not in sys.modules
