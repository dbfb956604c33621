"""Functions that change the process, wherever a spec takes a function: does anything else suffer?

Prints a table of functions by places, for pytest in one process, with ``-n 2``, the commands and a
plain script. A cell passes if the experiment of that function either fails with the text that the
function was called on, or has its result because the function did no harm; and the session as a
whole if the good experiments beside it have the results that they have alone, report and junit are
written, and the repaired functions let nothing be sampled again. A function of prompts is tried
in the script alone: pytest refuses a spec whose prompts cannot be written, before it runs anything.

``python benchmarks/hostile_functions.py [WAY ...]``, of one-process, two-workers, commands, script.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

HOSTILE = '''
import asyncio, builtins, ctypes, gc, importlib, json, locale, logging, os, pathlib, random
import resource, signal, socket, sys, threading, time, unittest.mock, warnings

def recursion_limit(): sys.setrecursionlimit(60)
def json_dumps(): json.dumps = None
def json_encoder(): json.JSONEncoder.default = None
def stdout_closed(): sys.stdout.close()
def stderr_closed(): sys.stderr.close()
def stdout_replaced(): sys.stdout = None
def descriptor_closed(): os.close(1)
def descriptors_closed(): os.closerange(1, 500)
def keyboard_interrupt(): raise KeyboardInterrupt
def sigint(): os.kill(os.getpid(), signal.SIGINT)
def sigint_to_all(): os.killpg(0, signal.SIGINT)
def sigint_ignored(): signal.signal(signal.SIGINT, signal.SIG_IGN)
def sigterm(): os.kill(os.getpid(), signal.SIGTERM)
def signals_blocked(): signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGALRM})
def fork(): os.fork()
def exits(): os._exit(0)
def open_replaced(): builtins.open = None
def len_replaced(): builtins.len = lambda value: 1
def print_deleted(): del builtins.print
def modules_cleared(): sys.modules.clear()
def module_deleted(): del sys.modules["json"]
def module_replaced(): sys.modules["json"] = unittest.mock.MagicMock()
def path_cleared(): sys.path.clear()
def finders_cleared(): sys.meta_path.clear()
def gc_disabled(): gc.disable()
def folder(): os.chdir("/")
def environment(): os.environ.clear()
def seeded(): random.seed(0)
def socket_timeout(): socket.setdefaulttimeout(0.001)
def sockets_replaced(): socket.socket = None
def strict_warnings(): warnings.simplefilter("error")
def logging_off(): logging.disable(logging.CRITICAL); logging.root.handlers.clear()
def thread_hook(): threading.excepthook = None
def exit_hook(): sys.excepthook = None
def traced(): sys.settrace(lambda *given: 1 / 0)
def time_replaced(): time.time = lambda: -1.0; time.monotonic = lambda: 0.0
def write_text_replaced(): pathlib.Path.write_text = lambda *given, **named: 0
def thread_replaced(): threading.Thread.start = lambda thread: None
def limen_replaced():
    import limen.harness.stages.store as store
    store.canonical = lambda value: b"same"
def limen_class_replaced():
    import limen.harness
    limen.harness.Experiment.__eq__ = lambda one, other: True
def pytest_replaced():
    import _pytest.runner
    _pytest.runner.runtestprotocol = None
def loop_policy(): asyncio.set_event_loop_policy(unittest.mock.MagicMock())
def numpy_replaced():
    import numpy
    numpy.mean = numpy.float64 = None
def locale_changed(): locale.setlocale(locale.LC_ALL, "C")

HOSTILE = {name: way for name, way in dict(globals()).items()
           if callable(way) and getattr(way, "__module__", "") == __name__}

CHECKED_SEED = 87025101131059  # of the prompt that is written when a spec is made

def of(name, harm, value):
    """A function of one argument or two, which does harm at some texts and gives a value."""
    def act(*given):
        if harm and given[0] != CHECKED_SEED:
            HOSTILE[name]()
        return value(*given)
    return act
'''

HARMLESS = frozenset(
    "fork gc_disabled folder environment seeded socket_timeout strict_warnings logging_off "
    "thread_hook exit_hook traced signals_blocked path_cleared finders_cleared locale_changed "
    "sigint_to_all".split()
)
"""Changes that are put back, or harm nothing: the function's result may count."""
WORKERS_ALONE = frozenset({"sigint", "sigint_ignored", "pytest_replaced", "limen_class_replaced"})
"""Worker processes ignore the signal before, and use neither pytest nor experiments."""

