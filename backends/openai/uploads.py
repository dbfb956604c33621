"""Uploads: one for each content, however often it is asked for and whenever a run was killed."""

import hashlib
from pathlib import Path
from typing import Literal

from .. import records
from .account import Account
from .errors import TRANSIENT, FailureKind, backend_error, require
from .job_details import state_name
from .pages import items
from .retries import Retries

BUSY = frozenset({"created", "importing", "pending", "processing", "running", "uploading"})
"""States of a file that a job cannot be made from yet."""
READY_TIME = 120.0
"""Seconds that a server may take to look through a file."""
NO_ENDPOINT = frozenset({405, 410, 501})
"""Statuses of a server that cannot say whether a file is there."""
Purpose = Literal["fine-tune", "batch"]


class Uploads:
    """The files of an account that limen put there."""

    def __init__(self, account: Account, retries: Retries, folder: Path) -> None:
        self._account, self._retries, self._folder = account, retries, folder

    def upload(self, file: Path, purpose: Purpose) -> str:
        """The service's id of a file's content; uploads it unless it is there already."""
        digest = sha256_of(file)
        note = self._folder / f"{purpose}-{digest[:32]}.json"
        with records.locked(note):
            known = records.read(note)
            if known and known["url"] == self._account.url and self._still_there(known["id"]):
                return str(known["id"])
            name = f"limen-{digest[:32]}.jsonl"
            lost = known and known["url"] == self._account.url and not known["id"]
            found = self._retries.search(lambda: self._find(name, purpose)) if lost else None
            records.write(note, {"url": self._account.url, "sha256": digest, "id": found or ""})
            made = found or self._send(file, name, purpose)
            self._wait_until_ready(made)
            records.write(note, {"url": self._account.url, "sha256": digest, "id": made})
            return made

    def _send(self, file: Path, name: str, purpose: Purpose) -> str:
        """Upload, and after a failure look first whether it has arrived all the same."""
        files = self._account.client.files
        doing, message = f"uploading {file.name}", ""
        for attempt in range(6):
            try:
                with file.open("rb") as content:
                    made = files.create(file=(name, content), purpose=purpose, timeout=600)
                    return require(made, "id").id
            except Exception as error:
                failure = self._account.classify(error)
                message = failure.message
            if failure.kind not in (*TRANSIENT, FailureKind.RATE):
                raise backend_error(message, doing)
            if failure.kind is FailureKind.RATE:
                self._retries.sleep(max(0.25 * 2**attempt, min(failure.wait or 0, 60)))
            elif found := self._retries.search(lambda: self._find(name, purpose)):
                return found
        raise backend_error(message, doing)

    def _wait_until_ready(self, file_id: str) -> None:
        """Wait while a server is still looking through a file; one that cannot say is believed."""
        waited, pause = 0.0, 0.25
        while waited < READY_TIME and self._state(file_id) in BUSY:
            self._retries.sleep(pause)
            waited, pause = waited + pause, min(5.0, 2 * pause)

    def _state(self, file_id: str) -> str:
        try:
            return state_name(self._account.client.files.retrieve(file_id).status)
        except Exception as error:
            self._account.classify(error)  # raises nothing: whatever it is, the state is not known
            return ""

    def _still_there(self, file_id: str) -> bool:
        import openai

        def look() -> bool:
            try:
                require(self._account.client.files.retrieve(file_id), "id")
            except openai.NotFoundError:
                return False
            except openai.APIStatusError as error:
                if error.status_code not in NO_ENDPOINT:
                    raise
            return True

        return bool(file_id) and self._retries.call(look, f"looking for the file {file_id}")

    def _find(self, name: str, purpose: Purpose) -> str | None:
        def look() -> str | None:
            listed = items(lambda: self._account.client.files.list(purpose=purpose))
            return next((file.id for file in listed if file.filename == name), None)

        return self._retries.call(look, "listing the account's files")


def sha256_of(file: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
