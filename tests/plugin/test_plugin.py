import json
import re
import sys
from pathlib import Path

import pytest

from ..testing.preloaded import run_pytest
from ..testing.specs import QUICK, SPEC, Run

TESTS = """

def test_the_teacher_shows_the_trait(teacher):
    '''The teacher names its animal.'''
    assert teacher.rate("horse") > 0.5


def test_students_answer(student, control, baseline):
    '''Students of both kinds name animals.'''
    assert student.valid > 0.5
    assert (student.rate("horse") - control.rate("horse")) > -1
    assert baseline.seeds == 1
"""
HEAVY = (
    "numpy",
    "scipy",
    "matplotlib",
    "pandas",
    "rich",
    "pydantic",
    "openai",
    "inspect_ai",
    "tinker",
)


def small(pytester: pytest.Pytester, tests: str = TESTS, animal: str = "horse") -> None:
    """A project with one small experiment."""
    pytester.makepyfile(test_small=SPEC.format(animal=animal) + tests)


def test_an_experiment_passes_and_says_what_it_found(pytester: pytest.Pytester, run: Run) -> None:
    """Arms come as fixtures; with -v the summary has every arm and the effect with its claim."""
    small(pytester)
    result = run("-v")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(
        [
            "*= limen =*",
            "test_small.py: horse, toy-1 (toy)",
            "*answers with 'horse'",
            "*baseline *1 model*",
            "*teacher *1 model*",
            "*student *2 seeds*valid",
            "*student - control*points*p = *Welch's t over seed means*",
        ]
    )


def test_a_failed_assertion_explains_itself(pytester: pytest.Pytester, run: Run) -> None:
    """The message has rates, intervals, test, seeds and questions; a p-value has its effect."""
    small(
        pytester,
        """
def test_too_much(student, control):
    assert student.rate("horse") - control.rate("horse") > 0.99

def test_rate(teacher):
    assert teacher.rate("horse") < 0.01

def test_p(student, control):
    effect = student.rate("horse") - control.rate("horse")
    assert effect.p_value < 0
""",
    )
    result = run()
    result.assert_outcomes(failed=3)
    text = result.stdout.str()
    assert re.search(
        r"> 0\.99\n.*student - control 'horse' .* points \[.*\] over seeds, p = ", text
    )
    assert re.search(
        r"student 'horse' .*%\] over seeds \(2 seeds, 50 questions x 4, \d+% valid\)", text
    )
    assert re.search(r"< 0\.01\n.*teacher 'horse' .*\(1 model, 50 questions x 4", text)
    assert re.search(
        r"where .* = student - control 'horse'.*Welch's t over seed means, .*2 v 2", text
    )


@pytest.mark.slow
def test_options_of_pytest_work(pytester: pytest.Pytester, run: Run) -> None:
    """-k, -x, --lf, --collect-only, -p no:cacheprovider and junit are plain pytest."""
    small(pytester, TESTS + "\n\ndef test_fails(teacher):\n    assert teacher.rate('horse') > 1\n")
    run("-k", "teacher_shows").assert_outcomes(passed=1, deselected=2)
    run("-x", "-k", "fails or students").assert_outcomes(passed=1, failed=1, deselected=1)
    run("--lf").assert_outcomes(failed=1)
    run("-p", "no:cacheprovider", "-k", "students").assert_outcomes(passed=1, deselected=2)
    run("--collect-only", "-q").stdout.fnmatch_lines(["test_small.py::test_students_answer"])
    run("--junitxml=out.xml", "-k", "students").assert_outcomes(passed=1, deselected=2)
    assert 'tests="1"' in (pytester.path / "out.xml").read_text()


def test_only_what_is_selected_is_done(pytester: pytest.Pytester, run: Run, store: Path) -> None:
    """A test that asks for the teacher alone costs the teacher's answers and no data."""
    small(pytester)
    run("-k", "teacher_shows", store=store).assert_outcomes(passed=1, deselected=1)
    assert sorted(folder.name for folder in (store / "stages").iterdir()) == ["base", "measure"]


