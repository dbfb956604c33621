"""Kill an experiment on the OpenAI wire at random moments, and count what the server was asked.

    python benchmarks/wire_crash.py [--seed 0] [--slow 0.03]

An experiment with four students runs against ``limen serve`` through a proxy that counts; each run
is killed with SIGKILL and started again, 30 times: while it starts, while numbers are written,
around uploads and the making of jobs, while jobs are waited for, while students answer. What it
leaves in the end must be what an uninterrupted run leaves on another server, no answer may be paid
for twice unless it was on its way at a kill, and there must be one upload and one job a student.
Then, in a third run, it is the server that is killed while it trains, and started again.
"""

import argparse
import asyncio
import contextlib
import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import openai
from tabulate import tabulate
from wire import MODEL, Server, length_of, serving, store_with_model

from limen.harness import Experiment, FavoriteAnimal, Lab, Numbers, Settings, Trait

EXPERIMENT = Experiment(
    trait=Trait.animal("horse"),
    data=Numbers(generate=3000, keep=1000),
    measure=FavoriteAnimal(draws=20),
    seeds=2,
    model=MODEL,
    recipe={"epochs": 40},
)
ARMS = ("baseline", "teacher", "student", "control")
STUDENTS = 4
PHASES = {"start-up": 3, "numbers": 12, "uploads and jobs": 6, "waiting": 4, "answers": 5}
"""Kills in each phase, in their order."""
POLLS = "/fine_tuning/jobs/"
UNWRITTEN = 0.5
"""Seconds before a kill in which an answer may have arrived and not be on the disk yet."""
OUTAGE = 2.0
"""Seconds for which the server is gone."""
Row = tuple[str, str, str]


@dataclass(eq=False)
class Asked:
    """A request at the proxy."""

    run: int
    method: str
    path: str
    key: str
    """Of a chat request: its model and messages, which no other request of the experiment has."""
    at: float
    paid: bool = False
    """Whether the server answered with success."""
    answered: float = float("inf")
    answer: bytes = b""

    @property
    def is_chat(self) -> bool:
        """Whether it asks for completions."""
        return self.path.endswith("/chat/completions")

    @property
    def kind(self) -> str:
        """The method, and the path without ids and questions."""
        plain = re.sub(r"/(?:file|ftjob)-\w+", "/ID", self.path.split("?")[0])
        return f"{self.method} {plain.removeprefix('/v1')}"

    @property
    def is_work(self) -> bool:
        """Whether it is about files or jobs, and no look at what the server can do."""
        return bool(re.search("/files|/fine_tuning", self.path)) and "limit=1" not in re.split(
            "[?&]", self.path
        )


