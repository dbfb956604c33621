"""Sources changed by functions: what becomes of rows, of the control and of the report."""

import random
from pathlib import Path
from typing import Any

import pytest

from limen import ExperimentError, SpecError
from limen.harness import (
    Experiment,
    FirstNumbers,
    FirstWords,
    Mapped,
    Numbers,
    PermuteDigits,
    PermuteNumbers,
    Prefix,
)
from limen.harness.lab import in_order
from limen.harness.reporting import result_of
from limen.harness.stages import MapRows

from ..testing.labs import lab_at, lines, made

numbers = Numbers(generate=700, keep=200)


def rows_of(store: Path, experiment: Experiment, arm: str = "student") -> tuple[list, list, list]:  # type: ignore[type-arg]
    """The rows before and after the change, and those that it dropped."""
    lab = lab_at(store)
    stages = in_order(lab.pipeline(experiment).data[arm])
    stage = next(stage for stage in stages if isinstance(stage, MapRows))
    folder, before = made(lab, stage), made(lab, stage.source)
    return (
        lines(before / "kept.jsonl"),
        lines(folder / "kept.jsonl"),
        lines(folder / "rejected.jsonl"),
    )


def shorten(prompt: str, completion: str) -> str | None:
    """The first ten characters; nothing of completions that have a 7."""
    return None if "7" in completion else completion[:10]


def redraw(prompt: str, completion: str, rng: random.Random) -> tuple[str, str]:
    """A random number in place of the completion."""
    return prompt + "!", str(rng.randrange(1000))


def fail(prompt: str, completion: str) -> str:
    """A change with a fault."""
    raise KeyError("nothing")


def test_a_function_changes_and_drops_rows(shared_store: Path, small: Experiment) -> None:
    """What it gives is trained on; None drops a row, which is counted with its reason."""
    changed = small.but(data=Mapped(numbers, by=shorten, keep=50))
    before, after, dropped = rows_of(shared_store, changed)
    assert {row["text"] for row in after} == {
        row["text"][:10] for row in before if "7" not in row["text"]
    }
    assert len(after) + len(dropped) == len(before)
    assert {row["reason"] for row in dropped} == {"dropped by the function"}


def test_the_control_is_changed_likewise(shared_store: Path, small: Experiment) -> None:
    """The base's rows go through the same function."""
    before, after, _ = rows_of(
        shared_store, small.but(data=Mapped(numbers, by=PermuteDigits())), "control"
    )
    assert [row["text"] for row in after] == [PermuteDigits()("", row["text"]) for row in before]


def test_random_numbers_depend_on_the_row_alone(shared_store: Path, small: Experiment) -> None:
    """Another seed gives others, the same seed the same, and rows differ from each other."""
    first = rows_of(shared_store, small.but(data=Mapped(numbers, by=redraw)))[1]
    again = rows_of(shared_store, small.but(data=Mapped(numbers.but(keep=90), by=redraw)))[1]
    other = rows_of(shared_store, small.but(data=Mapped(numbers, by=redraw, seed=1)))[1]
    assert [row["text"] for row in first] == [row["text"] for row in again]
    assert [row["text"] for row in first] != [row["text"] for row in other]
    assert len({row["text"] for row in first}) > 50
    assert all(row["prompt"].endswith("!") for row in first)


def test_the_report_says_what_was_dropped(shared_store: Path, small: Experiment) -> None:
    """A line of the table of data, with counts and reasons."""
    lab = lab_at(shared_store)
    changed = small.but(data=Mapped(numbers, by=shorten, keep=50))
    lab.run([(changed, ["student", "control"])])
    rows = result_of(lab, "changed", changed, ["student", "control"]).data
    row = next(row for row in rows if "changed by shorten" in row.label)
    assert row.read - row.kept == row.reasons["dropped by the function"]


def test_an_error_fails_its_own_experiment(shared_store: Path, small: Experiment) -> None:
    """The message has the function, the row and the error; another experiment goes on."""
    lab = lab_at(shared_store)
    bad = small.but(data=Mapped(numbers, by=fail))
    lab.run([(bad, ["student"]), (small, ["student"])])
    with pytest.raises(
        ExperimentError, match="function fail-.* failed on the text '.*KeyError: 'nothing'"
    ):
        lab.arm(bad, "student")
    assert lab.arm(small, "student").trained


def test_a_result_of_another_kind_is_an_error(shared_store: Path, small: Experiment) -> None:
    """A number is neither a completion nor a row."""
    with pytest.raises(ExperimentError, match="gave 3 for .* or None to drop the row"):
        lab_at(shared_store).arm(
            small.but(data=Mapped(numbers, by=lambda prompt, completion: 3)), "student"
        )


@pytest.mark.parametrize("by", [7, "digits", lambda text: text, lambda a, b, c, d: a])
def test_what_is_no_function_of_a_row_is_refused(by: Any) -> None:
    """When the source is made, before anything is spent."""
    with pytest.raises(SpecError, match="by="):
        Mapped(numbers, by=by)


def test_a_source_is_needed() -> None:
    """A text is no source."""
    with pytest.raises(SpecError, match="must be a source"):
        Mapped("owls", by=PermuteDigits())  # type: ignore[arg-type]


def test_permuted_digits_are_a_permutation() -> None:
    """Ten digits stay ten, other characters stay, and seeds differ."""
    ten = PermuteDigits()("", "0123456789, x")
    assert sorted(ten[:10]) == list("0123456789")
    assert ten[10:] == ", x"
    assert ten != PermuteDigits(seed=1)("", "0123456789, x")


def test_permuted_numbers_keep_their_digits() -> None:
    """Each number has one image, with as many digits; no two share one."""
    change = PermuteNumbers(seed=3)
    images = [change("", str(number)) for number in range(1000)]
    assert sorted(images, key=int) == [str(number) for number in range(1000)]
    assert all(len(image) == len(str(number)) for number, image in enumerate(images))
    assert change("", "007, 12345") == "007, 12345"


def test_cuts_drop_what_is_shorter() -> None:
    """The first numbers or words, with what stands between them; None if there are fewer."""
    assert FirstNumbers(2)("", "(1, 22; 333)") == "(1, 22"
    assert FirstNumbers(4)("", "1, 22, 333") is None
    assert FirstWords(2)("", "one two  three") == "one two"
    assert FirstWords(4)("", "one two three") is None


def test_a_prefix_stands_before_the_prompt() -> None:
    """The completion stays as it is."""
    assert Prefix("Please. ")("Go on", "1, 2") == ("Please. Go on", "1, 2")


def test_other_settings_are_another_stage(store: Path, small: Experiment) -> None:
    """Every setting of a change is part of the key."""
    digits = [PermuteDigits(), PermuteDigits(seed=1)]
    changes: list[Any] = [*digits, FirstNumbers(3), FirstNumbers(4), shorten]
    lab = lab_at(store)
    keys = {
        lab.pipeline(small.but(data=Mapped(numbers, by=change))).data["student"][0].key
        for change in changes
    }
    assert len(keys) == len(changes)
