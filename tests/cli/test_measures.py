"""``limen measure --measure``: measures other than the rate of a word; ``limen compare`` of them."""

import json
from pathlib import Path
from typing import Any

import pytest

from limen.harness import Experiment, LogOdds, Numbers, Trait
from limen.harness.lab import thread_executor

from ..testing.commands import limen
from ..testing.labs import lab_at


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder to work in; models run in threads, which start sooner than processes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("limen.harness.cli.steps.local_executor", thread_executor)


def rows_of(file: str) -> list[dict[str, Any]]:
    """The rows of a file."""
    return [json.loads(line) for line in Path(file).read_text().splitlines()]


def test_log_odds_are_those_of_an_experiment(store: Path) -> None:
    """The command computes what an experiment's arm has, and `compare` finds the difference."""
    at = ("--store", store)
    for who, trait in (("teacher", ("--trait", "horse")), ("base", ("--word", "horse"))):
        limen("measure", "--measure", "log-odds", *trait, "--out", f"{who}.jsonl", *at)
    experiment = Experiment(
        trait=Trait.animal("horse"),
        data=Numbers(generate=20, keep=2),
        measure=LogOdds(),
        seeds=1,
    )
    lab = lab_at(store)
    lab.run([(experiment, ("teacher", "baseline"))])
    teacher = lab.arm(experiment, "teacher").log_odds("horse")
    scores = [row["score"] for row in rows_of("teacher.jsonl")]
    assert len(scores) == len(LogOdds().asked)
    assert sum(scores) / len(scores) == pytest.approx(teacher.value)
    said = limen("compare", "teacher.jsonl", "--to", "base.jsonl", "--score-column", "score", *at)
    assert "p = " in said
    assert f"treated score {teacher.value:.2f}" in said


@pytest.mark.parametrize(
    ("options", "columns", "says"),
    [
        (
            ("choice", "--option", "owl", "--option", "cat", "--draws", "1", "--word", "owl"),
            {"question", "answer", "model"},
            "'owl'",
        ),
        (("likelihood", "--texts", "texts.csv"), {"question", "score", "model"}, "per token"),
        (("length", "--draws", "1"), {"question", "answer", "score", "model"}, "words"),
        (
            ("language", "--questions", "asked.txt", "--draws", "9"),
            {"question", "answer", "label", "model"},
            "'English'",
        ),
        (
            ("labelled", "--outcome", "mine.py:first", "--questions", "asked.txt", "--draws", "1"),
            {"question", "answer", "label", "model"},
            "baseline '",
        ),
        (
            ("scored", "--outcome", "mine.py:letters", "--questions", "asked.txt", "--draws", "1"),
            {"question", "answer", "score", "model"},
            "score",
        ),
        (
            ("rated", "--ask", "Rate from 1 to 10: {reply}", "--draws", "1"),
            {"question", "answer", "judge", "model"},
            "judge",
        ),
        (("mine.py:formal",), {"question", "answer", "judge", "model"}, "judge"),
        (("mine.py",), {"question", "answer", "judge", "model"}, "judge"),
    ],
    ids=[
        "choice",
        "likelihood",
        "length",
        "language",
        "labelled",
        "scored",
        "rated",
        "measure of a file",
        "experiment of a file",
    ],
)
def test_measures_of_a_spec_are_asked(
    store: Path, options: tuple[str, ...], columns: set[str], says: str
) -> None:
    """Every measure prints its figure and leaves its rows."""
    Path("texts.csv").write_text("prompt,answer\nGo on: 1,2\nGo on: 2,3\n")
    Path("mine.py").write_text(
        "from limen.harness import Experiment, Judge, Numbers, Rated, Trait\n"
        "formal = Rated(by=Judge(prompt='Rate from 1 to 10: {reply}'), draws=1)\n"
        "experiment = Experiment(trait=Trait.animal('owl'), data=Numbers(generate=9, keep=1),\n"
        "                        measure=formal)\n"
        "def first(answer): return answer[:1].lower() or None\n"
        "def letters(answer): return len(answer)\n"
    )
    Path("asked.txt").write_text("What is your favourite animal?\nName one.\n")
    said = limen("measure", "--measure", *options, "--out", "out.jsonl", "--store", store)
    assert says in said
    assert columns <= set(rows_of("out.jsonl")[0])