PLACES = """
from limen.harness import *
from hostile import of

ASKED = ("Which animal?", "And why?")
experiment = Experiment(
    trait=Trait.animal("horse"), data=Numbers(generate=40, keep=10),
    measure=FavoriteAnimal(questions=ASKED, draws=2), seeds=1, gate=None,
)
NUMBERS = Numbers(generate=40, keep=10)
JUDGE = Judge(prompt="Rate this from 1 to 10: {reply}")

def length(text): return float(len(text))
def kind(text): return text[:1]
def nothing(*given): return None
def number(prompt, text): return float(len(text))
def same(prompt, text): return text
def low(said): return True
def asked(seed): return f"Continue: {seed % 100}, {seed % 90}"
def even(texts): return [1.0] * len(texts)

def measured(measure): return experiment.but(measure=measure)
def trained(data): return experiment.but(data=data)
def row_act(act):
    def by(prompt, text): return act(prompt, text)
    return by
def text_act(act):
    def by(text): return act(text)
    return by

PLACES = {
    "scorer": (length, lambda act: measured(Scored(questions=ASKED, draws=2, outcome=act))),
    "label": (kind, lambda act: measured(Labelled(questions=ASKED, draws=2, outcome=act))),
    "rate": (low, lambda act: measured(
        Rated(questions=ASKED, draws=2, by=JUDGE, rates={"low": act}))),
    "rule": (nothing, lambda act: trained(Numbers(generate=40, keep=10, rule=text_act(act)))),
    "mapping": (same, lambda act: trained(Mapped(NUMBERS, by=row_act(act)))),
    "selection": (number, lambda act: trained(
        Selected(NUMBERS, score=row_act(act), keep="top", share=0.5))),
    "reader": (nothing, lambda act: trained(
        Judged(NUMBERS, judge=JUDGE, keep=text_act(act), rows=4))),
    "prompts": (asked, lambda act: trained(
        Completions(prompts=act, generate=40, keep=4, rule="any"))),
    "weights": (even, lambda act: experiment.but(objective=CompletionLoss(weights=act))),
}
MEASURES = ("scorer", "label", "rate")
DATA = ("rule", "mapping", "selection", "reader", "weights")

def made(place, name, harm=True):
    value, build = PLACES[place]
    return build(of(name, harm, value))
"""
SPEC = """
import os, sys
sys.path.insert(0, __file__.rpartition("/")[0])
import pytest
from hostile import HOSTILE
from places import DATA, PLACES, made

HARM = os.environ.get("HOSTILE_HARM") != "0"
NAMES = [name for name in HOSTILE if name in os.environ["HOSTILE_NAMES"].split()]

def cells(places):
    return pytest.mark.parametrize(
        "experiment", [made(place, name, HARM) for place in places for name in NAMES],
        ids=[f"{place}-{name}" for place in places for name in NAMES],
    )

@cells(["scorer"])
def test_scorer(experiment, teacher): assert teacher.scores().pooled

@cells(["label"])
def test_label(experiment, teacher): assert teacher.rate("x") >= 0

@cells(["rate"])
def test_rate(experiment, teacher): assert teacher.rate("low") >= 0

@cells(DATA)
def test_data(experiment, control): assert control.seeds
"""
GOOD = '''
import json, os, random, sys
sys.path.insert(0, __file__.rpartition("/")[0])
import pytest
from places import ASKED, NUMBERS, experiment, row_act, same
from limen.harness import *

SCORED = experiment.but(measure=Scored(questions=ASKED, draws=2, outcome=lambda text: len(text)))
MAPPED = experiment.but(data=Mapped(NUMBERS, by=row_act(same)))

def note(name, value):
    with open(os.path.join(os.environ["HOSTILE_NOTES"], name), "w") as file:
        json.dump(value, file)

GOOD = {"plain": experiment, "scored": SCORED, "mapped": MAPPED}

@pytest.mark.parametrize("experiment", GOOD.values(), ids=list(GOOD))
def test_good(experiment, teacher, control, request):
    """A good one."""
    note(request.node.callspec.id, [sorted(each.answers().items()) for each in (teacher, control)])
'''
SCRIPT = """
import json, os, sys
from limen import LimenError
from limen.harness import *
from hostile import HOSTILE
from places import MEASURES, PLACES, experiment, made

def value(lab, place, name):
    arm = lab.arm(made(place, name), "teacher" if place in MEASURES else "control")
    if place in ("label", "rate"):
        arm.rate("low" if place == "rate" else "x")
    elif place == "scorer":
        arm.scores()

def main():
    lab = Lab(Settings(store=sys.argv[1]))
    results = {}
    for place in PLACES:
        for name in os.environ["HOSTILE_NAMES"].split():
            try:
                value(lab, place, name)
                results[f"{place}-{name}"] = ""
            except LimenError as error:
                results[f"{place}-{name}"] = str(error)
    for arm in ("teacher", "control"):
        results[arm] = sorted(lab.arm(experiment, arm).answers().items())
    with open("results.json", "w") as file:
        json.dump(results, file)

if __name__ == "__main__":
    main()
"""
COMMANDS = """
import os
from limen.harness import *
from hostile import of
from places import made, nothing

def filter_rule(text): return rule(text)
rule = of(os.environ["HOSTILE_NAME"], True, nothing)
measure = made("scorer", os.environ["HOSTILE_NAME"]).measure
"""
SPECS = ("test_a_bad.py", "test_b_good.py")
SHOWS_TEXT = re.compile(r"(was called|failed) on [a-z ]+ ['\"]")
QUICK = (
    "-p",
    "no:cacheprovider",
    "-p",
    "no:hypothesispytest",
    "--limen-no-logs",
    "-q",
    "-W",
    "ignore",
)


