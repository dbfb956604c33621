"""An evaluation in a process of its own, which asks this one for the answers of its model.

Inspect runs one evaluation at a time in a process, and in a thread nothing can end one that hangs.
"""

import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import IO

from ...backends import Request
from ...backends.activity import Activity
from ...backends.asked_model import Answers, AskedModel
from ...backends.processes import interruption_held_back
from ...backends.threads import in_thread
from ...datasets.errors import BackendError
from .inspect_evaluation import Evaluation, TaskScores
from .stalled_calls import result_unless_stalled
from .user_calls import described

CALLS = 8
"""Requests side by side."""
_MAIN = "from limen.harness.stages.inspect_process import evaluate_for_parent as f; f()"
_READY = b"limen"
"""Sent once libraries are loaded: from then on the time is the task's."""
_SLOTS = threading.BoundedSemaphore(min(4, os.cpu_count() or 1))
"""Each process loads Inspect for itself, which takes memory."""
_running: "set[subprocess.Popen[bytes]]" = set()


class EvaluationEndedError(Exception):
    """The evaluation raised an error, or its process has ended."""


@dataclass(frozen=True)
class _Start:
    """What the process is given first."""

    evaluation: Evaluation
    name: str
    fingerprint: str


@dataclass(frozen=True)
class _Question:
    number: int
    request: Request


@dataclass(frozen=True)
class _Reply:
    number: int
    answers: Answers | None = None
    fault: str = ""


@dataclass(frozen=True)
class _Failure:
    text: str


def evaluate_apart(
    evaluation: Evaluation, asked: AskedModel, activity: Activity, limit: float
) -> TaskScores:
    """Run an evaluation in a process of its own.

    Args:
        evaluation: What is evaluated.
        asked: The model, which this process samples.
        activity: When it was asked last; the start of the process counts as well.
        limit: How long that may be; 0 is without limit.

    Raises:
        TimeIsUp: The model was not asked for that long; the process is ended.
        EvaluationEndedError: The task failed outside of its samples, or ended its process.
    """
    with _SLOTS, _process() as process:
        attend = partial(_attend, process, evaluation, asked, activity)
        attended = in_thread(attend, "limen-evaluation")
        return result_unless_stalled(attended, activity.idle_seconds, limit)


def end_evaluations() -> None:
    """End all processes that evaluate for this one."""
    for process in list(_running):
        process.kill()


@contextmanager
def _process() -> Iterator["subprocess.Popen[bytes]"]:
    """A process that evaluates; it is ended here at the latest."""
    paths = os.pathsep.join(path or os.getcwd() for path in sys.path)
    with interruption_held_back():  # until the process ignores Ctrl-C, which this one heeds
        process = subprocess.Popen(
            [sys.executable, "-c", _MAIN],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": paths},
        )
    _running.add(process)
    try:
        yield process
    finally:
        _running.discard(process)
        process.kill()
        process.wait()


def _attend(
    process: "subprocess.Popen[bytes]",
    evaluation: Evaluation,
    asked: AskedModel,
    activity: Activity,
) -> TaskScores:
    """Answer what the process asks until it has the scores."""
    assert process.stdin
    assert process.stdout
    lock = threading.Lock()
    with _closing(process.stdin, process.stdout), ThreadPoolExecutor(CALLS) as pool:
        with suppress(OSError), activity.going_on():
            process.stdout.read(len(_READY))
            _send(process.stdin, lock, _Start(evaluation, asked.name, asked.fingerprint))
        while True:
            try:
                message = pickle.load(process.stdout)
            except (EOFError, pickle.UnpicklingError):
                raise EvaluationEndedError(_how_it_ended(process.wait())) from None
            if isinstance(message, TaskScores):
                return message
            if isinstance(message, _Failure):
                raise EvaluationEndedError(message.text)
            pool.submit(_answer, process.stdin, lock, asked, message)


@contextmanager
def _closing(*streams: IO[bytes]) -> Iterator[None]:
    """Close streams whose other end may be gone, with a reply that nobody waits for any more."""
    try:
        yield
    finally:
        for stream in streams:
            with suppress(OSError):
                stream.close()


def _how_it_ended(status: int) -> str:
    how = f"exit status {status}" if status >= 0 else f"signal {-status}"
    return f"the Inspect task ended its process ({how}): correct it, or give it more memory"


def _answer(
    stream: IO[bytes], lock: threading.Lock, asked: AskedModel, question: _Question
) -> None:
    try:
        reply = _Reply(question.number, asked.answers(question.request))
    except Exception as error:
        reply = _Reply(question.number, fault=described(error))
    with suppress(OSError, ValueError):  # the process has been ended
        _send(stream, lock, reply)


def _send(stream: IO[bytes], lock: threading.Lock, message: object) -> None:
    packed = pickle.dumps(message)
    with lock:
        stream.write(packed)
        stream.flush()


class _ParentsModel:
    """The model, asked by way of the process that started this one."""

    def __init__(self, start: _Start, questions: IO[bytes]) -> None:
        self.name, self.fingerprint = start.name, start.fingerprint
        self._questions = questions
        self._lock = threading.Lock()
        self._waiting: list[Future[Answers]] = []

    def answers(self, request: Request) -> Answers:
        """See :meth:`.AskedModel.answers`."""
        waiting: Future[Answers] = Future()
        with self._lock:
            number = len(self._waiting)
            self._waiting.append(waiting)
        self.tell(_Question(number, request))
        return waiting.result()

    def tell(self, message: object) -> None:
        """Send the other process a question, or the outcome."""
        _send(self._questions, self._lock, message)

    def listen(self, replies: IO[bytes]) -> None:
        """Hand replies on, until there is nobody who sends any."""
        with suppress(EOFError, OSError):
            while True:
                reply: _Reply = pickle.load(replies)
                waiting = self._waiting[reply.number]
                if reply.answers is not None:
                    waiting.set_result(reply.answers)
                else:
                    waiting.set_exception(BackendError(reply.fault))
        os._exit(1)


def evaluate_for_parent() -> None:
    """What the process does. What the task prints goes where errors go."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})
    replies, questions = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    import_module("inspect_ai")
    questions.write(_READY)
    questions.flush()
    start = pickle.load(replies)
    model = _ParentsModel(start, questions)
    in_thread(partial(model.listen, replies), "limen-replies")
    model.tell(_outcome(start.evaluation, model))
    os._exit(0)


def _outcome(evaluation: Evaluation, model: _ParentsModel) -> TaskScores | _Failure:
    try:
        return evaluation.scores(model)
    except (Exception, SystemExit) as error:
        return _Failure(described(error))
