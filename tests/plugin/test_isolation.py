"""One bad function harms the tests that need it, and nothing else."""

import subprocess
import sys
from pathlib import Path

import pytest

from ..testing.specs import SPEC, Run

SLOW = pytest.mark.slow
WAYS = """
import decimal, os, random, sys, time, warnings
import numpy

class Custom(Exception):
    def __init__(self, one, other): super().__init__(one)
    def __str__(self): raise RuntimeError

def raises(answer): return 1 / 0
def custom(answer): raise Custom("a", "b")
def nan(answer): return float("nan")
def infinite(answer): return float("inf")
def text(answer): return b"much"
def shape(answer): return [1.0, 2.0]
def leaves(answer): sys.exit(3)
def loops(answer):
    while True: pass
def sleeps(answer):
    while True:
        try: time.sleep(1000)
        except Exception: pass
def meddles(answer):
    print("a line of a scorer")
    warnings.warn("a warning of a scorer")
    os.chdir("/")
    os.environ["HOME"] = "/nowhere"
    sys.path.insert(0, "/nowhere")
    random.seed(0)
    numpy.random.seed(0)
    numpy.seterr(all="raise")
    decimal.getcontext().prec = 1

WAYS = [raises, custom, nan, infinite, text, shape, leaves, loops, sleeps]
"""
BAD = """
import pytest
from limen.harness import Scored
from ways import WAYS, meddles

def scored(function):
    return experiment.but(
        measure=Scored(questions=("Which animal?", "And why?"), draws=2, outcome=function)
    )

@pytest.mark.parametrize("experiment", list(map(scored, WAYS)), ids=[w.__name__ for w in WAYS])
class TestBad:
    def test_teacher(self, teacher, baseline):
        '''The score differs.'''
        assert teacher.scores() > baseline.scores()

    def test_students(self, student, control):
        '''The score is learned.'''
        assert student.scores() > control.scores()

class TestMeddles:
    experiment = scored(meddles).but(gate=None)

    def test_it(self, teacher, student):
        '''A function without a score.'''
        assert teacher.valid + student.valid == 0
"""
GOOD = """
def test_good(teacher):
    '''The teacher names its animal.'''
    assert teacher.rate("horse") > 0.3

def test_students(student, control):
    '''Students answer.'''
    assert student.rate("horse") - control.rate("horse") > -1
"""


PROCESSES = pytest.mark.parametrize(
    "options",
    [pytest.param((), id="one process"), pytest.param(("-n2",), id="two workers", marks=SLOW)],
)
LIMIT = "--limen-function-timeout=0.4"


@pytest.fixture
def spoiled(pytester: pytest.Pytester) -> pytest.Pytester:
    """A project with scorers that are bad in every way, before a good spec."""
    spec = SPEC.format(animal="horse")
    pytester.makepyfile(ways=WAYS, test_bad=spec + BAD, test_good=spec + GOOD)
    pytester.makeconftest("import sys; sys.path.insert(0, __file__.rpartition('/')[0])")
    return pytester


def written(store: Path) -> dict[str, int]:
    """When each manifest of a store was written."""
    return {
        str(file.relative_to(store)): file.stat().st_mtime_ns
        for file in (store / "stages").glob("*/*/manifest.json")
    }


