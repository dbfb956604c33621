"""Answers as data frames: complete, in batches, and in a memory that is bounded."""

import json
import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from limen import DamageError, reports
from limen.harness.stages import ANSWERS, Store, write_rows

from ..testing.artifacts import sign_anew


def measured(
    store: Store, key: str, *, questions: int, draws: int = 4, characters: int = 0
) -> Path:
    """A finished measure with made-up answers; returns its folder."""
    store.open()
    with store.claim("measure", key) as draft:
        assert draft is not None
        write_rows(
            draft.folder / ANSWERS,
            (
                {"row": row, "draw": draw, "seed": 2**47 + row, "finish": "stop",
                 "text": None if (row, draw) == (0, 0) else f"Owl {row} of {draw}".ljust(characters, "x")}
                for row in range(questions)
                for draw in range(draws)
            ),
        )  # fmt: skip
        draft.publish(
            {
                "kind": "measure", "key": key, "label": f"answers {key}", "inputs": [],
                "identity": {}, "started": "2026-11-24T00:00:00Z", "model": "m", "system": None,
                "questions": [f"Question {row}?" for row in range(questions)],
            }
        )  # fmt: skip
    return store.artifact("measure", key)


def _read_in_batches(store: Path, size: int = 10**6, characters: int = 10**9) -> None:
    for _ in reports.answer_batches(store, size=size, characters=characters):
        pass


def peak_of(work: Callable[[], object]) -> int:
    """Bytes that Python and NumPy held at most, beyond what was there before."""
    tracemalloc.start()
    work()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def test_a_frame_has_every_answer(tmp_path: Path) -> None:
    """Each draw is a row with its question, its seed and its answer; a missing one is a gap."""
    measured(Store(tmp_path), "one", questions=3)
    frame = reports.answers(tmp_path)
    assert len(frame) == 12
    assert frame.answer.isna().sum() == 1
    last = frame.iloc[-1]
    assert (last.stage, last.model, last.question) == ("measure/one", "m", "Question 2?")
    assert (last.row, last.draw, last.draw_seed) == (2, 3, 2**47 + 2)
    assert (last.answer, last.finish) == ("Owl 2 of 3", "stop")
    assert frame.system.isna().all()


@pytest.mark.parametrize("size", [1, 5, 8, 24, 100])
def test_batches_are_the_frame_in_parts(tmp_path: Path, size: int) -> None:
    """Put together, batches of any size are the frame, across stages."""
    for key in ("one", "two"):
        measured(Store(tmp_path), key, questions=3)
    batches = list(reports.answer_batches(tmp_path, size=size))
    assert [len(batch) for batch in batches[:-1]] == [size] * (len(batches) - 1)
    joined = pd.concat([batch.astype(object) for batch in batches], ignore_index=True)
    pd.testing.assert_frame_equal(joined, reports.answers(tmp_path).astype(object))


def test_the_memory_of_batches_does_not_grow(tmp_path: Path) -> None:
    """Eight times as many answers of a question need no more memory at a time."""
    stores = [Store(tmp_path / str(draws)) for draws in (100, 800)]
    for store in stores:
        measured(store, "one", questions=20, draws=int(store.root.name))
        reports.answers(store.root, stages=["none"])  # pandas is loaded
    few, many = (peak_of(partial(_read_in_batches, store.root, size=500)) for store in stores)
    assert many < 1.5 * few


def test_the_memory_of_batches_does_not_grow_with_the_length_of_answers(tmp_path: Path) -> None:
    """Answers of 10,000 characters need no more memory at a time than those of 1,000."""
    stores = [Store(tmp_path / str(length)) for length in (1_000, 10_000)]
    for store in stores:
        measured(store, "one", questions=20, draws=50, characters=int(store.root.name))
        reports.answers(store.root, stages=["none"])
    short, long = (
        peak_of(partial(_read_in_batches, store.root, characters=200_000)) for store in stores
    )
    assert long < 1.5 * short


def test_long_questions_end_a_batch_too(tmp_path: Path) -> None:
    """A question counts once for all of its rows; a row that is longer than the limit is alone."""
    measured(Store(tmp_path), "one", questions=3, draws=2, characters=20)
    sizes = [len(frame) for frame in reports.answer_batches(tmp_path, characters=40)]
    assert sizes == [3, 2, 1]
    assert [len(frame) for frame in reports.answer_batches(tmp_path, characters=1)] == [1] * 6


@pytest.mark.parametrize(("size", "characters"), [(0, 1), (1, 0), (-1, 1)])
def test_a_limit_below_one_is_an_error(tmp_path: Path, size: int, characters: int) -> None:
    """No frame can be made that small, and no empty result takes its place."""
    measured(Store(tmp_path), "one", questions=1)
    with pytest.raises(ValueError, match="must be 1 or more"):
        next(reports.answer_batches(tmp_path, size=size, characters=characters))


def test_a_frame_takes_few_bytes_an_answer(tmp_path: Path) -> None:
    """Texts that repeat are kept once: some 300 bytes a row, all in all."""
    measured(Store(tmp_path), "one", questions=1_000, draws=10)
    reports.answers(tmp_path, stages=["none"])
    assert peak_of(lambda: reports.answers(tmp_path)) < 300 * 10_000


def test_batches_refuse_damaged_answers_before_the_first_row(tmp_path: Path) -> None:
    """Rows that were changed are an error, and no row of their file is given."""
    file = measured(Store(tmp_path), "one", questions=3) / ANSWERS
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    rows[-1]["text"] = "Fox 2 of 3"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(DamageError, match=r"answers\.jsonl is damaged"):
        next(iter(reports.answer_batches(tmp_path)))


def test_a_lone_surrogate_in_an_answer_stays(tmp_path: Path) -> None:
    """An answer that no encoding can hold is in the frame as it came."""
    file = measured(Store(tmp_path), "one", questions=1) / ANSWERS
    write_rows(file, [{"row": 0, "draw": 0, "seed": 0, "text": "\ud800", "finish": "stop"}])
    sign_anew(file.parent)
    assert list(reports.answers(tmp_path).answer) == ["\ud800"]
