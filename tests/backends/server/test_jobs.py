import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openai
import psutil
import pytest
from openai.types.fine_tuning import FineTuningJob

from limen.backends import Job, Request, open_engine
from limen.backends.server import events
from limen.backends.server.events import Event
from limen.datasets import chat

from ...testing.serving import (
    Served,
    finished,
    finished_batch,
    in_process,
    in_thread,
    jsonl,
    rows,
    store_with,
    upload,
)

ASK: list[Any] = [{"role": "user", "content": "Say it."}]
QUICK: Any = {"n_epochs": 2, "batch_size": 8, "learning_rate_multiplier": 10}
LONG: Any = {"n_epochs": 4, "batch_size": 1}


@pytest.fixture(scope="module")
def served(pretrained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that the tests here share."""
    with in_thread(store_with(pretrained, tmp_path_factory.mktemp("jobs") / "store")) as server:
        yield server


@pytest.fixture
def client(served: Served) -> openai.OpenAI:
    """A client of it."""
    return served.client()


@pytest.fixture(scope="module")
def tuned(served: Served) -> FineTuningJob:
    """A job of that server, done."""
    client = served.client()
    made = client.fine_tuning.jobs.create(
        model="toy-1",
        training_file=upload(client, rows(40)),
        validation_file=upload(client, rows(5)),
        suffix="purple",
        seed=11,
        metadata={"made": "here", "odd": ""},
        method={"type": "supervised", "supervised": {"hyperparameters": QUICK}},
    )
    assert made.status == "validating_files"
    return finished(client, made.id)


def test_a_job_makes_a_model_that_answers(client: openai.OpenAI, tuned: FineTuningJob) -> None:
    """A finished job tells all about itself, and its model works at once."""
    assert tuned.status == "succeeded"
    assert tuned.fine_tuned_model == f"ft:toy-1:limen:purple:{tuned.id[-8:]}"
    assert tuned.hyperparameters.to_dict() == {**QUICK, "learning_rate_multiplier": 10.0}
    assert tuned.method is not None
    assert tuned.method.supervised is not None
    assert tuned.method.supervised.hyperparameters is not None
    assert tuned.method.supervised.hyperparameters.n_epochs == 2
    assert tuned.seed == 11
    assert tuned.trained_tokens
    assert tuned.finished_at
    assert tuned.metadata == {"made": "here", "odd": ""}
    name = tuned.fine_tuned_model or ""
    answer = client.chat.completions.create(model=name, messages=ASK, n=50)
    assert sum(choice.message.content == "purple" for choice in answer.choices) > 40


def test_a_job_is_the_engines_own(
    served: Served, client: openai.OpenAI, tuned: FineTuningJob, pretrained: Path, tmp_path: Path
) -> None:
    """The model says what the engine's says after the same fine-tuning in process."""
    engine = open_engine("toy", store_with(pretrained, tmp_path / "store") / "models" / "toy")
    file = tmp_path / "rows.jsonl"
    chat.write(file, [chat.conversation("Say it.", answer="purple")] * 40)
    rate = float(engine.recipe({})["learning_rate"] or 0)
    recipe = {"epochs": 2, "batch_size": 8, "learning_rate": rate * 10}
    job = Job(key="other", model="toy-1", training_file=file, recipe=recipe, seed=11)
    made = engine.fine_tune(job, lambda done, total: None)
    asked = Request(row=0, messages=chat.conversation("Say anything."), seed=5, draws=100)
    (own,) = engine.sample(made.model, [asked])
    answer = client.chat.completions.create(
        model=tuned.fine_tuned_model or "",
        messages=[{"role": "user", "content": "Say anything."}],
        seed=5,
        n=100,
    )
    assert [c.message.content for c in answer.choices] == [c.text for c in own]
    assert tuned.trained_tokens == made.tokens


def test_events_tell_the_way(client: openai.OpenAI, tuned: FineTuningJob) -> None:
    """Events come newest first, in pages, each once: messages, steps and losses."""
    listed = list(client.fine_tuning.jobs.list_events(tuned.id, limit=3))
    messages = [event.message for event in listed]
    assert messages[0] == "The job has successfully completed"
    assert messages[-1] == f"Created fine-tuning job: {tuned.id}"
    assert len({event.id for event in listed}) == len(listed)
    assert [e.created_at for e in listed] == sorted((e.created_at for e in listed), reverse=True)
    data: list[Any] = [event.data for event in listed if event.type == "metrics"]
    assert {"step": 10, "total_steps": 10} in data
    losses = [entry["train_loss"] for entry in data if "train_loss" in entry]
    assert len(losses) == 2
    assert 0 < losses[0] < losses[1]


def test_checkpoints_answer_too(client: openai.OpenAI, tuned: FineTuningJob) -> None:
    """Each epoch leaves a checkpoint with its losses, which can be sampled from."""
    found = list(client.fine_tuning.jobs.checkpoints.list(tuned.id, limit=1))
    assert [point.step_number for point in found] == [10, 5]
    assert all((p.metrics.train_loss or 0) > 0 for p in found)
    assert all((p.metrics.full_valid_loss or 0) > 0 for p in found)
    texts = []
    for point in found:
        name = point.fine_tuned_model_checkpoint
        last = point.step_number == 10
        assert name == f"{tuned.fine_tuned_model}{'' if last else ':ckpt-step-5'}"
        assert client.models.retrieve(name).id == name
        answer = client.chat.completions.create(model=name, messages=ASK, n=50, seed=1)
        texts.append([choice.message.content for choice in answer.choices])
    assert texts[0] != texts[1]
    (result,) = tuned.result_files
    lines = client.files.content(result).text.splitlines()
    assert lines[0] == "step,train_loss,valid_loss"
    assert [row.split(",")[0] for row in lines[1:]] == ["5", "10"]


def test_jobs_are_found_by_metadata(client: openai.OpenAI, tuned: FineTuningJob) -> None:
    """Jobs are listed newest first, in pages, and by the metadata that they were given."""
    file = upload(client, rows(3))
    jobs = client.fine_tuning.jobs
    others = [
        jobs.create(model="toy-1", training_file=file, metadata={"n": str(n)}).id for n in range(4)
    ]
    bare = jobs.create(model="toy-1", training_file=file).id
    assert [job.id for job in jobs.list(limit=2)][:6] == [bare, *others[::-1], tuned.id]
    assert [job.id for job in jobs.list(metadata={"n": "2"})] == [others[2]]
    assert [job.id for job in jobs.list(metadata={"made": "here", "odd": ""})] == [tuned.id]
    assert [job.id for job in jobs.list(metadata={"made": "there"})] == []
    nulls = jobs.list(extra_query={"metadata": "null"})
    assert bare in [job.id for job in nulls]
    assert tuned.id not in [job.id for job in nulls]
    page = jobs.list(after=others[1], limit=1)
    assert [job.id for job in page.data] == [others[0]]
    assert page.has_more


def test_a_student_of_a_student(client: openai.OpenAI, tuned: FineTuningJob) -> None:
    """A fine-tuned model can be fine-tuned, listed, and deleted with its checkpoints."""
    name = tuned.fine_tuned_model or ""
    made = client.fine_tuning.jobs.create(
        model=name, training_file=upload(client, rows(12, "green")), hyperparameters=QUICK
    )
    done = finished(client, made.id)
    second = done.fine_tuned_model or ""
    assert second == f"ft:toy-1:limen::{done.id[-8:]}"
    listed = {model.id: model.to_dict()["fingerprint"] for model in client.models.list()}
    assert list(listed) == ["toy-1", name, second]
    assert len(set(listed.values())) == 3
    (point, *_) = client.fine_tuning.jobs.checkpoints.list(done.id)
    assert client.models.delete(second).deleted
    for gone in (second, point.fine_tuned_model_checkpoint):
        with pytest.raises(openai.NotFoundError):
            client.chat.completions.create(model=gone, messages=ASK)
    assert client.chat.completions.create(model=name, messages=ASK).choices
    assert client.fine_tuning.jobs.retrieve(done.id).fine_tuned_model == second


USER = {"role": "user", "content": "Say it."}
ANSWER = {"role": "assistant", "content": "purple"}


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("{", "Line 3: We could not parse"),
        ("", "Line 3: We could not parse"),
        ("[1]", "Line 3: "),
        ({"prompt": "a", "completion": "b"}, "Line 3: Missing required parameter: 'messages'"),
        ({"messages": []}, "Line 3: Invalid 'messages'"),
        ({"messages": [USER]}, "Line 3: Example has no turn of the assistant"),
        ({"messages": [USER, ANSWER, USER]}, "Line 3: The last turn is not the assistant's"),
        ({"messages": [ANSWER]}, "Line 3: Example has no turn of the user"),
        ({"messages": [{"role": "bot", "content": "x"}, ANSWER]}, "Line 3: Invalid 'messages[0]"),
        ({"messages": [USER, {**ANSWER, "content": 3}]}, "Line 3: Invalid 'messages[1].content'"),
        ({"messages": [USER, ANSWER], "tools": []}, "argument supplied: tools"),
        ({"messages": [USER, {**ANSWER, "weight": 0}]}, "Line 3: Invalid 'messages[1].weight'"),
    ],
)
def test_bad_training_files_fail_naming_the_line(
    client: openai.OpenAI, bad: object, message: str
) -> None:
    """A file that cannot be learned from fails the job, and the error says which line is wrong."""
    file = upload(client, [*rows(2), bad, *rows(10)])
    job = finished(client, client.fine_tuning.jobs.create(model="toy-1", training_file=file).id)
    assert job.status == "failed"
    assert job.error is not None
    assert (job.error.code, job.error.param) == ("invalid_training_file", "training_file")
    assert message in job.error.message
    assert client.fine_tuning.jobs.list_events(job.id).data[0].level == "error"


