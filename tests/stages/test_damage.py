"""A damaged store: every kind of damage to every kind of artifact is found, and made good."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from limen.backends import records
from limen.datasets.errors import DamageError, StoreError, StoreWarning
from limen.harness import Lab
from limen.harness.lab import in_order
from limen.harness.stages import FineTune, Stage, Store, check_student, set_aside_damage

from ..testing.labs import ALL_ARMS, lab_at
from ..testing.specs import tiny_experiment


def edited(file: Path) -> None:
    """One byte is another; size and times are as before."""
    data = bytearray(file.read_bytes())
    place = len(data) // 2
    data[place] = ord("7") if data[place] != ord("7") else ord("8")
    file.write_bytes(bytes(data))


def cut(file: Path) -> None:
    """The second half is lost."""
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def emptied(file: Path) -> None:
    """Nothing is left in the file."""
    file.write_bytes(b"")


def swapped(file: Path) -> None:
    """Another file of the store is in its place."""
    stages = file.parents[2]
    others = [f for f in stages.glob(f"*/*/{file.name}") if f.read_bytes() != file.read_bytes()]
    file.write_bytes(others[0].read_bytes() if others else b'{"row": 0}\n')


def missing(file: Path) -> None:
    """The file is gone."""
    file.unlink()


def not_text(file: Path) -> None:
    """Bytes that are not UTF-8."""
    data = file.read_bytes()
    file.write_bytes(b"\xff\xfe" + data[2:])


DAMAGES = (edited, cut, emptied, swapped, missing, not_text)
VALUES = ("{}", "[]", "null", "1", '"text"', '{"kind": "mix"}', "\x00", "{")
FILES = (
    "generate/rows.jsonl", "filter/kept.jsonl", "filter/rejected.jsonl", "mix/training.jsonl",
    "mix/provenance.jsonl", "audit/audit.json", "contrast/contrast.json", "measure/answers.jsonl",
    "measure/tally.json", "base/manifest.json", "generate/manifest.json", "filter/manifest.json",
    "mix/manifest.json", "audit/manifest.json", "contrast/manifest.json",
    "fine-tune/manifest.json", "measure/manifest.json",
)  # fmt: skip


@pytest.fixture
def store(finished_store: Path, tmp_path: Path) -> Store:
    """A copy of the store, to be damaged."""
    root = tmp_path / "store"
    shutil.copytree(finished_store, root, copy_function=shutil.copy2)
    return Store(root)


def stages_of(lab: Lab) -> list[Stage]:
    """All stages of the experiment."""
    return in_order(lab.pipeline(tiny_experiment()).all_targets(ALL_ARMS))


def first_file(store: Store, lab: Lab, name: str) -> tuple[Stage, Path]:
    """The first stage of a kind, and one of its files."""
    kind, _, file = name.partition("/")
    stage = next(stage for stage in stages_of(lab) if stage.kind == kind)
    return stage, store.artifact(kind, stage.key) / file


def hashes(store: Store) -> dict[str, object]:
    """The hashes of all files that manifests describe."""
    return {f"{m['kind']} {m['key']}": m["files"] for m in store.manifests()}


def found(store: Store, stage: Stage) -> Iterator[str]:
    """What a check that reads a stage reports."""
    damaged = set_aside_damage(store, [stage], is_paid=lambda stage: False, deep=False)
    return (str(each) for each in damaged)


@pytest.mark.parametrize("name", FILES)
def test_each_damage_to_each_kind_of_artifact_is_one_line(store: Store, name: str) -> None:
    """The line names the file and the remedy; the artifact is set aside with the reason."""
    lab = lab_at(store.root)
    stage, file = first_file(store, lab, name)
    whole = shutil.copytree(file.parent, store.root / "whole")
    for damage in DAMAGES:
        damage(file)
        (line,) = found(store, stage)
        assert str(file) in line, damage.__name__
        assert "made again" in line
        assert "\n" not in line
        assert not store.has(stage.kind, stage.key)
        shutil.copytree(whole, file.parent)
        assert not list(found(store, stage))
    kept = list(store.layout.damaged.glob(f"{stage.kind}/*/reason.txt"))
    assert len(kept) == len(DAMAGES)


@pytest.mark.parametrize("text", VALUES)
def test_a_manifest_with_another_value_is_damage(store: Store, text: str) -> None:
    """Whatever stands in a manifest's place is found, without a traceback."""
    stage, file = first_file(store, lab_at(store.root), "mix/manifest.json")
    file.write_text(text)
    (line,) = found(store, stage)
    assert str(file) in line
    with pytest.raises(DamageError, match=r"manifest\.json"):
        file.parent.mkdir()
        file.write_text(text)
        store.manifest(stage.kind, stage.key)


