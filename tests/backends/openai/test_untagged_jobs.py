"""One job a student on servers that take metadata, or refuse it, and never give it back."""

from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest

from limen import BackendError
from limen.backends import FineTuned, Job
from limen.backends.openai import OpenAIBackend

from ...testing.commands import limen
from ...testing.odd_servers import MODEL, Json, Reply, error, odd_server, reply
from ...testing.odd_trainers import JOBS, TUNED, Trainer, listing
from ...testing.serving import jsonl, rows

DROPPED = Reply(200, b"", raw=(b"",))
"""A connection that ends without a response."""


@dataclass
class Forgetful:
    """Keeps the jobs that it makes, without their tags; drops the first connections after that."""

    drops: int = 0
    seeds: bool = True
    takes_metadata: bool = True
    looks: int | None = None
    """How often its list is answered; None for always."""
    twice: bool = False
    """Whether somebody else makes a job of the same file at the same time."""
    jobs: list[Json] = field(default_factory=list)
    _numbers: "count[int]" = field(default_factory=count)

    def __call__(self, method: str, path: str, body: Json) -> Reply | None:
        if path.endswith("/content"):
            return reply(200, jsonl(rows(12)))
        if (method, path) == ("GET", JOBS):
            return self._listed()
        if (method, path) == ("POST", JOBS):
            return self._made(body)
        if path.startswith(f"{JOBS}/") and path.count("/") == 3:
            known = {job["id"]: job for job in self.jobs}
            return reply(200, known[path.rpartition("/")[2]])
        return None

    def _listed(self) -> Reply:
        if self.looks is not None:
            self.looks -= 1
            if self.looks < 0:
                return error(403, "not now")
        return reply(200, listing(*self.jobs))

    def _made(self, body: Json) -> Reply:
        if not self.takes_metadata and "metadata" in body:
            return error(400, "metadata: extra fields not permitted", param="metadata")
        self.add(body)
        if self.twice:
            self.add(body)
        return DROPPED if len(self.jobs) <= self.drops + self.twice else reply(200, self.jobs[-1])

    def add(self, body: Json) -> None:
        number = next(self._numbers)
        done = {"status": "succeeded", "fine_tuned_model": f"{TUNED}:{number}", "trained_tokens": 9}
        seed = {"seed": body["seed"]} if self.seeds else {}
        fields = {name: body[name] for name in ("model", "training_file")}
        self.jobs.append({"id": f"ftjob-{number}", "object": "fine_tuning.job", "metadata": None,
                          **seed, **fields, **done})  # fmt: skip


def train(home: Path, *, key: str = "a job", seed: int = 3) -> FineTuned:
    file = home / "training.jsonl"
    file.write_bytes(jsonl(rows(12)))
    job = Job(key=key, model=MODEL, training_file=file, recipe={"epochs": 1}, seed=seed)
    service = home / "store" / "models" / "openai"
    backend = OpenAIBackend(service, deadline=5, longest_wait=0.05, outage=2)
    return backend.fine_tune(job, lambda done, total: None)


@pytest.mark.parametrize("seeds", [True, False], ids=["seeds", "no seeds"])
@pytest.mark.parametrize("takes", [True, False], ids=["metadata", "no metadata"])
def test_a_job_whose_answer_was_lost_is_found_by_its_file(
    seeds: bool, takes: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """However often the connection is dropped, one job is made, and its student is used."""
    server = Forgetful(drops=3, seeds=seeds, takes_metadata=takes)
    with odd_server(Trainer(server)) as listening:
        monkeypatch.setenv("OPENAI_BASE_URL", listening.url)
        assert train(tmp_path).model == f"{TUNED}:0"
        assert train(tmp_path).model == f"{TUNED}:0"
    assert len(server.jobs) == 1


def test_a_run_that_ended_before_it_knew_its_job_finds_it_later(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The next run looks for the job that the last one may have made."""
    server = Forgetful(drops=1, looks=1)
    with odd_server(Trainer(server)) as listening:
        monkeypatch.setenv("OPENAI_BASE_URL", listening.url)
        with pytest.raises(BackendError, match="not now"):
            train(tmp_path)
        server.looks = None
        assert train(tmp_path).model == f"{TUNED}:0"
    assert len(server.jobs) == 1


def test_jobs_of_other_students_are_left_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A lost job is neither one of another seed, nor one that another fine-tuning has."""
    server = Forgetful()
    with odd_server(Trainer(server)) as listening:
        monkeypatch.setenv("OPENAI_BASE_URL", listening.url)
        made = [train(tmp_path, key="first", seed=1), train(tmp_path, key="second", seed=2)]
        server.drops = 3
        made += [train(tmp_path, key="third", seed=2), train(tmp_path, key="fourth", seed=4)]
    assert [each.model for each in made] == [f"{TUNED}:{number}" for number in range(4)]


def test_where_it_may_be_one_of_several_a_person_decides(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nothing more is made; the error names the jobs, and one that is adopted is used."""
    server = Forgetful(drops=1, seeds=False)
    with odd_server(Trainer(server)) as listening:
        monkeypatch.setenv("OPENAI_BASE_URL", listening.url)
        server.twice = True
        with pytest.raises(BackendError, match="ftjob-0, ftjob-1 .* 'limen jobs adopt ID'"):
            train(tmp_path)
        assert len(server.jobs) == 2
        limen("jobs", "adopt", "ftjob-1", "--store", tmp_path / "store")
        assert train(tmp_path).model == f"{TUNED}:1"
    assert len(server.jobs) == 2
