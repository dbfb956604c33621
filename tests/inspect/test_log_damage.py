"""A damaged Inspect log is one line, and is written again from the answers."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from limen.datasets.errors import StoreWarning
from limen.harness import Lab
from limen.harness.inspect.log_contents import missing
from limen.harness.inspect.log_files import write_log

from ..testing.damage import DAMAGES, Damage
from ..testing.labs import lab_at
from ..testing.specs import tiny_experiment

pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword")
TITLE = "tiny.py"


@pytest.fixture(scope="module")
def logged(finished_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished store with its logs. Only to be copied."""
    root = tmp_path_factory.mktemp("logged") / "store"
    shutil.copytree(finished_store, root, copy_function=shutil.copy2)
    write_all(lab_at(root))
    return root


@pytest.fixture
def lab(logged: Path, tmp_path: Path) -> Lab:
    """A lab on a copy, to be damaged."""
    return lab_at(Path(shutil.copytree(logged, tmp_path / "s", copy_function=shutil.copy2)))


def write_all(lab: Lab) -> int:
    """Write the logs that are missing; returns how many."""
    sheets = list(missing(lab, TITLE, tiny_experiment()))
    for sheet in sheets:
        write_log(sheet)
    return len(sheets)


def logs_of(lab: Lab) -> list[Path]:
    """All logs, by name."""
    return sorted(lab.store.layout.logs.rglob("*.eval"))


def scores(file: Path) -> object:
    """The figures of a log."""
    from inspect_ai.log import read_eval_log

    return read_eval_log(str(file)).results


@pytest.mark.parametrize("is_old", [False, True])
@pytest.mark.parametrize("damage", DAMAGES)
def test_each_damage_to_a_log_is_one_line(lab: Lab, damage: Damage, is_old: bool) -> None:
    """The log is written again, with the same figures; older ones have no hash beside them."""
    file, other = logs_of(lab)[:2]
    before = scores(file)
    if is_old:
        file.with_suffix(".sha256").unlink()
    damage(file, other)
    if not file.exists():
        assert write_all(lab) == 1
    else:
        with pytest.warns(StoreWarning, match="is damaged: .*written again from the ans") as said:
            assert write_all(lab) == 1
        assert len(said) == 1
        assert str(file) in str(said[0].message)
        assert file.with_suffix(".damaged").exists()
    assert scores(file) == before
    assert write_all(lab) == 0


def test_two_logs_that_are_exchanged_are_written_again(lab: Lab) -> None:
    """Even where their hashes were exchanged with them."""
    file, other = logs_of(lab)[:2]
    for suffix in (".eval", ".sha256"):
        one, two = file.with_suffix(suffix), other.with_suffix(suffix)
        content = one.read_bytes()
        one.write_bytes(two.read_bytes())
        two.write_bytes(content)
    with pytest.warns(StoreWarning, match="it is the log of other answers"):
        assert write_all(lab) == 2


def test_a_log_that_somebody_changed_with_inspect_is_left_alone(lab: Lab) -> None:
    """A whole log with its own ids is the work of a person, whatever it says now."""
    from inspect_ai.log import read_eval_log, write_eval_log

    file = logs_of(lab)[0]
    log = read_eval_log(str(file))
    log.eval.tags = ["mine"]
    write_eval_log(log, str(file))
    assert write_all(lab) == 0
    assert read_eval_log(str(file)).eval.tags == ["mine"]


def test_a_whole_log_without_a_hash_is_whole_where_inspect_is_not_loaded(lab: Lab) -> None:
    """Logs of older versions are no damage: a new process can read their compression."""
    file = logs_of(lab)[0]
    file.with_suffix(".sha256").unlink()
    code = (
        "import sys; from pathlib import Path; "
        "from limen.harness.inspect.log_checks import log_is_there; "
        "assert log_is_there(Path(sys.argv[1])) and 'inspect_ai' not in sys.modules"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", code, str(file)], env=environment, check=True)