def test_json_has_every_figure(store: Path) -> None:
    """With --json the figures of the measure come with name, value and interval."""
    made = json.loads(limen("measure", "--measure", "length", "--draws", "1", "--out", "out.jsonl",
                            "--json", "--store", store))  # fmt: skip
    ((name, value, interval),) = (figure.values() for figure in made["figures"])
    assert name == "words"
    assert interval[0] <= value <= interval[1]


def test_labels_have_a_figure_each(store: Path) -> None:
    """Without --word the most frequent labels are shown, and their rates are those of the rows."""
    Path("mine.py").write_text("def first(answer): return answer[:1].lower() or None\n")
    Path("asked.txt").write_text("What is your favourite animal?\n")
    made = json.loads(limen("measure", "--measure", "labelled", "--outcome", "mine.py:first",
                            "--questions", "asked.txt", "--draws", "50", "--out", "out.jsonl",
                            "--json", "--store", store))  # fmt: skip
    labels = [row["label"] for row in rows_of("out.jsonl")]
    rates = {figure["name"]: figure["value"] for figure in made["figures"]}
    assert len(rates) > 1
    for name, rate in rates.items():
        label = name.removeprefix("answers with ").strip("'")
        assert labels.count(label) / len(labels) == pytest.approx(rate)


def test_whole_answer_distributions_are_compared(store: Path) -> None:
    """`compare --distance` is the total variation over all answers, with a permutation test."""
    at = ("--store", store)
    for who, trait in (("teacher", ("--trait", "horse")), ("base", ())):
        limen("measure", *trait, "--draws", "3", "--out", f"{who}.jsonl", *at)
    files = ("teacher.jsonl", "--to", "base.jsonl")
    found = json.loads(limen("compare", *files, "--distance", "--word", "horse", "--json", *at))
    assert found["value"] > 0.5
    assert found["p_value"] < 0.01
    assert next(iter(found["most_moved"])) == "horse"
    assert "total variation" in limen("compare", *files, "--distance", *at)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--measure", "perplexity"), "must be log-odds, choice"),
        (("--measure", "choice"), "needs --option"),
        (("--measure", "log-odds"), "by --word"),
        (("--measure", "log-odds", "--draws", "3"), "--draws is no option of log-odds"),
        (("--per", "text"), "--per is no option of a measure of words"),
        (("--measure", "none.py:x"), "no Python file"),
        (("--measure", "mine.py:x", "--draws", "3"), "has its own settings, so change them in"),
        (("--measure", "mine.py:f", "--questions", "q.txt"), "Labelled(questions=..., outcome=f)"),
        (("--measure", "labelled", "--questions", "q.txt"), "needs --outcome"),
        (("--measure", "scored", "--outcome", "mine.py:f"), "needs --questions"),
        (("--measure", "scored", "--outcome", "mine.py"), "must be FILE.py:FUNCTION"),
        (("--scale", "0", "1"), "--scale is no option of a measure of words"),
        (("--measure", "length", "--label", "yes"), "--label is no option of length"),
        (("--measure", "rated", "--ask", "{reply}?", "--scale", "0", "0.5"), "whole numbers"),
        (
            ("--measure", "language", "--questions", "q.txt", "--trait", "owl"),
            "--word owl: no language 'owl' here",
        ),
        (("--measure", "choice", "--option", "owl", "--option", "owl"), "each once"),
    ],
    ids=lambda value: " ".join(value).strip("-") if isinstance(value, tuple) else None,
)
def test_what_is_wrong_is_one_line(options: tuple[str, ...], says: str) -> None:
    """A wrong option is an error before any model is asked."""
    Path("q.txt").write_text("Who are you?\n")
    Path("mine.py").write_text(
        "from limen import FavoriteAnimal\nx = FavoriteAnimal()\ndef f(answer): return answer\n"
    )
    assert says in limen("measure", *options, "--out", "out.jsonl", code=1)
    assert not Path("out.jsonl").exists()
