"""How many calls lie between an arm and the running of its stages."""

import inspect
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from pathlib import Path

from limen.harness import Experiment, Lab, Settings

MOST = 4
"""Calls in the lab. Before them come the fixture and the session, after them run_stage: seven."""
MOST_IN_MODULE = 3


class StackExecutor(Executor):
    """Runs stages in this process, and remembers through which of limen's calls they came."""

    def __init__(self, stacks: list[list[str]]) -> None:
        self._stacks = stacks

    def submit(self, fn, /, *args, **kwargs):  # type: ignore[no-untyped-def]
        modules = [frame.frame.f_globals["__name__"] for frame in inspect.stack(context=0)]
        self._stacks.append([name for name in modules if name.startswith("limen.")])
        future: Future[object] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


def test_few_calls_lead_from_an_arm_to_its_stages(store: Path, small: Experiment) -> None:
    """An arm's request goes through the lab, the runner and the scheduler, and no further."""
    stacks: list[list[str]] = []

    @contextmanager
    def executor(workers: int) -> Iterator[Executor]:
        yield StackExecutor(stacks)

    assert Lab(Settings(store=store), executor=executor).arm(small, "teacher").seeds == 1
    assert stacks
    assert max(map(len, stacks)) <= MOST
    assert max(max(Counter(stack).values()) for stack in stacks) <= MOST_IN_MODULE
