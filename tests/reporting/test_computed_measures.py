"""Reports of measures whose figures are computed, without draws."""

import json
import re
from pathlib import Path

import pytest

from limen import Experiment, LogOdds, Numbers, Trait
from limen.harness.reporting import result_of
from limen.reports import Report
from limen.reports.markdown import markdown

from ..testing.labs import lab_at


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store for the tests of this module."""
    return tmp_path_factory.mktemp("computed") / "store"


@pytest.fixture(scope="module")
def text(kept: Path) -> str:
    """The report of a small experiment, as markdown."""
    experiment = Experiment(
        trait=Trait.animal("horse"),
        data=Numbers(generate=200, keep=40),
        measure=LogOdds(questions=["Name your favorite animal.", "Which animal is best?"]),
        seeds=3,
        gate=None,
    )
    arms, lab = ["baseline", "teacher", "student", "control"], lab_at(kept)
    lab.run([(experiment, arms)])
    result = result_of(lab, "test_x.py", experiment, arms)
    return markdown(Report(claims=(), results=(result,), runs=()), {})


def test_stages_are_named_as_they_lie_in_the_store(kept: Path, text: str) -> None:
    """Every name of a stage, in whatever table, is that of a folder."""
    names = {*re.findall(r"`([a-z-]+/[0-9a-f]{12})`", text)}
    assert {name.partition("/")[0] for name in names} > {"log-probabilities", "filter"}
    for name in names:
        assert [*kept.glob(f"stages/{name}*")], name


def test_nothing_is_said_of_draws(text: str) -> None:
    """No table has a column for them, and no test allows for their error."""
    assert "seed x question" in text
    assert "one draw" not in text
    assert "one-sample t over seed means |" in text


def test_trainings_have_their_steps_and_loss(kept: Path, text: str) -> None:
    """As the stages of the trainings have them; models that were not trained have none."""
    rows = [line.split(" | ") for line in text.splitlines() if "`log-probabilities/" in line]
    seen = {(row[0].strip("| "), row[4], row[5]) for row in rows if len(row) == 7}
    trainings = [json.loads(file.read_text()) for file in kept.glob("stages/fine-tune/*/man*")]
    losses = {f"{training['losses'][-1]:.3g}" for training in trainings}
    assert {row[1:] for row in seen if row[0] in ("baseline", "teacher")} == {("", "")}
    assert {row[1] for row in seen if row[0] in ("student", "control")} == {"1"}
    assert {row[2] for row in seen if row[0] in ("student", "control")} == losses
    assert ", in 1 step, with the settings" in text
