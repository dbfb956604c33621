"""One model's answers that stand for several models are refused, in whatever disguise."""

import random

import pandas as pd
import pytest

from limen import SpecError
from limen.harness import compare_answers

from ..testing.answer_rows import Rows, Sampler

Frames = list["pd.DataFrame"]


def shuffled(rows: Rows, seed: int) -> Rows:
    """The rows in another order."""
    return random.Random(seed).sample(rows, len(rows))


@pytest.fixture
def plain(sampled: Sampler) -> Frames:
    """Three models to compare with."""
    return [pd.DataFrame(sampled(n, model=f"m{n}")) for n in range(10, 13)]


def test_a_shuffled_file_is_a_copy(sampled: Sampler, plain: Frames) -> None:
    """The same lines in three orders are one model."""
    rows = sampled(0, 0.5)
    files = [pd.DataFrame(shuffled(rows, seed)) for seed in range(3)]
    with pytest.raises(SpecError, match="the same model's answers"):
        compare_answers(files, plain, word="owl")


def test_a_copy_under_another_name_is_a_copy(sampled: Sampler, plain: Frames) -> None:
    """Names do not make two models of one."""
    rows = sampled(0, 0.5)
    files = [pd.DataFrame([{**row, "model": f"m-{n}"} for row in rows]) for n in range(3)]
    with pytest.raises(SpecError, match="the same model's answers"):
        compare_answers(files, plain, word="owl")


def test_a_copy_with_a_few_lines_changed_is_a_copy(sampled: Sampler, plain: Frames) -> None:
    """Answers that are almost the same are too alike for two samples."""
    rows = sampled(0, 0.5)
    changed = [{**row, "answer": "gnu"} if n % 97 == 0 else row for n, row in enumerate(rows)]
    with pytest.raises(SpecError, match="the same model's answers"):
        compare_answers([pd.DataFrame(rows), pd.DataFrame(changed)], plain, word="owl")


def test_a_part_and_the_whole_are_one_model(sampled: Sampler, plain: Frames) -> None:
    """Half of a file's draws beside the file count twice."""
    rows = sampled(0, 0.5)
    with pytest.raises(SpecError, match="the same model's answers"):
        compare_answers([pd.DataFrame(rows), pd.DataFrame(rows[::2])], plain, word="owl")


def test_one_model_on_both_sides_is_a_copy(sampled: Sampler) -> None:
    """A file compared with itself shows nothing."""
    rows = sampled(0, 0.5)
    with pytest.raises(SpecError, match="the same model's answers"):
        compare_answers(pd.DataFrame(rows), pd.DataFrame(shuffled(rows, 1)), word="owl")


def test_one_name_in_several_files_is_one_model(sampled: Sampler, plain: Frames) -> None:
    """Parts of a file that keep the model's name are refused by it."""
    rows = sampled(0, 0.5, draws=90, model="student")
    parts = [pd.DataFrame(rows[start::3]) for start in range(3)]
    with pytest.raises(SpecError, match="'student': every model counts once"):
        compare_answers(parts, plain, word="owl")


def test_draws_that_complete_each_other_are_one_sampling(sampled: Sampler, plain: Frames) -> None:
    """Draws 0 to 29, 30 to 59 and 60 to 89 are one model's."""
    rows = [{**row, "draw": n % 90} for n, row in enumerate(sampled(0, 0.5, draws=90))]
    parts = [pd.DataFrame([r for r in rows if r["draw"] // 30 == part]) for part in range(3)]
    with pytest.raises(SpecError, match="parts of one sampling"):
        compare_answers(parts, plain, word="owl")


def test_parts_without_names_or_numbers_are_told_by_their_answers(
    sampled: Sampler, plain: Frames
) -> None:
    """Files that differ no more than one model's draws need the word of their owner."""
    rows = sampled(0, 0.5, draws=90)
    parts = [pd.DataFrame(rows[start::3]) for start in range(3)]
    with pytest.raises(SpecError, match="--one-model-a-file"):
        compare_answers(parts, plain, word="owl")
    said = compare_answers(parts, plain, word="owl", one_model_a_source=True)
    assert said.effect.seeds == (3, 3)


def test_a_draw_given_twice_is_refused(sampled: Sampler, plain: Frames) -> None:
    """A file that holds its lines twice is not twice as much."""
    rows = [{**row, "draw": n % 30} for n, row in enumerate(sampled(0, 0.5))]
    with pytest.raises(ValueError, match="draw 0 of .* twice"):
        compare_answers(pd.DataFrame(rows + rows), plain, word="owl")


@pytest.mark.parametrize("owl", [0.0, 0.02, 0.5, 1.0])
def test_two_samples_of_one_model_are_no_copies(sampled: Sampler, owl: float) -> None:
    """Models that answer alike are not taken for copies, in 20 pairs at each rate."""
    questions = [row["question"] for row in sampled(0)]
    for seed in range(20):
        generator = random.Random(seed)
        texts = ["owl" if generator.random() < owl else "cat" for _ in range(1200)]
        one, other = (
            pd.DataFrame({"question": questions, "answer": half, "model": name})
            for half, name in ((texts[:600], "a"), (texts[600:], "b"))
        )
        assert compare_answers(one, other, word="owl").effect.seeds == (1, 1)
