"""Stages sent to an executor: which ones, with which needs, and what happens if workers are lost."""

import os
import socket
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from queue import Queue
from threading import Event
from typing import Any

import pytest

from limen import ExperimentError, SpecError
from limen.backends.openai import OpenAIBackend
from limen.harness import FavoriteAnimal, Lab, Needs, Settings
from limen.harness.executors import (
    LostClusterError,
    Node,
    NodeFacts,
    executor_names,
    head_watch,
)
from limen.harness.lab import ProgressListener
from limen.harness.stages import ArtifactDraft, Manifest, Stage, backend_of

from ..testing.executors import NAME, MadeUpExecutor
from ..testing.labs import lab_at
from ..testing.serving import Served
from ..testing.specs import tiny_experiment
from ..testing.wire import Proxy

MadeUp = type[MadeUpExecutor]


def run(store: Path, arms: tuple[str, ...] = ("baseline",), **settings: Any) -> Lab:
    """Run the tiny experiment on the made-up executor."""
    lab = Lab(Settings(store=store, executor=NAME, **settings))
    lab.run([(tiny_experiment(), arms)])
    return lab


def files_of(store: Path) -> dict[str, bytes]:
    """The files of all artifacts but manifests, which have times, by their path."""
    found = (file for file in (store / "stages").rglob("*") if file.is_file())
    return {
        str(file.relative_to(store)): file.read_bytes()
        for file in found
        if file.name != "manifest.json"
    }


def test_a_third_partys_executor_is_found_by_its_entry_point(made_up: MadeUp) -> None:
    """Beside those of limen."""
    assert executor_names() == ["dask", "local", NAME, "ray"]


@pytest.mark.parametrize("shared", [True, False])
def test_results_are_those_of_this_machine(
    made_up: MadeUp, store: Path, tmp_path: Path, pretrained: Path, shared: bool
) -> None:
    """By the option alone, and the same where nothing but the executor connects the nodes."""
    import shutil

    shutil.copytree(pretrained, tmp_path / "here" / "models" / "toy")
    lab_at(tmp_path / "here").run([(tiny_experiment(), ["student", "control", "teacher"])])
    run(store, ("student", "control", "teacher"), shared_store=shared)
    assert files_of(store) == files_of(tmp_path / "here")
    assert made_up.closed == (False,)


def test_short_stages_are_not_sent(made_up: MadeUp, store: Path) -> None:
    """Only what runs a model is."""
    run(store, ("student",))
    assert {kind for kind, _ in made_up.sent} == {"base", "generate", "fine-tune", "measure"}


def test_a_finished_run_asks_no_cluster(made_up: MadeUp, store: Path) -> None:
    """Nothing is opened if nothing is to be sent."""
    run(store)
    run(store)
    assert len(made_up.closed) == 1


@pytest.mark.slow
def test_stages_that_ask_a_service_stay_here(made_up: MadeUp, wired: Proxy, tmp_path: Path) -> None:
    """They share one budget and one limit of rates, whatever the executor."""
    settings = Settings(store=tmp_path / "s", backend="openai", model="toy-1", executor=NAME)
    assert Lab(settings).arm(tiny_experiment(), "student").seeds == 1
    assert not made_up.closed


def test_a_need_that_no_node_meets_is_one_error_before_anything_runs(
    made_up: MadeUp, store: Path
) -> None:
    """It names the stage, the need, the nodes and the remedy."""
    with pytest.raises(SpecError) as caught:
        run(store, needs=Needs(gpus=8))
    for part in ("8 GPUs", "one has 4 cores", "two has 4 cores", "--limen-needs"):
        assert part in str(caught.value)
    assert not (store / "stages").exists() or not files_of(store)
    assert made_up.closed == (True,)


def test_the_option_goes_before_the_spec(made_up: MadeUp, store: Path) -> None:
    """What the option does not state, the spec states."""
    lab = Lab(Settings(store=store, executor=NAME, needs=Needs(cores=2)))
    lab.run([(tiny_experiment().but(needs=Needs(cores=3, memory=1)), ["baseline"])])
    assert {(needs.cores, needs.memory) for _, needs in made_up.sent} == {(2, 1)}


def test_needs_change_no_key() -> None:
    """Nor do two experiments differ by them."""
    assert tiny_experiment().but(needs=Needs(gpus=4)) == tiny_experiment()
    assert "needs" not in repr(tiny_experiment().but(needs=Needs(gpus=4)))


def once() -> Callable[[str], bool]:
    """Loses the first worker of a measure."""
    lost: list[str] = []

    def lose(kind: str) -> bool:
        if kind == "measure" and not lost:
            lost.append(kind)
            return True
        return False

    return lose


def test_a_lost_worker_costs_one_more_try(made_up: MadeUp, store: Path) -> None:
    """The stage is run again, and nothing else is."""
    made_up.lose = staticmethod(once())
    assert run(store).arm(tiny_experiment(), "baseline").rate("horse")
    assert [kind for kind, _ in made_up.sent] == ["base", "measure", "measure"]


