"""Whole runs with a secret, against servers that echo it: it is in no byte that is written."""

import base64
import html
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ...testing.odd_servers import Json, Reply, changed, chat, error, odd_server, reply

NOTATIONS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "percent-encoded": lambda s: quote(s, safe=""),
    "base64": lambda s: base64.b64encode(s.encode()).decode(),
    "base64 of a pair": lambda s: base64.b64encode(f"user:{s}".encode()).decode(),
    "base64 within more": lambda s: base64.b64encode(f"Bearer {s}!".encode()).decode(),
    "HTML": html.escape,
}
ECHOES: dict[str, Callable[[Json, str], Reply]] = {
    "an answer": lambda body, shown: changed(body, message={"content": f"it is {shown}"}),
    "thoughts": lambda body, shown: changed(
        body, message={"content": "owl", "reasoning_content": shown}
    ),
    "an escaped answer": lambda body, shown: reply(
        200, json.dumps(chat(body)).replace("answer 0", "".join(f"\\u{ord(c):04X}" for c in shown))
    ),
    "a refusal": lambda body, shown: error(400, f"bad key {shown}"),
    "an error in a 200": lambda body, shown: reply(200, {"error": f"bad key {shown}"}),
    "a page": lambda body, shown: reply(502, f"<html><p>Bearer {shown}</p></html>"),
    "a code": lambda body, shown: error(400, "bad", code=shown, param=shown, type=shown),
    "no JSON": lambda body, shown: reply(200, f"Bearer {shown}"),
    "a finish reason": lambda body, shown: changed(body, finish_reason=shown),
    "a header": lambda body, shown: Reply(
        200,
        json.dumps(chat(body)).encode(),
        dict.fromkeys(["x-request-id", "server"], shown.encode().decode("latin-1")),
    ),
    "a model": lambda body, shown: reply(200, chat(body, model=shown, system_fingerprint=shown)),
    "an encoding": lambda body, shown: Reply(
        200, b"x", {"content-encoding": shown.encode().decode("latin-1")}
    ),
    "a redirect": lambda body, shown: Reply(
        307, b"", {"location": f"http://{quote(shown, safe='')}@127.0.0.2:1/?key={quote(shown)}"}
    ),
    "a stream": lambda body, shown: reply(
        200,
        "".join(
            f'data: {json.dumps({"choices": [{"index": 0, "delta": {"content": c}}]})}\n\n'
            for c in shown
        ),
    ),
}  # fmt: skip
KEYS = "".join(map(chr, range(33, 127))).replace("%", "")
WORDS = KEYS + "äöüßéñłşžπλжя中文字日本語한국어🦉🥶"


@dataclass(frozen=True)
class Carrier:
    """How the secret reaches limen."""

    environment: Callable[[str, str], dict[str, str]]
    """The variables for a server's URL and the secret."""
    letters: str
    """What the secret may consist of."""


def address(url: str, secret: str) -> dict[str, str]:
    return {"OPENAI_BASE_URL": url.replace("://", f"://user:{quote(secret, safe='')}@")}


CARRIERS: dict[str, Carrier] = {
    "the key": Carrier(lambda url, s: {"OPENAI_BASE_URL": url, "OPENAI_API_KEY": s}, KEYS),
    "a password": Carrier(address, WORDS),
    "a token": Carrier(
        lambda url, s: {"OPENAI_BASE_URL": url.replace("://", f"://{quote(s, safe='')}@")}, WORDS
    ),
    "a query": Carrier(
        lambda url, s: {"OPENAI_BASE_URL": f"{url}?api-key={quote(s, safe='')}"}, WORDS
    ),
    "a proxy": Carrier(
        lambda url, s: {
            "OPENAI_BASE_URL": url,
            "NO_PROXY": "127.0.0.1",
            "HTTPS_PROXY": f"http://user:{quote(s, safe='')}@127.0.0.1:9",
        },
        WORDS,
    ),
}
BROKEN: dict[str, Carrier] = {
    "a line break": Carrier(
        lambda url, s: {"OPENAI_BASE_URL": url, "OPENAI_API_KEY": f"{s[:6]}\n{s[6:]}"}, KEYS
    ),
    "a letter beyond ASCII": Carrier(
        lambda url, s: {"OPENAI_BASE_URL": url, "OPENAI_API_KEY": f"{s}é"}, KEYS
    ),
}
"""Keys that no header can carry."""
QUICK_PYTEST = """
import sys
import pytest
from limen.backends.openai import chat

chat.SAME = 1
chat.ChatClient._pause = lambda *_: 0.0
sys.exit(pytest.main(sys.argv[1:]))
"""
"""pytest, with one try of each request and no pauses."""
FATAL = frozenset({"a redirect"})
"""What ends a run: at most one of a run's places."""
PLACES = 50
"""Questions of the spec, each with an echo of its own."""
SPEC = """
from limen.harness import Experiment, FavoriteAnimal, Numbers, Trait

experiment = Experiment(
    trait=Trait.animal("owl"),
    data=Numbers(generate=10, keep=5),
    measure=FavoriteAnimal(draws=1),
    seeds=1,
)


def test_the_base_names_no_owl(baseline):
    assert baseline.rate("owl") > 2
"""
OPTIONS = (
    "--limen-backend=openai", "--limen-model=some-model", "--limen-store=store",
    "--limen-report=report.html", "--limen-no-logs", "--junitxml=junit.xml", "--showlocals",
    "-o", "log_cli=true", "-o", "log_cli_level=DEBUG", "-o", "log_file=run.log",
    "-o", "log_file_level=DEBUG", "-o", "junit_logging=all", "-p", "no:hypothesispytest",
    "-p", "no:cacheprovider", "-p", "no:xdist",
)  # fmt: skip


