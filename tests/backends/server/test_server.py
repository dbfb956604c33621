import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from limen import BackendError, SpecError, StoreError
from limen.backends.server import ServerOptions, create_app, serve

from ...testing.serving import (
    PLAIN_HTTP,
    Served,
    finished_batch,
    in_thread,
    jsonl,
    rows,
    store_with,
    upload,
)

SECRET = "sk-a-key-that-must-not-be-shown"


@pytest.fixture(scope="module")
def served(pretrained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that all tests here share; it takes small files only."""
    store = store_with(pretrained, tmp_path_factory.mktemp("files") / "store")
    with in_thread(store, ServerOptions(workers=1, max_upload=200_000)) as server:
        yield server


@pytest.fixture
def client(served: Served) -> openai.OpenAI:
    """A client of it."""
    return served.client()


def line(number: int, **changes: Any) -> dict[str, Any]:
    """A line of a batch."""
    body = {
        "model": "toy-1",
        "seed": number,
        "messages": [{"role": "user", "content": "Name an animal."}],
    }
    return {
        "custom_id": f"row-{number}",
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": body,
        **changes,
    }


def batch_of(client: openai.OpenAI, lines: list[object]) -> str:
    """Start a batch; returns its id."""
    file = client.files.create(file=("batch.jsonl", jsonl(lines)), purpose="batch")
    made = client.batches.create(
        input_file_id=file.id,
        endpoint="/v1/chat/completions",
        completion_window="24h",
        metadata={"run": "7"},
    )
    return made.id


def test_files_come_and_go(client: openai.OpenAI) -> None:
    """A file is uploaded, listed, looked at, read back byte for byte, and deleted."""
    data = jsonl(rows(12)) + "ü\x00".encode()
    made = client.files.create(file=("../../rows ü.jsonl", data), purpose="fine-tune")
    assert (made.bytes, made.purpose, made.status) == (len(data), "fine-tune", "processed")
    assert client.files.retrieve(made.id).model_dump() == made.model_dump()
    assert client.files.content(made.id).read() == data
    assert made.id in [file.id for file in client.files.list(purpose="fine-tune")]
    assert made.id not in [file.id for file in client.files.list(purpose="batch")]
    assert client.files.delete(made.id).deleted
    for call in (client.files.retrieve, client.files.content, client.files.delete):
        with pytest.raises(openai.NotFoundError):
            call(made.id)


def test_lists_come_in_pages(client: openai.OpenAI) -> None:
    """Pages follow one another without a gap, either way round."""
    made = [client.files.create(file=b"x", purpose="user_data").id for _ in range(5)]
    newest = [file.id for file in client.files.list(purpose="user_data", limit=2)]
    assert newest == made[::-1]
    assert [f.id for f in client.files.list(purpose="user_data", limit=2, order="asc")] == made
    page = client.files.list(purpose="user_data", limit=2, after=made[3])
    assert [file.id for file in page.data] == [made[2], made[1]]
    with pytest.raises(openai.NotFoundError):
        client.files.list(after="file-nobody")
    with pytest.raises(openai.BadRequestError):
        client.files.list(limit=0)


@pytest.mark.parametrize(
    ("name", "data", "purpose", "message"),
    [
        ("a.jsonl", b"", "fine-tune", "empty"),
        ("a.csv", b"x", "fine-tune", r"\.jsonl"),
        ("a.jsonl", b"x", "nonsense", "purpose"),
    ],
)
def test_bad_uploads_are_refused(
    client: openai.OpenAI, name: str, data: bytes, purpose: Any, message: str
) -> None:
    """An empty file, a wrong name and an unknown purpose are refused when they come."""
    with pytest.raises(openai.BadRequestError, match=message):
        client.files.create(file=(name, data), purpose=purpose)


def test_large_uploads_are_refused(served: Served, client: openai.OpenAI) -> None:
    """More than the limit is a 413, whether it is announced or found out as it comes."""
    with pytest.raises(openai.APIStatusError) as error:
        client.files.create(file=("a.jsonl", b"x" * 200_001), purpose="fine-tune")
    assert error.value.status_code == 413
    assert error.value.type == "invalid_request_error"

    def body() -> Iterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n'
        for _ in range(40):
            yield b"x" * 10_000

    headers = {"content-type": "multipart/form-data; boundary=b"}
    answer = PLAIN_HTTP.post(f"{served.url}/files", content=body(), headers=headers)
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "content_too_large"
    kept = list((served.store / "server" / "files").glob("*.data"))
    assert all(path.stat().st_size <= 200_000 for path in kept)


def test_broken_forms_are_refused(served: Served) -> None:
    """What is no form, or has no file or an unknown field, is a 400 in OpenAI's shape."""
    url = f"{served.url}/files"
    answers = [
        PLAIN_HTTP.post(url, json={"purpose": "batch"}),
        PLAIN_HTTP.post(url, data={"purpose": "batch"}),
        PLAIN_HTTP.post(url, files={"file": b"x"}, data={"purpose": "batch", "odd": "1"}),
        PLAIN_HTTP.post(url, content=b"--x", headers={"content-type": "multipart/form-data"}),
        PLAIN_HTTP.post(
            url, content=b"junk", headers={"content-type": "multipart/form-data; boundary=b"}
        ),
    ]
    part = b'--b\r\nContent-Disposition: form-data; name="\\ud800"\r\n\r\nx\r\n--b--\r\n'
    odd = {"content-type": "multipart/form-data; boundary=b; charset=unicode_escape"}
    answers.append(PLAIN_HTTP.post(url, content=part, headers=odd))
    for answer in answers:
        assert answer.status_code == 400
        assert answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "path",
    [
        "/v1/files/..%2F..%2Fserver.lock",
        "/v1/files/..%2F..%2Fserver.lock/content",
        "/v1/files/file-%2e%2e/content",
        "/v1/fine_tuning/jobs/..%2Fjobs",
        "/v1/batches/batch-",
        "/v1/nothing",
        "/",
    ],
)
def test_ids_are_no_paths(served: Served, path: str) -> None:
    """What is no id finds nothing, wherever it may point, and the answer has OpenAI's shape."""
    root = served.url.removesuffix("/v1")
    answer = PLAIN_HTTP.get(f"{root}{path}")
    assert answer.status_code == 404
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_wrong_methods_are_refused(served: Served) -> None:
    """A method that a path does not have is a 405 in OpenAI's shape."""
    answer = PLAIN_HTTP.put(f"{served.url}/chat/completions", json={})
    assert answer.status_code == 405
    assert "Method not allowed" in answer.json()["error"]["message"]


