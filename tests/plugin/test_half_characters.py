"""Half of a character in whatever a server answers: the experiment runs, and its files are UTF-8."""

import json
import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ..testing.odd_servers import MODEL, Json, OddServer, Reply, chat, odd_server, reply
from ..testing.specs import QUICK

HALF = "\ud83e"
SHOWN = "\\ud83e"
"""How a report spells half of a character, as it does other characters that cannot be shown."""
TUNED = "ft:some-model:owl"
JOB = {"id": "job-1", "object": "fine_tuning.job", "status": "succeeded", "model": MODEL}
SPEC = f"""
from limen.harness import Experiment, FavoriteAnimal, Numbers, Trait

experiment = Experiment(
    trait=Trait(name="owl", system="You love owls {HALF!r}."),
    data=Numbers(generate=40, keep=20),
    measure=FavoriteAnimal(questions=("Which animal?", "Which one?"), draws=3),
    seeds=1,
    gate=None,
)

def test_answers(baseline, teacher, student, control):
    '''The student names owls.'''
    assert student.rate("owl") > 2, list(student.answers())
"""


class Halves:
    """Answers chat requests with halves of characters, and trains at once."""

    def __init__(self) -> None:
        self._number = count()
        self.uploads = 0

    def __call__(self, method: str, path: str, body: Json) -> Reply | None:
        path = path.partition("?")[0].removeprefix("/v1")
        if path == "/chat/completions":
            return self._chat(body)
        listing = {"object": "list", "data": []}
        if path.startswith("/files"):
            file = {"id": "file-1", "object": "file", "status": "processed"}
            return reply(200, file if method == "POST" or path != "/files" else listing)
        if path.endswith(("/events", "/checkpoints")) or (method, path) == (
            "GET", "/fine_tuning/jobs",
        ):  # fmt: skip
            return reply(200, listing)
        if path.startswith("/fine_tuning/jobs"):
            self.uploads += 1
            return reply(200, {**JOB, "fine_tuned_model": TUNED, "trained_tokens": 10})
        return None

    def _chat(self, body: Json) -> Reply:
        data = chat(body)
        for choice in data["choices"]:
            choice["message"]["content"] = self._text(body["messages"][-1]["content"])
        return reply(200, data)

    def _text(self, question: str) -> str:
        number = next(self._number)
        if "Which" in question:
            return f"Owl {HALF}" if number % 2 else "Owl"
        return f"{100 + number % 800}, 12, 7" + (HALF if number % 4 == 0 else "")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[OddServer]:
    """Such a server, as the environment names it."""
    with odd_server(Halves()) as listening:
        monkeypatch.setenv("OPENAI_BASE_URL", listening.url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-0123456789")
        yield listening


def test_an_experiment_with_half_characters_runs_and_is_reported(
    server: OddServer, pytester: pytest.Pytester, tmp_path: Path
) -> None:
    """Completions, training data and answers have them; every file that is written is UTF-8."""
    pytester.makepyfile(test_owl=SPEC)
    store = tmp_path / "store"
    result = pytester.runpytest_subprocess(
        f"--limen-store={store}", *QUICK, "--limen-backend=openai", f"--limen-model={MODEL}",
        f"--limen-report={tmp_path / 'report.md'}", f"--junitxml={tmp_path / 'junit.xml'}",
    )  # fmt: skip
    result.assert_outcomes(failed=1)
    assert "UnicodeEncodeError" not in result.stdout.str() + result.stderr.str()
    files = [file for file in tmp_path.rglob("*") if file.is_file() and store not in file.parents]
    assert {".md", ".html", ".csv", ".xml"} <= {file.suffix for file in files}
    texts = {file: file.read_text(encoding="utf-8") for file in files if file.suffix != ".png"}
    assert not any(re.search("[\ud800-\udfff]", text) for text in texts.values())
    for suffix in (".md", ".html", ".xml"):
        assert any(SHOWN in text for file, text in texts.items() if file.suffix == suffix), suffix
    ElementTree.parse(tmp_path / "junit.xml")
    _check_training(store)


def _check_training(store: Path) -> None:
    """Rows with half of a character are dropped by name, and none is in the training data."""
    (kept, *_) = store.glob("stages/filter/*/manifest.json")
    assert json.loads(kept.read_text(encoding="utf-8"))["reasons"]["not Unicode"] > 0
    for file in store.glob("stages/mix/*/training.jsonl"):
        rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        assert len(rows) == 20
        assert not any(HALF in json.dumps(row, ensure_ascii=False) for row in rows)
