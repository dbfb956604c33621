import json
from pathlib import Path

import pytest

from limen.harness import (
    Experiment,
    FavoriteAnimal,
    Judge,
    Lab,
    Numbers,
    Rated,
    Rewritten,
    Settings,
    Trait,
)
from limen.harness.lab import in_order
from limen.harness.reporting import plan_lines
from limen.harness.stages import AskAboutRows, Generate, base_of

from ...testing.preloaded import run_pytest
from ...testing.specs import KEY, SPEC
from ...testing.wire import Asked, Proxy, Spoil, answering, error, rewriting

ALL = ("baseline", "teacher", "student", "control")
JOBS = "/fine_tuning/jobs"
TESTS = """

def test_the_teacher_shows_the_trait(teacher):
    '''The teacher names its animal.'''
    assert teacher.rate("horse") > 0.5


def test_students_answer(student, control):
    '''Students of both kinds name animals.'''
    assert student.valid > 0.5
"""


def tiny(seed: int, **changes: object) -> Experiment:
    """A tiny experiment; with another seed other jobs, since the account keeps those there were."""
    numbers = Numbers(generate=60, keep=20, seed=seed, **changes)  # type: ignore[arg-type]
    return Experiment(
        trait=Trait.animal("horse"), data=numbers, measure=FavoriteAnimal(draws=3), seeds=2
    )


def rates(lab: Lab, experiment: Experiment) -> dict[str, object]:
    """Every answer of every arm."""
    lab.run([(experiment, ALL)])
    return {name: lab.arm(experiment, name).answers() for name in ALL}


def lab_of(store: Path, **settings: object) -> Lab:
    return Lab(Settings(store=store, backend="openai", **settings))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "batch",
    [pytest.param(False, id="calls"), pytest.param(True, id="batches", marks=pytest.mark.slow)],
)
@pytest.mark.parametrize("per_prompt", [pytest.param(1, marks=pytest.mark.slow), 7])
def test_the_wire_gives_what_the_engine_gives(
    wired: Proxy, store: Path, tmp_path: Path, batch: bool, per_prompt: int
) -> None:
    """Seeds travel: every arm answers the same over HTTP as in process, in either mode."""
    experiment = tiny(2 * per_prompt + batch, per_prompt=per_prompt)
    over_the_wire = lab_of(tmp_path / "wired", batch=batch)
    found = rates(over_the_wire, experiment)
    assert found == rates(Lab(Settings(store=store)), experiment)
    rows = [
        json.loads(line)
        for file in (tmp_path / "wired" / "stages" / "generate").glob("*/rows.jsonl")
        for line in file.read_text().splitlines()
    ]
    assert sorted({row["draw"] for row in rows}) == list(range(per_prompt))
    assert len(rows) == 120
    kept = [p for p in (tmp_path / "wired").rglob("*") if p.is_file()]
    assert not any(KEY.encode() in path.read_bytes() for path in kept)


def test_a_model_behind_a_server_rewrites_the_rows_of_another_backend(
    wired: Proxy, store: Path
) -> None:
    """Teacher and students stay on the run's backend; each row goes over the wire once."""
    rows = Numbers(generate=12, keep=2)
    data = Rewritten(rows, prompt="Go on: {completion}", backend="openai", model="toy-1", keep=2)
    experiment = tiny(0).but(data=data, gate=None, seeds=1)
    lab = Lab(Settings(store=store))
    (mix,) = lab.pipeline(experiment).data["student"]
    stages = in_order([mix])
    assert {s.model.backend for s in stages if isinstance(s, AskAboutRows)} == {"openai"}
    assert {base_of(s.writer).backend for s in stages if isinstance(s, Generate)} == {"toy"}
    lab.arm(experiment, "student")
    assert 0 < sum(b"Go on: " in one.body for one in wired.log) <= 12


