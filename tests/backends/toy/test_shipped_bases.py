"""The base model that ships with limen is the one that pre-training makes."""

from pathlib import Path

import numpy as np
import pytest

from limen.backends.toy import ToyBackend
from limen.backends.toy.backend import pretrain

MIB = 1024**2


def test_a_new_store_has_the_first_base_without_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """toy-1 is copied from the package, in at most 4 MiB."""
    monkeypatch.setattr("limen.backends.toy.backend.pretrain", lambda *_: pytest.fail("trained"))
    ToyBackend(tmp_path).prepare("toy-1")
    [file] = tmp_path.glob("*.npz")
    assert 0 < file.stat().st_size <= 4 * MIB


def test_other_settings_do_not_use_the_shipped_base(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A toy of another version is pre-trained, and does not take the file of this one."""
    trained: list[str] = []
    monkeypatch.setattr("limen.backends.toy.backend.VERSION", 10**6)
    monkeypatch.setattr(
        "limen.backends.toy.backend.pretrain", lambda base, file: trained.append(base)
    )
    ToyBackend(tmp_path).prepare("toy-1")
    assert trained == ["toy-1"]


@pytest.mark.slow
def test_pre_training_makes_the_shipped_base_again(tmp_path: Path) -> None:
    """Trained again, toy-1 has the shipped weights, up to the rounding of another processor."""
    ToyBackend(tmp_path).prepare("toy-1")
    [shipped] = tmp_path.glob("*.npz")
    made = tmp_path / "made"
    pretrain("toy-1", made)
    with np.load(made) as new, np.load(shipped) as old:
        assert sorted(new.files) == sorted(old.files)
        for name in new.files:
            np.testing.assert_allclose(new[name], old[name], atol=0.05)
