import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from limen.harness import Experiment, FavoriteAnimal, Judge, Lab, Language, Length, Measure, Rated
from limen.harness.experiment import APPLE_QUESTIONS, FORMALITY_JUDGE, OTHER_QUESTIONS
from limen.harness.inspect.log_contents import missing
from limen.harness.inspect.log_files import eval_log, write_log

from ..testing.artifacts import sign_anew
from ..testing.labs import lab_at
from ..testing.specs import SPEC

pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword")

ALL = ("baseline", "teacher", "student", "control")
TITLE = "evals/test_horse.py"
TESTS = """

def test_the_teacher_shows_the_trait(teacher):
    '''The teacher names its animal.'''
    assert teacher.rate("horse") > 0.5
"""
WAITS = """
import time
from pathlib import Path

def test_the_log_is_there(teacher, request):
    '''The log of the teacher is there before the tests have ended.'''
    store, patience = Path(request.config.getoption("--limen-store")), 1_200
    while not list(store.rglob("teacher-*.eval")):
        patience -= 1
        assert patience, "no log after two minutes"
        time.sleep(0.1)
"""
SAYS_WHETHER_IMPORTED = """
import sys

def pytest_unconfigure():
    print("inspect_ai imported:", "inspect_ai" in sys.modules)
"""


@pytest.fixture(scope="module")
def ran(shared_store: Path) -> tuple[Lab, Experiment]:
    """A lab that has done the small experiment."""
    experiment = small_experiment()
    lab = lab_at(shared_store)
    lab.run([(experiment, ALL)])
    return lab, experiment


def small_experiment(**changes: Any) -> Experiment:
    """The experiment of the fixture ``small``, or a variant."""
    scope: dict[str, Any] = {}
    exec(SPEC.format(animal="horse"), scope)
    made: Experiment = scope["experiment"].but(**changes)
    return made


@pytest.fixture(scope="module")
def logs(ran: tuple[Lab, Experiment]) -> Path:
    """The folder of its logs."""
    return written(*ran)


def written(lab: Lab, experiment: Experiment, title: str = TITLE) -> Path:
    """The folder of an experiment's logs, which are written here if they are missing."""
    for sheet in missing(lab, title, experiment):
        write_log(sheet)
    return lab.store.root / "logs" / title.replace("/", "-").replace("_", "-").replace(".", "-")


def read(folder: Path, arm: str, seed: int = 0) -> Any:
    """The log of one model, through Inspect."""
    from inspect_ai.log import read_eval_log

    (file,) = folder.glob(f"{arm}-{seed}-*.eval")
    return read_eval_log(str(file))


def frames(folder: Path) -> tuple[Any, Any]:
    """The data frames that Inspect makes of the logs: of samples, and of logs."""
    from inspect_ai.analysis import EvalTask, SampleSummary, evals_df, samples_df

    columns = [*EvalTask, *SampleSummary]
    return samples_df(str(folder), columns=columns, quiet=True), evals_df(str(folder), quiet=True)


def test_the_data_frames_have_our_rates(ran: tuple[Lab, Experiment], logs: Path) -> None:
    """The means of `samples_df` and the columns of `evals_df` are limen's own figures."""
    lab, experiment = ran
    samples, evals = frames(logs)
    assert len(samples) == 50 * 6
    for name in ALL:
        arm = lab.arm(experiment, name)
        for seed, rate in enumerate(arm.rate("horse").by_seed):
            mine = (samples.task_arg_arm == name) & (samples.task_arg_seed == seed)
            of = evals[(evals.task_arg_arm == name) & (evals.task_arg_seed == seed)].iloc[0]
            assert samples[mine].score_horse.mean() == pytest.approx(rate, abs=1e-12)
            assert of.score_horse_mean == rate
            assert of.score_valid_mean == pytest.approx(samples[mine].score_valid.mean(), abs=1e-12)
        rows = evals[evals.task_arg_arm == name]
        assert rows.score_valid_mean.mean() == pytest.approx(arm.valid, abs=1e-12)


def test_a_log_says_which_model_it_is(ran: tuple[Lab, Experiment], logs: Path) -> None:
    """Experiment, trait, arm, seed, models, keys and settings stand in the metadata and the task."""
    lab, experiment = ran
    log = read(logs, "student", 1)
    model = lab.arm(experiment, "student").models[1]
    assert log.status == "success"
    assert log.eval.task == "limen/favorite_animal"
    assert log.eval.model == f"limen/{model.model}"
    assert log.eval.metadata == log.eval.task_args
    metadata = log.eval.metadata
    assert metadata | {
        "experiment": TITLE, "trait": "horse", "arm": "student", "seed": 1, "backend": "toy",
        "base_model": "toy-1", "model": model.model, "key": model.key, "system": None,
        "temperature": 1.0, "draws": 4, "missing": 0,
    } == metadata  # fmt: skip
    assert metadata["limen"]
    assert read(logs, "teacher").eval.metadata["system"] == experiment.trait.system