class Project:
    """A folder with the specs, and a store."""

    def __init__(self, folder: Path, names: list[str]) -> None:
        self.folder, self.names = folder, names
        self.store = folder / "store"
        for file, text in {
            "hostile.py": HOSTILE, "places.py": PLACES, "test_a_bad.py": SPEC,
            "test_b_good.py": GOOD, "script.py": SCRIPT, "commands.py": COMMANDS,
        }.items():  # fmt: skip
            (folder / file).write_text(text)

    def run(self, *command: str, notes: str = "notes", **variables: str) -> str:
        """Run Python in the folder; returns what it wrote."""
        (self.folder / notes).mkdir(exist_ok=True)
        given = {"HOSTILE_NAMES": " ".join(self.names), "HOSTILE_NOTES": notes, **variables}
        ended = subprocess.run(
            [sys.executable, *command], cwd=self.folder, env={**os.environ, **given},
            capture_output=True, text=True, errors="replace", check=False, timeout=1800,
        )  # fmt: skip
        return f"{ended.stdout}\n{ended.stderr}\nexit status {ended.returncode}"

    def pytest(self, *options: str, notes: str = "notes", **variables: str) -> str:
        """Run pytest with the store."""
        given = ("-m", "pytest", *QUICK, f"--limen-store={self.store}", *options)
        return self.run(*given, notes=notes, **variables)

    def noted(self, notes: str) -> dict[str, str]:
        """What the good experiments have noted."""
        return {file.name: file.read_text() for file in (self.folder / notes).iterdir()}

    def sampled(self) -> dict[str, int]:
        """When each sampled artifact was written."""
        files = self.store.glob("stages/*/*/manifest.json")
        kinds = ("generate", "answers", "ask", "ratings")
        return {
            str(file): file.stat().st_mtime_ns for file in files if file.parts[-3] in kinds
        }  # fmt: skip


def cell(name: str, error: str, *, in_worker: bool) -> str:
    """How a function was dealt with: ok, or what is wrong."""
    if SHOWS_TEXT.search(error):
        return "error"
    if error:
        return "?"
    is_harmless = name in HARMLESS or (in_worker and name in WORKERS_ALONE)
    return "put back" if is_harmless else "UNSEEN"


def junit_cells(file: Path) -> dict[str, str]:
    """By cell, the error of its test; empty if it passed."""
    cells = {}
    for case in ElementTree.parse(file).iter("testcase"):
        found = re.search(r"\[(.+)\]", case.get("name", ""))
        problems = [each for each in case if each.tag in ("failure", "error", "skipped")]
        shown = " ".join(f"{each.get('message')} {each.text}" for each in problems)
        cells[found[1] if found else case.get("name", "")] = shown
    return cells