@PROCESSES
def test_a_bad_scorer_fails_its_own_tests_alone(
    spoiled: pytest.Pytester, run: Run, shared_store: Path, options: tuple[str, ...]
) -> None:
    """Whatever a scoring function does, the good tests pass, and report and junit are written.

    After the repair nothing that was sampled is sampled again.
    """
    result = run("--limen-report=r.md", "--junitxml=out.xml", LIMIT, *options)
    result.assert_outcomes(
        passed=3, failed=9, errors=9, warnings=result.parseoutcomes()["warnings"]
    )
    for fault in (
        "failed on the answer '*': ZeroDivisionError: division by zero",
        "failed on the answer '*': Custom: its text cannot be shown",
        "gave nan for the answer '*': a score must be a finite number, or None",
        "failed on the answer '*': SystemExit: 3",
        "did not end within 0.4 seconds on the answer '*': correct it, or set *",
    ):
        result.stdout.fnmatch_lines([f"*could not be measured: the outcome function {fault}"])
    assert "INTERNALERROR" not in result.stdout.str()
    text = (spoiled.path / "r.md").read_text()
    assert "**Supported:** The teacher names its animal" in text
    assert text.count("**Error:** The score differs") == 2 * 9  # at the top, and with each
    assert 'errors="9" failures="9"' in (spoiled.path / "out.xml").read_text()
    before = written(shared_store)
    repaired = "def meddles(answer): pass\nWAYS = [lambda answer: len(answer)] * 9\n"
    (spoiled.path / "ways.py").write_text(repaired)
    run("-k", "test_teacher").assert_outcomes(passed=9, deselected=12)
    assert written(shared_store) == before


RULES = """
import sys
sys.path.insert(0, __file__.rpartition("/")[0])
import pytest
from limen.harness import *
import ways

def rule_of(name):
    way = getattr(ways, name)
    def rule(text): return way(text)
    return rule

BAD = [rule_of(way.__name__) for way in ways.WAYS]
"""
RULE_SPEC = (
    RULES
    + """
NUMBERS = Numbers(generate=40, keep=10)

def of(rule):
    return experiment.but(data=Numbers(generate=40, keep=10, rule=rule), gate=None)

def of_rows(rule):
    def by(prompt, text): return rule(text)
    data = [Mapped(NUMBERS, by=by), Selected(NUMBERS, score=by, keep="top", share=0.5)]
    return [experiment.but(data=one, gate=None) for one in data]

ROWS = [made for rule in BAD for made in of_rows(rule)]

@pytest.mark.parametrize("experiment", [*map(of, BAD), *ROWS])
class TestBad:
    def test_bad(self, control): pass

class TestMeddles:
    experiment = of(rule_of("meddles"))
    def test_it(self, control): assert control.seeds

def test_good(teacher):
    assert teacher.rate("horse") > 0.3
"""
)


@pytest.mark.slow
@PROCESSES
def test_a_bad_filter_rule_fails_its_own_tests_alone(
    pytester: pytest.Pytester, run: Run, store: Path, options: tuple[str, ...]
) -> None:
    """A rule that fails in a worker process is reported with its error, and other stages go on."""
    pytester.makepyfile(ways=WAYS, test_bad=SPEC.format(animal="horse") + RULE_SPEC)
    result = run(LIMIT, *options, store=store)
    result.assert_outcomes(passed=2, errors=27)
    result.stdout.fnmatch_lines(
        ["*the function rule-* did not end within 0.4 seconds on the text*"]
    )
    assert "a worker process died" not in result.stdout.str()
    assert len(list((store / "stages" / "generate").iterdir())) == 1


PROMPTS_SPEC = """
import sys

def any_text(text): return None

def raises(seed):
    return f"Continue with ten numbers: {300 + 137 // (seed % 20)}"

def leaves(seed):
    return "Continue with ten numbers: 137" if seed % 20 else sys.exit(3)

def of(prompts):
    return experiment.but(data=Completions(prompts=prompts, rule=any_text, generate=200, keep=20))

@pytest.mark.parametrize("experiment", [of(raises), of(leaves)], ids=["raises", "leaves"])
def test_bad(experiment, control): pass

def test_good(teacher):
    assert teacher.rate("horse") > 0.3
"""


@pytest.mark.slow
@PROCESSES
def test_prompts_that_fail_on_some_seeds_fail_their_own_tests_alone(
    pytester: pytest.Pytester, run: Run, shared_store: Path, options: tuple[str, ...]
) -> None:
    """Neither the plan nor the estimate of a run ends with them: both are made without them."""
    head = "import pytest\nfrom limen import Completions\n" + SPEC.format(animal="horse")
    pytester.makepyfile(head + PROMPTS_SPEC)
    run("--limen-plan", *options, store=shared_store).assert_outcomes()
    result = run(*options, store=shared_store)
    result.assert_outcomes(passed=1, errors=2)
    result.stdout.fnmatch_lines(["*failed on the seed '*': ZeroDivisionError*"])