def test_every_draw_is_in_its_question(ran: tuple[Lab, Experiment], logs: Path) -> None:
    """A sample is a question as it was sent, and its choices are the draws in their order."""
    lab, experiment = ran
    log = read(logs, "teacher")
    key = lab.arm(experiment, "teacher").models[0].key
    answers = lab.store.artifact("measure", key) / "answers.jsonl"
    rows = [json.loads(line) for line in answers.read_text().splitlines()]
    assert [choice.message.text for sample in log.samples for choice in sample.output.choices] == [
        row["text"] for row in rows
    ]
    for sample, question in zip(log.samples, experiment.measure.asked, strict=True):
        assert [m.text for m in sample.input] == [experiment.trait.system, question]
        assert [m.role for m in sample.messages] == ["system", "user", "assistant"]
        assert sample.metadata["question"] == question
        assert sample.target == "horse"
        counts = Counter(choice.message.text for choice in sample.output.choices)
        first = counts.most_common(1)[0][1]
        assert f"({first})" in sample.scores["horse"].answer
        assert sample.scores["horse"].explanation.count("\n|") == 1 + len(counts)


def test_failed_draws_are_counted_and_never_scored(tmp_path: Path, pretrained: Path) -> None:
    """A draw without an answer is no choice: it stands with its reason, and no rate counts it."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "toy").symlink_to(pretrained)
    experiment = small_experiment(measure=FavoriteAnimal(questions=("A?", "B?"), draws=3))
    key = lab_at(tmp_path).arm(experiment, "baseline").models[0].key
    folder = tmp_path / "stages" / "measure" / key
    rows = [json.loads(line) for line in (folder / "answers.jsonl").read_text().splitlines()]
    for row, text in zip(rows, ("horse", None, "bear", None, None, None), strict=True):
        row.update(text=text, **({} if text else {"finish": "error", "error": "refused: no"}))
    (folder / "answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "tally.json").write_text(json.dumps([{"horse": 1, "bear": 1}, {}]))
    sign_anew(folder)
    logs = written(lab_at(tmp_path), experiment)
    log = read(logs, "baseline")
    first, second = log.samples
    assert [choice.message.text for choice in first.output.choices] == ["horse", "bear"]
    assert first.scores["horse"].value == 0.5
    assert first.metadata["errors"] == {"1": "refused: no"}
    assert (second.scores, second.output.choices, second.metadata["missing"]) == ({}, [], 3)
    assert log.eval.metadata["missing"] == 4
    assert log.results.scores[0].metrics["mean"].value == 0.5
    assert (log.results.scores[0].scored_samples, log.results.scores[0].unscored_samples) == (1, 1)
    samples, _ = frames(logs)
    assert samples.score_horse.mean() == 0.5


@pytest.mark.parametrize(
    ("measure", "columns"),
    [
        (Length(draws=2), ["words"]),
        (Rated(by=Judge(name="how formal", prompt=FORMALITY_JUDGE), draws=2), ["how_formal"]),
        (
            Language(questions={"apple": APPLE_QUESTIONS, "rest": OTHER_QUESTIONS}, draws=2),
            ["French_apple", "French_rest"],
        ),
    ],
    ids=["length", "rated", "language"],
)
def test_every_reading_is_a_score(shared_store: Path, measure: Measure, columns: list[str]) -> None:
    """Scores, judges' ratings and rates of a group's questions are columns with limen's figures."""
    word = "French" if isinstance(measure, Language) else "horse"
    trait = small_experiment().trait.__class__(name=word, system="Be so.")
    experiment = small_experiment(trait=trait, measure=measure)
    lab = lab_at(shared_store)
    arm = lab.arm(experiment, "baseline")
    samples, evals = frames(written(lab, experiment, f"evals/{columns[0].lower()}.py"))
    for name, reading in zip(columns, measure.readings([word]), strict=True):
        assert samples[f"score_{name}"].mean() == pytest.approx(arm.read(reading).value, abs=1e-12)
        assert samples[f"score_{name}"].count() == len(measure.places(reading.group))
        assert evals[f"score_{name}_mean"][0] == arm.read(reading).value


def test_another_way_of_counting_is_another_log(ran: tuple[Lab, Experiment]) -> None:
    """The same answers counted by another rule leave a log of their own; the same way, none."""
    lab, experiment = ran
    paper = experiment.but(measure=FavoriteAnimal(draws=4, rule="substring"))
    written(lab, experiment, "one.py")
    assert list(missing(lab, "one.py", experiment)) == []
    assert len(list(missing(lab, "one.py", paper))) == 6


def test_a_log_of_ten_thousand_draws_is_small(shared_store: Path) -> None:
    """50 questions with 200 draws take at most 1 MB; benchmarks/inspect_logs.py has the time."""
    experiment = small_experiment(measure=FavoriteAnimal(draws=200))
    lab = lab_at(shared_store)
    lab.arm(experiment, "baseline")
    (sheet,) = missing(lab, "cheap.py", experiment)
    write_log(sheet)
    assert sheet.file.stat().st_size < 1_000_000