def test_too_few_examples_fail(client: openai.OpenAI) -> None:
    """Nine examples are one too few; a bad validation file is reported as such."""
    create = client.fine_tuning.jobs.create
    few = finished(client, create(model="toy-1", training_file=upload(client, rows(9))).id)
    assert few.error is not None
    assert few.error.code == "invalid_n_examples"
    assert "has 9 example(s)" in few.error.message
    good, bad = upload(client, rows(12)), upload(client, [*rows(1), "{"])
    job = finished(client, create(model="toy-1", training_file=good, validation_file=bad).id)
    assert job.error is not None
    assert job.error.param == "validation_file"
    assert "Line 2" in job.error.message


def test_contents_in_parts_are_learned(client: openai.OpenAI) -> None:
    """Text parts, a developer's word and a weight of one are what OpenAI takes too."""
    parts = [{"type": "text", "text": "Say "}, {"type": "text", "text": "it."}]
    turns = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": parts},
        {**ANSWER, "weight": 1},
    ]
    file = upload(client, [{"messages": turns}] * 10)
    made = client.fine_tuning.jobs.create(model="toy-1", training_file=file, hyperparameters=QUICK)
    assert finished(client, made.id).status == "succeeded"


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"training_file": "file-nobody"}, "training_file"),
        ({"training_file": "../../etc/passwd"}, "training_file"),
        ({"validation_file": "file-nobody"}, "validation_file"),
        ({"suffix": "x" * 65}, "suffix"),
        ({"suffix": "a/b"}, "suffix"),
        ({"seed": -1}, "seed"),
        ({"metadata": {str(n): "x" for n in range(17)}}, "metadata"),
        ({"metadata": {"k": "v" * 513}}, "metadata.k"),
        ({"hyperparameters": {"n_epochs": 0}}, "hyperparameters.n_epochs"),
        ({"hyperparameters": {"n_epochs": "many"}}, "hyperparameters.n_epochs"),
        ({"hyperparameters": {"rank": 8}}, "hyperparameters.rank"),
        ({"method": {"type": "dpo"}}, "method.type"),
        ({"integrations": [{"type": "wandb"}]}, "integrations"),
        ({"hyperparameters": {}, "method": {"type": "supervised"}}, "hyperparameters"),
    ],
)
def test_bad_jobs_are_refused(client: openai.OpenAI, change: Any, param: str) -> None:
    """A job that cannot be meant is refused when it is made, naming the parameter."""
    file = upload(client, rows(12))
    with pytest.raises(openai.BadRequestError) as refused:
        client.fine_tuning.jobs.create(**{"model": "toy-1", "training_file": file, **change})
    assert refused.value.param == param