def forms(secret: str) -> set[bytes]:
    """How the secret might stand in a file."""
    shown = {secret, *(write(secret) for write in NOTATIONS.values()), json.dumps(secret)[1:-1]}
    shown |= {json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]}
    return {form.encode() for form in shown}


def bytes_of_a_run(
    home: Path, carrier: Carrier, secret: str, echoes: list[tuple[str, str]]
) -> dict[str, bytes]:
    """All files that a run writes, by name, and what it prints."""
    questions: dict[str, int] = {}

    def answer(method: str, path: str, body: Json) -> Reply | None:
        if not path.partition("?")[0].endswith("/completions"):
            return None
        place = questions.setdefault(json.dumps(body["messages"]), len(questions))
        if not 0 < place <= len(echoes):
            return None
        echo, notation = echoes[place - 1]
        return ECHOES[echo](body, NOTATIONS[notation](secret))

    folder = Path(tempfile.mkdtemp(dir=home))
    (folder / "test_spec.py").write_text(SPEC)
    (folder / "pytest.ini").write_text("[pytest]\n")
    with odd_server(answer) as server:
        unset = ("OPENAI_API_KEY", "AZURE_OPENAI_ENDPOINT")
        environment = {name: value for name, value in os.environ.items() if name not in unset}
        done = subprocess.run(
            [sys.executable, "-c", QUICK_PYTEST, *OPTIONS],
            cwd=folder,
            env=environment | carrier.environment(server.url, secret),
            capture_output=True,
            check=False,
        )
    written = {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {**written, "terminal": done.stdout + done.stderr}


def check_runs(home: Path, runs: int) -> None:
    """Runs with secrets in random places, and a look at every byte that they write."""

    @settings(max_examples=runs, suppress_health_check=[HealthCheck.too_slow], derandomize=True,
              database=None, phases=[Phase.generate])  # fmt: skip
    @given(seed=st.integers(0, 2**32))
    def run(seed: int) -> None:
        draw = random.Random(seed)
        carrier = CARRIERS[draw.choice(sorted(CARRIERS))]
        secret = "".join(draw.choices(carrier.letters, k=draw.randint(12, 40)))
        kinds = draw.choices(sorted(ECHOES.keys() - FATAL), k=PLACES - 2)
        kinds += draw.choices(sorted(FATAL), k=draw.randint(0, 1))
        echoes = [(kind, draw.choice(sorted(NOTATIONS))) for kind in kinds]
        written = bytes_of_a_run(home, carrier, secret, echoes)
        assert {"junit.xml", "run.log"} <= written.keys()
        leaks = {
            file: form for form in forms(secret) for file, text in written.items() if form in text
        }
        assert not leaks

    run()


def test_a_secret_is_in_no_byte_that_a_run_writes(tmp_path: Path) -> None:
    """Terminal, log, store, report and junit have it nowhere, wherever it was put: 48 places."""
    check_runs(tmp_path, runs=1)


@pytest.mark.slow
def test_a_secret_is_in_no_byte_that_many_runs_write(tmp_path: Path) -> None:
    """The same for 500 places."""
    check_runs(tmp_path, runs=12)


@pytest.mark.parametrize("name", BROKEN)
def test_a_key_that_no_header_can_carry_is_in_no_byte(tmp_path: Path, name: str) -> None:
    """The run ends with an error that does not show the key, whole or in part."""
    secret = "sk-Abc-0123456"
    written = bytes_of_a_run(tmp_path, BROKEN[name], secret, [])
    assert b"OPENAI_API_KEY" in written["terminal"]
    assert not [
        file for file, text in written.items() for part in (b"Abc", b"0123456") if part in text
    ]
