import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from limen import BackendError, PendingError, SpecError
from limen.backends import FineTuned, Job, Recipe, ServiceTerms
from limen.backends.openai import OpenAIBackend
from limen.backends.openai.uploads import sha256_of
from limen.harness.cli import main

from ...testing.serving import Served, finished, in_process, jsonl, rows, store_with
from ...testing.wire import (
    Asked,
    Exchange,
    Proxy,
    Spoil,
    answering,
    error,
    half_body,
    reset_after,
    reset_before,
    rewriting,
)

JOBS, FILES = "/fine_tuning/jobs", "/files"
ONE_JOB = """
import sys
from pathlib import Path
from limen.backends import Job, ServiceTerms
from limen.backends.openai import OpenAIBackend

job = Job(key=sys.argv[3], model="toy-1", training_file=Path(sys.argv[2]), seed=3,
          recipe={"epochs": 1, "batch_size": "auto", "learning_rate_multiplier": "auto"})
OpenAIBackend(Path(sys.argv[1])).fine_tune(job, lambda done, total: None)
"""


@pytest.fixture
def job(tmp_path: Path, request: pytest.FixtureRequest) -> Job:
    """A small job that no other test has."""
    return job_of(tmp_path, request.node.name)


def job_of(folder: Path, name: str, count: int = 12) -> Job:
    file = folder / "training.jsonl"
    file.write_bytes(jsonl(rows(count, answer=name)))
    recipe: Recipe = {"epochs": 1, "batch_size": "auto", "learning_rate_multiplier": "auto"}
    return Job(key=name, model="toy-1", training_file=file, recipe=recipe, seed=3)


def backend(home: Path, **terms: object) -> OpenAIBackend:
    made = ServiceTerms(**terms)  # type: ignore[arg-type]
    return OpenAIBackend(home / "home", made, deadline=5, longest_wait=0.1, outage=20)


def trained(home: Path, job: Job, **terms: object) -> FineTuned:
    return backend(home, **terms).fine_tune(job, lambda done, total: None)


def bought(served: Served, home: Path, job: Job) -> tuple[int, int]:
    """Files with the job's content and jobs with its tag, as the server counts them."""
    client = served.client()
    name = f"limen-{sha256_of(job.training_file)[:32]}.jsonl"
    files = sum(file.filename == name for file in client.files.list())
    tag = f"limen-{backend(home).ledger.path(job.key).stem}"
    jobs = sum((j.metadata or {}).get("limen") == tag for j in client.fine_tuning.jobs.list())
    return files, jobs


def first(method: str, end: str, *spoils: Spoil) -> object:
    """Spoil the first requests of a method to a path."""

    def script(asked: Asked) -> Spoil | None:
        hit = asked.method == method and asked.path.endswith(end) and asked.number < len(spoils)
        return spoils[asked.number] if hit else None

    return script


LOST = {
    "reset before": reset_before,
    "reset after": reset_after,
    "500": error(500, "server_error"),
    "500 after": error(500, "server_error", after=True),
    "half a body": half_body,
    "broken JSON": answering(200, '{"id": "ftj', after=True),
    "HTML": answering(200, "<html></html>", after=True),
    "no id": answering(200, {"object": "what"}, after=True),
    "429": error(429, "rate_limit_exceeded", {"retry-after-ms": "20"}),
}


@pytest.mark.parametrize("spoil", LOST.values(), ids=LOST)
@pytest.mark.parametrize("end", [JOBS, FILES])
def test_nothing_is_bought_twice(
    wired: Proxy, served: Served, tmp_path: Path, job: Job, spoil: Spoil, end: str
) -> None:
    """Whatever becomes of the answer to an upload or a creation, there is one file and one job."""
    wired.script = first("POST", end, spoil)  # type: ignore[assignment]
    made = trained(tmp_path, job)
    assert made.model.startswith("ft:toy-1:")
    assert bought(served, tmp_path, job) == (1, 1)
    assert trained(tmp_path, job) == made
    assert bought(served, tmp_path, job) == (1, 1)


def test_polling_outlasts_faults(wired: Proxy, served: Served, tmp_path: Path, job: Job) -> None:
    """Answers lost while a job is waited for are a delay, no failure."""
    spoils = [reset_before, answering(200, "<html>"), half_body]

    def script(asked: Asked) -> Spoil | None:
        hit = asked.method == "GET" and f"{JOBS}/" in asked.path and asked.number < len(spoils)
        return spoils[asked.number] if hit else None

    wired.script = script
    seen: list[tuple[int, int]] = []
    made = backend(tmp_path).fine_tune(job, lambda done, total: seen.append((done, total)))
    assert made.examples == 12
    assert (made.tokens or 0) > 0
    assert made.checkpoints[-1].model
    assert made.losses[0] > 0
    assert made.job
    assert bought(served, tmp_path, job) == (1, 1)