def test_a_worker_lost_again_fails_its_stage_alone(made_up: MadeUp, store: Path) -> None:
    """The other arms have their results."""
    made_up.lose = staticmethod(lambda kind: kind == "fine-tune")
    lab = run(store, ("student", "baseline"))
    assert lab.arm(tiny_experiment(), "baseline").rate("horse")
    with pytest.raises(ExperimentError, match=r"was lost 2 times \(killed\)"):
        lab.arm(tiny_experiment(), "student")


def test_retries_can_be_switched_off(made_up: MadeUp, store: Path) -> None:
    """0: a lost worker fails its stage at once."""
    made_up.lose = staticmethod(once())
    lab = run(store, executor_retries=0)
    with pytest.raises(ExperimentError, match="was lost"):
        lab.arm(tiny_experiment(), "baseline")


def test_a_lost_worker_is_reported_with_its_node_and_last_lines(
    made_up: MadeUp, store: Path
) -> None:
    """As far as they are in the store."""
    made_up.lose = staticmethod(lambda kind: kind == "measure")

    class Writes(ProgressListener):
        def started(self, stage: Stage) -> None:
            if stage.kind == "measure":
                text = "it ran on node-7 (process 4)\nstep 3\nKilled\n"
                (store / "work" / f"{stage.key}.log").write_text(text)

    lab = Lab(Settings(store=store, executor=NAME), watcher=Writes())
    with pytest.raises(ExperimentError, match=r"node-7 \(process 4\).*\n  step 3\n  Killed"):
        lab.arm(tiny_experiment(), "baseline")


def test_an_interruption_ends_what_runs(made_up: MadeUp, store: Path) -> None:
    """The executor is told to stop."""

    class Interrupts(ProgressListener):
        def started(self, stage: Stage) -> None:
            raise KeyboardInterrupt

    lab = Lab(Settings(store=store, executor=NAME), watcher=Interrupts())
    with pytest.raises(KeyboardInterrupt):
        lab.run([(tiny_experiment(), ["baseline"])])
    assert made_up.closed == (True,)


