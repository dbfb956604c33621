import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limen import StoreError
from limen.harness.stages import RowLog, Store
from limen.harness.stages import read_rows as read
from limen.harness.stages import write_rows as write


def row(number: int, draw: int = 0, **more: Any) -> dict[str, Any]:
    """A row as sampling writes it."""
    return {"row": number, "draw": draw, "text": f"text {number}", "finish": "stop", **more}


@given(st.permutations(range(12)), st.integers(0, 12), st.integers(0, 40))
def test_rows_survive_a_crash_anywhere(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], crash: int, torn: int
) -> None:
    """Cut anywhere in a line, resumed and finished, the file is that of an uninterrupted run."""
    file = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    log = RowLog(file)
    log.append(row(number) for number in order[:crash])
    log.close()
    whole = file.read_bytes()
    file.write_bytes(whole + json.dumps(row(99)).encode()[:torn])
    log = RowLog(file)
    assert len(log) == crash
    log.append(row(number) for number in order)
    assert log.ends == {"stop": 12}
    log.finish()
    assert list(read(file)) == [row(number) for number in range(12)]


def test_a_row_is_never_there_twice(tmp_path: Path) -> None:
    """A row that arrives again changes nothing."""
    log = RowLog(tmp_path / "rows.jsonl")
    log.append([row(1), row(1, 1)])
    log.append([row(1, text="other"), row(2)])
    log.finish()
    assert list(read(log.path)) == [row(1), row(1, 1), row(2)]


@pytest.mark.parametrize("line", ["garbage", "[]", '{"row": 1}', "", '"text"', "7"])
def test_a_foreign_line_stops_a_resume(tmp_path: Path, line: str) -> None:
    """A line in the middle that is no row is named, and the file is left as it is."""
    file = tmp_path / "rows.jsonl"
    text = f"{json.dumps(row(1))}\n{line}\n{json.dumps(row(2))}\n"
    file.write_text(text)
    with pytest.raises(StoreError, match=r"rows\.jsonl, line 2 is no row of limen's"):
        RowLog(file)
    assert file.read_text() == text


def test_rows_of_another_stage_are_not_continued(tmp_path: Path) -> None:
    """A row that another seed sampled is named; nothing is changed."""
    log = RowLog(tmp_path / "rows.jsonl")
    log.append([row(0, seed=7), row(1, seed=8)])
    log.check_seed(0, 7)
    log.check_seed(5, 9)
    with pytest.raises(StoreError, match=r"rows\.jsonl has rows of another stage: row 1 .* seed 8"):
        log.check_seed(1, 9)


def test_odd_text_comes_back(tmp_path: Path) -> None:
    """Line separators, NULs and lone surrogates in an answer do not break its row."""
    rows = [row(i, text=text) for i, text in enumerate(("a\u2028b", "\0", "\ud800", "\r\n", "é"))]
    log = RowLog(tmp_path / "rows.jsonl")
    log.append(rows)
    log.finish()
    assert list(read(log.path)) == rows
    write(tmp_path / "copy.jsonl", rows)
    assert list(read(tmp_path / "copy.jsonl")) == rows


def test_an_artifact_appears_whole(tmp_path: Path) -> None:
    """Before it is published an artifact is not there; after, it has its manifest and hashes."""
    store = Store(tmp_path)
    store.open()
    with store.claim("kind", "key") as claim:
        assert claim is not None
        (claim.folder / "data.txt").write_text("hello")
        assert not store.has("kind", "key")
        claim.publish(
            {"kind": "kind", "key": "key", "label": "", "inputs": [], "identity": {}, "started": ""}
        )
    manifest = store.manifest("kind", "key")
    assert manifest is not None
    assert manifest["files"]["data.txt"]["bytes"] == 5
    assert len(manifest["files"]["data.txt"]["sha256"]) == 64


def test_an_artifact_is_built_by_one_at_a_time(tmp_path: Path) -> None:
    """While it is claimed, others learn that it is being worked on; afterwards it is free."""
    store = Store(tmp_path)
    store.open()
    with store.claim("kind", "key") as first, Store(tmp_path).claim("kind", "key") as second:
        assert first is not None
        assert second is None
    with store.claim("kind", "key") as third:
        assert third is not None


def test_work_under_way_is_kept(tmp_path: Path) -> None:
    """What an interrupted builder left is there for the next one."""
    store = Store(tmp_path)
    store.open()
    with pytest.raises(RuntimeError), store.claim("kind", "key") as claim:
        assert claim is not None
        (claim.folder / "rows.jsonl").write_text("begun")
        raise RuntimeError
    with store.claim("kind", "key") as claim:
        assert claim is not None
        assert (claim.folder / "rows.jsonl").read_text() == "begun"


def test_a_store_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    """A file in the folder's place is one clear error, with the way out."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"cannot write to the store .*--limen-store"):
        Store(tmp_path / "file").open()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root writes anywhere")
def test_a_read_only_store_says_so(tmp_path: Path) -> None:
    """A folder that may not be written to is one clear error."""
    tmp_path.chmod(0o500)
    with pytest.raises(StoreError, match=r"cannot write to the store .*Permission denied"):
        Store(tmp_path).open()


def test_a_broken_manifest_is_named(tmp_path: Path) -> None:
    """A manifest that is not JSON is one error that names it."""
    folder = Store(tmp_path).artifact("kind", "key")
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("{")
    with pytest.raises(StoreError, match=r"manifest\.json is damaged: it is not JSON"):
        Store(tmp_path).manifest("kind", "key")


def test_the_store_hides_from_git(tmp_path: Path) -> None:
    """A store in a repository does not show up as untracked files."""
    Store(tmp_path).open()
    assert (tmp_path / ".gitignore").read_text() == "*\n"