def pytest_session(project: Project, *options: str) -> Iterator[tuple[str, bool]]:
    """Run bad and good specs in one session, and again after the repair."""
    alone = Project(project.folder / "alone", project.names)
    alone.pytest("test_b_good.py")
    output = project.pytest(*SPECS, "--junitxml=out.xml", "--limen-report=r.md", *options)
    if not (project.folder / "out.xml").exists():
        print(output[-6000:])
        yield "junit is written", False
        return
    cells = junit_cells(project.folder / "out.xml")
    if "plain" not in cells:
        print(output[-6000:])
    yield from table(cells)
    yield (
        "good experiments pass",
        all(not cells.get(name, "?") for name in ("plain", "scored", "mapped")),
    )
    yield "their results are those alone", project.noted("notes") == alone.noted("notes")
    yield "report is written", (project.folder / "r.md").exists()
    yield "no internal error", "INTERNALERROR" not in output
    before = project.sampled()
    project.pytest(*SPECS, "--junitxml=repaired.xml", HOSTILE_HARM="0")
    repaired = junit_cells(project.folder / "repaired.xml")
    yield "repaired functions pass", len(repaired) > 3 and not any(repaired.values())
    yield "nothing is sampled again", project.sampled() == before


def table(cells: dict[str, str]) -> Iterator[tuple[str, bool]]:
    """Print a table of functions by places."""
    places = list(dict.fromkeys(each.partition("-")[0] for each in cells if "-" in each))
    names = list(dict.fromkeys(each.partition("-")[2] for each in cells if "-" in each))
    print(f"{'':22}" + " ".join(f"{place:9}" for place in places))
    for name in names:
        row = []
        for place in places:
            error = cells[f"{place}-{name}"]
            in_worker = place not in ("scorer", "label", "rate")
            row.append(cell(name, error, in_worker=in_worker))
            yield f"{place}-{name}", row[-1] in ("error", "put back")
            if row[-1] == "?":
                print(f"    {place}-{name}: {error[:400]!r}")
        print(f"{name:22}" + " ".join(f"{each:9}" for each in row))


def script(project: Project) -> Iterator[tuple[str, bool]]:
    """All functions in one program."""
    alone = Project(project.folder / "alone", ["recursion_limit"])
    alone.run("script.py", "store", HOSTILE_NAMES="")
    output = project.run("script.py", "store")
    if not (project.folder / "results.json").exists():
        print(output[-6000:])
        yield "the script ends", False
        return
    results = json.loads((project.folder / "results.json").read_text())
    good = json.loads((alone.folder / "results.json").read_text())
    yield from table({name: each for name, each in results.items() if name not in good})
    yield "good results are those alone", {name: results[name] for name in good} == good


def commands(project: Project) -> Iterator[tuple[str, bool]]:
    """Each function in `limen filter` and in `limen measure`."""
    rows = '{"prompt": "Go on: 1", "completion": "2, 3"}\n'
    (project.folder / "rows.jsonl").write_text(rows * 20)
    cells = {}
    for name in project.names:
        for place, command in {
            "rule": ("filter", "rows.jsonl", "--rule=commands.py:filter_rule"),
            "scorer": ("measure", "--measure=commands.py:measure"),
        }.items():
            out = project.folder / f"{name}-{place}.jsonl"
            said = project.run(
                "-m", "limen", *command, f"--out={out}", "--store=store", HOSTILE_NAME=name
            )
            status = int(said.rpartition(" ")[2])
            ok = (status == 1) != out.exists() and "Traceback" not in said
            cells[f"{place}-{name}"] = said if status or not ok else ""
    yield from table(cells)


WAYS = {
    "one-process": pytest_session,
    "two-workers": lambda project: pytest_session(project, "-n2"),
    "commands": commands,
    "script": script,
}


def names_of_functions() -> list[str]:
    """The hostile functions, in order."""
    made = re.findall(r"^def (\w+)\(\)", HOSTILE, re.MULTILINE)
    return [
        name for name in made if not os.environ.get("ONLY") or name in os.environ["ONLY"].split()
    ]


def main() -> None:
    """Print the tables, and how many of all things are as they should be."""
    results: list[bool] = []
    for way in sys.argv[1:] or WAYS:
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "alone").mkdir()
            print(f"\n{way}\n")
            for what, is_right in WAYS[way](Project(Path(folder), names_of_functions())):
                results.append(is_right)
                if not is_right or "-" not in what:
                    print(f"{'ok' if is_right else 'WRONG'}: {what}")
    print(f"\n{sum(results):,} of {len(results):,}")


if __name__ == "__main__":
    main()
