"""What the server writes: it survives a full disk and a damaged record, and has an end."""

import errno
import logging
from collections.abc import Callable
from pathlib import Path

import openai
import pytest

from limen.backends import records
from limen.backends.server import jobs, uploads
from limen.backends.server.log_limit import LogLimit

from ...testing.serving import in_thread, rows, store_with, upload

FULL = OSError(errno.ENOSPC, "No space left on device")


def no_space(*values: object, **options: object) -> object:
    """Raise what a full disk raises."""
    raise FULL


def new_upload(client: openai.OpenAI) -> str:
    """An upload in parts that has begun."""
    return client.uploads.create(
        filename="a.jsonl", purpose="batch", bytes=9, mime_type="text/jsonl"
    ).id


CALLS: dict[str, Callable[[openai.OpenAI, str, str], object]] = {
    "an upload": lambda client, file, parts: upload(client, rows(10)),
    "a job": lambda client, file, parts: client.fine_tuning.jobs.create(
        model="toy-1", training_file=file
    ),
    "an upload in parts": lambda client, file, parts: new_upload(client),
    "a part": lambda client, file, parts: client.uploads.parts.create(parts, data=b"x"),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_full_disk_fails_the_call_and_leaves_nothing(
    call: str, pretrained: Path, tmp_path: Path
) -> None:
    """The call is an error of the server; the next server starts, and finds nothing half made."""
    store = store_with(pretrained, tmp_path / "store")
    with in_thread(store) as server:
        client = server.client()
        file, parts = upload(client, rows(10)), new_upload(client)
        before = {path for path in (store / "server").rglob("*") if path.is_file()}
        with pytest.MonkeyPatch.context() as patch, pytest.raises(openai.InternalServerError):
            patch.setattr(records.os, "fsync", no_space)  # type: ignore[attr-defined]
            patch.setattr(uploads.shutil, "copyfileobj", no_space)  # type: ignore[attr-defined]
            patch.setattr(jobs.os, "link", no_space)  # type: ignore[attr-defined]
            patch.setattr(jobs.shutil, "copyfile", no_space)  # type: ignore[attr-defined]
            CALLS[call](client, file, parts)
        assert client.files.retrieve(file).bytes
    with in_thread(store) as server:
        client = server.client()
        assert [each.id for each in client.files.list()] == [file]
        assert client.fine_tuning.jobs.list().data == []
        client.uploads.parts.create(parts, data=b"x")
    after = {path for path in (store / "server").rglob("*") if path.is_file()}
    assert len(after - before) == 1  # the part


@pytest.mark.parametrize("damage", ["", "{", "[]", "null", "{}", '{"wire": {}}', "\udcff"])
def test_a_damaged_record_is_set_aside(damage: str, pretrained: Path, tmp_path: Path) -> None:
    """A record that cannot be read harms no other; it is kept under another name."""
    store = store_with(pretrained, tmp_path / "store")
    folder = store / "server" / "files"
    with in_thread(store) as server:
        good, bad = (upload(server.client(), rows(10)) for _ in range(2))
    record = folder / f"{bad}.json"
    record.write_bytes(damage.encode("utf-8", "surrogateescape"))
    with in_thread(store) as server:
        assert [each.id for each in server.client().files.list()] == [good]
    assert record.with_suffix(".json.damaged").exists()


def test_what_is_logged_has_a_limit() -> None:
    """Of many records in a minute some are let through; the next minute tells of the others."""
    minute = 0.0
    limit = LogLimit(records=3, clock=lambda: minute)
    made = [logging.LogRecord("x", 40, "x", 1, "bad %s", (n,), None) for n in range(12)]
    assert [limit.filter(record) for record in made[:10]] == [True] * 3 + [False] * 7
    minute = 61.0
    assert limit.filter(made[10])
    assert made[10].getMessage() == "7 log records were left out. bad 10"
    assert limit.filter(made[11])
    assert made[11].getMessage() == "bad 11"


def test_of_equal_records_few_are_logged() -> None:
    """Others of the same minute are, and the next minute tells of those that were left out."""
    minute = 0.0
    limit = LogLimit(clock=lambda: minute)

    def passes(text: str, error: Exception) -> bool:
        info = (type(error), error, None)
        return limit.filter(logging.LogRecord("x", 40, "x", 1, text, (), info))

    assert [passes("bad", OSError(24)) for _ in range(8)] == [True] * 5 + [False] * 3
    assert passes("bad", OSError(28))
    assert passes("worse", OSError(24))
    minute = 61.0
    record = logging.LogRecord("x", 40, "x", 1, "bad", (), None)
    assert limit.filter(record)
    assert record.getMessage() == "3 log records were left out. bad"