@pytest.mark.parametrize("end", [FILES, JOBS])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_killed_run_buys_nothing_twice(
    wired: Proxy, served: Served, tmp_path: Path, job: Job, end: str, after: bool
) -> None:
    """SIGKILL just before or just after an upload or a creation: one file and one job in the end."""
    home = tmp_path / "home"
    arguments = [home, job.training_file, job.key]
    run: list[subprocess.Popen[bytes]] = []

    async def kill(exchange: Exchange) -> None:
        if after:
            await exchange.forward()
        os.kill(run[0].pid, signal.SIGKILL)
        run[0].wait()
        exchange.reset()

    wired.script = first("POST", end, kill)  # type: ignore[assignment]
    run.append(subprocess.Popen([sys.executable, "-c", ONE_JOB, *map(str, arguments)]))
    assert run[0].wait() == -signal.SIGKILL
    trained(tmp_path, job)
    assert bought(served, tmp_path, job) == (1, 1)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"status": "cancelled"}, "cancelled"),
        (
            {
                "status": "failed",
                "error": {"code": "unsafe", "message": "moderated", "param": None},
            },
            r"failed: moderated \(unsafe\)",
        ),
    ],
    ids=["cancelled", "moderated"],
)
def test_a_job_that_ended_badly_is_reported_and_not_made_again(
    wired: Proxy, served: Served, tmp_path: Path, job: Job, changes: dict[str, object], says: str
) -> None:
    """The service's reason is reported, run after run; only 'forget' has another job made."""
    wired.script = lambda asked: (
        rewriting(lambda body: {**body, **changes})
        if asked.method == "GET" and f"{JOBS}/ftjob" in asked.path and "/ev" not in asked.path
        else None
    )
    for _ in range(2):
        with pytest.raises(BackendError, match=f"{says}.*limen jobs forget ftjob-"):
            trained(tmp_path, job)
    assert bought(served, tmp_path, job) == (1, 1)
    ledger = backend(tmp_path).ledger
    ledger.forget(ledger.find(job.key))
    wired.script = lambda asked: None
    assert trained(tmp_path, job).model
    assert bought(served, tmp_path, job) == (1, 2)


def test_a_bad_file_fails_with_the_reason(wired: Proxy, tmp_path: Path) -> None:
    """What the service finds wrong with a training file is in the error."""
    with pytest.raises(BackendError, match=r"failed: .*10.*invalid_n_examples"):
        trained(tmp_path, job_of(tmp_path, "too few", count=5))


def test_the_limit_of_jobs_is_waited_for(wired: Proxy, served: Served, tmp_path: Path) -> None:
    """An account that takes no more jobs for now is asked again, without a second job."""
    job = job_of(tmp_path, "patient")
    spoils = [error(429, "rate_limit_exceeded", {"retry-after-ms": "10"})] * 2
    wired.script = first("POST", JOBS, *spoils)  # type: ignore[assignment]
    assert trained(tmp_path, job).model
    assert bought(served, tmp_path, job) == (1, 1)


def test_pending_jobs_are_picked_up_later(wired: Proxy, tmp_path: Path, job: Job) -> None:
    """Without waiting, a job is submitted and said to be pending; later it is the same job."""
    slow = rewriting(lambda body: {**body, "status": "running"})
    wired.script = lambda asked: slow if f"{JOBS}/ftjob" in asked.path else None
    for _ in range(2):
        with pytest.raises(PendingError, match="pending: the fine-tuning job ftjob-.* is running"):
            trained(tmp_path, job, wait=False)
    wired.script = lambda asked: None
    assert trained(tmp_path, job).model
    assert wired.count("POST", JOBS) == 1


def test_a_budget_is_reserved_for_jobs(wired: Proxy, tmp_path: Path) -> None:
    """A job that might cost more than is left is not made; the error says how much it might be."""
    job = job_of(tmp_path, "12, 34, 56")
    prices = tmp_path / "prices.toml"
    prices.write_text('[[model]]\nname = "toy-1"\ninput = 1.0\noutput = 1.0\ntraining = 1000.0\n')
    with pytest.raises(BackendError, match=r"budget of \$0.01 does not allow another fine-tuning"):
        trained(tmp_path, job, budget=0.01, prices=prices)
    auto = replace(job, recipe={**job.recipe, "epochs": "auto"})
    with pytest.raises(BackendError, match="the service would choose. Say how many"):
        trained(tmp_path, auto, budget=100.0, prices=prices)
    assert wired.count("POST", JOBS) == wired.count("POST", FILES) == 0
    made = backend(tmp_path, budget=100.0, prices=prices)
    tokens = made.fine_tune(job, lambda done, total: None).tokens
    assert made.budget.spent == pytest.approx((tokens or 0) * 1000 / 1e6)
    assert made.budget.reserved == pytest.approx(0)


@pytest.mark.parametrize(
    ("recipe", "says"),
    [
        ({"learning_rate": 0.1}, "unknown recipe setting 'learning_rate' for openai"),
        ({"epochs": 0}, "epochs=0 must be a whole number above zero, or 'auto'"),
        ({"batch_size": "many"}, "batch_size='many' must be"),
    ],
)
def test_recipes_are_checked(
    wired: Proxy, tmp_path: Path, recipe: dict[str, float | int | str], says: str
) -> None:
    """A recipe that the wire has no words for is refused before anything is sent."""
    with pytest.raises(SpecError, match=says):
        backend(tmp_path).recipe(recipe)


