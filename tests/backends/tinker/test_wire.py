"""The SDK, in the version that is installed, against a scripted server on loopback."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from limen import BackendError
from limen.backends import Completion, ContinuationRequest, Request, ServiceTerms
from limen.backends.tinker import TinkerBackend
from limen.datasets.chat import conversation

from ...testing.stepwise import MODEL, Server
from ...testing.stepwise_jobs import backend, job, learned, nothing
from ...testing.tinker_wire import (
    KEY,
    EndlessFutureError,
    FailedFutureError,
    FaultError,
    Wire,
    tinker_wire,
)
from ...testing.word_tokenizer import WordTokenizer

pytest.importorskip("tinker", reason='the SDK is not installed: pip install "limen[tinker]"')

from limen.backends.tinker import service as service_module
from limen.backends.tinker.service import TinkerService


def client(home: Path, *, longest: float = 600.0) -> TinkerBackend:
    """The backend of a new process."""
    service = TinkerService(outage=2.0, longest=longest, settles_in=3.0)
    return TinkerBackend(home, ServiceTerms(), service=service, save_every=1)


def asked(rows: int = 6) -> list[Request]:
    """Requests of several draws."""
    return [
        Request(row=row, messages=conversation(f"Which animal, {row}?"), seed=row, draws=3,
                max_tokens=4)
        for row in range(10, 10 + rows)
    ]  # fmt: skip


def answers(able: TinkerBackend, model: str = MODEL) -> list[tuple[int, int, str | None]]:
    """Answers by row and draw."""
    made: list[Completion] = [c for group in able.sample(model, asked()) for c in group]
    return sorted((c.row, c.draw, c.text) for c in made)


def test_answers_are_those_of_the_service(wire: Wire, home: Path) -> None:
    """What comes over the wire is what the service without one gives."""
    assert answers(client(home)) == answers(backend(Server(), home.parent / "other"))
    assert wire.keys == {KEY}


def test_log_probabilities_are_those_of_the_service(wire: Wire, home: Path) -> None:
    """Continuations are scored by compute_logprobs."""
    wanted = [ContinuationRequest(messages=conversation("Which?"), continuations=("owl", "cat"))]
    (over,) = client(home).log_probabilities(MODEL, wanted)
    (plain,) = backend(Server(), home.parent / "other").log_probabilities(MODEL, wanted)
    assert [one.nats for one in over] == pytest.approx([one.nats for one in plain], abs=1e-5)


def test_a_training_is_that_of_the_service(wire: Wire, home: Path, tmp_path: Path) -> None:
    """Batches, rates and losses go over the wire as they are; nothing stays behind it."""
    made = client(home).fine_tune(job(tmp_path), nothing)
    other = Server()
    plain = backend(other, tmp_path / "other").fine_tune(job(tmp_path), nothing)
    assert learned(wire.brain, home, made.model) == learned(other, tmp_path / "other", plain.model)
    assert made.losses == pytest.approx(plain.losses, abs=1e-5)
    assert {kept.kind for kept, _ in wire.brain.kept.values()} == {"weights"}
    assert len(wire.finished) == 1
    assert len(answers(client(home), made.model)) == 18


def test_a_training_goes_on_from_its_state(wire: Wire, home: Path, tmp_path: Path) -> None:
    """A budget that ends in the middle leaves a state, from which a new client goes on."""

    def stop(done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        client(home).fine_tune(job(tmp_path), stop)
    made = client(home).fine_tune(job(tmp_path), nothing)
    other = Server()
    plain = backend(other, tmp_path / "other").fine_tune(job(tmp_path), nothing)
    assert learned(wire.brain, home, made.model) == learned(other, tmp_path / "other", plain.model)
    assert sum(wire.brain.trained.values()) == 6


CHILD = """
import sys
from pathlib import Path
from limen.backends.tinker import TinkerBackend, service as service_module
from limen.backends.tinker.service import TinkerService
from tests.testing.stepwise_jobs import job, nothing
from tests.testing.word_tokenizer import WordTokenizer

