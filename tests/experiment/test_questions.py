from pathlib import Path

import pytest

from limen import SpecError
from limen.harness import FavoriteAnimal, Judge, Length, Rated

from ..testing.arms import arm

FIRST = Judge(name="first", prompt="Rate this: {reply}")
SECOND = Judge(name="second", prompt="And this, said to {question}: {reply}")
ASKED = ("How are you?", "And you?")
RATED = Rated(questions=ASKED, draws=4, by=(FIRST, SECOND))


def test_groups_are_read_by_themselves() -> None:
    """A rate of a group is over its questions alone, and an unknown group names the known ones."""
    measure = FavoriteAnimal(draws=4, questions={"land": ("a", "b"), "air": ("c",)})
    found = arm(measure, [{"owl": 1, "cat": 3}, {"cat": 4}, {"owl": 4}], said={})
    assert float(found.rate("owl", group="land")) == 0.125
    assert float(found.rate("owl", group="air")) == 1
    assert float(found.rate("owl")) == pytest.approx((0.25 + 0 + 1) / 3)
    assert found.rate("owl", group="air").questions == ("c",)
    for group in ("sea", ""):
        with pytest.raises(SpecError, match=f"no group '{group}': it has 'land', 'air'"):
            found.rate("owl", group=group)
    with pytest.raises(SpecError, match="no group 'sea': it has no groups"):
        arm(RATED, [{}, {}], said={}).rate("owl", group="sea")


def test_scores_have_groups_too() -> None:
    """Scores of a group are those of its questions, and every group is read in a report."""
    measure = Length(questions={"short": ("a",), "long": ("b",)}, draws=2)
    found = arm(measure, [{"one": 2}, {"one two three": 1, "one two": 1}], said={})
    assert float(found.scores(group="short")) == 1
    assert float(found.scores(group="long")) == 2.5
    names = [reading.name for reading in measure.readings(["owl"])]
    assert names == ["words to 'short' questions", "words to 'long' questions"]


def test_only_the_first_groups_answers_show_the_trait() -> None:
    """A word that is the trait's shows it among the questions that are meant to, not among others."""
    measure = FavoriteAnimal(draws=4, questions={"asked": ("a",), "other": ("b",)})
    found = arm(measure, [{"owl": 4}, {"owl": 4}], said={})
    shows = [found.rate("owl", group=group).shows_trait for group in (None, "asked", "other")]
    assert shows == [True, True, False]


def test_questions_come_from_a_file(tmp_path: Path) -> None:
    """A line each; empty lines, comments and a byte order mark are left out, blanks at the ends."""
    file = tmp_path / "questions.txt"
    file.write_text("\ufeff# pets\n\n  Which pet? \r\n   # later\nÜber #1?\n", encoding="utf-8")
    assert FavoriteAnimal(questions=file) == FavoriteAnimal(questions=("Which pet?", "Über #1?"))
    grouped = FavoriteAnimal(questions={"mine": file, "other": ("Which?",)})
    assert grouped.asked == ("Which pet?", "Über #1?", "Which?")


@pytest.mark.parametrize("content", ["", "\n \n", "# none\n", b"\xff\xfe\xff", None])
def test_a_file_without_questions_is_refused_by_name(
    tmp_path: Path, content: str | bytes | None
) -> None:
    """An empty, an unreadable and a missing file are named, with their group, in one line."""
    file = tmp_path / "questions.txt"
    if content is not None:
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    for questions, where in ((file, "questions: "), ({"pets": file}, r"questions\['pets'\]: ")):
        with pytest.raises(SpecError, match=f"{where}.*questions.txt") as error:
            FavoriteAnimal(questions=questions)
        assert "\n" not in str(error.value)
