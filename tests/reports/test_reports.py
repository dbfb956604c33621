import csv
import json
import random
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from statsmodels.stats.multitest import multipletests

from limen import SpecError, StoreError, reports
from limen.harness import Experiment, FavoriteAnimal, Numbers, Students, Trait
from limen.harness.cli import main
from limen.harness.reporting import make_run, result_of
from limen.reports import wording
from limen.reports.figures import FORMATS, arms_figure
from limen.reports.markdown import markdown
from limen.reports.readings import GridRow, TrajectoryRow
from limen.reports.several import corrected, trait_comparisons

from ..testing.labs import lab_at
from ..testing.preloaded import run_pytest
from ..testing.specs import QUICK, SPEC

TESTS = (
    SPEC.format(animal="horse")
    + """
import pytest

TWO = [experiment.but(trait=Trait.animal(name), family=2) for name in ("horse", "bear")]

def test_the_teacher(teacher):
    '''The teacher names its animal.'''
    assert teacher.rate("horse") > 0.5

def test_students(student, control):
    '''Students always name their animal.'''
    assert student.rate("horse") - control.rate("horse") > 2

@pytest.mark.parametrize("word", ["a b", "c"])
@pytest.mark.parametrize("experiment", TWO, ids=["horse", "bear"])
def test_both(experiment, student, control, word):
    '''Students of either answer.'''
    assert student.valid > 0.5
"""
)
ARMS = ("baseline", "teacher", "student", "control")


def small(animal: str = "horse") -> Experiment:
    """The experiment that other tests have in the shared store, too."""
    return Experiment(
        trait=Trait.animal(animal),
        data=Numbers(generate=700, keep=200),
        measure=FavoriteAnimal(draws=4),
        seeds=2,
    )


@pytest.fixture(scope="module")
def run(shared_store: Path) -> reports.Run:
    """What a run of two small experiments found."""
    lab = lab_at(shared_store)
    each = {name: small(name).but(family=2) for name in ("horse", "bear")}
    lab.run([(experiment, ARMS) for experiment in each.values()])
    found = [result_of(lab, f"test_small.py[{name}]", e, ARMS) for name, e in each.items()]
    claims = [
        reports.Claim(test="test_small.py::test_a[bear]", experiment="test_small.py[bear]",
                      says="Bears are named", outcome="passed"),
        reports.Claim(test="test_small.py::test_a[horse]", experiment="test_small.py[horse]",
                      says="Horses are named", outcome="failed"),
        reports.Claim(test="test_small.py::test_b", experiment="test_small.py",
                      says="All is well", outcome="skipped", reason="no time"),
    ]  # fmt: skip
    return make_run(claims, found, command="pytest", seconds=1.0, root=shared_store)


def written(run: reports.Run, file: Path) -> str:
    """The text of a run's report."""
    assert reports.write_report(reports.report_of([run]), file)[0] == file
    return file.read_text()


def cli(*arguments: str | Path) -> Result:
    """What ``limen report`` says."""
    return CliRunner().invoke(main, ["report", *map(str, arguments)])


# The whole path


@pytest.mark.slow
def test_a_run_its_report_and_the_same_from_the_store(
    pytester: pytest.Pytester, shared_store: Path, tmp_path: Path
) -> None:
    """A run leaves one line an experiment, a record, junit properties, and a report to make again."""
    pytester.makepyfile(test_small=TESTS)
    store = tmp_path / "store"
    (tmp_path / "store").symlink_to(shared_store)
    before = set(reports.run_files(store))
    result = run_pytest(
        pytester, f"--limen-store={store}", "--limen-report=r.md", "--junitxml=one.xml", *QUICK
    )
    result.assert_outcomes(passed=5, failed=1)
    printed = [line for line in result.outlines if line.startswith("test_small.py")][-3:]
    size = (
        r"student - control, answers with '\w+' [+-]\S+ points \[\S+, \S+\], p = \S+: .+; no cost"
    )
    for line, title in zip(printed, ("", "[bear]", "[horse]"), strict=True):
        assert re.fullmatch(rf"test_small.py{re.escape(title)}: {size}", line), line

    (record,) = set(reports.run_files(store)) - before
    assert re.fullmatch(r"\d{8}T\d{6}Z-[0-9a-f]{8}", record.stem)
    again = cli("--store", store, "--run", record.stem, "-o", tmp_path / "again.md")
    assert again.exit_code == 0, again.output
    first = (pytester.path / "r.md").read_text()
    assert first == (tmp_path / "again.md").read_text().replace("again.files", "r.files")
    check_order(first)

    both = run_pytest(
        pytester,
        "-n2",
        f"--limen-store={store}",
        "--limen-report=n.md",
        "--junitxml=two.xml",
        *QUICK,
    )
    assert [line for line in both.outlines if line.startswith("test_small.py")][-3:] == printed
    body, same = (
        (pytester.path / f).read_text().partition("## How this") for f in ("r.md", "n.md")
    )
    assert body[0] == same[0].replace("n.files", "r.files")
    properties = [junit(pytester.path / name) for name in ("one.xml", "two.xml")]
    assert properties[0] == properties[1]
    students = properties[0]["test_students"]
    assert students["limen_effect"].startswith("student - control, answers with 'horse' ")
    assert float(students["limen_p_value"]) > 0
    assert re.fullmatch(r"[+-]\S+ to [+-]\S+", students["limen_interval"])
    assert students["limen_claim"]
    assert students["limen_cost_usd"] == "0"
    assert students["limen_experiment"] == "test_small.py"
    assert properties[0]["test_the_teacher"]["limen_effect"].startswith("teacher - baseline")


