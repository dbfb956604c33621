"""Operations on a store in any order, with crashes between any two system calls."""

import os
import shutil
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from limen.datasets.errors import DamageError
from limen.harness.stages import (
    RowLog,
    Store,
    StoredArtifact,
    artifacts_of,
    copy_artifacts,
    damage_in,
    pack,
    read_rows,
    unpack,
)

from ..testing.faults import in_child

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="a crash needs a fork")

KEYS = st.sampled_from(["one", "two", "three"])
CRASHES = st.integers(1, 40)
KIND, ROWS = "generate", "rows.jsonl"


def row(number: int) -> dict[str, Any]:
    """A row as sampling writes it."""
    return {"row": number, "draw": 0, "text": f"text {number}", "finish": "stop"}


def append(store: Store, key: str, count: int) -> int:
    """Add rows to a stage in progress; returns how many it has."""
    with store.claim(KIND, key) as draft:
        assert draft is not None
        log = RowLog(draft.folder / ROWS)
        log.append(map(row, range(len(log), len(log) + count)))
        log.close()
        return len(log)


def finish(store: Store, key: str) -> None:
    """Publish a stage in progress as it is."""
    with store.claim(KIND, key) as draft:
        assert draft is not None
        if not store.has(KIND, key):
            log = RowLog(draft.folder / ROWS)
            log.finish()
            heading = {"kind": KIND, "key": key, "label": key, "inputs": [], "identity": {}}
            draft.publish({**heading, "started": "2026-11-24T00:00:00Z"})


class StoreMachine(RuleBasedStateMachine):
    """A store, another one that artifacts are copied to, and what must be in them."""

    def __init__(self) -> None:
        super().__init__()
        self.home = Path(tempfile.mkdtemp(prefix="store-machine"))
        self.store, self.other = Store(self.home / "store"), Store(self.home / "other")
        for store in (self.store, self.other):
            store.open()
        self.durable: dict[str, int] = {}
        """By key: rows of a stage in progress, or of a finished artifact, that must be there."""
        self.damaged: set[str] = set()

    def teardown(self) -> None:
        shutil.rmtree(self.home)

    @rule(key=KEYS, count=st.integers(1, 5))
    def append_rows(self, key: str, count: int) -> None:
        """Rows that were appended are durable."""
        if not self.store.has(KIND, key):
            self.durable[key] = append(self.store, key, count)

    @rule(key=KEYS, count=st.integers(1, 5), at=CRASHES)
    def crash_while_appending(self, key: str, count: int, at: int) -> None:
        """The rows before are there still; of the new ones a beginning."""
        if not self.store.has(KIND, key):
            in_child(partial(append, self.store, key, count), self.store.root, at=at)
            found = append(self.store, key, 0)
            assert self.durable.get(key, 0) <= found <= self.durable.get(key, 0) + count
            self.durable[key] = found

    @rule(key=KEYS)
    def finish_stage(self, key: str) -> None:
        """An artifact appears, with the rows that were durable."""
        self.durable.setdefault(key, 0)
        finish(self.store, key)
        assert self.store.has(KIND, key)

    @rule(key=KEYS, at=CRASHES)
    def crash_while_finishing(self, key: str, at: int) -> None:
        """The artifact is there or it is not; its rows are in either case."""
        self.durable.setdefault(key, 0)
        in_child(partial(finish, self.store, key), self.store.root, at=at)

    @rule(key=KEYS, at=CRASHES)
    def crash_while_removing(self, key: str, at: int) -> None:
        """A removal that was begun leaves an artifact or none."""
        found = [a for a in self._sound() if a.id == (KIND, key)]
        for artifact in found:
            in_child(artifact.remove, self.store.root, at=at)
            if not self.store.has(KIND, key):
                self.durable.pop(key)

    @rule(key=KEYS, at=CRASHES, through_archive=st.booleans())
    def crash_while_copying(self, key: str, at: int, through_archive: bool) -> None:
        """What arrives in the other store is whole; the copy can be done again."""
        found = [a for a in self._sound() if a.id == (KIND, key)]
        archive = self.home / "part.tar"
        if through_archive:
            pack(found, archive)
        copy = (
            partial(unpack, archive, self.other)
            if through_archive
            else partial(copy_artifacts, found, self.other)
        )
        in_child(copy, self.other.root, at=at)
        assert not list(damage_in(self.other))
        copy()
        assert self.other.has(KIND, key) or not found

    @precondition(lambda self: any(self._sound()))
    @rule(data=st.data())
    def damage(self, data: st.DataObject) -> None:
        """A changed byte is found by whoever reads the file, and by a check of the store."""
        artifact = data.draw(st.sampled_from(self._sound()))
        file = artifact.folder / data.draw(st.sampled_from([ROWS, "manifest.json"]))
        content = bytearray(file.read_bytes() or b" ")
        content[len(content) // 2] ^= 1
        file.write_bytes(bytes(content))
        with pytest.raises(DamageError):
            artifact.store.file(*artifact.id, ROWS)
        assert len(list(damage_in(self.store))) == 1
        shutil.rmtree(artifact.folder)
        self.durable.pop(artifact.id[1])

    def _sound(self) -> list[StoredArtifact]:
        return list(artifacts_of(self.store))

    @invariant()
    def artifacts_are_whole(self) -> None:
        """Whatever has a manifest is as the manifest says."""
        for artifact in self._sound():
            artifact.check()

    @invariant()
    def durable_rows_are_there(self) -> None:
        """Every row that an append returned from is in the draft or in the artifact."""
        for key, count in self.durable.items():
            finished = self.store.has(KIND, key)
            folder = self.store.artifact(KIND, key) if finished else self.store.layout.draft(key)
            file = folder / ROWS
            rows = list(read_rows(file)) if file.exists() else []
            assert [each["row"] for each in rows] == list(range(count))


TestStoreMachine = StoreMachine.TestCase
TestStoreMachine.settings = settings(max_examples=6, stateful_step_count=12, deadline=None)