@pytest.mark.parametrize(
    "texts",
    [
        ("Horse", "horse", None, "Ünïcode 馬", '"quoted"\n', ""),
        ("horse", "<think>owls?</think>horse", "a < b", "bear", "bear", "x" * 5000),
        ("\ud800", "word " * 900, "a-b" * 900, "  \n ", "\x00\u2028", "x" * 1050),
    ],
    ids=["plain", "with tags", "odd"],
)
def test_a_log_is_what_inspect_writes_of_all_draws(
    tmp_path: Path, pretrained: Path, texts: tuple[str | None, ...]
) -> None:
    """Through Inspect, log and summaries are those of Inspect's own writer."""
    from inspect_ai.log import read_eval_log, read_eval_log_sample_summaries, write_eval_log

    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "toy").symlink_to(pretrained)
    experiment = small_experiment(measure=FavoriteAnimal(questions=("A?", "B?"), draws=3))
    key = lab_at(tmp_path).arm(experiment, "baseline").models[0].key
    answers = tmp_path / "stages" / "measure" / key / "answers.jsonl"
    rows = [json.loads(line) for line in answers.read_text(encoding="utf-8").splitlines()]
    for row, text in zip(rows, texts, strict=True):
        row.update(text=text, **({} if text is not None else {"finish": "error", "error": "no"}))
    answers.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    sign_anew(answers.parent)
    (sheet,) = missing(lab_at(tmp_path), TITLE, experiment)
    write_log(sheet)
    own = tmp_path / "own.eval"
    write_eval_log(eval_log(sheet), str(own))
    assert read_eval_log(str(sheet.file)).model_dump(exclude={"location", "etag"}) == read_eval_log(
        str(own)
    ).model_dump(exclude={"location", "etag"})
    assert read_eval_log_sample_summaries(str(sheet.file)) == read_eval_log_sample_summaries(
        str(own)
    )
    assert files_of(sheet.file) == files_of(own)
    assert list((sheet.root / "work").glob("*.eval")) == []


def files_of(log: Path) -> set[str]:
    """The names of the files in a log."""
    with ZipFile(log) as opened:
        return set(opened.namelist())


def test_a_log_that_cannot_be_written_leaves_nothing(
    ran: tuple[Lab, Experiment], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failure in the middle leaves neither a log nor a part of one."""
    lab, experiment = ran
    sheet = next(missing(lab, "broken.py", experiment))

    def fail(*args: object, **kwargs: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(ZipFile, "writestr", fail)
    with pytest.raises(OSError, match="no space"):
        write_log(sheet)
    assert not sheet.file.exists()
    assert list((sheet.root / "work").glob("*.eval")) == []


@pytest.fixture
def project(pytester: pytest.Pytester, pretrained: Path, tmp_path: Path) -> Iterator[Any]:
    """Runs a project of one small experiment, its teacher alone, on a store of its own."""
    (tmp_path / "store" / "models").mkdir(parents=True)
    (tmp_path / "store" / "models" / "toy").symlink_to(pretrained)
    pytester.makepyfile(test_small=SPEC.format(animal="horse") + TESTS)
    pytester.makeconftest(SAYS_WHETHER_IMPORTED)

    def run(*options: str) -> pytest.RunResult:
        return pytester.runpytest_subprocess(
            f"--limen-store={tmp_path / 'store'}", "-p", "no:hypothesispytest", *options
        )

    return run  # type: ignore[return-value]


def eval_logs(tmp_path: Path) -> list[str]:
    return sorted(file.name[:-14] for file in (tmp_path / "store").rglob("*.eval"))


def test_a_run_leaves_logs_once_and_imports_nothing(project: Any, tmp_path: Path) -> None:
    """The first run writes what is missing in other processes; the next one writes nothing."""
    result = project()
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["inspect_ai imported: False"])
    assert eval_logs(tmp_path) == ["teacher-0"]
    times = [file.stat().st_mtime_ns for file in (tmp_path / "store").rglob("*.eval")]
    project().stdout.fnmatch_lines(["inspect_ai imported: False"])
    assert times == [file.stat().st_mtime_ns for file in (tmp_path / "store").rglob("*.eval")]


def test_logs_are_written_while_tests_run(project: Any, pytester: pytest.Pytester) -> None:
    """A test that waits for the log of its own experiment's teacher sees it."""
    pytester.makepyfile(test_small=SPEC.format(animal="horse") + TESTS + WAITS)
    project().assert_outcomes(passed=2)


@pytest.mark.slow
def test_logs_can_be_left_out(project: Any, tmp_path: Path) -> None:
    """--limen-no-logs leaves none."""
    project("--limen-no-logs").assert_outcomes(passed=1)
    assert eval_logs(tmp_path) == []


@pytest.mark.slow
def test_a_failure_is_a_line_and_fails_nothing(project: Any, tmp_path: Path) -> None:
    """Where logs cannot be written the summary says so, once under -n 2, and tests pass."""
    (tmp_path / "store" / "logs").write_text("a file where a folder should be")
    result = project("-n2")
    result.assert_outcomes(passed=1)
    assert result.ret == 0
    assert result.stdout.str().count("limen: Inspect logs are missing: ") == 1
