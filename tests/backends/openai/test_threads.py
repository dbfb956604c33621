"""What a backend leaves behind in a process that lives on, such as a notebook's."""

import gc
import threading
import time
from pathlib import Path

from limen.backends.openai import OpenAIBackend

from ...testing.sampling import requests
from ...testing.wire import Proxy


def loops() -> list[threading.Thread]:
    """The threads of event loops to services."""
    return [thread for thread in threading.enumerate() if thread.name == "limen-openai"]


def test_a_backend_that_nobody_uses_leaves_no_thread(wired: Proxy, tmp_path: Path) -> None:
    """Its thread ends, and its connections are closed."""
    before = set(loops())
    backend = OpenAIBackend(tmp_path)
    assert len([c for group in backend.sample("toy-1", requests(4)) for c in group]) == 4
    (thread,) = set(loops()) - before
    del backend
    gc.collect()
    thread.join(timeout=20)
    assert not thread.is_alive()


def test_what_is_still_asked_for_is_answered(wired: Proxy, tmp_path: Path) -> None:
    """Completions go on to come where they alone are kept, and not the backend."""
    groups = OpenAIBackend(tmp_path).sample("toy-1", requests(12))
    first = next(groups)
    gc.collect()
    time.sleep(0.2)
    assert len(first) + sum(len(group) for group in groups) == 12
