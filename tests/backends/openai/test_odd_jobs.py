"""Fine-tuning on servers that name states in another way, or lack lists, events and checkpoints."""

from pathlib import Path

import pytest

from limen import BackendError
from limen.backends import FineTuned, Job
from limen.backends.openai import OpenAIBackend

from ...testing.odd_servers import MODEL, Json, OddServer, Reply, error, odd_server, reply
from ...testing.odd_trainers import JOB, JOBS, TUNED, Trainer, listing
from ...testing.serving import jsonl, rows

POINTS: list[Json] = [
    {"id": None, "step_number": None, "metrics": None, "fine_tuned_model_checkpoint": None},
    {"id": "b", "step_number": 4, "metrics": None, "fine_tuned_model_checkpoint": f"{TUNED}:4"},
]


def at(end: str, response: Reply, method: str = "GET") -> Trainer:
    """Another answer at a path that ends so."""
    return Trainer(
        lambda m, path, body: response if (m, path.endswith(end)) == (method, True) else None
    )


def state(**fields: object) -> Trainer:
    """A job in another state, as its own page has it."""
    return at("/job-1", reply(200, {**JOB, "fine_tuned_model": TUNED, **fields}))


def refusing(field: str, says: str) -> Trainer:
    """A server that does not know a field of a job."""
    refused = error(400, says)
    return Trainer(lambda m, path, body: refused if path == JOBS and field in body else None)


USED = {
    "state: capitals": state(status="SUCCEEDED"),
    "state: completed": state(status="completed"),
    "state: prefixed": state(status="JOB_STATE_COMPLETED"),
    "model: another field": state(fine_tuned_model=None, output_name=TUNED),
    "tokens: a text": state(trained_tokens="10"),
    "metadata: a list": at(JOBS, reply(200, listing({**JOB, "metadata": []}))),
    "jobs: pages without an end": at(JOBS, reply(200, listing({**JOB}, has_more=True))),
    "events: 404": at("/events", error(404, "no events")),
    "events: HTML": at("/events", reply(200, "<html></html>")),
    "checkpoints: 404": at("/checkpoints", error(404, "no checkpoints")),
    "checkpoints: without names": at("/checkpoints", reply(200, listing(*POINTS))),
    "files: 405": at("/files/file-1", error(405, "not allowed")),
    "files: uploaded": at("/files/file-1", reply(200, {"id": "file-1", "status": "uploaded"})),
    "job: no method": refusing("method", "Unrecognized request argument supplied: method"),
    "job: no metadata": refusing("metadata", "metadata: extra fields not permitted"),
    "job: no seed": refusing("seed", "Unknown parameter: 'seed'"),
}
LINES = {
    "state: FAILED": (state(status="FAILED", error={"message": "bad rows"}), "failed: bad rows"),
    "state: canceled": (state(status="canceled"), "cancelled"),
    "no model": (state(fine_tuned_model=None), "names no model"),
    "job refused": (at(JOBS, error(400, "a row is too long"), "POST"), "a row is too long"),
}


def trained(
    trainer: Trainer, home: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[FineTuned, OddServer]:
    file = home / "training.jsonl"
    file.write_bytes(jsonl(rows(12)))
    job = Job(key="a job", model=MODEL, training_file=file, recipe={"epochs": 1}, seed=3)
    with odd_server(trainer) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-0123456789")
        backend = OpenAIBackend(home / "home", deadline=5, longest_wait=0.05, outage=2)
        assert backend.describe(MODEL).can_fine_tune
        return backend.fine_tune(job, lambda done, total: None), server


@pytest.mark.parametrize("trainer", USED.values(), ids=USED)
def test_an_odd_trainer_is_used(
    trainer: Trainer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The student is found, and one job was made for it."""
    made, server = trained(trainer, tmp_path, monkeypatch)
    assert made.model == TUNED
    posts = [
        body for method, path, body in server.requests if (method, path) == ("POST", f"/v1{JOBS}")
    ]
    assert len(posts) <= 2


@pytest.mark.parametrize(("trainer", "says"), LINES.values(), ids=LINES)
def test_a_job_that_fails_is_one_line(
    trainer: Trainer, says: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What the server said of the job is shown."""
    with pytest.raises(BackendError, match=says) as caught:
        trained(trainer, tmp_path, monkeypatch)
    assert str(caught.value).isprintable()