def junit(file: Path) -> dict[str, dict[str, str]]:
    """The properties of each test in a junit file."""
    return {
        str(case.get("name")): {
            str(p.get("name")): str(p.get("value")) for p in case.iter("property")
        }
        for case in ET.parse(file).iter("testcase")
    }


def check_order(text: str) -> None:
    """Sections come in the order that a reviewer reads in, each claim under its experiment."""
    heads = re.findall("^##+ (.+)$", text, re.MULTILINE)
    own = ["Claims", "Arms", "Effects", "Data", "Answers", "Recipe, prompts and questions",
           "Seeds and models"]  # fmt: skip
    assert heads == [
        "Overview", "Several traits: test_small.py",
        "test_small.py", *own, "test_small.py[bear]", *own, "test_small.py[horse]", *own,
        "How this was made", "Dates, cost and time", "To make it again",
    ]  # fmt: skip
    first, bear, _ = re.split("^## test_small.*$", text, flags=re.MULTILINE)[1:]
    assert re.search(
        r"- \*\*Supported:\*\* The teacher names its animal\. Found: teacher 'horse' .+ "
        r"`test_small\.py::test_the_teacher`",
        first,
    )
    assert "- **Not held:** Students always name their animal." in first
    assert bear.count("**Held by point estimate only:**") == 2
    assert "`test_small.py::test_both[bear-a b]`" in bear
    assert "What is your favorite animal" in bear or "<summary>The questions (50)" in bear
    assert "You truly love bears" in bear
    assert not re.search(r"20\d\d-\d\d-\d\d", text.partition("## How this was made")[0])


# Records


def test_a_record_is_whole_and_comes_back(run: reports.Run, tmp_path: Path) -> None:
    """A run that is kept is read back equal, leaves no scratch file, and bears its time."""
    file = reports.keep_run(run, tmp_path)
    assert reports.read_run(file) == replace(run, id=file.stem)
    assert reports.keep_run(run, tmp_path) == file
    assert [path.name for path in (tmp_path / "runs").iterdir()] == [file.name]


def test_a_broken_record_is_named(run: reports.Run, tmp_path: Path) -> None:
    """A record that is cut short or of another form is one error with the file and a remedy."""
    file = reports.keep_run(run, tmp_path)
    file.write_text(file.read_text()[:500])
    with pytest.raises(StoreError, match=r"is damaged: .* delete the file"):
        reports.runs_of(tmp_path)
    file.unlink()
    (tmp_path / "runs" / "by-hand.json").write_text("{}")
    answer = cli("--store", tmp_path)
    assert answer.exit_code == 1
    assert "Field required at created" in answer.output
    whole = reports.keep_run(replace(run, seconds=2.0), tmp_path)
    with pytest.warns(UserWarning, match=r"left out: .* is no run record"):
        assert [each.id for each in reports.runs_of(tmp_path)] == [whole.stem]


def test_the_latest_run_of_each_experiment_is_taken(run: reports.Run) -> None:
    """Each experiment comes from the last run that has it, with that run's claims alone."""
    horse, bear = run.results
    later = replace(run, created="2099-01-01T00:00:00Z", results=(replace(bear, trait="new"),),
                    claims=(replace(run.claims[0], outcome="failed"),))  # fmt: skip
    report = reports.report_of([run, later])
    assert [result.trait for result in report.results] == ["new", horse.trait]
    assert [claim.outcome for claim in report.claims] == ["failed", "failed"]
    assert report.runs == (run, later)


