"""Servers that go wrong in a training: one clear error, and the next run has each step once."""

from collections.abc import Callable
from pathlib import Path

import pytest

from limen import BackendError
from limen.backends import Request, ServiceTerms
from limen.backends.stepwise import OfferedModel
from limen.backends.tinker import TinkerBackend
from limen.datasets.chat import conversation

from ...testing.stepwise import MODEL, Server
from ...testing.stepwise_jobs import backend, job, learned, nothing
from ...testing.tinker_wire import (
    BrokenAnswerError,
    EndlessFutureError,
    FaultError,
    Script,
    Wire,
)

pytest.importorskip("tinker", reason='the SDK is not installed: pip install "limen[tinker]"')

from limen.backends.tinker.service import TinkerService

STEPS = 6
GOES_ON = "run the same command again to go on"


def client(home: Path, *, longest: float = 600.0) -> TinkerBackend:
    """The backend of a new process."""
    service = TinkerService(outage=2.0, longest=longest, settles_in=1.0)
    return TinkerBackend(home, ServiceTerms(), service=service, save_every=1)


def from_third(path: str, fault: Callable[[], Exception]) -> Script:
    """A script that spoils the third call of a path and all later ones."""

    def script(called: str, number: int) -> None:
        if called.endswith(path) and number >= 2:
            raise fault()

    return script


def assert_goes_on(wire: Wire, home: Path) -> None:
    """The next run finishes the training, with the weights of a run without a fault."""
    wire.script = wire.answered = lambda path, number: None
    made = client(home).fine_tune(job(home.parent), nothing)
    calm, other = Server(), home.parent / "calm"
    plain = backend(calm, other).fine_tune(job(home.parent), nothing)
    weights = learned(wire.brain, home, made.model)
    assert weights == learned(calm, other, plain.model)
    assert weights[1] == STEPS


def stop_after_third(done: int, total: int) -> None:
    """End the run after a step that is saved."""
    if done == 3:
        raise KeyboardInterrupt


@pytest.mark.parametrize("path", ["optim_step", "save_weights"])
def test_a_step_that_is_never_answered_ends_in_one_error(
    path: str, wire: Wire, home: Path, tmp_path: Path
) -> None:
    """A server that stops answering in a training costs the steps since the last state."""
    wire.script = from_third(path, EndlessFutureError)
    with pytest.raises(BackendError, match=f"no answer in 2 s.*{GOES_ON}") as error:
        client(home, longest=2.0).fine_tune(job(tmp_path), nothing)
    assert "\n" not in str(error.value)
    assert_goes_on(wire, home)


def test_lasting_server_errors_end_in_one_error(wire: Wire, home: Path, tmp_path: Path) -> None:
    """The SDK tries again; after the longest wait for one call the error says how to go on."""
    wire.script = from_third("optim_step", lambda: FaultError(503))
    with pytest.raises(BackendError, match=f"no answer in 2 s.*{GOES_ON}") as error:
        client(home, longest=2.0).fine_tune(job(tmp_path), nothing)
    assert "\n" not in str(error.value)
    assert_goes_on(wire, home)


@pytest.mark.parametrize("path", ["optim_step", "retrieve_future"])
def test_broken_json_ends_in_one_error(path: str, wire: Wire, home: Path, tmp_path: Path) -> None:
    """An answer with status 200 that cannot be read is not taken for a step."""
    wire.script = from_third(path, BrokenAnswerError)
    with pytest.raises(BackendError, match=GOES_ON) as error:
        client(home, longest=3.0).fine_tune(job(tmp_path), nothing)
    assert "\n" not in str(error.value)
    assert_goes_on(wire, home)


def test_an_expired_checkpoint_is_reported(wire: Wire, home: Path, tmp_path: Path) -> None:
    """Its state gone at the service, nothing is trained again before the user says so."""
    with pytest.raises(KeyboardInterrupt):
        client(home).fine_tune(job(tmp_path), stop_after_third)
    wire.brain.kept.clear()
    trained = sum(wire.brain.trained.values())
    with pytest.raises(BackendError, match="expired or was deleted.*limen jobs forget"):
        client(home).fine_tune(job(tmp_path), nothing)
    assert sum(wire.brain.trained.values()) == trained


def test_a_model_that_is_retired_is_reported(wire: Wire, home: Path, tmp_path: Path) -> None:
    """The error has the day on which the model was last offered; back again, the run goes on."""
    with pytest.raises(KeyboardInterrupt):
        client(home).fine_tune(job(tmp_path), stop_after_third)
    client(home).describe(MODEL)
    offered, wire.brain.models = wire.brain.models, (OfferedModel(name="words/new"),)
    with pytest.raises(BackendError, match=f"has retired {MODEL}: it was last offered on 20"):
        client(home).describe(MODEL)
    wire.brain.models = offered
    assert_goes_on(wire, home)


def test_answers_that_come_twice_are_reported(wire: Wire, home: Path) -> None:
    """A server that returns each draw twice is one error, and the next run has each row once."""
    asked = Request(row=1, messages=conversation("Which?"), seed=1, draws=3, max_tokens=4)
    wire.repeats = True
    with pytest.raises(BackendError, match="gave 6 samples where 3 were asked for"):
        list(client(home).sample(MODEL, [asked]))
    wire.repeats = False
    (group,) = client(home).sample(MODEL, [asked])
    assert [each.draw for each in group] == [0, 1, 2]


def lost_after_third_step(path: str, number: int) -> None:
    """Break the connection after the third optimizer step is done."""
    if path.endswith("optim_step") and number == 2:
        raise FaultError(None)


def test_a_lost_answer_is_one_step_where_the_number_is_kept(
    wire: Wire, home: Path, tmp_path: Path
) -> None:
    """The SDK sends the step again with its number, and a server that looks at it does it once."""
    wire.deduplicates, wire.answered = True, lost_after_third_step
    client(home).fine_tune(job(tmp_path), nothing)
    assert wire.asked["/api/v1/optim_step"] == STEPS + 1
    assert sum(wire.brain.trained.values()) == STEPS
    assert_goes_on(wire, home)
