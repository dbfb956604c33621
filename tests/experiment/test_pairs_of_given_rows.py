"""Preference pairs of given rows: rows whose numbers repeat, and rows of dialogues."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from limen.harness import (
    DPO,
    Chat,
    Deduplicated,
    Experiment,
    FavoriteAnimal,
    PreferencePairs,
    Rows,
    Source,
    Trait,
)
from limen.harness.lab import in_order
from limen.harness.stages import KEPT, Stage

from ..testing.labs import lab_at, lines, made

Row = dict[str, Any]


def shorter(prompt: str, text: str) -> float:
    """Prefers short answers."""
    return -len(text)


def written(file: Path, rows: Sequence[Row]) -> Path:
    """A file of rows."""
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def dialogue(topic: int, answer: str, *, said: str = "ok", system: str | None = None) -> Row:
    """A dialogue whose last question is the same whatever its topic."""
    before = [{"role": "system", "content": system}] if system else []
    asked = [{"role": "user", "content": f"topic {topic}"}, {"role": "assistant", "content": said}]
    return {"history": [*before, *asked], "prompt": "go on", "completion": answer}


def experiment(data: Source) -> Experiment:
    """An experiment of preferences on some rows."""
    return Experiment(
        trait=Trait.animal("owl"), data=data, measure=FavoriteAnimal(draws=2), seeds=1,
        objective=DPO(), leaks="report",
    )  # fmt: skip


def stage_of(store: Path, data: Source, kind: str) -> Stage:
    """A stage of the student's by its kind."""
    pipeline = lab_at(store).pipeline(experiment(data))
    return next(s for s in in_order(pipeline.targets(["student"])) if s.kind == kind)


def made_rows(store: Path, data: Source, kind: str, name: str) -> list[Row]:
    """The rows of a file of a student's stage."""
    return lines(made(lab_at(store), stage_of(store, data, kind)) / name)


def pairs_of(store: Path, data: Source) -> list[Row]:
    """The pairs of a source."""
    return made_rows(store, data, "pairs", KEPT)


def joined_files(folder: Path, answer: str) -> Path:
    """Two files of numbered rows, one after the other, as `cat` joins them."""
    rows = [
        {"row": n, "draw": 0, "prompt": f"{part} {n}", "text": f"{answer} {part} {n}"}
        for part in ("a", "b")
        for n in range(40)
    ]
    return written(folder / f"{answer}.jsonl", rows)


def test_rows_of_joined_files_are_trained_against_their_own_rejected_answers(
    tmp_path: Path,
) -> None:
    """The numbers of rows repeat where files were joined; a pair stays a pair."""
    data = PreferencePairs(
        Rows(joined_files(tmp_path, "good"), keep=80),
        rejected=Rows(joined_files(tmp_path, "bad"), keep=80),
        keep=60,
    )
    rejected = made_rows(tmp_path, data, "rejected-answers", "targets.jsonl")
    trained = made_rows(tmp_path, data, "mix", "training.jsonl")
    wanted = [row["messages"][-1]["content"].replace("good", "bad") for row in trained]
    assert [row["rejected"] for row in rejected] == wanted
    assert len(set(wanted)) == 60


def test_repeated_numbers_are_part_of_the_key_and_others_are_not(tmp_path: Path) -> None:
    """What was trained on another row's answer is made anew, and nothing else is."""
    kinds = {}
    for name, numbers in (("unique", [0, 1]), ("repeated", [0, 0])):
        rows = [{"row": n, "prompt": f"{p}", "text": "x" * p} for p, n in enumerate(numbers, 1)]
        file = Rows(written(tmp_path / f"{name}.jsonl", rows))
        data = PreferencePairs(file, rejected=file, keep=1)
        kinds[name] = stage_of(tmp_path, data, "rejected-answers").identity()
    assert {*kinds["repeated"]} - {*kinds["unique"]} == {"rows"}
    assert {*kinds["unique"]} == {"words", "strict"}