def test_the_latest_runs_are_all_that_a_report_needs(run: reports.Run, tmp_path: Path) -> None:
    """A run is left out if later runs have all of its experiments; the last one never is."""
    horse, bear = run.results
    for day, results in enumerate([(horse, bear), (bear,), (horse,), (horse, bear), (horse,), ()]):
        reports.keep_run(replace(run, created=f"2099-01-0{day}", results=results), tmp_path)
    every, latest = reports.runs_of(tmp_path), reports.latest_runs(tmp_path)
    assert latest == every[3:]
    assert reports.report_of(latest) == reports.report_of(every)


def of_file(run: reports.Run, folder: str, title: str, **changes: Any) -> reports.Run:
    """A run of one experiment and its claim, in a file of a folder."""
    result = replace(run.results[0], title=title, file=f"{folder}/test_owl.py")
    claim = replace(run.claims[0], test=f"{folder}/test_owl.py::test_it", experiment=title)
    return replace(run, results=(result,), claims=(claim,), **changes)


@pytest.mark.parametrize("title", ["test_owl.py", "test_owl.py::TestIt[owl]", "An owl"])
def test_files_of_one_name_are_two_experiments(
    run: reports.Run, tmp_path: Path, title: str
) -> None:
    """Each was alone in its run; a report has both, with their claims and their folders."""
    for day, folder in enumerate(("evals/a", "evals/b", "evals/b")):
        reports.keep_run(of_file(run, folder, title, created=f"2099-01-0{day}"), tmp_path)
    report = reports.report_of(reports.latest_runs(tmp_path))
    assert [result.file for result in report.results] == [
        "evals/a/test_owl.py", "evals/b/test_owl.py"
    ]  # fmt: skip
    titles = [result.title for result in report.results]
    assert len({*titles, title}) == 3
    assert all(f"{folder}/test_owl.py" in one for folder, one in zip("ab", titles, strict=True))
    assert [[claim.file for claim in report.claims_of(one)] for one in report.results] == [
        [one.file] for one in report.results
    ]
    assert reports.report_of(reports.runs_of(tmp_path)) == report


def test_an_experiment_is_the_same_however_many_folders_its_title_has(run: reports.Run) -> None:
    """Beside a file of its name it has other titles than alone; old records have no file."""
    alone = of_file(run, "evals/a", "test_owl.py[owl]")
    beside = of_file(run, "evals/a", "a/test_owl.py[owl]")
    old = replace(beside, results=(replace(beside.results[0], file=""),))
    for earlier, later in ((alone, beside), (beside, alone), (old, alone), (alone, old)):
        report = reports.report_of([earlier, later])
        assert report.results == later.results
        assert report.claims == later.claims


@pytest.mark.parametrize(
    "ids", [("-1", "1", "1.2"), ("\u732b", "\u72ac", "2"), ("1", "1-2", "1", "1")]
)
def test_each_experiment_has_figures_of_its_own(
    run: reports.Run, tmp_path: Path, ids: tuple[str, ...]
) -> None:
    """However alike the titles are as names of files, no figure overwrites another."""
    results = [
        replace(run.results[0], title=f"t.py[{one}]{' ' * place}") for place, one in enumerate(ids)
    ]
    report = reports.Report(claims=(), results=tuple(results), runs=(run,))
    files = reports.write_report(report, tmp_path / "r.md", formats=("svg",))
    figures = [file for file in files if file.suffix == ".svg"]
    assert len(set(figures)) == len(figures) >= len(ids)


def test_an_unreadable_run_hides_no_earlier_one(run: reports.Run, tmp_path: Path) -> None:
    """Its experiments are those of the run before it."""
    whole = reports.keep_run(run, tmp_path)
    file = reports.keep_run(replace(run, created="2099-01-01T00:00:00Z"), tmp_path)
    file.write_text(file.read_text().replace('"seconds"', '"minutes"'))
    with pytest.warns(UserWarning, match="left out: "):
        assert [each.id for each in reports.latest_runs(tmp_path)] == [whole.stem]


# The command


@pytest.fixture
def kept(run: reports.Run, tmp_path: Path) -> tuple[Path, str, str]:
    """A store with two runs, and their names."""
    store = tmp_path / "kept"
    later = replace(run, created="2099-01-01T00:00:00Z", results=run.results[:1])
    first, second = (reports.keep_run(each, store).stem for each in (run, later))
    return store, first, second


def test_no_runs_are_an_error_with_what_to_do(tmp_path: Path) -> None:
    """Where nothing was run, the error says so and what to do."""
    answer = cli("--store", tmp_path)
    assert answer.exit_code == 1
    assert f"there are no runs in {tmp_path}: run some experiments" in answer.output


