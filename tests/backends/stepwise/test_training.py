import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pytest

from limen import BackendError, SpecError, StoreError
from limen.backends.records import locked
from limen.backends.stepwise import KeptWeights, OfferedModel, StepFailedError, Trainings, training
from limen.backends.stepwise.ledger import TrainingLedger
from limen.backends.tinker import TinkerBackend

from ...testing.stepwise import MODEL, Client, Server
from ...testing.stepwise_jobs import (
    Killed,
    backend,
    job,
    killed_at,
    learned,
    nothing,
    train_through_kill,
)

STEPS = 6
EVENTS = [
    *product(("before step", "after step"), range(1, STEPS + 1)),
    *product(("before weights", "after weights"), (1, 2)),
    ("start", 1),
]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def test_the_steps_of_a_training_are_the_recipe_s(home: Path, tmp_path: Path) -> None:
    """Two epochs of ten rows in batches of four are six steps, each with its loss on record."""
    server = Server()
    made = backend(server, home).fine_tune(job(tmp_path), nothing)
    ledger = backend(server, home).students.ledger(str(made.job))
    assert sum(server.trained.values()) == STEPS
    assert sorted(ledger.losses) == list(range(1, STEPS + 1))
    assert made.examples == 10
    assert len(made.losses) == 2
    assert all(loss > 0 for loss in made.losses)
    assert [point.step for point in made.checkpoints] == [3, 6]
    assert made.checkpoints[-1].model == made.model


def test_every_token_of_every_step_is_counted(home: Path, tmp_path: Path) -> None:
    """The tokens of a training are those that the service charges: prompts and answers."""
    server = Server()
    made = backend(server, home).fine_tune(job(tmp_path), nothing)
    assert made.tokens == server.tokens["train"] > 0


@pytest.mark.parametrize(("event", "number"), EVENTS)
@pytest.mark.parametrize("save_every", [1, 4])
def test_a_killed_training_ends_as_if_it_had_not_been(
    event: str, number: int, save_every: int, home: Path, tmp_path: Path
) -> None:
    """Wherever a client is killed, the student has each step once, in order."""
    calm = Server()
    expected = backend(calm, tmp_path / "calm").fine_tune(job(tmp_path), nothing).model
    server = Server()
    model = train_through_kill(
        server, home, job(tmp_path), event=event, number=number, save_every=save_every
    )
    assert learned(server, home, model) == learned(calm, tmp_path / "calm", expected)
    if save_every == 1:  # what the service has done is used, also where its answer was lost
        assert sum(server.trained.values()) == STEPS


def test_only_what_students_need_is_kept(home: Path, tmp_path: Path) -> None:
    """After a training the service keeps the weights of each epoch, no state, and no open run."""
    server = Server()
    backend(server, home).fine_tune(job(tmp_path), nothing)
    kinds = [kept.kind for kept, _ in server.kept.values()]
    assert kinds == ["weights", "weights"]
    assert not server.open_runs


def test_chosen_steps_are_kept_with_their_optimizer(home: Path, tmp_path: Path) -> None:
    """checkpoint_steps keeps weights to sample from and the state to train on, after each step."""
    server = Server()
    made = backend(server, home).fine_tune(job(tmp_path, checkpoint_steps="2,5"), nothing)
    names = sorted(kept.name for kept, _ in server.kept.values() if kept.kind == "state")
    assert names == ["limen-state-000002", "limen-state-000005"]
    assert [point.step for point in made.checkpoints] == [2, 5, 6]
    assert [learned(server, home, point.model)[1] for point in made.checkpoints] == [2, 5, 6]


def test_a_server_that_cannot_delete_is_not_filled(home: Path, tmp_path: Path) -> None:
    """Where states cannot be deleted, they are saved rarely."""
    server = Server(can_delete=False)
    backend(server, home).fine_tune(job(tmp_path, rows=120), nothing)
    states = [kept.name for kept, _ in server.kept.values() if kept.kind == "state"]
    assert len(states) < 8
    assert sum(server.trained.values()) == 60