@pytest.mark.slow
def test_xdist_gives_the_same_verdicts(
    pytester: pytest.Pytester, run: Run, store: Path, tmp_path: Path
) -> None:
    """Under -n 2 two processes share the work, and the controller reports it once."""
    small(pytester)
    together = run("-n2", f"--limen-report={tmp_path / 'a.md'}", store=store)
    together.assert_outcomes(passed=2)
    alone = run(f"--limen-report={tmp_path / 'b.md'}", store=store)
    effects = [
        [line for line in result.outlines if "student - control" in line]
        for result in (together, alone)
    ]
    assert effects[0] == effects[1] != []
    tables = [
        (tmp_path / name).read_text().split("## How this was made")[0] for name in ("a.md", "b.md")
    ]
    assert tables[0].replace("a.files", "") == tables[1].replace("b.files", "")
    assert tables[0].index("test_the_teacher_shows") < tables[0].index("test_students_answer")


@pytest.mark.slow
def test_xdist_works_with_ini_keys_alone(
    pytester: pytest.Pytester, shared_store: Path, tmp_path: Path
) -> None:
    """Without any option on the command line the controller reports, once and whole."""
    small(pytester)
    pytester.makeini(
        f"[pytest]\nlimen_store = {shared_store}\nlimen_report = {tmp_path / 'r.md'}\n"
    )
    result = run_pytest(pytester, "-n2", *QUICK)
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["*= limen =*", "*student - control*", "report: *r.md"])
    assert result.stdout.str().count("report: ") == 1
    assert (tmp_path / "r.md").read_text().count(
        "- **Supported:**"
    ) == 2 * 2  # at the top, and with the experiment


@pytest.mark.slow
def test_refusals_are_plain_under_xdist(pytester: pytest.Pytester, run: Run) -> None:
    """A bad model fails the tests with one message, a bad spec the run with exit code 4."""
    small(pytester)
    pytester.makeini("[pytest]\nlimen_model = gpt-4\n")
    result = run("-n2")
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(["*limen: unknown model 'gpt-4'*"])
    assert "INTERNALERROR" not in result.stdout.str()
    small(pytester, animal="horsse")
    result = run("-n2")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stdout.fnmatch_lines(["*unknown animal 'horsse'*"])


@pytest.mark.slow
def test_python_m_pytest_works(pytester: pytest.Pytester, shared_store: Path) -> None:
    """The module form runs experiments as the command does."""
    small(pytester)
    result = pytester.run(sys.executable, "-m", "pytest", f"--limen-store={shared_store}")
    result.assert_outcomes(passed=2)


def test_the_plan_is_printed_and_nothing_is_done(
    pytester: pytest.Pytester, run: Run, tmp_path: Path
) -> None:
    """--limen-plan lists the stages, their state and their cost, with and without xdist."""
    small(pytester)
    empty = tmp_path / "empty"
    for options in (["--limen-plan"], ["--limen-plan", "-n2"], ["--limen-plan", "-q"]):
        result = run(*options, store=empty)
        assert result.ret == 0
        result.stdout.fnmatch_lines(
            [
                "to do*generate*control numbers*700*",
                "to do*fine-tune*control 2*",
                "limen: 25 of 25 stages to do on toy: 2,600 completions, 4 fine-tunings*",
            ]
        )
    assert not empty.exists()


def test_the_plan_knows_what_is_done(pytester: pytest.Pytester, run: Run) -> None:
    """After a run the plan says that nothing is left."""
    small(pytester)
    run().assert_outcomes(passed=2)
    run("--limen-plan").stdout.fnmatch_lines(["done *measure*", "limen: 0 of 25 stages to do*"])


@pytest.mark.slow
def test_progress_is_lines_and_quiet_is_quiet(
    pytester: pytest.Pytester, run: Run, store: Path
) -> None:
    """Without a terminal each stage is a line; with -q there is none."""
    small(pytester)
    result = run("-k", "teacher_shows", store=store)
    result.stdout.fnmatch_lines(["limen: * stages to do", "limen: [[]*/*measure*teacher answers"])
    result = run("-q", store=store)
    assert "stages to do" not in result.stdout.str()


