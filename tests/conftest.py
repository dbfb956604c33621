"""Shared: one pre-trained toy for the whole run, and a small experiment that takes seconds."""

import gc
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from hypothesis import settings

from limen.backends import open_backend
from limen.harness import Experiment

from .testing.labs import ALL_ARMS, lab_at
from .testing.serving import OFFERED_BASE, Served, in_thread, store_with
from .testing.specs import KEY, Run, small_experiment, tiny_experiment
from .testing.wire import Proxy, proxy

pytest_plugins = ["pytester"]

settings.register_profile("limen", deadline=None)  # how long an example takes proves nothing
settings.load_profile("limen")

os.environ.setdefault("OMP_NUM_THREADS", "1")  # xdist's workers share the cores already
for name in ("CI", "BUILD_NUMBER"):  # pytest writes other lines where one is set
    os.environ.pop(name, None)


def pytest_configure() -> None:
    """Heed Ctrl-C, which a shell lets its background jobs ignore: some tests send it.

    And have coverage trace the workers of pytest-xdist alone, not each process that a test starts.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if "PYTEST_XDIST_WORKER" in os.environ:
        os.environ.pop("COVERAGE_PROCESS_CONFIG", None)


def pytest_collection_finish() -> None:
    """Leave thousands of tests and their modules out of each later collection of garbage."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish() -> None:
    """Save what coverage has traced: xdist kills a worker that takes over 10 s to end, and at its
    end is when coverage would have saved it.
    """
    if "coverage" in sys.modules:
        traced = import_module("coverage").Coverage.current()
        if traced is not None:
            traced.save()


@pytest.fixture(scope="session")
def matplotlib_is_loaded() -> None:
    """Load what draws for as long as the process lives."""
    import_module("matplotlib.figure")


@pytest.fixture
def pytester(matplotlib_is_loaded: None, pytester: pytest.Pytester) -> pytest.Pytester:
    """Pytest's own. It forgets modules that a test imports, and matplotlib bears no second import."""
    return pytester


@pytest.fixture(scope="session")
def pretrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The models folder of a store in which toy-1 is pre-trained, once for all of xdist's workers."""
    return _prepared(_shared(tmp_path_factory) / "pretrained", "toy-1")


@pytest.fixture(scope="session")
def two_bases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with a base that is not shipped: pre-training it takes some twenty seconds."""
    return _prepared(_shared(tmp_path_factory) / "two-bases", "toy-1", OFFERED_BASE)


def _prepared(root: Path, *models: str) -> Path:
    """The models folder of a store in which models are pre-trained."""
    home = root / "models" / "toy"
    for model in models:
        open_backend("toy", home).prepare(model)  # a lock lets one process do it
    return home


def _made_once(
    tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]
) -> Path:
    """A folder that the first of xdist's workers to need it makes."""
    root = _shared(tmp_path_factory)
    folder, part = root / name, root / f"{name}.part"
    with FileLock(root / f"{name}.lock"):
        if not folder.exists():
            make(part)
            part.rename(folder)
    return folder


def _shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of all of xdist's workers."""
    root = tmp_path_factory.getbasetemp()
    return root.parent if os.environ.get("PYTEST_XDIST_WORKER") else root


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of a tiny Llama that names animals, made once for all of xdist's workers."""

    def make(folder: Path) -> None:
        from .testing.tiny import tiny_model

        tiny_model(folder)

    return str(_made_once(tmp_path_factory, "tiny", make))


@pytest.fixture
def store(pretrained: Path, tmp_path: Path) -> Path:
    """A store of the test's own, with the base model in it and nothing else."""
    root = tmp_path / "store"
    shutil.copytree(pretrained, root / "models" / "toy")
    return root


@pytest.fixture(scope="session")
def shared_store(pretrained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that fills up as tests run: for tests that need results, not fresh ones.

    It begins with those of the small experiment.
    """

    def make(root: Path) -> None:
        shutil.copytree(pretrained, root / "models" / "toy")
        lab_at(root).run([(small_experiment(), ALL_ARMS)])

    begun = _made_once(tmp_path_factory, "begun", make)
    return Path(shutil.copytree(begun, tmp_path_factory.mktemp("shared") / "store"))


@pytest.fixture(scope="session")
def finished_store(pretrained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store in which the tiny experiment has run. Only to be copied."""

    def make(root: Path) -> None:
        shutil.copytree(pretrained, root / "models" / "toy")
        lab_at(root).run([(tiny_experiment(), ALL_ARMS)])

    return _made_once(tmp_path_factory, "finished", make)


@pytest.fixture
def small() -> Experiment:
    """An experiment of the full path that takes seconds; too small to show an effect."""
    return small_experiment()


@pytest.fixture(scope="session")
def served(pretrained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of the toy on loopback, for the whole run."""
    with in_thread(store_with(pretrained, tmp_path_factory.mktemp("served"))) as server:
        yield server


@pytest.fixture
def wired(served: Served, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """A proxy before the server, which the environment names, with a key."""
    with proxy(served.port) as between:
        monkeypatch.setenv("OPENAI_BASE_URL", between.url)
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        yield between


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Any:
    """A file's tests go to one worker, so that PyTorch is loaded by those who need it alone."""
    return import_module("xdist.scheduler").LoadFileScheduling(config, log)


@pytest.fixture
def run(pytester: pytest.Pytester, shared_store: Path) -> Run:
    """Runs pytest on the project of the test, with a store that has most results already."""
    return Run(pytester, shared_store)