service_module.load_tokenizer = lambda name, base: WordTokenizer()
folder = Path(sys.argv[1])
service = TinkerService(settles_in=3.0)
backend = TinkerBackend(folder / "home", service=service, save_every=1)
print(backend.fine_tune(job(folder), nothing).model)
"""


def child(folder: Path) -> "subprocess.Popen[str]":
    """A training in a process of its own."""
    root = Path(__file__).parents[3]
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(folder)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(root), *sys.path])},
        stdout=subprocess.PIPE,
        text=True,
    )


KILLS = [("after step", 3), ("before step", 4), ("after weights", 1)]


@pytest.mark.slow
@pytest.mark.parametrize(("event", "number"), KILLS)
def test_a_client_that_is_killed_goes_on(
    event: str, number: int, wire: Wire, tmp_path: Path
) -> None:
    """Kill -9 at the moment of an event at the server: each step is in the student once."""
    seen = 0

    def at(happening: str) -> None:
        nonlocal seen
        seen += happening == event
        if happening == event and seen == number:
            os.kill(first.pid, signal.SIGKILL)

    wire.brain.at = at
    first = child(tmp_path)
    assert first.wait() == -signal.SIGKILL
    second = child(tmp_path)
    model, _ = second.communicate()
    other = Server()
    plain = backend(other, tmp_path / "other").fine_tune(job(tmp_path), nothing)
    assert learned(wire.brain, tmp_path / "home", model.strip()) == learned(
        other, tmp_path / "other", plain.model
    )
    assert sum(wire.brain.trained.values()) <= 7


def faulty(path: str, status: int | None, times: int = 99) -> Callable[[str, int], None]:
    """A script that spoils the first calls of a path."""

    def script(called: str, number: int) -> None:
        if called.endswith(path) and number < times:
            raise FaultError(status, f"scripted {KEY}")

    return script


PASSING = [("asample", 503), ("asample", 429), ("asample", None), ("retrieve_future", 503),
           ("retrieve_future", None)]  # fmt: skip


@pytest.mark.parametrize(("path", "status"), PASSING)
def test_passing_faults_pass(path: str, status: int | None, wire: Wire, home: Path) -> None:
    """A call that fails once is tried again, and gives what it gives without a fault."""
    wire.script = faulty(path, status, times=1)
    assert answers(client(home)) == answers(backend(Server(), home.parent / "other"))


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("create_session", 401, "does not accept the key"),
        ("get_server_capabilities", 403, "does not accept the key"),
        ("asample", 401, "does not accept the key"),
        ("asample", 402, "no credit"),
        ("asample", 404, "not kept at http://127.0.0.1:[0-9]+ any more"),
    ],
)
def test_lasting_faults_are_one_line(
    path: str, status: int, message: str, wire: Wire, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What no repetition helps against ends the stage at once, in one line without the key."""
    wire.script = faulty(path, status)
    with pytest.raises(BackendError, match=message) as error:
        answers(client(home))
    assert "\n" not in str(error.value)
    assert KEY not in str(error.value)
    assert KEY not in caplog.text


def test_a_refused_prompt_is_a_row_that_says_so(wire: Wire, home: Path) -> None:
    """A request that the service takes up and cannot do is recorded with its reason."""
    long = Request(row=1, messages=conversation("x" * 500), seed=1, max_tokens=4)
    ((refused,),) = client(home).sample(MODEL, [long])
    assert refused.finish == "error"
    assert "too long" in str(refused.error)