def test_students_that_differ_in_how_they_are_asked_share_a_training(
    home: Path, tmp_path: Path
) -> None:
    """Another system turn for questions is another student, and no step more."""
    server = Server()
    plain = backend(server, home).fine_tune(job(tmp_path), nothing)
    asked = job(tmp_path, key="other", asked_system="Be brief.")
    other = backend(server, home).fine_tune(asked, nothing)
    assert plain.model != other.model
    assert sum(server.trained.values()) == STEPS


def test_the_context_is_recorded_and_a_changed_one_refused(home: Path, tmp_path: Path) -> None:
    """A base model whose template changed is not asked under the same store."""
    server = Server()
    backend(server, home).prepare(MODEL)
    server.template = "Be brief."
    with pytest.raises(BackendError, match="the template of words/small changed"):
        backend(server, home).prepare(MODEL)


def test_an_expired_state_is_reported(home: Path, tmp_path: Path) -> None:
    """A training whose state is gone is one line, and is never paid for again by itself."""
    server = Server(at=killed_at("before step", 4))
    with pytest.raises(Killed):
        backend(server, home).fine_tune(job(tmp_path), nothing)
    server.at, trained = lambda event: None, sum(server.trained.values())
    server.kept.clear()
    with pytest.raises(BackendError, match="after step 3 of 6 has expired or was deleted") as error:
        backend(server, home).fine_tune(job(tmp_path), nothing)
    assert "limen jobs forget" in str(error.value)
    assert "\n" not in str(error.value)
    assert sum(server.trained.values()) == trained


def test_expired_weights_of_a_student_are_reported(home: Path, tmp_path: Path) -> None:
    """A student whose weights are gone at the service is one line."""
    server = Server()
    made = backend(server, home).fine_tune(job(tmp_path), nothing)
    server.kept.clear()
    with pytest.raises(BackendError, match="have expired or were deleted at the service"):
        list(backend(server, home).sample(made.model, []))


def test_a_retired_model_is_reported(home: Path) -> None:
    """A model that the service offers no more is reported as retired, with the day."""
    server = Server()
    backend(server, home).describe(MODEL)
    server.models = (OfferedModel(name="words/new"),)
    with pytest.raises(BackendError, match="has retired words/small: it was last offered on 20"):
        backend(server, home).describe(MODEL)


def test_a_model_that_only_samples_cannot_be_trained(home: Path, tmp_path: Path) -> None:
    """A model that the service does not train says why not."""
    server = Server(models=(OfferedModel(name=MODEL, can_train=False),))
    assert "only samples" in backend(server, home).describe(MODEL).why_not
    with pytest.raises(BackendError, match="cannot be fine-tuned"):
        backend(server, home).fine_tune(job(tmp_path), nothing)


def test_a_training_that_ends_before_it_has_warmed_up_is_refused(
    home: Path, tmp_path: Path
) -> None:
    """Nothing is sent for a recipe whose warm-up is longer than the training."""
    server = Server()
    with pytest.raises(SpecError, match="warmup_steps=6"):
        backend(server, home).fine_tune(job(tmp_path, warmup_steps=6), nothing)
    assert server.runs == 0


def ledger_of(home: Path) -> Path:
    """The only ledger below a home."""
    (file,) = (home / "trainings").glob("*.jsonl")
    return file


def test_a_torn_last_line_is_dropped(home: Path, tmp_path: Path) -> None:
    """A line that a crash cut is as if it had not been written."""
    server = Server(at=killed_at("before step", 3))
    with pytest.raises(Killed):
        backend(server, home).fine_tune(job(tmp_path), nothing)
    server.at = lambda event: None
    data = ledger_of(home).read_bytes()
    ledger_of(home).write_bytes(data[:-9])
    model = backend(server, home).fine_tune(job(tmp_path), nothing).model
    assert learned(server, home, model)[1] == STEPS
    assert TrainingLedger(ledger_of(home)).done


