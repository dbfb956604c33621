"""``limen store``: what is in a store, whether it is sound, and what goes elsewhere."""

import json
import shutil
import tarfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from limen.harness.cli import main
from limen.harness.stages import Store

from ..testing.labs import ALL_ARMS, lab_at
from ..testing.specs import TINY_SPEC, tiny_experiment


@pytest.fixture
def used(finished_store: Path, tmp_path: Path) -> Store:
    """A copy of a store in which an experiment has run."""
    return Store(Path(shutil.copytree(finished_store, tmp_path / "used")))


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    """The spec file of that experiment."""
    file = tmp_path / "test_tiny.py"
    file.write_text(TINY_SPEC)
    return file


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """A spec file of another experiment, which shares the control's data and students."""
    file = tmp_path / "test_other.py"
    file.write_text(TINY_SPEC.replace("horse", "owl"))
    return file


def limen_store(*args: str | Path, code: int = 0) -> str:
    """The output of a command, whose exit code must be as expected."""
    result = CliRunner().invoke(main, ["store", *map(str, args)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result.output


def ids(store: Store) -> set[tuple[str, str]]:
    """Kinds and keys of the artifacts in a store."""
    return {(m["kind"], m["key"]) for m in store.manifests()}


def test_list_counts_by_kind(used: Store) -> None:
    """Every kind has its number of artifacts and its size."""
    lines = limen_store("list", "--store", used.root).splitlines()
    assert [line.split()[:2] for line in lines if line.startswith("fine-tune")] == [
        ["fine-tune", "2"]
    ]
    assert lines[-1].split()[:2] == ["all", str(len(ids(used)))]


def test_list_says_what_experiments_use(used: Store, spec: Path, other: Path) -> None:
    """Of two experiments one is finished; of the other only what they share."""
    output = limen_store("list", spec, other, "--store", used.root)
    rows = [line.split() for line in output.splitlines()[2:]]
    assert [row[0] for row in rows] == ["test_tiny.py", "test_other.py"]
    (_, finished, needed, *_), (_, partly, others, *_) = rows
    assert finished == needed == str(len(ids(used)))
    assert 0 < int(partly) < int(others)


def test_verify_accepts_a_sound_store(used: Store) -> None:
    """Nothing is damaged, and nothing is changed."""
    assert f"{len(ids(used))} artifacts, 0 damaged" in limen_store("verify", "--store", used.root)


def test_verify_names_each_damaged_file(used: Store) -> None:
    """Changed rows, a broken manifest and exchanged weights are a line each; the exit code is 1."""
    (tally, _) = sorted(used.layout.stages.glob("measure/*/tally.json"))[:2]
    tally.write_text("[]")
    mix = used.layout.manifests("mix")[0]
    mix.write_text("null")
    student = next(m for m in used.manifests("fine-tune"))
    weights = used.root / next(iter(student["weights"]))
    weights.write_bytes(b"x" * weights.stat().st_size)
    output = limen_store("verify", "--store", used.root, code=1)
    assert all(str(file) in output for file in (tally, mix, weights))
    assert "3 damaged" in output


def test_prune_only_lists_unless_it_is_told_to(used: Store, other: Path) -> None:
    """A dry run names what no experiment of the files needs, and removes nothing."""
    before = ids(used)
    assert "would be removed" in limen_store("prune", other, "--store", used.root)
    assert ids(used) == before


def test_prune_removes_what_nobody_needs(used: Store, spec: Path, other: Path) -> None:
    """What the files need is kept, the weights of other students are removed."""
    shared = {
        (stage.kind, stage.key)
        for stage in lab_at(used.root).plan([(tiny_experiment(), ALL_ARMS)]).stages
    }
    limen_store("prune", spec, other, "--yes", "--store", used.root)
    assert ids(used) == shared
    limen_store("prune", other, "--yes", "--store", used.root)
    assert {"base", "generate", "filter", "mix", "fine-tune"} <= {kind for kind, _ in ids(used)}
    assert len(used.keys("fine-tune")) == len(list(used.models("toy").glob("ft-*.npz"))) == 1


def test_prune_keeps_what_a_model_of_another_backend_needs(used: Store, tmp_path: Path) -> None:
    """Its spec cannot be planned here; what stands on other backends' models is not removed."""
    mine, local = tmp_path / "test_mine.py", tmp_path / "test_local.py"
    mine.write_text(TINY_SPEC)
    local.write_text(TINY_SPEC.replace("Experiment(", 'Experiment(model="a/local-model", '))
    before = ids(used)
    for file in used.layout.manifests("base"):
        manifest = json.loads(file.read_text())
        manifest["identity"]["backend"] = "local"
        del manifest["checksum"]
        file.write_text(json.dumps(manifest))
    output = limen_store("prune", mine, local, "--yes", "--store", used.root)
    assert "because of test_local.py" in output
    assert ids(used) == before
    assert "model of another backend" in limen_store("list", local, "--store", used.root)
    gone = limen_store("prune", tmp_path / "test_local.py", "--store", used.root)
    assert "0 artifacts" in gone


def test_prune_keeps_what_was_paid_for(used: Store, other: Path) -> None:
    """An artifact with a cost is removed only if that is asked for."""
    file = used.layout.manifests("contrast")[0]
    manifest = json.loads(file.read_text())
    manifest["cost"] = {"usd": 1.5}
    del manifest["checksum"]
    file.write_text(json.dumps(manifest))
    output = limen_store("prune", other, "--yes", "--store", used.root)
    assert "1 that were paid for are kept" in output
    assert file.exists()
    limen_store("prune", other, "--yes", "--paid", "--store", used.root)
    assert not file.exists()


@pytest.mark.parametrize("target", ["other", "part.tar"])
def test_a_copied_experiment_is_complete(
    used: Store, spec: Path, tmp_path: Path, target: str
) -> None:
    """In another store, directly or through an archive, nothing is left to do."""
    limen_store("copy", spec, "--to", tmp_path / target, "--store", used.root)
    if target.endswith(".tar"):
        limen_store("add", tmp_path / target, "--store", tmp_path / "other")
    copied = Store(tmp_path / "other")
    assert ids(copied) == ids(used)
    assert not lab_at(copied.root).plan([(tiny_experiment(), ALL_ARMS)]).quotes
    assert limen_store("verify", "--store", copied.root).endswith("0 damaged\n")
    names = {file.name for file in used.models("toy").glob("ft-*.npz")}
    assert names == {file.name for file in copied.models("toy").glob("ft-*.npz")}


def test_a_damaged_archive_is_refused_whole(used: Store, spec: Path, tmp_path: Path) -> None:
    """Nothing is taken from an archive with a changed file."""
    limen_store("copy", spec, "--to", tmp_path / "part.tar", "--store", used.root)
    with tarfile.open(tmp_path / "part.tar") as tar:
        tar.extractall(tmp_path / "open", filter="data")
    next((tmp_path / "open").glob("stages/mix/*/training.jsonl")).write_text("{}")
    with tarfile.open(tmp_path / "bad.tar", "w") as tar:
        tar.add(tmp_path / "open", ".")
    output = limen_store("add", tmp_path / "bad.tar", "--store", tmp_path / "other", code=1)
    assert "training.jsonl is damaged" in output
    assert not ids(Store(tmp_path / "other"))


def test_a_file_that_is_no_archive_is_one_line(tmp_path: Path) -> None:
    """The error names the file."""
    (tmp_path / "x.tar").write_text("x")
    output = limen_store("add", tmp_path / "x.tar", "--store", tmp_path / "other", code=1)
    assert "x.tar cannot be read as an archive" in output


@pytest.mark.parametrize("name", ["list", "verify"])
def test_a_missing_store_is_one_line(tmp_path: Path, name: str) -> None:
    """The error says how to name a store."""
    output = limen_store(name, "--store", tmp_path / "none", code=1)
    assert "there is no store in" in output


@pytest.fixture
def older(used: Store) -> Store:
    """A store as the first versions of limen left it: no checksums, and models not described."""
    for file in used.layout.manifests():
        manifest = json.loads(file.read_text())
        left_out = ("checksum", "weights")
        file.write_text(json.dumps({k: v for k, v in manifest.items() if k not in left_out}))
    return used


def test_an_older_store_is_adopted(older: Store) -> None:
    """What was unchecked is said; afterwards it is checked, and every manifest says since when."""
    output = limen_store("verify", "--store", older.root)
    assert "0 damaged" in output
    assert "limen store adopt" in output
    count = len(ids(older))
    assert f"{count} artifacts" in limen_store("adopt", "--store", older.root)
    assert "adopt" not in limen_store("verify", "--store", older.root)
    for manifest in older.manifests("fine-tune"):
        assert manifest["adopted"]["recorded"] == ["checksum", "weights"]
        assert list(manifest["weights"])
    weights = next(older.models("toy").glob("ft-*.npz"))
    weights.write_bytes(b"x" * weights.stat().st_size)
    assert str(weights) in limen_store("verify", "--store", older.root, code=1)
    assert not lab_at(older.root).plan([(tiny_experiment(), ALL_ARMS)]).quotes


def test_a_damaged_artifact_is_not_adopted(older: Store) -> None:
    """What is known to be damaged is named and left as it is; the others are adopted."""
    file = next(older.layout.stages.glob("mix/*/training.jsonl"))
    file.write_text("{}")
    output = limen_store("adopt", "--store", older.root, code=1)
    assert f"not adopted: {file} is damaged" in output
    assert "limen store adopt" in limen_store("verify", "--store", older.root, code=1)


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("x.tar.gz", "an archive of a store is a plain one, NAME.tar"),
        ("x.zip", "an archive of a store is a plain one, NAME.tar"),
        ("nodir/x.tar", "there is no folder"),
    ],
)
def test_an_archive_that_cannot_be_written_is_refused(
    used: Store, spec: Path, tmp_path: Path, target: str, says: str
) -> None:
    """Before anything is copied; no folder is made of that name."""
    said = limen_store("copy", spec, "--to", tmp_path / target, "--store", used.root, code=1)
    assert says in said
    assert not (tmp_path / target).exists()