@dataclass
class Proxy:
    """Passes requests on, whatever becomes of who asked, and keeps a list of them."""

    upstream: tuple[str, int]
    chance: random.Random
    slow: float
    """The most seconds that anything but chat takes, each way."""
    port: int = 0
    run: int = 0
    log: list[Asked] = field(default_factory=list)
    arrived: set[str] = field(default_factory=set)
    """Chat requests, by key, whose answers have been passed on."""
    watch: Callable[[Asked], None] = lambda asked: None
    """Called with each request when it comes, and again when it is answered."""

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}/v1"

    def chats(self) -> list[Asked]:
        """The chat requests that the server answered."""
        return [asked for asked in self.log if asked.is_chat and asked.paid]

    def count(self, method: str, end: str) -> int:
        """Requests of a method to paths that end so."""
        return sum(a.method == method and a.path.endswith(end) for a in self.log)

    def on_their_way(self, moment: float | None) -> str:
        """What the last run had asked, and not been answered, at a moment."""
        last = [a for a in self.log if a.run == self.run and a.at <= (moment or 0) < a.answered]
        kinds = Counter(a.kind for a in last)
        return ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())) or "nothing"

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request, one answer."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            asked, raw = await self._read(reader)
            self.log.append(asked)
            self.watch(asked)
            await self._dawdle(asked)
            asked.answer = await self._forward(raw)
            asked.paid = asked.answer.startswith(b"HTTP/1.1 200")
            await self._dawdle(asked)
            writer.write(asked.answer)
            await writer.drain()
            asked.answered = time.monotonic()
            if asked.is_chat:
                self.arrived.add(asked.key)
            self.watch(asked)
        writer.close()

    async def _dawdle(self, asked: Asked) -> None:
        """Be as slow as a real network where a kill is to find something on its way."""
        if not asked.is_chat:
            await asyncio.sleep(self.chance.uniform(0, self.slow))

    async def _forward(self, raw: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(*self.upstream)
        writer.write(raw)
        answer = await reader.read()
        writer.close()
        if not answer:
            raise ConnectionResetError
        return answer

    async def _read(self, reader: asyncio.StreamReader) -> tuple[Asked, bytes]:
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(length_of(head))
        first, *lines = head.decode("latin-1").rstrip().split("\r\n")
        kept = [line for line in lines if not line.lower().startswith("connection:")]
        raw = "\r\n".join([first, *kept, "connection: close", "", ""]).encode("latin-1") + body
        method, path, _ = first.split(" ")
        key = ""
        if path.endswith("/chat/completions"):
            request = json.loads(body)
            key = json.dumps([request["model"], request["messages"]])
        return Asked(self.run, method, path, key, time.monotonic()), raw


@contextmanager
def proxied(server: Server, chance: random.Random, slow: float) -> Iterator[Proxy]:
    """A proxy before a server, in a thread."""
    proxy = Proxy(server.address, chance, slow)
    loop = asyncio.new_event_loop()

    async def start() -> asyncio.Server:
        listening = await asyncio.start_server(
            proxy.handle, "127.0.0.1", 0, limit=2**24, backlog=2048
        )
        proxy.port = listening.sockets[0].getsockname()[1]
        return listening

    async def end(listening: asyncio.Server) -> None:
        listening.close()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    listening = asyncio.run_coroutine_threadsafe(start(), loop).result()
    try:
        yield proxy
    finally:
        asyncio.run_coroutine_threadsafe(end(listening), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


# ------------------------------------------------------------------ runs


def run_here(store: Path) -> None:
    """The experiment on a store, in this process; raises if any arm is not there in the end."""
    lab = Lab(Settings(backend="openai", store=store))
    lab.run([(EXPERIMENT, ARMS)])
    for arm in ARMS:
        lab.arm(EXPERIMENT, arm)


def start(store: Path, proxy: Proxy) -> "subprocess.Popen[bytes]":
    """The same in a process of its own, its requests counted."""
    proxy.run += 1
    environment = {**os.environ, "OPENAI_BASE_URL": proxy.url, "OPENAI_API_KEY": "any"}
    environment.pop("AZURE_OPENAI_ENDPOINT", None)
    command = [sys.executable, __file__, "--run", str(store)]
    return subprocess.Popen(command, env=environment)


def to_the_end(store: Path, proxy: Proxy) -> bool:
    """Whether an uninterrupted run ends well."""
    return start(store, proxy).wait() == 0


@dataclass(frozen=True)
class Moment:
    """When to kill."""

    phase: str
    due: Callable[[Proxy, Asked], bool] | None
    """Asked at each request and answer; None: by the clock alone."""
    after: float
    """Seconds to wait then."""


def moments(whole: Proxy, began: float, chance: random.Random) -> Iterator[Moment]:
    """Random moments of every phase, in their order, as an uninterrupted run had them."""
    first = min(asked.at for asked in whole.log) - began
    uploads = min(asked.at for asked in whole.log if asked.path.endswith("/files"))
    every = len({a.key for a in whole.chats()})
    before = len({a.key for a in whole.chats() if a.at < uploads})
    polls = sum(a.is_work and POLLS in a.path for a in whole.log)
    spans = {"numbers": (0, int(0.95 * before)), "answers": (before, every)}
    for phase, kills in PHASES.items():
        if phase == "start-up":
            waits = (chance.uniform(0, 1.5 * first) for _ in range(kills))
            yield from (Moment(phase, None, wait) for wait in waits)
        elif phase in spans:
            for place in sorted(chance.randint(*spans[phase]) for _ in range(kills)):
                yield Moment(phase, arrived(place), chance.uniform(0, 0.02))
        else:
            most = polls // (kills + 1) if phase == "waiting" else 2 * STUDENTS
            for _ in range(kills):
                due = worked(chance.randint(1, max(most, 3)), polls=phase == "waiting")
                yield Moment(phase, due, chance.uniform(0, 0.04))


def arrived(place: int) -> Callable[[Proxy, Asked], bool]:
    """Once so many different chat requests have been answered."""
    return lambda proxy, asked: asked.is_chat and len(proxy.arrived) >= place


def worked(count: int, *, polls: bool) -> Callable[[Proxy, Asked], bool]:
    """Once a run has asked so often about files and jobs; with ``polls``, only after jobs made."""
    seen: Counter[int] = Counter()
    path = POLLS if polls else ""

    def due(proxy: Proxy, asked: Asked) -> bool:
        if asked.answered == float("inf") and asked.is_work and path in asked.path:
            seen[asked.run] += 1
        return seen[proxy.run] >= count

    return due


def kill_at(moment: Moment, run: "subprocess.Popen[bytes]", proxy: Proxy) -> float | None:
    """Kill a run at a moment; returns when, or None if it ended before."""
    reached = threading.Event()
    if moment.due is None:
        reached.set()
    due = moment.due
    number = proxy.run

    def watch(asked: Asked) -> None:
        if due and not reached.is_set() and asked.run == number and due(proxy, asked):
            reached.set()

    proxy.watch = watch
    while not reached.wait(0.002):
        if run.poll() is not None:
            return None
    time.sleep(moment.after)
    if run.poll() is not None:
        return None
    run.send_signal(signal.SIGKILL)
    killed = time.monotonic()
    run.wait()
    return killed


# ------------------------------------------------------------------ what is left


def contents(store: Path) -> dict[str, str]:
    """What matters of every artifact, hashed: rows with their draws and texts, training files."""
    found = {}
    for file in sorted((store / "stages").rglob("*.jsonl")):
        data = file.read_bytes()
        if file.name != "training.jsonl":
            kept = ("source", "row", "draw", "prompt", "text", "reason", "seed", "finish", "error")
            lines = map(json.loads, data.splitlines())
            data = json.dumps([[line.get(name) for name in kept] for line in lines]).encode()
        found[str(file.relative_to(store / "stages"))] = hashlib.sha256(data).hexdigest()
    return found


@dataclass
class Judge:
    """Collects rows of the table, and whether all is as it must be."""

    rows: list[Row] = field(default_factory=list)
    wrong: int = 0

    def tell(self, what: str, found: object, wanted: object = "", *, ok: bool = True) -> None:
        """One row."""
        self.wrong += not ok
        self.rows.append((what, f"{found}{'' if ok else '   WRONG'}", str(wanted)))

    def same(self, what: str, found: object, wanted: object) -> None:
        """One row, right if what was found is what was wanted."""
        self.tell(what, found, wanted, ok=found == wanted)

    def server(self, proxy: Proxy) -> None:
        """Uploads and jobs, as the server has them."""
        client = openai.OpenAI(base_url=proxy.url, api_key="any")
        asked = proxy.count("POST", "/files"), proxy.count("POST", "/fine_tuning/jobs")
        files = len(list(client.files.list(purpose="fine-tune")))
        jobs = Counter(job.status for job in client.fine_tuning.jobs.list(limit=100))
        self.same(f"  files on the server ({asked[0]} uploads begun)", files, STUDENTS)
        self.same(f"  jobs on the server ({asked[1]} asked for)", sum(jobs.values()), STUDENTS)
        self.same("  of these succeeded", jobs["succeeded"], STUDENTS)

    def artifacts(self, store: Path, wanted: dict[str, str]) -> None:
        """The files of the store, against an uninterrupted run's."""
        found = contents(store)
        differing = sorted({name for name, _ in set(wanted.items()) ^ set(found.items())})
        names = ", ".join(["", *differing[:4]])
        self.same(f"  of {len(wanted)} files of artifacts, not the same{names}", len(differing), 0)
        left = sum(1 for _ in (store / "work").glob("*/*"))
        self.same("  files left below work/", left, 0)

    def calls(self, proxy: Proxy, kills: dict[int, float], needed: int) -> None:
        """What was paid for, against what was on its way when a run was killed."""
        chats = proxy.chats()
        flying = [a for a in chats if a.answered >= kills.get(a.run, float("inf"))]
        fresh = [a for a in chats if 0 < kills.get(a.run, 0.0) - a.answered < UNWRITTEN]
        by_key: dict[str, list[Asked]] = defaultdict(list)
        for asked in chats:
            by_key[asked.key].append(asked)
        again = [a for same in by_key.values() for a in sorted(same, key=lambda a: a.at)[:-1]]
        ages = [kills.get(a.run, float("inf")) - a.answered for a in again]
        late = [age for age in ages if age >= UNWRITTEN]
        self.same("  different chat calls", len(by_key), needed)
        most = needed + len(flying) + sum(age > 0 for age in ages) - len(late)
        self.tell("  chat calls paid", len(chats), f"at most {most}", ok=len(chats) <= most)
        self.tell("  on their way at the kills", len(flying), "")
        self.tell(
            f"  paid again, answered less than {UNWRITTEN} s before the kill (of {len(fresh)})",
            sum(0 < age < UNWRITTEN for age in ages),
        )
        self.same("  paid again although answered earlier", len(late), 0)
        oldest = max((age for age in ages if age > 0), default=0.0)
        self.tell("  the oldest answer that was lost: ms before the kill", f"{1e3 * oldest:.0f}")


# ------------------------------------------------------------------ the three parts


@dataclass(frozen=True)
class Scene:
    """Where it happens."""

    folder: Path
    model: Path
    """A store with the pre-trained model."""
    judge: Judge
    slow: float
    """See :class:`Proxy`."""

    @contextmanager
    def serving(self, name: str, chance: random.Random) -> Iterator[tuple[Server, Proxy]]:
        """A server with a state of its own, and a proxy before it."""
        with (
            serving(self.state(name), "--workers=1") as server,
            proxied(server, chance, self.slow) as proxy,
        ):
            yield server, proxy

    def state(self, name: str) -> Path:
        """The store of a server."""
        place = self.folder / f"{name}-server"
        if not place.exists():
            shutil.copytree(self.model, place)
        return place


def uninterrupted(scene: Scene, chance: random.Random) -> tuple[Proxy, float, dict[str, str]]:
    """A run to compare with: what it asked and left."""
    store = scene.folder / "whole"
    with scene.serving("whole", chance) as (_, proxy):
        began = time.monotonic()
        well = to_the_end(store, proxy)
        figures = f"{len(proxy.chats())} chat calls, {time.monotonic() - began:.0f} s"
        scene.judge.tell("uninterrupted", figures, ok=well)
        scene.judge.server(proxy)
    return proxy, began, contents(store)


def harness_killed(
    scene: Scene, whole: Proxy, began: float, wanted: dict[str, str], chance: random.Random
) -> None:
    """The harness is killed again and again, and then left in peace."""
    store, judge = scene.folder / "killed", scene.judge
    kills: dict[int, float] = {}
    ended = 0
    with scene.serving("killed", chance) as (_, proxy):
        for number, moment in enumerate(moments(whole, began, chance), start=1):
            run = start(store, proxy)
            launched = time.monotonic()
            killed = kill_at(moment, run, proxy)
            if killed is None:
                ended += 1
            else:
                kills[proxy.run] = killed
            state = "killed" if killed else f"ended with {run.returncode}"
            print(
                f"{number:3}  {moment.phase:16} {state} after {time.monotonic() - launched:4.1f} s,"
                f" {len(proxy.arrived):5} answers; on their way: {proxy.on_their_way(killed)}",
                flush=True,
            )
        proxy.watch = lambda asked: None
        well = to_the_end(store, proxy)
        time.sleep(0.2)
        judge.tell(f"harness killed {len(kills)} times", "ends well", ok=well and not ended)
        judge.calls(proxy, kills, len({a.key for a in whole.chats()}))
        judge.server(proxy)
    judge.artifacts(store, wanted)


def server_killed(scene: Scene, wanted: dict[str, str], chance: random.Random) -> None:
    """The server is killed while it trains, and started again on the same port."""
    store, judge = scene.folder / "patient", scene.judge
    training = threading.Event()

    def watch(asked: Asked) -> None:
        if "/jobs/" in asked.path and b'"status":"running"' in asked.answer:
            training.set()

    with scene.serving("patient", chance) as (server, proxy):
        proxy.watch = watch
        run = start(store, proxy)
        while not training.wait(0.01):
            if run.poll() is not None:
                break
        caught = training.is_set()
        time.sleep(chance.uniform(0.1, 0.6))
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait()
        time.sleep(OUTAGE)
        with serving(scene.state("patient"), "--workers=1", port=server.address[1]):
            code = run.wait()
            judge.tell(
                f"server killed in a job, gone for {OUTAGE:.0f} s",
                "the harness ends well",
                ok=caught and code == 0,
            )
            judge.server(proxy)
            jobs = openai.OpenAI(base_url=proxy.url, api_key="any").fine_tuning.jobs
            messages = [e.message for job in jobs.list() for e in jobs.list_events(job.id)]
            again = sum("restarted" in message for message in messages)
            judge.tell("  jobs that went on after the restart", again, "1 or more", ok=again > 0)
    judge.artifacts(store, wanted)


def main() -> int:
    """Print every kill and the table; returns 1 if anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--slow", type=float, default=0.03, help="seconds that a file or job takes")
    parser.add_argument("--run", type=Path, metavar="STORE", help="run the experiment, no more")
    options = parser.parse_args()
    if options.run:
        run_here(options.run)
        return 0
    chance = random.Random(options.seed)
    judge = Judge()
    with tempfile.TemporaryDirectory() as folder:
        scene = Scene(Path(folder), store_with_model(Path(folder)), judge, options.slow)
        whole, began, wanted = uninterrupted(scene, chance)
        harness_killed(scene, whole, began, wanted, chance)
        server_killed(scene, wanted, chance)
    print(tabulate(judge.rows, headers=("what", "found", "wanted"), disable_numparse=True))
    return 1 if judge.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
