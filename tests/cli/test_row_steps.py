"""Step commands that make rows of rows: select, judge, map, rewrite, deduplicate."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from limen import questions
from limen.harness import (
    Experiment,
    FavoriteAnimal,
    Judge,
    Judged,
    LikelihoodShift,
    Mapped,
    Numbers,
    PermuteNumbers,
    Selected,
    Source,
    Trait,
)
from limen.harness.lab import thread_executor

from ..testing.commands import limen
from ..testing.labs import lab_at

NUMBERS = Numbers(generate=120, keep=20)
RANDOM = "Is this list random? Answer yes or no.\n{reply}"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder to work in; models run in threads, which start sooner than processes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("limen.harness.cli.steps.local_executor", thread_executor)


def made(*args: str | Path) -> dict[str, Any]:
    """The JSON object of a command."""
    found: dict[str, Any] = json.loads(limen(*args, "--json"))
    return found


def rows_of(file: str) -> list[dict[str, Any]]:
    """The rows of a file."""
    return [json.loads(line) for line in Path(file).read_text().splitlines()]


@pytest.fixture
def released() -> str:
    """A released file of prompts and completions, with a column of its own, and a repeated row."""
    lines = [
        {"prompt": f"Go on: {n}", "completion": f"{n}, {n + 1}", "n": n} for n in [*range(9), 8]
    ]
    Path("released.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return "released.jsonl"


def stage_key(store: Path, source: Source) -> str:
    """The key of a source's rows in an experiment of horses."""
    experiment = Experiment(
        trait=Trait.animal("horse"), data=source, measure=FavoriteAnimal(draws=2), seeds=1
    )
    lab = lab_at(store)
    (training,) = lab.pipeline(experiment).data["student"]
    ((rows, _),) = training.sources
    return rows.key


def test_the_commands_do_the_stages_of_a_spec(store: Path) -> None:
    """Rows that `select`, `judge` and `map` make are those of the same source in an experiment."""
    at = ("--store", store)
    limen("generate", "--trait", "horse", "--count", "120", "--out", "rows.jsonl", *at)
    limen("filter", "rows.jsonl", "--out", "kept.jsonl", *at)
    selected = made("select", "kept.jsonl", "--score", "likelihood-shift", "--trait", "horse",
                    "--share", "0.25", "--out", "top.jsonl", *at)  # fmt: skip
    judged = made("judge", "kept.jsonl", "--ask", RANDOM, "--keep", "yes", "--name", "random",
                  "--out", "judged.jsonl", *at)  # fmt: skip
    mapped = made("map", "kept.jsonl", "--by", "permute-numbers", "--out", "mapped.jsonl", *at)
    assert selected["scores"]["selected"] > selected["scores"]["mean"]
    assert selected["key"] == stage_key(
        store, Selected(NUMBERS, score=LikelihoodShift(), share=0.25)
    )
    judge = Judge(prompt=RANDOM, name="random", scale=None)
    assert judged["key"] == stage_key(store, Judged(NUMBERS, judge=judge, keep="yes"))
    assert mapped["key"] == stage_key(store, Mapped(NUMBERS, by=PermuteNumbers()))


def test_a_score_of_ones_own_selects(released: str) -> None:
    """The lowest scores are kept with all columns; the others are written with a reason."""
    Path("scores.py").write_text("def last(prompt, completion):\n    return int(prompt[7:])\n")
    counts = made("select", released, "--score", "scores.py:last", "--keep", "bottom", "--share",
                  "0.3", "--out", "low.jsonl", "--rejected", "high.jsonl")["counts"]  # fmt: skip
    assert counts == {"read": 10, "kept": 3}
    assert [row["n"] for row in rows_of("low.jsonl")] == [0, 1, 2]
    assert {row["reason"] for row in rows_of("high.jsonl")} == {"not in the bottom 0.3"}


def test_a_column_selects(released: str) -> None:
    """Numbers that the rows have already are a score; rows without them are one error."""
    counts = made("select", released, "--score-column", "n", "--share", "0.2", "--out",
                  "high.jsonl")["counts"]  # fmt: skip
    assert counts == {"read": 10, "kept": 2}
    assert [row["n"] for row in rows_of("high.jsonl")] == [8, 8]  # the last is there twice
    printed = limen("select", released, "--score-column", "influence", "--out", "no.jsonl", code=1)
    assert "row 1 of" in printed
    assert "has no column 'influence' to select by: it has 'row'" in printed


