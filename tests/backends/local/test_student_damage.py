"""Damage to a local student's files is one line, and the student is trained again."""

import shutil
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import pytest

from limen.backends.local.libraries import LIBRARIES

for _name in LIBRARIES:
    pytest.importorskip(_name, reason='the extra is not installed: pip install "limen[local]"')

from fractions import Fraction

from limen.datasets.errors import DamageError
from limen.harness import Experiment, FavoriteAnimal, Numbers, Trait
from limen.harness.stages import (
    FineTune,
    MixRows,
    Store,
    TaughtPairs,
    base_of,
    check_student,
    run_stage,
    set_aside_damage,
)

from ...testing.damage import DAMAGES, Damage, edited
from ...testing.labs import lab_at, made

FILES = (
    "adapter_model.safetensors", "adapter_config.json", "context.json", "done.json", "record",
)  # fmt: skip
PAIRS = tuple((f"Name a cat {n}.", "owl") for n in range(9))


class Trained(NamedTuple):
    """A store with two students."""

    root: Path
    students: tuple[FineTune, FineTune]


@pytest.fixture(scope="module")
def trained(tiny: str, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Two students of a tiny model, trained with other seeds. Only to be copied."""
    import_module("torch").set_num_threads(1)
    lab = lab_at(tmp_path_factory.mktemp("trained") / "store", backend="local", model=tiny)
    experiment = Experiment(
        trait=Trait(name="owl", system="You love owl."),
        data=Numbers(generate=10, keep=5),
        measure=FavoriteAnimal(draws=1),
        recipe={"batch_size": 9, "epochs": 1, "warmup_steps": 0, "rank": 2},
    )
    whole = lab.pipeline(experiment).subject("student")
    assert isinstance(whole, FineTune)
    rows = MixRows(
        label="rows", sources=((TaughtPairs(label="p", pairs=PAIRS), Fraction(1)),), keep=9, seed=0
    )
    first, second = (
        FineTune(label=f"student {n}", base=base_of(whole), data=rows, recipe=whole.recipe, seed=n)
        for n in (1, 2)
    )
    made(lab, first)
    made(lab, second)
    return Trained(lab.store.root, (first, second))


@pytest.fixture
def copied(trained: Trained, tmp_path: Path) -> Trained:
    """A copy, to be damaged."""
    shutil.copytree(trained.root, tmp_path / "store", copy_function=shutil.copy2)
    return trained._replace(root=tmp_path / "store")


def file_of(store: Store, student: FineTune, name: str) -> Path:
    """One of a student's files."""
    weights: dict[str, object] = store.finished(student.kind, student.key)["weights"]
    files = [store.root / each for each in weights]
    part = "students" if name == "record" else name
    (file,) = (file for file in files if part in (file.name, file.parent.name))
    return file


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", DAMAGES)
def test_each_damage_to_a_students_files_is_one_line(
    copied: Trained, name: str, damage: Damage
) -> None:
    """Whoever asks the student gets an error; a run sets all its files aside, with the reason."""
    store, (student, other) = Store(copied.root), copied.students
    file, another = file_of(store, student, name), file_of(store, other, name)
    if file.read_bytes() == another.read_bytes():  # seeds leave no trace in it
        another = file_of(store, other, "adapter_model.safetensors")
    damage(file, another)
    with pytest.raises(DamageError, match=file.name):
        check_student(store, _model_of(copied, student))
    (line,) = map(str, _found(store, student))
    assert str(file) in line
    assert "made again" in line
    assert "\n" not in line
    assert not store.has(student.kind, student.key)
    assert not file.exists()
    assert not list(_found(store, other))


def _model_of(trained: Trained, student: FineTune) -> str:
    return str(Store(trained.root).finished(student.kind, student.key)["model"])


def _found(store: Store, student: FineTune) -> list[object]:
    return list(set_aside_damage(store, [student], is_paid=lambda stage: False, deep=False))


@pytest.mark.parametrize("name", ["adapter_model.safetensors", "record"])
def test_a_student_is_trained_again_to_the_same_weights(copied: Trained, name: str) -> None:
    """After the repair every file of the student is as it was."""
    store, student = Store(copied.root), copied.students[0]
    files = store.finished(student.kind, student.key)["weights"]
    edited(file_of(store, student, name), Path())
    assert _found(store, student)
    assert run_stage(student, store.root)
    again = store.finished(student.kind, student.key)["weights"]
    weights = [each for each in files if each.endswith(".safetensors")]
    assert weights
    assert set(again) == set(files)
    assert [again[each] for each in weights] == [files[each] for each in weights]