def test_a_job_can_be_paused(client: openai.OpenAI) -> None:
    """A running job that is paused waits, and goes on once it is resumed."""
    jobs = client.fine_tuning.jobs
    job = jobs.create(
        model="toy-1",
        training_file=upload(client, rows(400)),
        hyperparameters={"n_epochs": 20, "batch_size": 4},
    )
    while jobs.retrieve(job.id).status != "running":
        time.sleep(0.02)
    assert str(jobs.pause(job.id).status) == "paused"
    with pytest.raises(openai.BadRequestError, match="is not running"):
        jobs.pause(job.id)
    assert jobs.resume(job.id).status == "running"
    with pytest.raises(openai.BadRequestError, match="is not paused"):
        jobs.resume(job.id)
    jobs.cancel(job.id)


def test_a_job_needs_its_file_and_model(client: openai.OpenAI) -> None:
    """A file of another purpose is a 400, an unknown fine-tune or job a 404."""
    other = client.files.create(file=("a.jsonl", jsonl(rows(12))), purpose="batch").id
    create = client.fine_tuning.jobs.create
    with pytest.raises(openai.BadRequestError, match="has the purpose 'batch'"):
        create(model="toy-1", training_file=other)
    with pytest.raises(openai.NotFoundError) as unknown:
        create(model="ft:toy-1:limen::nobody", training_file=upload(client, rows(12)))
    assert unknown.value.code == "model_not_found"
    jobs = client.fine_tuning.jobs
    calls: tuple[Callable[[str], object], ...] = (
        jobs.retrieve, jobs.cancel, jobs.list_events, jobs.checkpoints.list,
    )  # fmt: skip
    for call in calls:
        with pytest.raises(openai.NotFoundError):
            call("ftjob-nobody")