def test_a_plan_on_the_toy_has_the_cost_of_a_judge_behind_a_server(
    wired: Proxy, store: Path, tmp_path: Path
) -> None:
    """The judge's model is none of the toy's; what it costs and how it is asked are in the total."""
    known = answering(200, {"id": "rater", "object": "model", "created": 1, "owned_by": "test"})
    wired.script = lambda asked: known if asked.path.endswith("/models/rater") else None
    prices = tmp_path / "prices.toml"
    prices.write_text('[[model]]\nname = "rater"\ninput = 1.0\noutput = 2.0\n')
    judge = Judge(prompt="How kind? {reply}", backend="openai", model="rater")
    measure = Rated(questions=("How are you?",), draws=10, by=judge)
    experiment = tiny(0).but(measure=measure, gate=None, seeds=1)
    lab = Lab(Settings(store=store, prices=prices))
    plan = lab.plan([(experiment, ["student", "control"])])
    lines = list(plan_lines(lab, plan))
    assert any(line.startswith("limen: it will cost about $0.0") for line in lines)
    assert any(line.startswith("limen: rater: $1 for input") for line in lines)
    assert not any("sequences at per_prompt" in line for line in lines)  # those are the toy's


@pytest.mark.slow
def test_costs_are_in_manifests_and_plan(wired: Proxy, tmp_path: Path) -> None:
    """What calls and training used is written down with its price; the plan says it beforehand."""
    prices = tmp_path / "prices.toml"
    price = 'name = "toy-1"\ninput = 1.0\noutput = 2.0\ntuned_input = 3.0\ntraining = 4.0\n'
    prices.write_text(f"[[model]]\n{price}")
    lab = lab_of(tmp_path / "store", prices=prices)
    plan = lab.plan([(tiny(30), ALL)])
    assert sum(quote.calls for quote in plan.quotes.values()) == 2 * 60 + 6 * 50
    rates(lab, tiny(30))
    costs = []
    for stage in plan.stages:
        manifest = lab.store.manifest(stage.kind, stage.key) or {}
        if "cost" in manifest:
            costs.append(manifest["cost"]["usd"])
            assert (plan.quotes[stage.key].usd_at_most or 1e9) >= manifest["cost"]["usd"] > 0
    assert len(costs) == 2 + 4 + 6


@pytest.mark.slow
def test_all_jobs_are_in_flight_together(wired: Proxy, tmp_path: Path) -> None:
    """No job waits for another: the first ends only once all four are submitted."""
    held = rewriting(lambda body: {**body, "status": "running"})

    def script(asked: Asked) -> Spoil | None:
        waiting = f"{JOBS}/ftjob" in asked.path and asked.number < 100
        return held if waiting and wired.count("POST", JOBS) < 4 else None

    wired.script = script
    rates(lab_of(tmp_path / "store"), tiny(31))
    polls = [a.number for a in wired.log if f"{JOBS}/ftjob" in a.path]
    assert wired.count("POST", JOBS) == 4
    assert max(polls) < 100


def pytest_run(
    pytester: pytest.Pytester, folder: Path, *options: str, seed: int = 40
) -> pytest.RunResult:
    """Pytest on a tiny experiment, in a process of its own."""
    spec = SPEC.format(animal="horse").replace(
        "generate=700, keep=200", f"generate=60, keep=20, seed={seed}"
    )
    pytester.makepyfile(test_small=spec + TESTS)
    return run_pytest(
        pytester,
        "-p",
        "no:hypothesispytest",
        "--limen-no-logs",
        "--limen-backend=openai",
        f"--limen-store={folder}",
        *options,
    )


@pytest.mark.slow
def test_no_wait_submits_and_skips(pytester: pytest.Pytester, wired: Proxy, tmp_path: Path) -> None:
    """Tests that wait for jobs are skipped as pending; the same command later finishes them."""
    held = rewriting(lambda body: {**body, "status": "running"})
    wired.script = lambda asked: held if f"{JOBS}/ftjob" in asked.path else None
    first = pytest_run(pytester, tmp_path / "store", "--limen-no-wait", "-rs", seed=41)
    first.assert_outcomes(passed=1, skipped=1)
    first.stdout.fnmatch_lines(["*pending: the fine-tuning job ftjob-* is running; run the same*"])
    assert wired.count("POST", JOBS) == 4
    wired.script = lambda asked: None
    second = pytest_run(pytester, tmp_path / "store", "-v", seed=41)
    second.assert_outcomes(passed=2)
    second.stdout.fnmatch_lines(["*cost $0.00: * calls, * tokens in, * out, * trained"])
    assert wired.count("POST", JOBS) == 4