def test_no_server_is_reported_at_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing listens, one line says so within a second or two."""
    monkeypatch.setenv("TINKER_BASE_URL", "http://127.0.0.1:9")
    with pytest.raises(BackendError, match="no server at http://127.0.0.1:9: Connection refused"):
        client(home).describe(MODEL)


def test_a_lost_server_is_reported(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that goes away in a training is one line soon after; the training then goes on."""
    monkeypatch.setattr(service_module, "load_tokenizer", lambda name, base: WordTokenizer())
    brain, open_server = Server(), ExitStack()
    served = open_server.enter_context(tinker_wire(Wire(brain)))
    monkeypatch.setenv("TINKER_BASE_URL", served.url)

    def leave(done: int, total: int) -> None:
        if done == 3:
            open_server.close()

    with pytest.raises(BackendError, match="is away since .* everything finished is kept"):
        client(home).fine_tune(job(tmp_path), leave)
    with tinker_wire(Wire(brain), port=int(served.url.rpartition(":")[2])):
        made = client(home).fine_tune(job(tmp_path), nothing)
    assert learned(brain, home, made.model)[1] == sum(brain.trained.values()) == 6


def test_a_request_that_never_ends_is_reported(wire: Wire, home: Path) -> None:
    """A service that has taken a request up and gives no result is one line after a time."""

    def script(path: str, number: int) -> None:
        if path.endswith("asample"):
            raise EndlessFutureError

    wire.script = script
    with pytest.raises(BackendError, match="no answer in 2 s.* everything finished is kept"):
        answers(client(home, longest=2.0))


def same_as_calm(wire: Wire, home: Path, model: str) -> bool:
    """Whether a student has learned what it learns where nothing goes wrong."""
    calm, other = Server(), home.parent / "calm"
    plain = backend(calm, other).fine_tune(job(home.parent), nothing)
    return learned(wire.brain, home, model) == learned(calm, other, plain.model)


@pytest.mark.parametrize("failing", ["forward_backward", "optim_step"])
def test_a_state_after_a_failed_step_is_not_used(
    failing: str, wire: Wire, home: Path, tmp_path: Path
) -> None:
    """A server that saves a state although the step before it failed costs that step alone."""

    def script(path: str, number: int) -> None:
        if path.endswith(failing) and number == 2:
            raise FailedFutureError("scripted")

    wire.script = script
    with pytest.raises(BackendError, match="could not do a step: .*scripted"):
        client(home).fine_tune(job(tmp_path), nothing)
    made = client(home).fine_tune(job(tmp_path), nothing)
    assert same_as_calm(wire, home, made.model)


def test_a_server_that_starts_anew_in_a_step_is_reported(
    wire: Wire, home: Path, tmp_path: Path
) -> None:
    """Restarted between gradient and optimizer, it has lost the training: a state goes on."""

    def script(path: str, number: int) -> None:
        if path.endswith("optim_step") and number == 2:
            wire.runs.clear()

    wire.script = script
    with pytest.raises(BackendError, match="has lost the training .* run the same command again"):
        client(home).fine_tune(job(tmp_path), nothing)
    made = client(home).fine_tune(job(tmp_path), nothing)
    assert same_as_calm(wire, home, made.model)


def test_losses_that_are_cut_are_no_losses(wire: Wire, home: Path, tmp_path: Path) -> None:
    """Where log-probabilities are missing no loss is made up, and the training goes on."""
    wire.losses_lack = 1
    made = client(home).fine_tune(job(tmp_path), nothing)
    assert made.losses == ()
    assert same_as_calm(wire, home, made.model)


def test_a_plan_needs_no_key(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without key and server the provider's models are estimated from the table of prices."""
    monkeypatch.delenv("TINKER_BASE_URL", raising=False)
    monkeypatch.delenv("TINKER_API_KEY", raising=False)
    monkeypatch.setenv("HOME", str(home))
    plan = TinkerBackend(home, ServiceTerms(estimate_only=True))
    assert plan.describe("Qwen/Qwen3-8B").can_fine_tune
    with pytest.raises(BackendError, match="no key for Tinker: set TINKER_API_KEY"):
        TinkerBackend(home).describe("Qwen/Qwen3-8B")