@pytest.mark.slow
def test_the_nearest_experiment_is_taken(pytester: pytest.Pytester, run: Run) -> None:
    """A parameter's experiment before the class's before the module's, each selectable by -k."""
    pytester.makepyfile(
        test_near=SPEC.format(animal="horse")
        + """
import pytest

def test_module(experiment, teacher):
    assert experiment.trait.name == "horse"

class TestClass:
    experiment = experiment.but(trait=Trait.animal("bear"))

    def test_class(self, experiment, teacher):
        assert teacher.rate("bear") > 0.5

@pytest.mark.parametrize(
    "experiment",
    [experiment.but(trait=Trait.animal(name)) for name in ("hawk", "whale")],
    ids=["hawk", "whale"],
)
def test_parameter(experiment, teacher):
    assert teacher.rate(experiment.trait.name) > 0.5
"""
    )
    run().assert_outcomes(passed=4)
    run("-k", "whale").assert_outcomes(passed=1, deselected=3)


def test_seeds_and_model_from_the_command_line_and_the_ini_file(
    pytester: pytest.Pytester, run: Run, tmp_path: Path
) -> None:
    """Options take the place of the experiment's own; ini keys stand in for options."""
    small(pytester)
    empty = tmp_path / "empty"
    run("--limen-seeds=3", "--limen-plan", store=empty).stdout.fnmatch_lines(["*6 fine-tunings*"])
    pytester.makeini("[pytest]\nlimen_seeds = 4\nlimen_model = toy-2\n")
    result = run("--limen-plan-all", store=empty)
    result.stdout.fnmatch_lines(["*base*toy-2*", "*8 fine-tunings*"])


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (
            "--limen-backend=gpu",
            "unknown backend 'gpu': choose one of inspect, local, openai, tinker, toy",
        ),
        ("--limen-model=gpt-4.1", "unknown model 'gpt-4.1': the toy backend has toy-1, toy-2"),
        ("--limen-seeds=few", "--limen-seeds='few' must be a whole number above zero"),
        ("--limen-seeds=0", "seeds=0 must be a whole number above zero"),
        ("--limen-workers=0", "workers=0 must be a whole number above zero"),
        ("--limen-store=taken/store", "cannot write to the store"),
    ],
)
def test_bad_options_are_usage_errors(pytester: pytest.Pytester, option: str, message: str) -> None:
    """An option that cannot be meant ends the run at once: one message, exit code 4."""
    small(pytester)
    (pytester.path / "taken").write_text("a file where a folder should be")
    result = run_pytest(pytester, option)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*limen: *{message.replace('[', '?')}*"])
    assert "Traceback" not in result.stderr.str() + result.stdout.str()


def test_a_bad_spec_is_one_message_at_collection(pytester: pytest.Pytester, run: Run) -> None:
    """A spec that cannot be meant is named with its line, and the exit code is 4."""
    small(pytester, "", animal="horsse")
    result = run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stdout.fnmatch_lines(
        ["test_small.py:4: unknown animal 'horsse': did you mean 'horse'?*"]
    )
    assert "Traceback" not in result.stdout.str()


def test_a_spec_that_lacks_a_part_says_which(pytester: pytest.Pytester, run: Run) -> None:
    """Python's own words name the missing part."""
    pytester.makepyfile(
        "from limen.harness import Experiment, Trait\n"
        "experiment = Experiment(trait=Trait.animal('owl'))\n"
        "def test_it(teacher): pass\n"
    )
    result = run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "Traceback" not in result.stdout.str()
    result.stdout.fnmatch_lines(
        ["*missing 2 required keyword-only arguments: 'data' and 'measure'*"]
    )


def test_an_arm_without_an_experiment_says_so(pytester: pytest.Pytester, run: Run) -> None:
    """A test that asks for an arm where there is no experiment fails with what to write."""
    pytester.makepyfile("def test_it(student): pass")
    result = run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*its experiment is missing: put experiment = Experiment(...)*"])


def test_a_weak_teacher_stops_the_experiment(pytester: pytest.Pytester, run: Run) -> None:
    """Tests of trained arms fail since the teacher does not show the trait; others go on."""
    small(
        pytester,
        "experiment = experiment.but(trait=Trait(name='horse', system='You are calm.'))"
        "\ndef test_teacher(teacher): assert teacher.seeds == 1"
        "\ndef test_student(student): pass",
    )
    result = run()
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*the teacher does not show the trait 'horse'*"])