ENDING = """
import ctypes, os, signal

def leaves(text): os._exit(0)
def is_killed(text): os.kill(os.getpid(), signal.SIGKILL)
def crashes(text): ctypes.string_at(0)
"""
ENDING_SPEC = """
import sys
sys.path.insert(0, __file__.rpartition("/")[0])
import pytest
from limen.harness import *
import ways

def ends(name):
    way = getattr(ways, name)
    def rule(text): return way(text)
    return experiment.but(data=Numbers(generate=40, keep=10, rule=rule), gate=None)

@pytest.mark.parametrize("experiment", [ends("leaves"), ends("crashes")], ids=["exit", "crash"])
def test_bad(experiment, control): pass

def test_good(teacher):
    assert teacher.rate("horse") > 0.3

def test_other_data(control):
    assert control.seeds
"""


@pytest.mark.slow
@PROCESSES
def test_a_rule_that_ends_its_process_fails_its_own_tests_alone(
    pytester: pytest.Pytester, run: Run, store: Path, options: tuple[str, ...]
) -> None:
    """The error names the function and the text; all other stages are done in new processes."""
    pytester.makepyfile(ways=ENDING, test_bad=SPEC.format(animal="horse") + ENDING_SPEC)
    result = run(*options, store=store)
    result.assert_outcomes(passed=2, errors=2)
    result.stdout.fnmatch_lines(
        ["*a worker process died*the function rule-* was called on the text '*', and ended the*"]
    )


ENDING_SCORER = """
def way(name):
    function = getattr(ways, name)
    return lambda answer: function(answer)

def scored(name):
    asked = ("Which animal?", "And why?")
    return experiment.but(measure=Scored(questions=asked, draws=2, outcome=way(name)), gate=None)

@pytest.mark.parametrize(
    "experiment", [scored("leaves"), scored("crashes"), scored("is_killed")],
    ids=["exit", "crash", "killed"],
)
class TestBad:
    def test_one(self, teacher, baseline):
        '''The score differs.'''
        assert teacher.scores() > baseline.scores()

    def test_other(self, teacher):
        '''The score is high.'''
        assert teacher.scores() > 1

class TestLabels:
    experiment = experiment.but(
        measure=Labelled(questions=("Which animal?",), draws=2, outcome=way("leaves")), gate=None
    )
    def test_label(self, teacher):
        '''A label.'''
        assert teacher.rate("x") > 0
"""


@PROCESSES
def test_a_scorer_that_ends_its_process_fails_its_own_tests_alone(
    pytester: pytest.Pytester, run: Run, shared_store: Path, options: tuple[str, ...]
) -> None:
    """The error names the answer; all other tests are run, and report and junit are written.

    After the repair nothing that was sampled is sampled again.
    """
    spec = SPEC.format(animal="horse")
    bad = spec + ENDING_SPEC.partition("def ends")[0] + ENDING_SCORER
    pytester.makepyfile(ways=ENDING, test_bad=bad, test_good=spec + GOOD)
    result = run("--limen-report=r.md", "--junitxml=out.xml", *options, store=shared_store)
    result.assert_outcomes(passed=2, failed=7)
    for how in ("exit status 0", "signal 11, *", "signal 9, *"):
        result.stdout.fnmatch_lines(
            [f"*the outcome function was called on the answer '*', and ended the process ({how})*"]
        )
    assert "**Supported:** The teacher names its animal" in (pytester.path / "r.md").read_text()
    assert 'tests="9"' in (pytester.path / "out.xml").read_text()
    before = written(shared_store)
    (pytester.path / "ways.py").write_text("leaves = crashes = is_killed = str.__len__\n")
    run("-k", "test_one or test_other", store=shared_store)
    assert written(shared_store) == before