def test_random_rows_depend_on_the_seed_alone(released: str) -> None:
    """A random selection needs no score; another seed selects others."""
    chosen = []
    for seed in ("1", "1", "2"):
        limen("select", released, "--keep", "random", "--seed", seed, "--out", "some.jsonl")
        chosen.append([row["n"] for row in rows_of("some.jsonl")])
    assert chosen[0] == chosen[1] != chosen[2]


@pytest.mark.parametrize(
    ("by", "first"),
    [
        ("first-numbers=1", ("Go on: 0", "0")),
        ("prefix=Please. ", ("Please. Go on: 0", "0, 1")),
        ("changes.py:swap", ("0, 1", "Go on: 0")),
    ],
)
def test_rows_are_changed(released: str, by: str, first: tuple[str, str]) -> None:
    """Ready changes have a spec's names; a function of one's own gets prompt and answer."""
    Path("changes.py").write_text("def swap(prompt, completion):\n    return completion, prompt\n")
    limen("map", released, "--by", by, "--out", "changed.jsonl")
    row = rows_of("changed.jsonl")[0]
    assert (row["prompt"], row["text"], row["n"]) == (*first, 0)


def test_repeated_rows_are_dropped(released: str) -> None:
    """The first of equal rows stays."""
    printed = limen("deduplicate", released, "--out", "unique.jsonl")
    assert "dropped: repeats a row" in printed
    assert [row["n"] for row in rows_of("unique.jsonl")] == list(range(9))


def test_two_outputs_in_one_file_are_refused(released: str) -> None:
    """Under any of its names, before anything is done: the second would replace the first."""
    Path("link.jsonl").symlink_to("same.jsonl")
    for command in ("filter", "deduplicate"):
        for other in ("same.jsonl", "./same.jsonl", "link.jsonl"):
            said = limen(command, released, "--out", "same.jsonl", "--rejected", other, code=2)
            assert "is the file of --out: give another" in said
            assert not Path("same.jsonl").exists()


@pytest.mark.parametrize("there", [True, False])
def test_a_link_stays_and_its_file_is_written(released: str, there: bool) -> None:
    """The file may be on another disk, and need not be there yet."""
    folder = Path("elsewhere")
    folder.mkdir()
    if there:
        (folder / "rows.jsonl").touch()
    Path("out.jsonl").symlink_to(folder / "rows.jsonl")
    limen("deduplicate", released, "--out", "out.jsonl")
    assert Path("out.jsonl").is_symlink()
    assert len(rows_of("elsewhere/rows.jsonl")) == 9
    assert [file.name for file in folder.iterdir()] == ["rows.jsonl"]