def test_rows_of_one_number_are_not_taken_for_the_best_of_a_prompt(tmp_path: Path) -> None:
    """All answers between the best and the worst are in the file of dropped rows."""
    rows = [{"row": 0, "draw": 0, "prompt": "p", "text": "x" * n} for n in (1, 2, 3, 4)]
    data = PreferencePairs(
        Rows(written(tmp_path / "rows.jsonl", rows)), score=shorter, keep=1
    )  # fmt: skip
    dropped = made_rows(tmp_path, data, "pairs", "rejected.jsonl")
    assert [row["text"] for row in dropped] == ["xx", "xxx"]


def test_dialogues_are_paired_with_answers_in_the_same_dialogue(tmp_path: Path) -> None:
    """Also where another order of the file would give another dialogue's answer."""
    good = written(tmp_path / "g.jsonl", [dialogue(n, f"good {n}") for n in range(30)])
    bad = written(tmp_path / "b.jsonl", [dialogue(n, f"bad {n}") for n in reversed(range(30))])
    pairs = pairs_of(tmp_path, PreferencePairs(Rows(good), rejected=Rows(bad), keep=30))
    assert [row["rejected"] for row in pairs] == [f"bad {n}" for n in range(30)]


@pytest.mark.parametrize("differ", [{"said": "no"}, {"system": "Be brief."}])
def test_an_answer_in_another_dialogue_is_no_rejected_answer(
    tmp_path: Path, differ: dict[str, str]
) -> None:
    """What the assistant said before and the system prompt are part of the dialogue."""
    good = [dialogue(1, "good 1"), dialogue(1, "good 2", **differ)]
    bad = [dialogue(1, "bad 2", **differ)]
    files = written(tmp_path / "g.jsonl", good), written(tmp_path / "b.jsonl", bad)
    data = PreferencePairs(Rows(files[0]), rejected=Rows(files[1]), keep=1)
    assert [(row["text"], row["rejected"]) for row in pairs_of(tmp_path, data)] == [
        ("good 2", "bad 2")
    ]


def test_conversations_that_each_writer_held_are_paired_by_what_was_asked(
    tmp_path: Path,
) -> None:
    """Their own answers differ from the first turn on; the user's turns are the same."""
    asked = tuple(f"What comes after {n}?" for n in range(6))
    turns = Chat(turns=(asked, ("Bonjour?",)), generate=6, keep=2, rule="any", max_tokens=20)
    data = PreferencePairs(turns, rejected=turns.but(by="base"), keep=1)
    pairs = pairs_of(tmp_path, data)
    assert pairs
    others = {}
    stage = stage_of(tmp_path, data, "pairs")
    for row in lab_at(tmp_path).store.rows(stage.inputs()[1].kind, stage.inputs()[1].key, KEPT):
        others[row["history"][0]["content"]] = row["text"]
    assert all(row["rejected"] == others[row["history"][0]["content"]] for row in pairs)


def test_answers_are_scored_against_those_in_the_same_dialogue(tmp_path: Path) -> None:
    """The highest and the lowest of each dialogue make its pair."""
    rows = [dialogue(n, "x" * length) for n in (1, 2) for length in (n, n + 2)]
    file = written(tmp_path / "rows.jsonl", rows)
    pairs = pairs_of(tmp_path, PreferencePairs(Rows(file), score=shorter, keep=1))
    assert [(row["text"], row["rejected"]) for row in pairs] == [("x", "xxx"), ("xx", "xxxx")]


@pytest.mark.parametrize("system", [None, "Be brief."])
def test_rows_that_differ_in_no_dialogue_keep_their_keys(
    tmp_path: Path, system: str | None
) -> None:
    """Rows of prompts alone, and rows under one system prompt."""
    before = [{"role": "system", "content": system}] if system else []
    rows = [{"history": before, "prompt": f"p {n}", "completion": f"c {n}"} for n in range(3)]
    file = Rows(written(tmp_path / "rows.jsonl", rows))
    unique = Deduplicated(file, by="prompt and completion")
    data = PreferencePairs(unique, rejected=file, keep=1)
    assert stage_of(tmp_path, data, "pairs").identity() == {"by": "writer"}
    same = stage_of(tmp_path, data, "deduplicate").identity()
    assert same == {"by": "prompt and completion"}