@pytest.mark.parametrize(
    "name",
    ["filter/kept.jsonl", "mix/manifest.json", "measure/tally.json", "contrast/contrast.json"],
)
@pytest.mark.parametrize("damage", [edited, missing])
def test_what_can_be_made_again_is_the_same(
    store: Store, finished_store: Path, name: str, damage: Callable[[Path], None]
) -> None:
    """After the repair the figures and every file are those of the sound store."""
    lab = lab_at(store.root)
    expected = lab_at(finished_store).arm(tiny_experiment(), "student").rate("horse").value
    _, file = first_file(store, lab, name)
    damage(file)
    with pytest.warns(StoreWarning, match="made again"):
        lab.run([(tiny_experiment(), ALL_ARMS)])
    assert lab.arm(tiny_experiment(), "student").rate("horse").value == expected
    assert hashes(store) == hashes(Store(finished_store))


def test_another_models_weights_are_found_when_the_student_is_asked(
    store: Store, finished_store: Path
) -> None:
    """Weights that were put in a student's place are set aside, and the student trained again."""
    lab = lab_at(store.root)
    student, control = (s for s in stages_of(lab) if isinstance(s, FineTune))
    files = [next(iter(store.finished(s.kind, s.key)["weights"])) for s in (student, control)]
    shutil.copyfile(store.root / files[1], store.root / files[0])
    measure = next(
        s for s in lab.pipeline(tiny_experiment()).targets(["student"]) if s.kind == "measure"
    )
    shutil.rmtree(store.artifact(measure.kind, measure.key))
    with pytest.warns(StoreWarning, match=r"\.npz is damaged"):
        lab.run([(tiny_experiment(), ALL_ARMS)])
    assert hashes(store) == hashes(Store(finished_store))
    assert (store.root / files[0]).read_bytes() == (finished_store / files[0]).read_bytes()