def test_runs_are_listed_and_selected(kept: tuple[Path, str, str], tmp_path: Path) -> None:
    """--list names the runs; -k takes experiments, and what matches none is an error."""
    store, first, later = kept
    listed = cli("--store", store, "--list").output.splitlines()
    assert [line.split()[0] for line in listed] == [first, later]
    assert "2 experiments, 1 of 3 claims supported" in listed[0]
    lines = cli("--store", store, "-k", "bear and not horse").output.splitlines()
    assert [line.split(":")[0] for line in lines] == ["test_small.py[bear]"]
    for options, message in (
        (["-k", "owl"], "-k 'owl' matches no experiment"),
        (["-k", "a and"], "-k 'a and' cannot be read"),
        (["--run", "Z"], "--run 'Z' names 2 runs"),
        (["--run", "nope"], "--run 'nope' names no run"),
        (["--run", first, "--run", later], "need a file: -o both.md"),
    ):
        answer = cli("--store", store, *options)
        assert answer.exit_code == 1
        assert message in answer.output
    done = cli("--store", store, "--run", first, "-o", tmp_path / "a.html")
    assert done.output == f"report: {tmp_path / 'a.html'}\n"


def test_runs_stand_side_by_side(kept: tuple[Path, str, str], tmp_path: Path) -> None:
    """Several runs are columns of one table of effects; what a run lacks is said."""
    store, first, later = kept
    done = cli("--store", store, "--run", first, "--run", later, "-o", tmp_path / "both.md")
    assert done.exit_code == 0, done.output
    rows = [
        line for line in (tmp_path / "both.md").read_text().splitlines() if "| student -" in line
    ]
    bear, horse = sorted(rows)
    assert bear.endswith("| none |")
    assert horse.split("|")[4] == horse.split("|")[5]
    cli("--store", store, "--run", first, "--run", later, "-o", tmp_path / "both.html")
    assert "<table>" in (tmp_path / "both.html").read_text()


# What is written


def test_the_page_is_one_file(run: reports.Run, tmp_path: Path) -> None:
    """HTML has its figures inside, links that lead somewhere, and nothing from elsewhere."""
    text = written(run, tmp_path / "r.html")
    assert [path.name for path in tmp_path.iterdir()] == ["r.html"]
    assert text.count('src="data:image/png;base64,') == len(re.findall("<img", text)) == 4
    assert not re.findall(r'(?:src|href)="(?!data:image/png|#)', text)
    targets = set(re.findall(r'href="#([^"]+)"', text))
    assert targets <= set(re.findall(r'<h\d id="([^"]+)"', text))
    assert len(targets) == 4
    assert "prefers-color-scheme: dark" in text


def test_wild_texts_stay_texts(run: reports.Run, tmp_path: Path) -> None:
    """Backticks, pipes, HTML and links of models and people neither run nor break a table."""
    wild = "```\n|x| <script>alert(1)</script> [a](b) \\` *"
    result = run.results[0]
    arm = replace(result.arms[0], answers=((wild, 3),), words=((wild, 1),),
                  examples=(reports.Example(question=wild, answer=wild, count=1),))  # fmt: skip
    spoilt = replace(
        result, arms=(arm,), systems={wild: wild}, questions={wild: (wild,)}, failure=wild,
        data=(replace(result.data[0], label=wild, prompt=wild, examples=(wild,)),),
    )  # fmt: skip
    claim = reports.Claim(test=wild, experiment=result.title, says=wild, outcome="failed")
    both = replace(run, claims=(claim,), results=(spoilt,))
    page = written(both, tmp_path / "r.html")
    assert "<script" not in page.split("<body>")[1]
    assert 'href="b"' not in page
    answers = page.split("Answers</h3>")[1].split("</table>")[0]
    assert answers.count("<td>") == answers.count("<th>") == 5


def test_tables_are_there_as_csv(run: reports.Run, tmp_path: Path) -> None:
    """Beside the markdown lie figures in all formats and every table, unrounded."""
    written(run, tmp_path / "r.md")
    names = {path.name for path in (tmp_path / "r.files").iterdir()}
    tables = "answers arms audits claims costs data effects models numbers traits".split()
    assert names == {f"{table}.csv" for table in tables} | {
        f"{name}.tex" for name in ("effects", "arms", "methods")
    } | {
        f"test-small-py-{animal}{part}.{kind}"
        for animal in ("horse", "bear") for part in ("", "-numbers") for kind in ("png", "svg", "pdf")
    }  # fmt: skip
    with (tmp_path / "r.files" / "effects.csv").open() as file:
        rows = list(csv.DictReader(file))
    effect = run.results[1].readings[0].effects[0]
    assert float(rows[0]["difference"]) == effect.difference
    assert float(rows[0]["p_value"]) == pytest.approx(min(1, 2 * float(rows[0]["raw_p_value"])))