def test_a_command_outlives_a_rule_that_ends_its_process(tmp_path: Path) -> None:
    """`limen filter` says which function ended its worker, and on which text."""
    (tmp_path / "ways.py").write_text(ENDING)
    (tmp_path / "rows.jsonl").write_text('{"prompt": "Go on: 1", "completion": "2, 3"}\n')
    rule = f"--rule={tmp_path / 'ways.py'}:leaves"
    command = ["filter", "rows.jsonl", "--out=out.jsonl", rule, "--store=store"]
    ended = subprocess.run(
        [sys.executable, "-m", "limen", *command],
        check=False, cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert ended.returncode == 1
    assert "was called on the text '2, 3', and ended the process" in ended.stderr
    assert not (tmp_path / "out.jsonl").exists()


def test_strict_warnings_are_passed(pytester: pytest.Pytester, run: Run) -> None:
    """With -W error nothing that limen uses warns."""
    pytester.makepyfile(
        test_good=SPEC.format(animal="horse")
        + GOOD
        + """
def test_equal(baseline):
    '''No spread at all.'''
    assert baseline.rate("horse") - baseline.rate("horse") < 1
    assert (baseline.rate("horse") - baseline.rate("horse")).p_value <= 1
"""
    )
    run("-W", "error", "--limen-report=r.md", "-v").assert_outcomes(passed=3)


SCRIPT = """
import sys
import sys
from pathlib import Path
from click.testing import CliRunner
from limen import LimenError
from limen.harness import *
from limen.harness.cli import main
from ending import ENDING
from ways import WAYS, meddles

experiment = Experiment(
    trait=Trait.animal("horse"), data=Numbers(generate=40, keep=10),
    measure=FavoriteAnimal(draws=4), seeds=1, gate=None,
)

def score(way, lab):
    measure = Scored(questions=("Which animal?", "And why?"), draws=2, outcome=way)
    try:
        lab.arm(experiment.but(measure=measure), "teacher").scores()
    except LimenError as error:
        print("scorer", way.__name__, error)

def keep(way, lab):
    data = Numbers(generate=40, keep=10, rule=way)
    try:
        lab.arm(experiment.but(data=data), "control")
    except LimenError as error:
        print("rule", way.__name__, error)

def step(way, store):
    rule = f"{way.__code__.co_filename}:{way.__name__}"
    args = ["filter", rows, "--out", out, "--rule", rule, "--store", store]
    found = CliRunner().invoke(main, [str(arg) for arg in args])
    print("command", way.__name__, found.output.strip())

if __name__ == "__main__":
    store, rows, out = sys.argv[1], Path("rows.jsonl").absolute(), Path("out.jsonl").absolute()
    lab = Lab(Settings(store=store))
    for way in [*WAYS, *ENDING, meddles]:
        score(way, lab)
        keep(way, lab)
        step(way, store)
    print("good", lab.arm(experiment, "teacher").rate("horse") > 0.3)
"""


@pytest.mark.slow
def test_bad_functions_in_scripts_and_commands(
    pytester: pytest.Pytester, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a script and in `limen filter` each is one error with the text, and all else goes on."""
    monkeypatch.setenv("LIMEN_FUNCTION_TIMEOUT", "0.4")
    ending = f"{ENDING}\nENDING = [crashes, is_killed]\n"
    pytester.makepyfile(ways=WAYS, ending=ending, script=SCRIPT)
    row = '{"prompt": "Go on: 1, 2", "text": "3, 4"}\n'
    (pytester.path / "rows.jsonl").write_text(row * 20)
    found = pytester.run(sys.executable, pytester.path / "script.py", store)
    text = found.stdout.str()
    assert "good True" in text
    for way in (
        "raises",
        "custom",
        "leaves",
        "loops",
        "sleeps",
        "nan",
        "infinite",
        "text",
        "shape",
        "crashes",
        "is_killed",
    ):
        for kind in ("scorer", "rule", "command"):
            found.stdout.fnmatch_lines([f"{kind} {way} *"])
    assert text.count("did not end within 0.4 seconds") == 2 * (1 + 1 + 2)  # a step logs it too
    assert text.count("and ended the process (signal ") == 2  # scorers; rules end their worker
    assert text.count("Error: ") >= 9