@pytest.mark.parametrize("kind", ["base", "fine-tune"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_each_damage_to_a_models_weights_is_one_line(
    store: Store, kind: str, damage: Callable[[Path], None]
) -> None:
    """Weights of bases and students are compared before a model is read, and set aside."""
    stage, _ = first_file(store, lab_at(store.root), f"{kind}/manifest.json")
    weights = store.root / next(iter(store.finished(kind, stage.key)["weights"]))
    if damage is swapped:
        other = next(file for file in weights.parent.glob("*.npz") if file != weights)
        shutil.copyfile(other, weights)
    else:
        damage(weights)
    (line,) = found(store, stage)
    assert str(weights) in line
    assert "made again" in line
    assert not store.has(kind, stage.key)
    assert not weights.exists()


def test_a_student_that_is_named_by_its_id_is_compared(store: Store) -> None:
    """A conversation with a student is with the one that was trained, or an error."""
    manifest = next(iter(store.manifests("fine-tune")))
    check_student(store, manifest["model"])
    check_student(store, "a model from elsewhere")
    weights = store.root / next(iter(manifest["weights"]))
    edited(weights)
    with pytest.raises(DamageError, match=weights.name):
        check_student(store, manifest["model"])


@pytest.mark.parametrize("damage", DAMAGES)
def test_each_damage_to_a_backends_record_is_one_line(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    """A record of a job or a batch is what was written for it, or an error that names it."""
    file, other = tmp_path / "one.json", tmp_path / "other.json"
    records.write(file, {"job": "ft-1", "status": "succeeded"})
    records.write(other, {"job": "ft-2", "status": "succeeded"})
    assert records.read(file) == {"job": "ft-1", "status": "succeeded"}
    if damage is swapped:
        shutil.copyfile(other, file)
    else:
        damage(file)
    if damage is missing:
        assert records.read(file) is None
        return
    with pytest.raises(StoreError, match=r"one\.json is not .*restore it from a copy"):
        records.read(file)


@pytest.mark.parametrize("text", ["[]", "null", "1", '"text"'])
def test_a_record_with_another_value_is_damage(tmp_path: Path, text: str) -> None:
    """Whatever stands in a record's place is found, without a traceback."""
    (tmp_path / "one.json").write_text(text)
    with pytest.raises(StoreError, match="is not a JSON object"):
        records.read(tmp_path / "one.json")


def test_a_record_of_an_older_version_is_read(tmp_path: Path) -> None:
    """A record without a checksum is as good as before."""
    (tmp_path / "one.json").write_text('{"job": "ft-1"}')
    assert records.read(tmp_path / "one.json") == {"job": "ft-1"}


@pytest.mark.parametrize("damage", DAMAGES)
def test_each_damage_to_a_runs_record_is_found(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    """A report is made of the figures that a run wrote; a damaged record is left out, or named."""
    from limen import reports

    run = reports.Run(created="2026-11-24T00:00:00Z", command="pytest", seconds=1.0, versions={},
                      git="", claims=(), results=())  # fmt: skip
    file = reports.keep_run(run, tmp_path)
    other = reports.keep_run(replace(run, seconds=2.0), tmp_path)
    if damage is swapped:
        shutil.copyfile(other, file)
    else:
        damage(file)
    with pytest.raises(StoreError, match=f"{file.stem}"):
        reports.read_run(file)
    if damage is not missing:
        with pytest.warns(UserWarning, match=f"left out: .*{file.stem}"):
            assert [one.seconds for one in reports.runs_of(tmp_path)] == [2.0]


def test_paid_answers_that_are_sound_are_not_paid_for_again(store: Store) -> None:
    """A damaged tally is computed from the paid answers, which are used as they are."""
    stage, file = first_file(store, lab_at(store.root), "measure/tally.json")
    answers = (file.parent / "answers.jsonl").read_bytes()
    edited(file)
    (damage,) = set_aside_damage(store, [stage], is_paid=lambda stage: True, deep=False)
    assert not damage.lost
    assert (store.layout.draft(stage.key) / "answers.jsonl").read_bytes() == answers


@pytest.mark.parametrize("name", ["measure/answers.jsonl", "measure/manifest.json"])
def test_damaged_paid_answers_are_kept_and_not_requested_at_once(store: Store, name: str) -> None:
    """What cost money is moved with its reason; the message says that another run would pay."""
    stage, file = first_file(store, lab_at(store.root), name)
    edited(file)
    content = file.read_bytes()
    (damage,) = set_aside_damage(store, [stage], is_paid=lambda stage: True, deep=False)
    assert damage.lost
    assert "it was paid for" in str(damage)
    assert (damage.folder / file.name).read_bytes() == content
    assert str(file) in (damage.folder / "reason.txt").read_text()


def test_exports_refuse_damaged_answers(store: Store) -> None:
    """A data frame of answers is made of the rows that were written, or not at all."""
    from limen import reports

    _, file = first_file(store, lab_at(store.root), "measure/answers.jsonl")
    edited(file)
    with pytest.raises(DamageError, match=r"answers\.jsonl is damaged: its content was changed"):
        reports.answers(store.root)


def test_manifests_of_older_versions_are_read(store: Store) -> None:
    """A manifest without a checksum is as good as before."""
    stage, file = first_file(store, lab_at(store.root), "mix/manifest.json")
    manifest = json.loads(file.read_text())
    del manifest["checksum"]
    file.write_text(json.dumps(manifest))
    assert not list(found(store, stage))


def test_a_damaged_artifact_of_others_is_left_out_of_a_scan(store: Store) -> None:
    """Whoever looks through all artifacts sees the sound ones, and is warned of the other."""
    _, file = first_file(store, lab_at(store.root), "mix/manifest.json")
    before = len(list(store.manifests()))
    file.write_text("null")
    with pytest.warns(StoreWarning, match=r"left out: .*manifest\.json is damaged"):
        assert len(list(store.manifests())) == before - 1


def test_a_damaged_base_model_is_one_line(store: Store) -> None:
    """The error names the file and the remedy."""
    from limen.backends.toy import engine

    (file,) = store.models("toy").glob("toy-1.*.npz")
    cut(file)
    with pytest.raises(StoreError, match=r"toy-1\..*npz is damaged .*delete it"):
        engine.load(file)
