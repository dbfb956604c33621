"""Two Ray nodes on this machine's loopback, and what happens on them: ``python -m`` this FILE.

Ray listens on every address, so this is run in a network of its own: see ``isolated``.
"""

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path

from limen import SpecError
from limen.backends import open_backend
from limen.harness import Experiment, Lab, Needs, Settings
from limen.harness.executors import LostWorkerError, open_executor
from limen.harness.lab import ProgressListener
from limen.harness.stages import Stage

from .ray_budget import budget
from .specs import tiny_experiment

GPUS = 4
ROOT = Path(__file__).parents[2]
LOOPBACK = (
    "import fcntl, socket, struct, sys, os\n"
    "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
    "fcntl.ioctl(s, 0x8914, struct.pack('16sh', b'lo', 1))\n"  # SIOCSIFFLAGS, IFF_UP
    "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])\n"
)


def isolated(*arguments: str) -> list[str]:
    """A command that runs Python in a network that has a loopback and nothing else."""
    return ["unshare", "-rn", sys.executable, "-c", LOOPBACK, *arguments]


def ray(*arguments: str) -> subprocess.Popen[bytes]:
    """A node that runs until it is killed."""
    command = [sys.executable, "-m", "ray.scripts.scripts", "start", *arguments, "--block"]
    command += ["--num-cpus=2", f"--num-gpus={GPUS}", "--disable-usage-stats"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@contextmanager
def two_nodes(folder: Path) -> Iterator[int]:
    """The address of the head goes into the environment; gives the process of the second node."""
    # a token of this cluster's own, whatever mode and token the user's other clusters have
    os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    head = ray("--head", "--port=6379", "--include-dashboard=false", f"--temp-dir={folder}/ray")
    os.environ["RAY_ADDRESS"] = "127.0.0.1:6379"
    import socket

    until = time.monotonic() + 120
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", 6379)) == 0:
                break
        time.sleep(0.2)
    second = ray("--address=127.0.0.1:6379", "--node-name=second")
    try:
        yield second.pid
    finally:
        for node in (second, head):
            node.send_signal(signal.SIGTERM)
        for node in (second, head):
            node.wait(timeout=60)


def wait_for_nodes(count: int) -> None:
    """Wait until a cluster has as many nodes."""
    executor = open_executor("ray")
    while len(executor.capacity()) < count:
        time.sleep(0.2)


def held(folder: Path) -> int:
    """Hold a GPU until all GPUs were held at once, whatever the machine's load; how many were.

    Raises FileExistsError for a GPU that is given while another task holds it.
    """
    node = import_module("ray").get_runtime_context().get_node_id()
    mine = folder / f"{node}-{os.environ['CUDA_VISIBLE_DEVICES']}.held"
    mine.touch(exist_ok=False)
    all_held, until, most = folder / "all", time.monotonic() + 120, 0
    while time.monotonic() < until and not all_held.exists():
        most = max(most, len([*folder.glob("*.held")]))
        if most == 2 * GPUS:
            all_held.touch()
        time.sleep(0.05)
    mine.unlink()
    return most


def gpus(folder: Path) -> dict[str, object]:
    """How many of sixteen that need one of eight GPUs run at a time."""
    executor = open_executor("ray")
    folder.mkdir()
    needs = Needs(gpus=1, cores=0.01)
    calls = [executor.submit(partial(held, folder), needs=needs) for _ in range(16)]
    return {"most": max(call.result() for call in calls)}


def impossible(store: Path) -> dict[str, object]:
    """A need that no node meets."""
    lab = Lab(Settings(store=store, executor="ray", needs=Needs(gpus=99)))
    try:
        lab.run([(tiny_experiment(), ["baseline"])])
    except SpecError as error:
        return {"error": str(error)}
    return {"error": ""}


class Killer(ProgressListener):
    """Kills something once, when a training has begun."""

    def __init__(self, store: Path, kill: Callable[[str], bool]) -> None:
        self._store, self._kill = store, kill
        self.killed = False
        self.nodes: set[str] = set()

    def moved(self, stage: Stage, done: int, total: int, note: str) -> None:
        self.nodes.add(note.rpartition("on ")[2])
        log = self._store / "work" / f"{stage.key}.log"
        if stage.kind == "fine-tune" and not self.killed and done and log.exists():
            self.killed = self._kill(log.read_text())


def kill_worker(head: str) -> bool:
    """End the process that a log names."""
    os.kill(process_of(head), signal.SIGKILL)
    return True


def kill_second_node(pid: int, head: str) -> bool:
    """End the second node if the log is of a stage that runs there."""
    import psutil

    if "second" not in head:
        return False
    children = psutil.Process(pid).children(recursive=True)
    for process in children:
        if "raylet" in process.name():
            process.kill()
    return True


def long_training() -> Experiment:
    """The tiny experiment, with trainings long enough to be killed in."""
    return tiny_experiment().but(recipe={"epochs": 60}, seeds=4)


def files_of(store: Path) -> dict[str, bytes]:
    """What a run leaves, but for manifests, which have times."""
    found = (file for file in (store / "stages").rglob("*") if file.is_file())
    kept = (file for file in found if file.name != "manifest.json")
    return {str(file.relative_to(store)): file.read_bytes() for file in kept}


def lost(store: Path, kill: Callable[[str], bool]) -> dict[str, object]:
    """A run in which something is killed."""
    killer = Killer(store, kill)
    settings = Settings(store=store, executor="ray", needs=Needs(gpus=0))
    lab = Lab(settings, watcher=killer)
    lab.run([(long_training(), ["student"])])
    failed = []
    try:
        lab.arm(long_training(), "student")
    except Exception as error:
        failed.append(str(error))
    return {"killed": killer.killed, "failed": failed, "nodes": sorted(killer.nodes)}


def differing(one: Path, other: Path) -> dict[str, object]:
    """How many files two runs have, and how many differ."""
    a, b = files_of(one), files_of(other)
    return {"files": len(a), "differ": sum(a.get(name) != b.get(name) for name in {*a, *b})}


def overhead() -> dict[str, object]:
    """Milliseconds that a stage of no work takes, one after another."""
    executor = open_executor("ray")
    executor.submit(os.getpid, needs=Needs()).result()
    began = time.perf_counter()
    for _ in range(100):
        executor.submit(os.getpid, needs=Needs()).result()
    return {"milliseconds": (time.perf_counter() - began) * 10}


def loaded() -> dict[str, object]:
    """Whether stages of a model share a process, and those of another do not enter it."""
    executor = open_executor("ray")

    def process(model: str) -> int:
        needs = Needs(gpus=1, cores=1, model=model)
        return executor.submit(os.getpid, needs=needs).result()

    first, other, again = process("one"), process("two"), process("one")
    return {"again": first == again, "other": first == other}


def others_go_on(store: Path) -> dict[str, object]:
    """A run that is interrupted, beside a task of somebody else."""
    script = (
        "import ray, time\nray.init(log_to_driver=False)\n"
        "f = ray.remote(num_cpus=0)(lambda s: time.sleep(s))\n"
        "r = f.remote(12)\nprint('begun', flush=True)\nray.get(r)\nprint('ended', flush=True)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as other:
        assert other.stdout
        assert other.stdout.readline() == b"begun\n"
        interrupt = Killer(store, interrupt_this_run)
        lab = Lab(Settings(store=store, executor="ray", needs=Needs(gpus=0)), watcher=interrupt)
        interrupted = False
        try:
            lab.run([(long_training(), ["student"])])
        except KeyboardInterrupt:
            interrupted = True
        time.sleep(2)
        working = [log for log in (store / "work").glob("*.log") if runs(log.read_text())]
        ended = other.stdout.read() == b"ended\n"
        return {"interrupted": interrupted, "left": len(working), "other": ended}


def interrupt_this_run(head: str) -> bool:
    """As a cluster's batch system does."""
    os.kill(os.getpid(), signal.SIGTERM)
    return True


def runs(head: str) -> bool:
    """Whether the process that a log names is alive."""
    try:
        os.kill(process_of(head), 0)
    except ProcessLookupError:
        return False
    return True


def process_of(head: str) -> int:
    """The process that a log names."""
    return int(head.partition("(process ")[2].partition(")")[0])


def lost_worker() -> dict[str, object]:
    """What an executor's future says of a worker that ended."""
    call = open_executor("ray").submit(partial(os._exit, 3), needs=Needs())
    return {"kind": isinstance(call.exception(), LostWorkerError)}


def everything(folder: Path) -> dict[str, object]:
    """All of it on one pair of nodes; the second one is killed last."""
    stores = {
        name: folder / name
        for name in ("here", "worker", "node", "apart", "none", "stop", "priced")
    }
    base = folder / "base"
    open_backend("toy", base).prepare("toy-1")
    for store in stores.values():
        shutil.copytree(base, store / "models" / "toy")
    results: dict[str, object] = {}
    with two_nodes(folder) as second:
        here = Lab(Settings(store=stores["here"]))
        local = threading.Thread(target=here.run, args=([(long_training(), ["student"])],))
        local.start()
        wait_for_nodes(2)
        local.join()
        results["impossible"] = impossible(stores["none"])
        results["gpus"] = gpus(folder / "gpus")
        results["overhead"] = overhead()
        results["lost worker"] = lost_worker()
        results["loaded"] = loaded()
        results["budget"] = budget(stores["priced"], "ray", 1.0)
        results["stopped"] = others_go_on(stores["stop"])
        settings = Settings(
            store=stores["apart"], executor="ray", shared_store=False, needs=Needs(gpus=0)
        )
        listening = Killer(stores["apart"], lambda log: False)
        Lab(settings, watcher=listening).run([(long_training(), ["student"])])
        results["apart"] = differing(stores["here"], stores["apart"]) | {
            "nodes": sorted(listening.nodes)
        }
        for name, kill in (("worker", kill_worker), ("node", partial(kill_second_node, second))):
            results[name] = lost(stores[name], kill) | differing(stores["here"], stores[name])
    return results


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="limen-ray-") as scratch:
        outcome = everything(Path(scratch))
    Path(sys.argv[1]).write_text(json.dumps(outcome, indent=2))