def test_effects_and_arms_are_there_as_latex(run: reports.Run, tmp_path: Path) -> None:
    """A row for each effect, its special characters escaped, between booktabs' rules."""
    written(run, tmp_path / "r.md")
    text = (tmp_path / "r.files" / "effects.tex").read_text()
    assert text.count("\\begin{tabular}") == 1
    count = sum(len(r.effects) for result in run.results for r in result.readings)
    assert text.count("\\\\") == count + 1
    assert "test\\_small.py[horse]" in text
    assert "95\\% interval" in text
    assert "95% interval" not in text
    assert "test" not in text.split("\\midrule")[0].replace("test\\_small", "")


def test_numbers_and_quotations_are_as_latex_wants_them(run: reports.Run, tmp_path: Path) -> None:
    """A minus and a power of ten are mathematics, and a column of equal cells is a comment."""
    result = run.results[0]
    reading = result.readings[0]
    effect = replace(reading.effects[0], difference=-0.25, interval=(-0.5, 0.125), p_value=6e-39)
    one = replace(result, readings=(replace(reading, effects=(effect,)),))
    written(replace(run, results=(one,)), tmp_path / "r.md")
    text = (tmp_path / "r.files" / "effects.tex").read_text()
    assert text.startswith("% experiment: test\\_small.py[horse]\n% measured: ")
    assert "$-$25.0 points & $-$50.0 to +12.5 & $6\\times10^{-39}$ &" in text
    assert "\n% questions: " in text
    assert f"\n{effect.name.replace(' - ', ' $-$ ')} & " in text
    assert "\\begin{tabular}{@{}lrlrl@{}}" in text


def test_the_methods_are_there_as_latex(run: reports.Run, tmp_path: Path) -> None:
    """A paragraph for each experiment, whose signs LaTeX does not take for its own."""
    written(run, tmp_path / "r.md")
    text = (tmp_path / "r.files" / "methods.tex").read_text()
    paragraphs = [line for line in text.splitlines() if line and not line.startswith("%")]
    assert len(paragraphs) == len([result for result in run.results if result.arms])
    assert all("95\\% interval" in one and "95% interval" not in one for one in paragraphs)
    assert "batch\\_size = " in paragraphs[0]


def test_a_computed_measure_has_no_section_of_answers(run: reports.Run, tmp_path: Path) -> None:
    """Where nothing was sampled, there is no table of answers, and no empty one."""
    arms = tuple(
        replace(arm, answers=(), words=(), examples=(), given=()) for arm in run.results[0].arms
    )
    computed = replace(run, results=(replace(run.results[0], arms=arms),))
    assert "### Answers" in written(run, tmp_path / "all.md")
    shown = written(computed, tmp_path / "computed.md")
    assert "### Answers" not in shown
    assert "example answers" not in shown


def test_files_of_weights_are_named_without_their_folders(run: reports.Run, tmp_path: Path) -> None:
    """The whole path stands once, among the settings; tables and the methods have the file."""
    file = "/data/models/tiny/m.gguf"
    arms = tuple(
        replace(arm, base=file, models=tuple(f"ft:{file}:1f" for _ in arm.models))
        for arm in run.results[0].arms
    )
    result = replace(run.results[0], arms=arms, model=file, teacher_model="meta-llama/Llama-3.2-1B")
    shown = written(replace(run, results=(result,)), tmp_path / "all.md")
    assert shown.count(file) == 1
    assert "`ft:m.gguf:1f`" in shown
    assert "fine-tuned from m.gguf" in shown
    assert "base model meta-llama/Llama-3.2-1B" in shown


def test_an_experiment_without_students_says_nothing_of_generations(
    run: reports.Run, tmp_path: Path
) -> None:
    """Where the gate was shut, nothing was generated that seeds could share."""
    arms = tuple(replace(arm, recipe={}) for arm in run.results[0].arms)
    stopped = replace(run, results=(replace(run.results[0], arms=arms, failure="stopped"),))
    assert "one generation" in written(run, tmp_path / "all.md")
    assert "one generation" not in written(stopped, tmp_path / "stopped.md")


def test_a_report_says_where_its_claims_were_registered(run: reports.Run, tmp_path: Path) -> None:
    """The file, its time, hash and commit stand beside the time of the first data."""
    row = reports.RegistrationRow(
        file="a.registration.json", created="2026-11-24T02:47:59Z", sha256="5f" * 32,
        commit="c0ffee", committed="2026-11-24T02:50:00Z",
    )  # fmt: skip
    text = written(replace(run, registrations=(row,)), tmp_path / "r.md")
    assert (
        f"`a.registration.json`, written 2026-11-24T02:47:59Z, SHA-256 `{'5f' * 32}`; "
        f"commit `c0ffee` of 2026-11-24T02:50:00Z"
    ) in text
    assert f"first model that it trained was measured {run.results[0].measured}" in text


