"""Half of a character in whatever a server answers: the experiment runs, and its files are UTF-8."""

import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ..testing.odd_servers import MODEL, Json, OddServer, Reply, chat, odd_server, reply
from ..testing.specs import QUICK

HALF = "\ud83e"
MARK = "\ufffd"
"""What stands in its place."""
WRITTEN = {".md", ".html", ".csv", ".xml"}
TUNED = "ft:some-model:owl"
JOB = {"id": "job-1", "object": "fine_tuning.job", "status": "succeeded", "model": MODEL}
SPEC = """
from limen.harness import Experiment, FavoriteAnimal, Numbers, Trait

experiment = Experiment(
    trait=Trait(name="owl", system="You love owls."),
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


@pytest.mark.slow
def test_an_experiment_with_half_characters_runs_and_is_reported(
    server: OddServer, pytester: pytest.Pytester, tmp_path: Path
) -> None:
    """Completions, training data and answers have them; every file that is written is UTF-8."""
    pytester.makepyfile(test_owl=SPEC)
    store = tmp_path / "store"
    for name in ("report.md", "report.html"):
        result = pytester.runpytest_subprocess(
            f"--limen-store={store}", *QUICK, "--limen-backend=openai", f"--limen-model={MODEL}",
            f"--limen-report={tmp_path / name}", f"--junitxml={tmp_path / 'junit.xml'}",
        )  # fmt: skip
        result.assert_outcomes(failed=1)
        assert "UnicodeEncodeError" not in result.stdout.str() + result.stderr.str()
    files = [file for file in tmp_path.rglob("*") if store not in file.parents]
    texts = {f: f.read_text(encoding="utf-8") for f in files if f.suffix in WRITTEN}
    assert {file.suffix for file in texts} == WRITTEN
    for suffix in (".md", ".html", ".xml"):
        assert any(MARK in text for file, text in texts.items() if file.suffix == suffix), suffix
    ElementTree.parse(tmp_path / "junit.xml")
    _check_training(store)


def _check_training(store: Path) -> None:
    """No row with half of a character, or with a mark in its place, is trained on."""
    files = list(store.glob("stages/mix/*/training.jsonl"))
    assert len(files) == 2
    for file in files:
        text = file.read_text(encoding="utf-8")
        assert len(text.splitlines()) == 20
        assert MARK not in text
        assert json.dumps(HALF)[1:-1] not in text


@pytest.mark.parametrize(
    "wrong",
    [
        "experiment.but(trait=Trait(name='owl', system='You love \\ud83e.'))",
        "experiment.but(measure=FavoriteAnimal(questions=('Which \\ud83e?',)))",
        "experiment.but(measure=FavoriteAnimal(system='Be \\ud83e.'))",
    ],
)
def test_half_of_a_character_in_a_spec_is_one_line(pytester: pytest.Pytester, wrong: str) -> None:
    """It is found at collection: no model can be sent it."""
    pytester.makepyfile(test_owl=f"{SPEC}\n{wrong}\n")
    result = pytester.runpytest_subprocess(*QUICK, "--limen-plan")
    result.stdout.fnmatch_lines(["test_owl.py:*'*\\ud83e*' has half of a character in it, *"])