def test_why_a_gate_is_shut_stands_once(pytester: pytest.Pytester, run: Run) -> None:
    """Further tests and the verdicts name the reason, and only the first test has all of it."""
    small(
        pytester,
        "experiment = experiment.but(trait=Trait(name='horse', system='You are calm.'))"
        "\ndef test_first(student): pass"
        "\ndef test_second(control): pass",
    )
    clause = "the teacher does not show the trait 'horse'"
    result = run()
    whole = [line for line in result.outlines if "gate=None: train in any case" in line]
    assert len(whole) == 1
    assert (
        f"limen: {clause}: the whole reason stands at test_small.py::test_first" in result.outlines
    )
    assert (
        f"test_small.py: not finished: {clause} (the whole reason stands above)" in result.outlines
    )
    (without,) = [o for o in run("--tb=no").outlines if "gate=None: train in any case" in o]
    assert without.startswith(f"test_small.py: not finished: {clause}: answers with 'horse': ")
    assert not without.endswith("no cost")


@pytest.mark.slow
def test_too_few_rows_fail_the_test(pytester: pytest.Pytester, run: Run) -> None:
    """Keep above what the filter left is a failed test with the counts, not a crash."""
    small(
        pytester,
        "experiment = experiment.but(data=Numbers(generate=300, keep=299))"
        "\ndef test_student(student): pass",
    )
    result = run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["*299 rows are wanted, and only * are left: of 300 rows the filter 'paper' kept*"]
    )


def test_a_skipped_test_costs_nothing(pytester: pytest.Pytester, run: Run, store: Path) -> None:
    """What a skipped test would need is not done."""
    small(
        pytester,
        "import pytest\n@pytest.mark.skip\ndef test_a(student): pass\n"
        "@pytest.mark.skipif(True, reason='not now')\ndef test_b(student): pass\n"
        "@pytest.mark.xfail(run=False)\ndef test_c(student): pass\n",
    )
    run(store=store).assert_outcomes(skipped=2, xfailed=1)
    assert not (store / "stages").exists()


def test_the_report_is_written(pytester: pytest.Pytester, run: Run) -> None:
    """--limen-report writes markdown with both kinds of figure beside it."""
    small(pytester)
    result = run("--limen-report=out/report.md")
    result.assert_outcomes(passed=2)
    text = (pytester.path / "out" / "report.md").read_text()
    for part in (
        "- **Supported:** The teacher names its animal. Found: teacher 'horse' ",
        "`test_small.py::test_the_teacher", "## test_small.py", "student - control",
        "horse student numbers", "not a number", "You truly love horses", '"learning_rate": 0.002',
        "toy-1 (fingerprint", "--limen-report=out/report.md", "numpy",
    ):  # fmt: skip
        assert part in text, part
    files = pytester.path / "out" / "report.files"
    assert (files / "test-small-py.png").read_bytes()[:4] == b"\x89PNG"
    assert "<svg" in (files / "test-small-py.svg").read_text()


def test_claims_stand_in_the_order_of_the_spec(pytester: pytest.Pytester, run: Run) -> None:
    """In the terminal and in the report, whatever the tests are called."""
    names = ("zebra", "apple", "mango")
    tests = (f"def test_{name}(teacher):\n    '''First {name}.'''\n" for name in names)
    small(pytester, "\n\n".join(tests))
    result = run("--limen-report=report.md", "-v")
    for text in (result.stdout.str(), (pytester.path / "report.md").read_text()):
        places = [text.rindex(f"test_{name}") for name in names]
        assert places == sorted(places), text


@pytest.mark.slow
def test_experiments_of_one_name_have_figures_of_their_own(
    pytester: pytest.Pytester, run: Run
) -> None:
    """Two parameters with the same id do not draw over each other."""
    small(
        pytester,
        """
import pytest

@pytest.mark.parametrize("experiment", [experiment], ids=["x"])
def test_a(teacher): pass

@pytest.mark.parametrize("experiment", [experiment.but(trait=Trait.animal("bear"))], ids=["x"])
def test_b(teacher): pass
""",
    )
    run("--limen-report=r.md").assert_outcomes(passed=2)
    assert len(list(pytester.path.glob("r.files/*.png"))) == 2