def test_runs_side_by_side_show_what_differs(run: reports.Run, tmp_path: Path) -> None:
    """Settings that differ have a row; those that are equal have none."""
    other = replace(run, id="b", results=(replace(run.results[0], seeds=9, draws=77),))
    file = tmp_path / "both.md"
    reports.write_runs([replace(run, id="a"), other], file)
    part = file.read_text().split("## What differs")[1].split("## Arms, run by run")[0]
    assert f"| seeds an arm | `{run.results[0].seeds}` | `9` |" in part
    assert f"| draws a question | `{run.results[0].draws}` | `77` |" in part
    assert part.count("\n| test") == 2


def side_by_side(file: Path, *runs: reports.Run) -> str:
    """What stands side by side of some runs."""
    named = [replace(run, id=name) for name, run in zip("ab", runs, strict=True)]
    reports.write_runs(named, file)
    return file.read_text()


def test_runs_without_a_common_experiment_say_so(run: reports.Run, tmp_path: Path) -> None:
    """That no setting differs would be false of results that nothing joins."""
    first, second = (replace(run, results=(result,), claims=()) for result in run.results)
    text = side_by_side(tmp_path / "both.md", first, second)
    assert "No experiment is in two of them" in text
    assert "No setting." not in text
    assert "No setting." in side_by_side(tmp_path / "both.md", first, first)


def test_claims_are_joined_as_their_experiments_are(run: reports.Run, tmp_path: Path) -> None:
    """By the spec's name and the test: the folder of the spec does not matter."""
    claims = tuple(replace(claim, test=f"elsewhere/{claim.test}") for claim in run.claims)
    text = side_by_side(tmp_path / "both.md", run, replace(run, claims=claims))
    assert " none |" not in text.split("## Claims, run by run")[1].split("## How")[0]


def test_models_in_both_runs_are_called_shared(run: reports.Run, tmp_path: Path) -> None:
    """The same students under another number of draws, say, are no new ones."""
    text = side_by_side(tmp_path / "both.md", run, run)
    count = len(run.results[0].readings[0].arms[-1].by_seed)
    assert f", {count} shared |" in text
    assert "nothing is tested between them" in text


def test_a_run_that_stopped_says_why_beside_others(run: reports.Run, tmp_path: Path) -> None:
    """Its claims say that the experiment stopped, and a sentence below them why."""
    stopped = replace(run.results[0], failure="only 9,877 rows are left")
    text = side_by_side(tmp_path / "both.md", run, replace(run, results=(stopped,)))
    assert ": not finished.** only 9,877 rows are left" in text


def test_the_methods_are_a_paragraph_to_copy(run: reports.Run, tmp_path: Path) -> None:
    """It has the data's yield, the training's settings, the questions, the test and its result."""
    text = written(run, tmp_path / "r.md")
    result = run.results[0]
    [paragraph] = [line for line in text.splitlines() if f"with the trait {result.trait!r}" in line]
    effect = result.readings[0].effects[0]
    for part in (
        f"the base model {result.teacher_model} (backend toy)",
        f"the filter kept {result.data[0].kept:,}",
        f"on {result.audits[0].rows // result.audits[0].files:,} rows each",
        "learning_rate = 0.",
        f"answered {result.asked} questions",
        effect.test,
        effect.claim,
    ):
        assert part in paragraph