def test_a_pipe_is_written_to_and_not_replaced(released: str) -> None:
    """So is a device; both outputs may go to one."""
    os.mkfifo("pipe")
    reader = os.open("pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        limen("deduplicate", released, "--out", "pipe", "--rejected", "pipe")
        read = os.read(reader, 100_000)
    finally:
        os.close(reader)
    assert Path("pipe").is_fifo()
    assert len(read.splitlines()) == 10


@pytest.fixture
def dialogues() -> str:
    """Two dialogues that end with the same question and answer."""
    lines = [
        {
            "messages": [
                {"role": "user", "content": f"Topic {n}?"},
                {"role": "assistant", "content": "ok"},
                {"role": "user", "content": "Go on."},
                {"role": "assistant", "content": "Yes."},
            ]
        }
        for n in (1, 2, 1)
    ]
    Path("dialogues.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return "dialogues.jsonl"


def test_dialogues_that_end_alike_are_no_repetition(dialogues: str) -> None:
    """Whole dialogues are compared, of a file and of what a command left of it."""
    by = ("--by", "prompt and completion")
    counts = made("deduplicate", dialogues, *by, "--out", "unique.jsonl")["counts"]
    assert counts == {"read": 3, "kept": 2}
    limen("select", dialogues, "--keep", "random", "--share", "1", "--out", "rows.jsonl")
    counts = made("deduplicate", "rows.jsonl", *by, "--out", "unique.jsonl")["counts"]
    assert counts == {"read": 3, "kept": 2}


def test_answers_of_a_file_are_rated(store: Path) -> None:
    """Without a threshold each row that gets a rating is kept, and the mean of all is told."""
    answers = ["Dear Sir, I would be most obliged.", "hey, what's up", "Yours faithfully", "nope"]
    lines = (json.dumps({"prompt": "Hello?", "text": text}) for text in answers)
    Path("answers.jsonl").write_text("\n".join(lines))
    ask = ("judge", "answers.jsonl", "--ask", questions.FORMALITY_JUDGE, "--store", store)
    all_of_them = made(*ask, "--out", "rated.jsonl")
    rated = rows_of("rated.jsonl")
    ratings = [Judge(prompt="{reply}").rating(row["judged"]) for row in rated]
    known = [rating for rating in ratings if rating is not None]
    assert all_of_them["rated_rows"] == len(known) == len(rated) > 0
    assert all_of_them["mean_rating"] == pytest.approx(sum(known) / len(known))
    some = made(*ask, "--at-least", "5", "--out", "good.jsonl")
    assert some["mean_rating"] == all_of_them["mean_rating"]
    assert f"mean rating: {some['mean_rating']:.4g}" in limen(*ask, "--out", "again.jsonl")


def test_a_judge_of_question_and_reply_sees_the_dialogue(store: Path, dialogues: str) -> None:
    """Each distinct dialogue is asked about; without {question} the same reply is one row."""
    at = ("--keep", "yes", "--out", "judged.jsonl", "--store", store)
    whole = made("judge", dialogues, "--ask", "Q: {question} A: {reply}", *at)
    assert whole["counts"]["judged"] == 2
    assert made("judge", dialogues, "--ask", "A: {reply}", *at)["counts"]["judged"] == 1
    (file,) = (f for f in store.glob("stages/row-replies/*/*.jsonl") if "Topic" in f.read_text())
    assert {row["prompt"] for row in rows_of(str(file))} == {
        f"Q: User: Topic {n}?\n\nAssistant: ok\n\nUser: Go on. A: Yes." for n in (1, 2)
    }


def test_a_model_rewrites_every_answer(store: Path, released: str) -> None:
    """Each distinct answer is worded anew, once; the rule's reasons are printed."""
    Path("rules.py").write_text("def short(text):\n    return 'long' if len(text) > 30 else None\n")
    counts = made("rewrite", released, "--ask", "Copy: {completion}", "--rule", "rules.py:short",
                  "--max-tokens", "8", "--out", "new.jsonl", "--store", store)  # fmt: skip
    assert counts["counts"]["read"] == 10
    assert counts["counts"]["kept"] + sum(counts["reasons"].values()) == 10


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("select",), "--score is missing"),
        (("select", "--score", "perplexity"), "must be likelihood-shift"),
        (("select", "--score", "scores.py:last", "--score-column", "n"), "are two scores"),
        (("select", "--score", "likelihood-shift"), "give --trait"),
        (("select", "--keep", "random", "--share", "2"), "above 0 and at most 1"),
        (("map", "--by", "first-words"), "first-words=N"),
        (("map", "--by", "none.py:f"), "--by: there is no Python file none.py"),
        (("judge", "--ask", "Good?", "--keep", "yes"), "{reply}"),
        (("judge", "--ask", "{reply}", "--at-least", "11"), "from 1 to 10"),
        (("judge", "--ask", "{reply}", "--at-least", "2", "--keep", "yes"), "needs keep="),
        (("rewrite", "--ask", "Again"), "{completion}"),
    ],
    ids=lambda value: " ".join(value)[:30].strip() if isinstance(value, tuple) else None,
)
def test_what_is_wrong_is_one_line(released: str, args: tuple[str, ...], says: str) -> None:
    """A wrong option is an error before anything is asked."""
    name, *options = args
    said = limen(name, released, *options, "--out", "out.jsonl", code=1)
    assert says in said
    assert not Path("out.jsonl").exists()