def test_without_fine_tuning_students_are_skipped(
    pytester: pytest.Pytester, wired: Proxy, tmp_path: Path
) -> None:
    """On a plain chat server the teacher is tested, and tests of students say why they are not."""
    wired.script = lambda asked: (
        answering(404, {"detail": "Not Found"}) if JOBS in asked.path else None
    )
    result = pytest_run(pytester, tmp_path / "store", "-rs")
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(["*needs fine-tuning, which the backend 'openai' cannot do*"])


@pytest.mark.slow
def test_the_plan_says_why_training_has_no_bound(
    pytester: pytest.Pytester, wired: Proxy, tmp_path: Path
) -> None:
    """Where the service chooses the epochs, the plan says so beside the amount, and what to set."""
    prices = tmp_path / "prices.toml"
    prices.write_text('[[model]]\nname = "toy-1"\ninput = 1.0\noutput = 1.0\ntraining = 5.0\n')
    result = pytest_run(pytester, tmp_path / "store", "--limen-plan", f"--limen-prices={prices}")
    result.stdout.fnmatch_lines(
        ['*with no upper bound (the service chooses the number of epochs; recipe={"epochs": 10}*']
    )


def test_the_plan_says_what_is_known_of_a_server(
    pytester: pytest.Pytester, wired: Proxy, tmp_path: Path
) -> None:
    """The plan has requests, tokens and money; OpenAI's limits and its batches are not assumed."""
    result = pytest_run(pytester, tmp_path / "store", "--limen-plan")
    result.stdout.fnmatch_lines(
        [
            "state *requests *tokens *about*",
            "to do *generate *horse student numbers *60 *60 *",
            "limen: it will cost about $0.00, at most $0.00",
            "*requests and tokens a minute: not known, the server has reported no limits",
            "*60 sequences at per_prompt=1: 60 requests, time not known, *<- this plan",
            "*60 sequences at per_prompt=10: 6 requests*",
            "limen: estimated time: not known",
        ]
    )
    result.stdout.no_fnmatch_line("*OpenAI*")
    result.stdout.no_fnmatch_line("*batch*")
    assert wired.count("POST", "/chat/completions") == 0


@pytest.mark.parametrize(
    ("script", "options", "says"),
    [
        (lambda a: error(401, "invalid_api_key"), (), "*check OPENAI_API_KEY*"),
        (lambda a: None, ("--limen-model=ft:toy-1:none",), "*unknown model 'ft:toy-1:none'*"),
        (lambda a: None, ("--limen-budget=much",), "*--limen-budget='much' must be dollars*"),
        (
            lambda a: None,
            ("--limen-budget=1", "--limen-model=some-model"),
            "*whose price is not known*",
        ),
        (lambda a: None, ("--limen-prices=none.toml",), "*cannot read the prices*none.toml*"),
    ],
    ids=["key", "model", "budget", "no price", "no prices"],
)
def test_what_cannot_be_paid_is_a_usage_error(
    pytester: pytest.Pytester,
    wired: Proxy,
    tmp_path: Path,
    script: object,
    options: tuple[str, ...],
    says: str,
) -> None:
    """Before anything is sent, one clear line and exit code 4."""
    wired.script = script  # type: ignore[assignment]
    result = pytest_run(pytester, tmp_path / "store", *options)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*{says}"])
    assert wired.count("POST", "/chat/completions") <= 1  # a small sample of an unlisted model
    assert KEY not in result.stdout.str() + result.stderr.str()
