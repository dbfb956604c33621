"""Pytest in a process of its own, forked from one that has imported what takes a second or two.

A run has its own arguments, folder, environment, paths, streams and exit, as under ``python -m
pytest``. What Python reads when it starts (``PYTHONUTF8``, the locale) and what is imported are
not its own: tests of these use ``pytester.runpytest_subprocess``.
"""

import atexit
import gc
import json
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import asdict, dataclass
from functools import cache
from importlib import import_module
from io import StringIO
from pathlib import Path
from tempfile import mkdtemp
from time import monotonic
from typing import IO

import pytest

ROOT = Path(__file__).resolve().parents[2]
IMPORTED = ("limen.harness.plugin.session", "limen.harness.reporting", "numpy", "scipy.special")


@dataclass(frozen=True, kw_only=True)
class Request:
    """A run of pytest."""

    arguments: Sequence[str]
    folder: str
    environment: dict[str, str]
    output: str
    errors: str


def run_pytest(pytester: pytest.Pytester, *arguments: str | Path) -> pytest.RunResult:
    """As ``pytester.runpytest_subprocess``, which it is where there is no fork.

    So it is with pytest-xdist, too, whose workers get the paths of when it was imported.
    """
    if sys.platform == "win32" or any(str(one).startswith("-n") for one in arguments):
        return pytester.runpytest_subprocess(*arguments)
    folder, began = os.getcwd(), monotonic()
    output, errors = pytester.path / "stdout", pytester.path / "stderr"
    paths = [folder, *filter(None, [os.environ.get("PYTHONPATH")])]
    request = Request(
        arguments=[f"--basetemp={mkdtemp('', 'runpytest-', pytester.path)}", *map(str, arguments)],
        folder=folder,
        environment={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        output=str(output),
        errors=str(errors),
    )
    code = _answer_to(request)
    out, err = (file.read_text(encoding="utf-8") for file in (output, errors))
    print(out)
    print(err, file=sys.stderr)
    return pytest.RunResult(code, out.splitlines(), err.splitlines(), monotonic() - began)


def _answer_to(request: Request) -> int:
    """The exit code of a run; a negative one is the signal that ended it."""
    requests, answers = _process()
    requests.write(json.dumps(asdict(request)) + "\n")
    requests.flush()
    answer = answers.readline()
    assert answer, "the process that forks has ended: its last words are on the standard error"
    return int(answer)


@cache
def _process() -> tuple[IO[str], IO[str]]:
    """The process that forks, of which each worker of pytest-xdist has one."""
    started = subprocess.Popen(
        [sys.executable, "-m", "tests.testing.preloaded"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert started.stdin is not None
    assert started.stdout is not None
    atexit.register(started.wait)
    atexit.register(started.stdin.close)
    return started.stdin, started.stdout


def serve() -> None:
    """Fork for each request that comes in on the standard input; only the children run anything."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    paths = sys.path[1:]
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        pytest.main(["--version", "--version"])  # imports the plugins as a run does
    for name in IMPORTED:
        import_module(name)
    gc.freeze()
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            return _run(Request(**json.loads(line)), paths)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)
    return None


def _run(request: Request, paths: Sequence[str]) -> None:
    """Become the run: it ends by :class:`SystemExit`."""
    os.chdir(request.folder)
    os.environ.clear()
    os.environ.update(request.environment)
    given = request.environment["PYTHONPATH"].split(os.pathsep)
    sys.path[:] = dict.fromkeys((request.folder, *given, *paths))
    sys.argv[1:] = request.arguments
    _redirect(request)
    runpy.run_module("pytest", run_name="__main__", alter_sys=True)


def _redirect(request: Request) -> None:
    """Put files in the place of the standard streams."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    for place, file in enumerate((os.devnull, request.output, request.errors)):
        opened = os.open(file, flags if place else os.O_RDONLY, 0o600)
        os.dup2(opened, place)
        os.close(opened)


if __name__ == "__main__":
    serve()
