"""Preference pairs of given rows: rows whose numbers repeat, and rows of dialogues."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from limen.harness import (
    DPO,
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