def test_the_key_is_asked_for_and_never_shown(
    pretrained: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Without the key nothing is answered; it may come either way, and stands nowhere."""
    store = store_with(pretrained, tmp_path / "store")
    with in_thread(store, ServerOptions(api_key=SECRET)) as server:
        for key in (SECRET[:-1], "other", "ü"):
            headers = {b"authorization": f"Bearer {key}".encode()}
            answer = PLAIN_HTTP.get(f"{server.url}/models", headers=headers)
            assert answer.status_code == 401
            assert key not in answer.text
        with pytest.raises(openai.AuthenticationError) as refused:
            server.client("other").files.create(file=b"x", purpose="batch")
        assert refused.value.code == "invalid_api_key"
        assert server.client(SECRET).models.list().data[0].id == "toy-1"
        assert (
            PLAIN_HTTP.get(f"{server.url}/models", headers={"api-key": SECRET}).status_code == 200
        )
        server.client(SECRET).files.create(file=b"x", purpose="batch")
    written = [path.read_bytes() for path in (store / "server").rglob("*") if path.is_file()]
    assert not any(SECRET.encode() in data for data in written)
    assert SECRET not in "".join(capfd.readouterr())
    assert SECRET not in repr(ServerOptions(api_key=SECRET))


def test_one_server_a_store(served: Served, tmp_path: Path) -> None:
    """A second server over the same state is refused, as are an unknown engine and a taken port."""
    state, models = served.store / "server", served.store / "models" / "toy"
    with pytest.raises(StoreError, match="another server is at work"):
        create_app("toy", state=state, models=models)
    with pytest.raises(SpecError, match="unknown backend 'gpu'"):
        create_app("gpu", state=tmp_path, models=models)
    with pytest.raises(SpecError, match="rpm=0 must be at least 1"):
        ServerOptions(rpm=0)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(BackendError, match=f"cannot listen on 127.0.0.1, port {port}"):
            serve("toy", state=tmp_path, models=models, port=port, ready=print)
    create_app("toy", state=tmp_path, models=models)


def test_models_are_listed_and_described(client: openai.OpenAI) -> None:
    """The default is listed; a model that the server was not started with is unknown."""
    assert [model.id for model in client.models.list()] == ["toy-1"]
    assert client.models.retrieve("toy-1") == client.models.list().data[0]
    for name in ("gpt-4.1-nano", "toy-2", "ft:toy-1:limen:x:12345678"):
        with pytest.raises(openai.NotFoundError, match="There is toy-1") as unknown:
            client.models.retrieve(name)
        assert unknown.value.code == "model_not_found"
    with pytest.raises(openai.PermissionDeniedError):
        client.models.delete("toy-1")


def test_a_batch_answers_as_chat_does(client: openai.OpenAI) -> None:
    """Good lines land in the output file, bad ones in the error file, each by its custom id."""
    bad = line(300)
    bad["body"] = {**bad["body"], "n": 999}
    done = finished_batch(client, batch_of(client, [*map(line, range(300)), bad]))
    assert done.status == "completed"
    assert done.request_counts is not None
    assert done.request_counts.to_dict() == {"total": 301, "completed": 300, "failed": 1}
    assert done.in_progress_at
    assert done.finalizing_at
    assert done.completed_at
    output = [json.loads(x) for x in client.files.content(done.output_file_id or "").iter_lines()]
    assert [found["custom_id"] for found in output] == [f"row-{row}" for row in range(300)]
    for row in (0, 255, 299):
        live = client.chat.completions.create(**line(row)["body"])
        response = output[row]["response"]
        assert response["status_code"] == 200
        assert response["body"]["choices"] == live.to_dict()["choices"]
    (failed,) = [json.loads(x) for x in client.files.content(done.error_file_id or "").iter_lines()]
    assert failed["custom_id"] == "row-300"
    assert failed["response"]["status_code"] == 400
    assert failed["response"]["body"]["error"]["param"] == "n"
    assert client.files.retrieve(done.output_file_id or "").purpose == "batch_output"
    assert client.batches.list().data[0].id == done.id
    with pytest.raises(openai.ConflictError):
        client.batches.cancel(done.id)


@pytest.mark.parametrize(
    ("lines", "number", "message"),
    [
        (["{"], 1, "could not parse"),
        ([line(1), {**line(2), "custom_id": None}], 2, "custom_id"),
        ([line(1), line(2), line(1)], 3, "earlier"),
        ([line(1, url="/v1/completions")], 1, "endpoint"),
        ([line(1), line(2, method="GET")], 2, "method"),
    ],
)
def test_bad_batches_fail_naming_the_line(
    client: openai.OpenAI, lines: list[object], number: int, message: str
) -> None:
    """A batch whose file is broken fails as a whole, and says where."""
    done = finished_batch(client, batch_of(client, lines))
    assert done.status == "failed"
    assert done.errors is not None
    assert done.errors.data is not None
    assert done.errors.data[0].line == number
    assert message in (done.errors.data[0].message or "")


def test_a_batch_is_cancelled(client: openai.OpenAI) -> None:
    """A cancelled batch ends early and keeps the answers that it has."""
    many = [line(row) for row in range(800)]
    for each in many:
        each["body"] = {**each["body"], "n": 50}
    name = batch_of(client, [{**each, "custom_id": f"{each['custom_id']}"} for each in many])
    while (now := client.batches.retrieve(name)).status == "validating":
        pass
    assert now.status == "in_progress"
    assert client.batches.cancel(name).status == "cancelling"
    done = finished_batch(client, name)
    assert done.status == "cancelled"
    assert done.request_counts is not None
    assert done.request_counts.completed < 800


def test_a_batch_needs_a_batch_file(client: openai.OpenAI) -> None:
    """A file for something else, and no file at all, are refused when the batch is made."""
    for file in (upload(client, rows(12)), "file-nobody", "../x"):
        with pytest.raises(openai.BadRequestError) as refused:
            client.batches.create(
                input_file_id=file,
                endpoint="/v1/chat/completions",
                completion_window="24h",
            )
        assert refused.value.param == "input_file_id"