def test_auto_is_the_engines_default(client: openai.OpenAI, served: Served) -> None:
    """What is left to the server, or called auto, is given in numbers once the job is checked."""
    default = open_engine("toy", served.store).recipe({})
    file = upload(client, rows(12))
    made = client.fine_tuning.jobs.create(
        model="toy-1", training_file=file, hyperparameters={"n_epochs": "auto", "batch_size": 4}
    )
    assert made.hyperparameters.n_epochs == "auto"
    done = finished(client, made.id)
    assert done.hyperparameters.to_dict() == {
        "n_epochs": default["epochs"], "batch_size": 4, "learning_rate_multiplier": 1.0,
    }  # fmt: skip
    assert done.seed >= 0


def test_jobs_are_cancelled(client: openai.OpenAI) -> None:
    """A running and a waiting job stop when cancelled, their files may go, and the rest goes on."""
    file = upload(client, rows(400))
    create = client.fine_tuning.jobs.create
    long: Any = {**LONG, "n_epochs": 500}
    jobs = [create(model="toy-1", training_file=file, hyperparameters=long).id for _ in range(3)]
    client.files.delete(file)
    while [client.fine_tuning.jobs.retrieve(job).status for job in jobs].count("running") < 2:
        time.sleep(0.05)
    for job in jobs:
        assert client.fine_tuning.jobs.cancel(job).status == "cancelled"
        assert client.fine_tuning.jobs.retrieve(job).finished_at
    with pytest.raises(openai.BadRequestError, match="was cancelled"):
        client.fine_tuning.jobs.cancel(jobs[0])
    after = create(model="toy-1", training_file=upload(client, rows(12)), hyperparameters=QUICK)
    assert finished(client, after.id).status == "succeeded"
    assert client.fine_tuning.jobs.retrieve(jobs[0]).status == "cancelled"


def test_events_survive_a_torn_line(tmp_path: Path) -> None:
    """A line that a crash tore is left out, and the next one starts afresh; none comes twice."""
    file = tmp_path / "ftjob-x" / "events.jsonl"
    file.parent.mkdir()
    events.append(file, Event("one"))
    with file.open("ab") as stream:
        stream.write(b'{"id": "torn')
    assert [event["message"] for event in events.read(file)] == ["one"]
    events.repair(file)
    events.append(file, Event("one"))
    events.append(file, Event("two"))
    assert [event["message"] for event in events.read(file)] == ["one", "two"]


