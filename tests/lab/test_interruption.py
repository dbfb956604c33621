"""Ctrl-C in a process that goes on, such as a notebook's."""

import os
import signal
from pathlib import Path

import pytest

from limen.harness import Lab, Settings
from limen.harness.lab import ProgressListener
from limen.harness.stages import Stage

from ..testing.specs import tiny_experiment
from ..testing.wire import Proxy


class CtrlC(ProgressListener):
    """Interrupts a run once, when a stage of some kind is started."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def started(self, stage: Stage) -> None:
        if stage.kind == self._kind:
            self._kind = ""
            os.kill(os.getpid(), signal.SIGINT)


def interrupted_lab(settings: Settings, kind: str) -> Lab:
    """A lab whose run was interrupted; what is kept is said with the exception."""
    lab = Lab(settings, watcher=CtrlC(kind))
    with pytest.raises(KeyboardInterrupt) as caught:
        lab.run([(tiny_experiment(), ["student"])])
    (note,) = caught.value.__notes__
    assert note.startswith(
        "limen: interrupted. Finished work, and each answer that has arrived, is kept in the "
        f"store {lab.store.root}"
    )
    return lab


@pytest.mark.skipif(os.name == "nt", reason="signals are those of POSIX")
@pytest.mark.parametrize("kind", ["generate", pytest.param("fine-tune", marks=pytest.mark.slow)])
def test_an_interrupted_lab_goes_on(store: Path, kind: str) -> None:
    """The process, its signals and the lab are as before: the same call goes on."""
    before = signal.getsignal(signal.SIGTERM)
    lab = interrupted_lab(Settings(store=store), kind)
    assert signal.getsignal(signal.SIGTERM) == before
    assert lab.arm(tiny_experiment(), "student").seeds == 1


@pytest.mark.skipif(os.name == "nt", reason="signals are those of POSIX")
@pytest.mark.parametrize("kind", ["generate", pytest.param("fine-tune", marks=pytest.mark.slow)])
def test_a_lab_of_a_service_goes_on(wired: Proxy, tmp_path: Path, kind: str) -> None:
    """Services that were stopped are opened anew."""
    settings = Settings(store=tmp_path, backend="openai", model="toy-1")
    lab = interrupted_lab(settings, kind)
    assert lab.arm(tiny_experiment(), "student").seeds == 1