def test_a_changed_line_is_an_error(home: Path, tmp_path: Path) -> None:
    """A ledger in which a line was changed is refused, naming the line."""
    server = Server()
    backend(server, home).fine_tune(job(tmp_path), nothing)
    lines = ledger_of(home).read_text().splitlines()
    lines[2] = json.dumps({**json.loads(lines[2]), "step": 5})
    ledger_of(home).write_text("\n".join(lines) + "\n")
    with pytest.raises(StoreError, match="line 3 of"):
        backend(server, home).fine_tune(job(tmp_path), nothing)


def test_a_state_after_a_failed_step_is_not_used(home: Path, tmp_path: Path) -> None:
    """A service may save a state although the step before it failed: that state lacks a step."""

    def fail(event: str) -> None:
        if event == "before step" and sum(server.trained.values()) == 3:
            raise StepFailedError("scripted")

    server = Server(at=fail)
    with pytest.raises(StepFailedError):
        backend(server, home).fine_tune(job(tmp_path), nothing)
    server.at = lambda event: None
    model = backend(server, home).fine_tune(job(tmp_path), nothing).model
    assert learned(server, home, model)[1] == STEPS


@dataclass
class LateClient(Client):
    """Lists what was saved last only when it is asked again."""

    asked: int = 0

    def kept(self, run: str) -> Sequence[KeptWeights]:
        self.asked += 1
        known = super().kept(run)
        return known if self.asked > 1 else known[:-1]


def test_a_step_that_the_service_is_still_busy_with_is_waited_for(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a killed client had sent is not sent again while its answer may yet come."""
    monkeypatch.setattr(training, "POLL", 0.0)
    server = Server(at=killed_at("after step", 4))
    with pytest.raises(Killed):
        backend(server, home).fine_tune(job(tmp_path), nothing)
    server.at = lambda event: None
    late = TinkerBackend(home, service=LateClient(server, settles_in=3600.0))
    assert learned(server, home, late.fine_tune(job(tmp_path), nothing).model)[1] == STEPS
    assert sum(server.trained.values()) == STEPS


def test_a_training_that_diverged_is_not_tried_again(home: Path, tmp_path: Path) -> None:
    """A loss that is no number is reported, and another run says so without a further step."""
    server, wanted = Server(), job(tmp_path, learning_rate=1e308)
    with pytest.raises(BackendError, match="diverged: its loss is nan in step .*learning_rate"):
        backend(server, home).fine_tune(wanted, nothing)
    steps = sum(server.trained.values())
    with pytest.raises(BackendError, match="diverged: its loss is nan in step"):
        backend(server, home).fine_tune(wanted, nothing)
    assert sum(server.trained.values()) == steps


def test_reading_a_ledger_does_not_change_it(home: Path, tmp_path: Path) -> None:
    """A line that another process is writing is left alone."""
    backend(Server(), home).fine_tune(job(tmp_path), nothing)
    file = ledger_of(home)
    with file.open("ab") as writing:
        writing.write(b'{"event": "sen')
    before = file.read_bytes()
    assert TrainingLedger(file).done
    assert len(Trainings(home).all()) == 1
    assert file.read_bytes() == before


def test_a_training_under_way_is_neither_deleted_nor_forgotten(home: Path, tmp_path: Path) -> None:
    """What a process is training is left alone, and said to be under way."""
    server = Server()
    made = backend(server, home).fine_tune(job(tmp_path), nothing)
    trainings, service = Trainings(home), Client(server)
    kept = trainings.kept(service, str(made.job))
    with locked(ledger_of(home)):
        with pytest.raises(BackendError, match="is under way: end its run first"):
            trainings.delete(service, kept)
        with pytest.raises(BackendError, match="is under way: end its run first"):
            trainings.forget(str(made.job))
    assert len(server.kept) == 2