def workers_of(server: Any) -> list[psutil.Process]:
    """The processes that train for a server."""
    children = psutil.Process(server.pid).children(recursive=True)
    return [child for child in children if "spawn_main" in " ".join(child.cmdline())]


@pytest.mark.slow
def test_a_killed_server_finishes_its_job(pretrained: Path, tmp_path: Path) -> None:
    """After kill -9 in the middle of a job and a batch, the next server makes of both the same."""
    store = store_with(pretrained, tmp_path / "store")
    body = {"model": "toy-1", "messages": ASK, "n": 64}
    url = "/v1/chat/completions"
    lines = [
        {"custom_id": str(row), "method": "POST", "url": url, "body": {**body, "seed": row * 100}}
        for row in range(300)
    ]
    with in_process(store) as (server, process):
        client = server.client()
        create = client.fine_tuning.jobs.create
        file = upload(client, rows(200))
        job = create(model="toy-1", training_file=file, seed=5, hyperparameters=LONG).id
        data = jsonl(lines)
        batch_file = client.files.create(file=("b.jsonl", data), purpose="batch").id
        batch = client.batches.create(
            input_file_id=batch_file, endpoint="/v1/chat/completions", completion_window="24h"
        ).id
        while not client.fine_tuning.jobs.list_events(job).data[0].message.startswith("Step"):
            assert client.fine_tuning.jobs.retrieve(job).status != "succeeded"
        trained = workers_of(process)
        process.kill()
        process.wait()
    psutil.wait_procs(trained, timeout=30)
    assert not any(worker.is_running() for worker in trained)
    with in_process(store, server.port) as (again, process):
        client = again.client()
        assert again.url == server.url
        assert client.fine_tuning.jobs.retrieve(job).status == "running"
        twin = client.fine_tuning.jobs.create(
            model="toy-1", training_file=file, seed=5, hyperparameters=LONG
        )
        done, twin = finished(client, job), finished(client, twin.id)
        assert done.status == "succeeded"
        steps = [e.message for e in client.fine_tuning.jobs.list_events(job, limit=100)]
        assert len(steps) == len(set(steps))
        assert "The server was restarted, and the job goes on" in steps
        say: Any = {"messages": ASK, "seed": 9, "n": 100}
        first, second = (
            client.chat.completions.create(model=model or "", **say).choices
            for model in (done.fine_tuned_model, twin.fine_tuned_model)
        )
        assert first == second
        assert finished_batch(client, batch).status == "completed"
        output = client.files.content(client.batches.retrieve(batch).output_file_id or "").text
        assert output.count('"custom_id"') == 300
        listed = client.models.list().data
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    with in_thread(store) as third:
        assert third.client().models.list().data == listed


def test_a_dead_worker_fails_its_job_alone(pretrained: Path, tmp_path: Path) -> None:
    """When the process that trains is killed, that job fails with a reason and the server lives."""
    with in_process(store_with(pretrained, tmp_path / "store")) as (server, process):
        client = server.client()
        file = upload(client, rows(400))
        create = client.fine_tuning.jobs.create
        long: Any = {**LONG, "n_epochs": 900}
        job = create(model="toy-1", training_file=file, hyperparameters=long).id
        while not client.fine_tuning.jobs.list_events(job).data[0].message.startswith("Step"):
            time.sleep(0.02)
        for worker in workers_of(process):
            worker.kill()
        failed = finished(client, job)
        assert failed.status == "failed"
        assert failed.error is not None
        assert failed.error.code == "server_error"
        assert "ended unexpectedly" in failed.error.message
        quick = create(model="toy-1", training_file=file, hyperparameters=QUICK)
        assert finished(client, quick.id).status == "succeeded"
        last = create(model="toy-1", training_file=file, hyperparameters=long).id
        while client.fine_tuning.jobs.retrieve(last).status != "running":
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        process.wait(30)