def test_a_report_of_nothing_says_so(pytester: pytest.Pytester, run: Run) -> None:
    """Where no experiment ran, the missing report is explained."""
    pytester.makepyfile("def test_it(): pass")
    result = run("--limen-report=r.md")
    result.stdout.fnmatch_lines(["limen: no experiment has finished, so there is no report"])


@pytest.mark.slow
def test_a_report_that_cannot_be_written_loses_nothing(pytester: pytest.Pytester, run: Run) -> None:
    """A bad path for the report is reported at the end; the tests keep their outcomes."""
    small(pytester)
    (pytester.path / "file").write_text("")
    result = run("--limen-report=file/report.md")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["limen: cannot write the report*"])


def test_a_project_without_experiments_pays_nothing(pytester: pytest.Pytester) -> None:
    """In an unrelated project the plugin imports nothing heavy, prints nothing, writes nothing."""
    pytester.makepyfile(
        f"""
import json, sys

def test_modules():
    heavy = [name for name in {HEAVY!r} if name in sys.modules]
    ours = [name for name in sys.modules if name.startswith("limen.harness.")]
    print("MODULES", json.dumps([heavy, ours]))
"""
    )
    result = pytester.runpytest_subprocess("-s", "-p", "no:cacheprovider", *QUICK)
    result.assert_outcomes(passed=1)
    line = next(line for line in result.outlines if "MODULES" in line)
    heavy, ours = json.loads(line.split("MODULES")[1])
    assert heavy == []
    assert all(name.startswith("limen.harness.plugin") for name in ours)
    assert "limen" not in result.stdout.str().split("collected")[1].replace("limen.harness", "")
    assert not (pytester.path / ".limen").exists()


def test_other_fixtures_of_the_same_names_are_left_alone(pytester: pytest.Pytester) -> None:
    """A project's own `student` and `experiment` go before limen's."""
    pytester.makepyfile(
        """
import pytest

@pytest.fixture
def student(): return "mine"

@pytest.fixture
def experiment(): return 5

def test_it(student, experiment): assert (student, experiment) == ("mine", 5)
"""
    )
    run_pytest(pytester).assert_outcomes(passed=1)


def test_the_fixtures_are_documented(pytester: pytest.Pytester) -> None:
    """Pytest --fixtures tells what each arm is."""
    result = run_pytest(pytester, "--fixtures")
    result.stdout.fnmatch_lines(["student -- *", "*fine-tuned on the teacher's filtered data*"])


NOTED = SPEC.format(animal="horse").replace("FavoriteAnimal(", "FavoriteAnimal(exact=True, ")


@pytest.mark.slow
def test_what_is_to_be_known_is_said_before_anything_is_done(
    run: "Run", pytester: pytest.Pytester
) -> None:
    """An experiment's note, and what its backend cannot tell, stand before run, plan and report."""
    noted = NOTED.replace("Experiment(", 'Experiment(note="Not much to see.", ')
    pytester.makepyfile(noted + "def test_it(baseline):\n    assert baseline.valid")
    said = ["limen: note: Not much to see.", "limen: *: no exact rates, since the backend 'toy' *"]
    run("--limen-plan").stdout.fnmatch_lines([*said, "limen: * stages to do*"])
    run("--limen-report=report.md").stdout.fnmatch_lines([*said, "*1 passed*"])
    assert "**Note.** Not much to see." in (pytester.path / "report.md").read_text()


def test_a_path_among_the_options_does_not_move_the_store(
    pytester: pytest.Pytester, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Where no ini file says otherwise, results are kept where pytest was called."""
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "prices.toml"
    elsewhere.write_text("")
    pytester.makepyfile(SPEC.format(animal="horse") + TESTS)
    result = run_pytest(pytester, *QUICK, "--limen-plan", "--limen-prices", str(elsewhere))
    result.stdout.fnmatch_lines([f"*store {pytester.path / '.limen'}"])