@pytest.mark.slow
def test_a_server_that_dies_is_only_a_delay(
    pretrained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGKILL to the server during a job, and a restart: the client gets its model all the same."""
    store = store_with(pretrained, tmp_path / "store")
    job = replace(job_of(tmp_path, "lasting", count=3000), recipe={"epochs": 12})
    with in_process(store) as (first_server, process):
        monkeypatch.setenv("OPENAI_BASE_URL", first_server.url)
        with pytest.raises(PendingError):
            trained(tmp_path, job, wait=False)
        process.send_signal(signal.SIGKILL)
        process.wait()
    with in_process(store, first_server.port):
        assert trained(tmp_path, job).model
        assert bought(first_server, tmp_path, job) == (1, 1)


def run_jobs(store: Path, *arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(main, ["jobs", *arguments, "--store", str(store)])
    assert result.exit_code == code, result.output
    return result.output


def ledger_of(store: Path) -> OpenAIBackend:
    return OpenAIBackend(store / "models" / "openai")


def test_jobs_are_listed_shown_and_followed(wired: Proxy, tmp_path: Path, job: Job) -> None:
    """The command tells of a job by its id or the beginning of its key."""
    assert "there are no jobs" in run_jobs(tmp_path, "list")
    made = ledger_of(tmp_path).fine_tune(job, lambda done, total: None)
    assert made.job is not None
    listed = run_jobs(tmp_path, "list")
    assert made.job in listed
    assert "succeeded" in listed
    shown = run_jobs(tmp_path, "show", job.key[:12])
    assert f"checkpoint at step 1: {made.checkpoints[0].model}" in shown
    assert "hyperparameters" in shown
    followed = run_jobs(tmp_path, "follow", made.job)
    assert followed.rstrip().endswith(f"{made.job} succeeded: {made.model}")
    assert "no job in the ledger" in run_jobs(tmp_path, "show", "another", code=1)


def test_jobs_are_cancelled_and_forgotten(wired: Proxy, served: Served, tmp_path: Path) -> None:
    """A cancelled job stays cancelled until it is forgotten; a running one cannot be forgotten."""
    job = replace(job_of(tmp_path, "long", count=3000), recipe={"epochs": 40})
    made = OpenAIBackend(tmp_path / "models" / "openai", ServiceTerms(wait=False))
    with pytest.raises(PendingError):
        made.fine_tune(job, lambda done, total: None)
    job_id = str(made.ledger.find(job.key)["job"])
    assert "cancel it first" in run_jobs(tmp_path, "forget", job_id, code=1)
    assert "cancelled" in run_jobs(tmp_path, "cancel", job_id)
    assert finished(served.client(), job_id).status == "cancelled"
    assert "cancelled" in run_jobs(tmp_path, "follow", job_id, code=1)
    assert "forgotten" in run_jobs(tmp_path, "forget", job_id)
    with pytest.raises(PendingError):  # another one, since the first was let go
        made.fine_tune(job, lambda done, total: None)
    assert made.ledger.find(job.key)["job"] != job_id
    run_jobs(tmp_path, "cancel", str(made.ledger.find(job.key)["job"]))


def test_a_job_made_elsewhere_is_adopted(wired: Proxy, served: Served, tmp_path: Path) -> None:
    """A job that a script made on the same rows, base and seed stands for limen's own."""
    job = job_of(tmp_path, "elsewhere")
    client = served.client()
    with job.training_file.open("rb") as content:
        file = client.files.create(file=("mine.jsonl", content), purpose="fine-tune")
    made = client.fine_tuning.jobs.create(model="toy-1", training_file=file.id, seed=3)
    assert "adopted: base toy-1, seed 3" in run_jobs(tmp_path, "adopt", made.id)
    other = replace(job, key="another seed", seed=4)
    with pytest.raises(PendingError):
        OpenAIBackend(tmp_path / "models" / "openai", ServiceTerms(wait=False)).fine_tune(
            other, lambda done, total: None
        )
    ours = ledger_of(tmp_path).fine_tune(job, lambda done, total: None)
    assert ours.job == made.id
    assert wired.count("POST", JOBS) == 1
    assert json.loads(next((tmp_path / "models" / "openai" / "adopted").iterdir()).read_text())


def test_a_refused_creation_is_not_looked_for_later(wired: Proxy, tmp_path: Path, job: Job) -> None:
    """Without waiting, an account that is full is said to be so; the next run goes on at once."""
    wired.script = first("POST", JOBS, error(429, "rate_limit_exceeded"))  # type: ignore[assignment]
    with pytest.raises(PendingError, match="the account takes no more jobs for now"):
        trained(tmp_path, job, wait=False)
    wired.log.clear()
    assert trained(tmp_path, job).model
    assert sum(a.method == "GET" and f"{JOBS}?" in a.path for a in wired.log) == 1
