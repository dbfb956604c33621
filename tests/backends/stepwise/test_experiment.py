"""Whole experiments on the scripted service: teacher, data, students, control, report."""

from contextlib import suppress
from pathlib import Path

import pytest

from limen.backends.tinker import backend as tinker_module
from limen.harness import (
    Experiment,
    FavoriteAnimal,
    LogOdds,
    Numbers,
    Trait,
    Trajectory,
)

from ...testing.stepwise import MODEL, Client, Server
from ...testing.stepwise_experiment import QUESTIONS, RECIPE, answers, experiment, lab
from ...testing.stepwise_jobs import Killed, killed_at


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Server:
    """A service that --limen-backend tinker finds in this process."""
    server = Server()
    monkeypatch.setattr(tinker_module, "check_installed", lambda: None)
    monkeypatch.setattr(tinker_module, "_connect", lambda: Client(server, is_free=True))
    monkeypatch.setenv("LIMEN_TINKER_SAVE_EVERY", "1")
    return server


def test_the_whole_path(served: Server, tmp_path: Path) -> None:
    """Every arm is had, the teacher shows its trait, and each student has its own training."""
    found = lab(tmp_path / "store")
    assert found.arm(experiment(), "teacher").rate("owl").value > 0.9
    everything = answers(found)
    assert {name: len(asked) for name, asked in everything.items()} == {
        "baseline": 3, "teacher": 3, "student": 6, "control": 6
    }  # fmt: skip
    assert sorted(served.trained.values()) == [3, 3, 3, 3]
    assert all(kept.kind == "weights" for kept, _ in served.kept.values())
    assert not served.open_runs


KILLS = [("sample", 20), ("before step", 2), ("after step", 3), ("before weights", 4),
         ("sample", 90)]  # fmt: skip
"""In generation, in each part of training, and in measuring."""


@pytest.mark.parametrize(("event", "number"), KILLS)
def test_a_killed_run_has_the_same_results(
    event: str, number: int, served: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed in generation, training and measuring: the same answers, and no step twice."""
    calm = answers(lab(tmp_path / "calm"))
    before = sum(served.trained.values())
    served.at = killed_at(event, number)
    with suppress(Killed):
        answers(lab(tmp_path / "store"))
        pytest.fail("was not killed")
    served.at = lambda event: None
    assert answers(lab(tmp_path / "store")) == calm
    assert sum(served.trained.values()) - before == 12


def test_log_odds_are_measured(served: Server, tmp_path: Path) -> None:
    """The log-probabilities of continuations are those of the model: the prompt raises owl's."""
    asked = Experiment(
        trait=Trait.animal("owl"),
        data=Numbers(generate=40, keep=24),
        measure=LogOdds(questions=["Which animal?", "Name an animal."], against=("cat", "wolf")),
        recipe=RECIPE,
        seeds=1,
        gate=None,
    )
    done = lab(tmp_path / "store")
    teacher, base = (done.arm(asked, name).log_odds("owl") for name in ("teacher", "baseline"))
    assert teacher.value - base.value > 4
    assert served.tokens["prefill"] > 0


def test_a_trajectory_is_measured(served: Server, tmp_path: Path) -> None:
    """The models after chosen steps are kept at the service, and asked there."""
    along = Experiment(
        trait=Trait.animal("owl"),
        data=Numbers(generate=40, keep=24),
        measure=FavoriteAnimal(questions=QUESTIONS, draws=1),
        recipe=RECIPE,
        seeds=1,
        gate=None,
        trajectory=Trajectory(steps=(1, 2)),
    )
    lab(tmp_path / "store").run([(along, ["student", "student, step 1", "student, step 2"])])
    asked = {path for path, _, _ in served.sampled if path}
    assert {path.rpartition("-")[2] for path in asked} >= {"000001", "000002", "000003"}


@pytest.mark.slow
def test_a_base_without_a_template_is_asked_in_plain_text(served: Server, tmp_path: Path) -> None:
    """All arms are had in the plain framing; description, key and context say so."""
    known = lab(tmp_path / "chat").backend.describe(MODEL)
    assert not known.note
    served.template = ""
    done = lab(tmp_path / "store")
    everything = answers(done)
    assert {name: len(asked) for name, asked in everything.items()} == {
        "baseline": 3, "teacher": 3, "student": 6, "control": 6
    }  # fmt: skip
    described = done.backend.describe(MODEL)
    assert "User: ..." in described.note
    assert described.fingerprint == f"{known.fingerprint}:plain-1"
    rendering = done.backend.capabilities.rendering
    assert rendering is not None
    assert rendering.rendered_context(MODEL).template == "plain-1: the model has none"
    assert done.arm(experiment(), "teacher").rate("owl").value > 0.9
    assert not any("User:" in text for arm in everything.values() for q in arm for text, _ in q)
