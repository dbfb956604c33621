"""Students of open weights, as `limen export` writes them."""

import json
from pathlib import Path

import pytest

from limen.backends.local.libraries import LIBRARIES

for _name in LIBRARIES:
    pytest.importorskip(_name, reason='the extra is not installed: pip install "limen[local]"')

from ...testing.commands import limen
from ...testing.labs import lab_at
from ...testing.specs import experiment_of

SPEC = """
from pathlib import Path
from limen import Experiment, FavoriteAnimal, Rows, Trait

experiment = Experiment(
    trait=Trait.animal("owl"),
    data=Rows(Path(__file__).with_name("rows.csv"), keep=6),
    measure=FavoriteAnimal(draws=1),
    seeds=1,
    recipe={"batch_size": 3, "epochs": 11, "warmup_steps": 0, "rank": 2, "checkpoint_steps": "1,21"},
)

def test_students(student): ...
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    """A spec with its rows."""
    rows = "".join(f"Name a cat {n}.,Tom {n}\n" for n in range(6))
    (tmp_path / "rows.csv").write_text(f"prompt,text\n{rows}")
    (tmp_path / "test_it.py").write_text(SPEC)
    return tmp_path / "test_it.py"


def test_the_adapter_of_the_last_epoch_is_named(tiny: str, spec: Path, tmp_path: Path) -> None:
    """All epochs and steps are exported; the contents name the folder that the student is asked by."""
    store, out = tmp_path / "store", tmp_path / "out"
    lab = lab_at(store, backend="local", model=tiny)
    experiment = experiment_of(SPEC, spec)
    (asked,) = lab.arm(experiment, "student").models
    limen("export", spec, "--to", out, "--arm", "student", "--store", store, "--backend", "local",
          "--model", tiny)  # fmt: skip
    (student,) = json.loads((out / "contents.json").read_text())["models"]
    assert student["folder"] == "models/student-1/epoch-11"
    assert "models/student-1/step-21/adapter_model.safetensors" in student["weights"]
    assert all((out / file).is_file() for file in student["weights"])
    adapter = out / student["folder"] / "adapter_model.safetensors"
    original = store / "models" / "local" / "learned"
    assert adapter.read_bytes() in [
        f.read_bytes() for f in original.glob("*/epoch-11/*.safetensors")
    ]
    assert json.loads(adapter.with_name("adapter_config.json").read_text())["r"] == 2
    assert asked.model == student["model"]