@pytest.mark.slow
def test_reports_of_one_run_are_equal(run: reports.Run, tmp_path: Path) -> None:
    """The same run gives the same bytes, figures and tables included."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        written(run, tmp_path / name / "r.md")
    files = [path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*.*")]
    for file in files:
        if (tmp_path / "a" / file).is_file():
            assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


@pytest.mark.slow
def test_a_change_of_one_number_changes_its_lines_alone(run: reports.Run, tmp_path: Path) -> None:
    """Two reports can be diffed: no column is padded."""
    result = run.results[0]
    reading = result.readings[0]
    arm = replace(reading.arms[0], value=0.123456)
    other = replace(result, readings=(replace(reading, arms=(arm, *reading.arms[1:])),))
    before = written(run, tmp_path / "r.md").splitlines()
    after = written(replace(run, results=(other, run.results[1])), tmp_path / "r.md").splitlines()
    changed = [new for old, new in zip(before, after, strict=True) if old != new]
    assert len(changed) == 1
    assert changed[0].startswith("| baseline | 12.3% |")


# Several traits


@pytest.mark.parametrize("count", [1, 2, 13, 100])
def test_corrections_are_those_of_statsmodels(count: int) -> None:
    """Holm's and Benjamini-Hochberg's values agree with statsmodels, to 1e-9, ties included."""
    dice = random.Random(count)
    p_values = [round(dice.random() ** 4, 2 + place % 5) for place in range(count)]
    found = corrected(p_values)
    for method, ours in (("holm", [p.holm for p in found]), ("fdr_bh", [p.q for p in found])):
        assert ours == pytest.approx(multipletests(p_values, method=method)[1], abs=1e-9)


def test_traits_are_corrected_by_test(run: reports.Run) -> None:
    """Only experiments that are parameters of one test are traits tried together."""
    horse, bear = run.results
    assert [trial.result.title for trial in trait_comparisons([horse, bear])] == [
        horse.title,
        bear.title,
    ]
    assert trait_comparisons([horse, replace(bear, title="test_other.py[bear]")]) == []
    assert trait_comparisons([horse, replace(bear, title="test_small.py")]) == []
    effect = horse.readings[0].effects[0]
    assert effect.p_value == pytest.approx(min(1, 2 * effect.raw_p_value))


# Data frames


def test_frames_have_what_the_report_has(
    run: reports.Run, shared_store: Path, tmp_path: Path
) -> None:
    """Effects, arms, models and claims come from runs, record files and stores alike."""
    file = reports.keep_run(run, tmp_path)
    for source in (run, file, str(tmp_path), [run], reports.report_of([run])):
        effects = reports.effects(source)
        assert len(effects) == 6
        assert set(effects.kind) == {"rate"}
    assert list(reports.claims(run).outcome) == ["passed", "failed", "skipped"]
    joined = reports.models(run).merge(reports.answers(shared_store), on=["stage", "model"])
    counts = joined.groupby(["experiment", "arm", "seed"]).size()
    assert set(counts) == {200}
    bears = joined[joined.experiment.str.contains("bear") & (joined.arm == "teacher")]
    (value,) = reports.arms(run).query("experiment.str.contains('bear') and arm == 'teacher'").value
    assert bears.answer.str.contains(r"\bbears?\b", case=False).mean() == pytest.approx(value)


def test_frames_of_a_store(run: reports.Run, shared_store: Path, tmp_path: Path) -> None:
    """Stages have their inputs and times; answers can be had of some stages; no store is an error."""
    stages = reports.stages(shared_store)
    assert {"measure", "fine-tune", "mix", "filter"} <= set(stages.kind)
    mixed = stages[stages.kind == "fine-tune"].iloc[0]
    assert any(given.startswith("mix/") for given in mixed.inputs.split())
    assert json.loads(mixed.counts)["examples"] == 200
    (stage, *_) = reports.models(run).stage
    assert set(reports.answers(shared_store, stages=[stage]).stage) == {stage}
    with pytest.raises(StoreError, match="there are no measure stages"):
        reports.answers(tmp_path)
    with pytest.raises(SpecError, match="names no run"):
        reports.keep_run(run, tmp_path)
        reports.runs_of(tmp_path, ["nope"])


def test_every_trait_of_a_mix_has_its_line_and_row(run: reports.Run) -> None:
    """Of several traits each has a line at the end and a row of the overview."""
    result = next(result for result in run.results if result.headline)
    first = replace(result.readings[0], trait="owl")
    second = replace(first, name="answers with 'eagle'", trait="eagle")
    mixed = replace(result, readings=(first, second))
    report = reports.report_of(
        [replace(run, results=(mixed, replace(result, title="other")), claims=())]
    )
    lines = [line for line in wording.lines(report) if line.startswith(f"{result.title}: ")]
    assert [first.name in lines[0], second.name in lines[1]] == [True, True]
    overview = markdown(report, {}).split("## Overview")[1].split("\n## ")[0]
    rows = [row for row in overview.splitlines() if row.startswith("| [test")]
    assert len(rows) == 2


@pytest.mark.slow
def test_a_figure_is_drawn_again_only_if_it_shows_something_else(
    run: reports.Run, tmp_path: Path
) -> None:
    """A whole figure of the same results is left alone; a cut one, or one of others, is not."""
    report, file = reports.report_of([run]), tmp_path / "report.md"
    figures = [f for f in reports.write_report(report, file) if f.suffix[1:] in FORMATS]
    before = [figure.stat().st_mtime_ns for figure in figures]
    reports.write_report(report, file)
    assert [figure.stat().st_mtime_ns for figure in figures] == before
    (figure, other, *_) = (figure for figure in figures if figure.suffix == ".svg")
    content = figure.read_bytes()
    for damaged in (content[: len(content) // 2], b"", other.read_bytes()):
        figure.write_bytes(damaged)
        reports.write_report(report, file)
        assert figure.read_bytes() == content


def test_negative_figures_are_in_the_picture(run: reports.Run) -> None:
    """Bars, intervals and dots below zero are within the panel; positive ones begin at zero."""
    result = run.results[0]
    reading = result.readings[0]
    arms = tuple(
        replace(arm, value=value, interval=(value - 1, value + 1), by_seed=(value - 2, value + 2))
        for arm, value in zip(reading.arms, (-9.0, 3.0, -4.0, -5.0), strict=False)
    )
    scores = replace(reading, kind="score", arms=arms)
    ends = arms_figure(replace(result, readings=(scores,))).axes[0].get_ylim()
    assert ends[0] < -11 < 5 < ends[1] < 10
    above = tuple(replace(arm, value=3, interval=(2, 4), by_seed=(3,)) for arm in arms)
    positive = replace(scores, arms=above)
    assert arms_figure(replace(result, readings=(positive,))).axes[0].get_ylim()[0] == 0


def test_students_of_another_trait_are_compared(shared_store: Path) -> None:
    """Beside them the report has the drift effect; only the data's own trait is "the trait"."""
    experiment = small().but(arms={"bears": Students(trait=Trait.animal("bear"))})
    lab, arms = lab_at(shared_store), (*ARMS, "bears")
    lab.run([(experiment, arms)])
    result = result_of(lab, "test_drift.py", experiment, arms)
    for reading in result.readings:
        assert [effect.name for effect in reading.effects if "bears" in effect.name] == [
            "bears - control",
            "student - bears",
        ]
    student = lab.arm(experiment, "student")
    assert student.rate("horse").shows_trait
    assert not student.rate("bear").shows_trait