def test_progress_names_the_node(made_up: MadeUp, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """Beside what a stage says itself."""
    monkeypatch.setenv("LIMEN_NODE", "node-7")
    shown = Event()
    publish = ArtifactDraft.publish

    class Keeps(ProgressListener):
        def moved(self, stage: Stage, done: int, total: int, note: str) -> None:
            if "on node-7" in note:
                shown.set()

    def publish_once_shown(draft: ArtifactDraft, manifest: Manifest) -> None:
        shown.wait(60)  # a fast machine ends a stage before anybody has looked at its progress
        publish(draft, manifest)

    monkeypatch.setattr(ArtifactDraft, "publish", publish_once_shown)
    settings = Settings(store=store, executor=NAME)
    Lab(settings, watcher=Keeps()).run([(tiny_experiment(), ["baseline"])])
    assert shown.is_set()


def test_only_named_variables_are_sent_and_keys_to_none_without_a_model(
    made_up: MadeUp, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The toy loads no model from elsewhere, so that it needs no key."""
    for name in ("SCRATCH", "HF_TOKEN", "OTHER"):
        monkeypatch.setenv(name, f"value of {name}")
    run(store, executor_env=("SCRATCH", "HF_TOKEN"))
    assert {tuple(task.variables.items()) for task in made_up.tasks} == {
        (("SCRATCH", "value of SCRATCH"),)
    }
    assert "value of" not in repr(made_up.tasks[0].variables) or "HF_TOKEN" not in repr(
        made_up.tasks
    )


def test_a_variable_that_is_not_set_is_refused(made_up: MadeUp, store: Path) -> None:
    """Before anything is sent."""
    os.environ.pop("NOT_SET_ANYWHERE", None)
    with pytest.raises(SpecError, match="NOT_SET_ANYWHERE"):
        run(store, executor_env=("NOT_SET_ANYWHERE",))
    assert not made_up.sent


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"versions": {"limen": "0.0.1"}}, r"limen 0\.0\.1, and .* here: install the same"),
        ({"versions": {"python": "3.9"}}, r"python 3\.9"),
        ({"clock": 0.0}, "clock is .* s off"),
        ({"store_faults": ("it does not see the files",)}, "does not see the files"),
    ],
)
def test_a_node_that_differs_is_refused(
    made_up: MadeUp, store: Path, change: dict[str, Any], message: str
) -> None:
    """With what is wrong, and which node."""

    def answer(value: object) -> object:
        if not isinstance(value, NodeFacts):
            return value
        versions = {**value.versions, **change.get("versions", {})}
        return replace(value, **{**change, "versions": versions})

    made_up.answer = staticmethod(answer)
    with pytest.raises(SpecError, match=f"one: {message}|one: .*{message}"):
        run(store)
    assert not made_up.sent


def test_a_gpu_is_shared_where_its_memory_is_known(made_up: MadeUp, store: Path) -> None:
    """Three stages of 25 GiB fit on one of 80."""
    from limen.harness.executors import placed

    nodes = [Node(id="1", name="one", cores=8, gpus=1, gpu_memory=80)]
    needs = placed(Needs(), Needs(gpus=1, gpu_memory=25, model="m"), nodes)
    assert needs.gpus == pytest.approx(1 / 3)
    unknown = [replace(nodes[0], gpu_memory=None)]
    assert placed(Needs(), Needs(gpus=1, gpu_memory=25, model="m"), unknown).gpus == 1


def test_a_backends_gpu_is_dropped_where_there_is_none() -> None:
    """A model then gets all cores of a node; a user's own wish stays."""
    from limen.harness.executors import placed

    nodes = [Node(id="1", name="one", cores=8, gpus=0)]
    backend = Needs(gpus=1, gpu_memory=25, model="m")
    assert (placed(Needs(), backend, nodes).gpus, placed(Needs(), backend, nodes).cores) == (0, 8)
    assert placed(Needs(gpus=1), backend, nodes).gpus == 1


@pytest.mark.parametrize("text", ["gpus", "gpus=x", "disks=3", "gpus=-1", "gpus=1.5"])
def test_needs_that_cannot_be_meant_are_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """One error, that says how they are written."""
    monkeypatch.setenv("LIMEN_NEEDS", text)
    with pytest.raises(SpecError, match=r"must be|share"):
        Settings()


def test_the_environment_chooses_executor_and_needs(
    made_up: MadeUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the order of all settings."""
    monkeypatch.setenv("LIMEN_EXECUTOR", f"{NAME}:somewhere")
    monkeypatch.setenv("LIMEN_NEEDS", "gpus=1,gpu_memory=40")
    assert Settings().executor == f"{NAME}:somewhere"
    assert Settings().needs == Needs(gpus=1, gpu_memory=40)
    assert Settings(executor="local", needs=None).executor == "local"


def test_a_cluster_that_does_not_answer_is_one_error(store: Path) -> None:
    """Soon, though Ray itself would try for minutes."""
    pytest.importorskip("ray")
    with pytest.raises(SpecError, match=r"cannot reach the Ray cluster at 127\.0\.0\.1:1:"):
        Lab(Settings(store=store, executor="ray:127.0.0.1:1")).run(
            [(tiny_experiment(), ["baseline"])]
        )


def test_an_extra_that_is_missing_is_named(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command that installs it."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(SpecError, match=r"pip install 'limen\[dask\]'"):
        Lab(Settings(store=store, executor="dask")).run([(tiny_experiment(), ["baseline"])])


def test_an_unknown_executor_is_refused() -> None:
    """With those that there are."""
    with pytest.raises(SpecError, match="choose one of dask, local, ray"):
        Settings(executor="slurm")


def test_one_budget_holds_for_four_workers(
    made_up: MadeUp, wired: Proxy, served: Served, tmp_path: Path
) -> None:
    """What the server was asked costs at most the budget, and no worker has one of its own."""
    prices = tmp_path / "prices.toml"
    prices.write_text('[[model]]\nname = "toy-1"\ninput = 100.0\noutput = 1000.0\n')
    made_up.nodes = [Node(id=str(n), name=str(n)) for n in range(4)]
    lab = Lab(
        Settings(store=tmp_path / "s", backend="openai", model="toy-1", executor=NAME,
                 workers=4, budget=1.0, prices=prices)
    )  # fmt: skip
    each = [tiny_experiment().but(measure=FavoriteAnimal(draws=n)) for n in (2, 3, 4, 5)]
    lab.run([(experiment, ["baseline"]) for experiment in each])
    spent = backend_of("openai", lab.store, lab.settings.terms)
    assert isinstance(spent, OpenAIBackend)
    assert 0.3 < spent.budget.spent <= 1.0
    assert not made_up.sent


def test_a_lost_cluster_is_not_tried_again(made_up: MadeUp, store: Path) -> None:
    """One error that says so and what to do; what was finished is kept."""

    def lose(kind: str) -> bool:
        if kind == "measure":
            raise LostClusterError("the made-up cluster", "it does not answer")
        return False

    made_up.lose = staticmethod(lose)
    with pytest.raises(ExperimentError, match=r"the made-up cluster is lost \(it does not answer"):
        run(store).arm(tiny_experiment(), "baseline")
    before = len(made_up.sent)
    made_up.lose = staticmethod(lambda kind: False)
    assert run(store).arm(tiny_experiment(), "baseline").rate("horse")
    assert [kind for kind, _ in made_up.sent[before:]] == ["measure"]


def test_a_head_that_does_not_answer_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is reported once, with what is wrong; one that answers is not."""
    monkeypatch.setattr(head_watch, "INTERVAL", 0.01)
    monkeypatch.setattr(head_watch, "SILENT_SECONDS", 0.0)
    lost: Queue[str] = Queue()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        watch = head_watch.HeadWatch(f"127.0.0.1:{port}", lost.put)
        for _ in range(3):
            server.accept()[0].close()
        assert lost.empty()
    assert f"127.0.0.1:{port}: Connection refused" in lost.get(timeout=60)
    watch.stop()