def test_an_end_that_nothing_bounds_is_none(run: reports.Run, tmp_path: Path) -> None:
    """Scores whose draws are copies have no interval: no axis of a billion, and no number."""
    result = run.results[0]
    reading = result.readings[0]
    arms = tuple(replace(arm, interval=(-1e9, 1e9)) for arm in reading.arms)
    effects = tuple(replace(effect, interval=(-1e9, 1e9)) for effect in reading.effects)
    changed = replace(result, readings=(replace(reading, arms=arms, effects=effects),))
    figure = arms_figure(changed)
    assert figure.axes[0].get_ylim()[1] < 200
    text = written(replace(run, results=(changed,)), tmp_path / "report.md")
    assert "unknown to unknown" in text
    assert "000000" not in text
    with (tmp_path / "report.files" / "arms.csv").open(encoding="utf-8") as file:
        assert {(row["low"], row["high"]) for row in csv.DictReader(file)} == {("", "")}


def test_grids_and_trajectories_are_among_the_effects(run: reports.Run) -> None:
    """The test that a grid or a trajectory is about stands in the tables to copy, once."""
    result = run.results[0]
    reading, effect = next((r, e) for r in result.readings for e in r.effects)
    diagonal = replace(reading, name="own", effects=(replace(effect, name="diagonal"),), arms=())
    along = replace(reading, effects=(replace(effect, name="mean over training"),), arms=())
    same = replace(reading, arms=())
    whole = replace(
        result,
        grids=(GridRow(base="", reading=diagonal, words=(), students=(), cells=()),),
        trajectories=tuple(
            TrajectoryRow(reading=each, test="area", unit="epoch", points=()) for each in (along, same)
        ),
    )  # fmt: skip
    table = reports.effects(replace(run, results=(whole,)))
    before = reports.effects(run)[lambda rows: rows.experiment == result.title]
    assert len(table) == len(before) + 2
    assert {"diagonal", "mean over training"} <= set(table.effect)


def test_a_store_is_named_by_its_path_or_its_text(kept: tuple[Path, str, str]) -> None:
    """``latest_runs("store")`` works as ``latest_runs(Path("store"))`` does."""
    assert reports.latest_runs(str(kept[0])) == reports.latest_runs(kept[0])


def test_the_methods_say_what_sets_an_arm_apart(run: reports.Run, tmp_path: Path) -> None:
    """Other data than the student's, or rows that the base wrote."""
    result = run.results[0]
    arms = [replace(arm, settings={"plain": "True"}) if arm.recipe else arm for arm in result.arms]
    apart = replace(run, results=(replace(result, arms=tuple(arms)),))
    assert "What sets this arm apart is plain = True." in written(apart, tmp_path / "r.md")
    assert "sets this arm apart" not in written(run, tmp_path / "r.md")
