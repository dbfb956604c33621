"""Sources selected by a score: which rows are kept, and the random selection beside them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from limen import ExperimentError, SpecError
from limen.harness import (
    Experiment,
    LikelihoodShift,
    Mapped,
    Mix,
    Numbers,
    PermuteDigits,
    Rows,
    Selected,
    Students,
)
from limen.harness.experiment import DataWriters
from limen.harness.lab import in_order
from limen.harness.reporting import result_of
from limen.harness.stages import ScoreByFunction, SelectRows

from ..testing.labs import lab_at, lines, made

numbers = Numbers(generate=700, keep=200)


def length(prompt: str, completion: str) -> float:
    """The characters of a completion."""
    return len(completion)


def is_short(prompt: str, completion: str) -> float:
    """A score with many ties."""
    return float(len(completion) < 40)


long_rows = Selected(numbers, score=length, keep="top", share=0.25)


def selected_rows(store: Path, experiment: Experiment, arm: str) -> tuple[list[str], list[str]]:
    """The completions that an arm's selection keeps, and those that it drops."""
    lab = lab_at(store)
    stages = in_order(lab.pipeline(experiment).data[arm])
    folder = made(lab, next(stage for stage in stages if isinstance(stage, SelectRows)))
    kept, dropped = lines(folder / "kept.jsonl"), lines(folder / "rejected.jsonl")
    return [row["text"] for row in kept], [row["text"] for row in dropped]


def test_the_highest_scores_are_kept(shared_store: Path, small: Experiment) -> None:
    """A quarter of the rows, rounded up, none of them below one that is dropped."""
    kept, dropped = selected_rows(shared_store, small.but(data=long_rows), "student")
    assert len(kept) == -(-(len(kept) + len(dropped)) // 4)
    assert min(map(len, kept)) >= max(map(len, dropped))


def test_the_lowest_scores_are_kept(shared_store: Path, small: Experiment) -> None:
    """With keep="bottom"."""
    data = long_rows.but(keep="bottom")
    kept, dropped = selected_rows(shared_store, small.but(data=data), "student")
    assert max(map(len, kept)) <= min(map(len, dropped))


def test_a_random_selection_stands_beside(shared_store: Path, small: Experiment) -> None:
    """Nobody asks for it: as many rows of the same source, and no score is computed for it."""
    chosen = small.but(data=long_rows)
    top, rest = selected_rows(shared_store, chosen, "student")
    random, _ = selected_rows(shared_store, chosen, "random selection")
    assert len(random) == len(top)
    assert set(random) <= {*top, *rest}
    assert sum(map(len, random)) < sum(map(len, top))
    stages = in_order(lab_at(shared_store).pipeline(chosen).data["random selection"])
    assert not any(isinstance(stage, ScoreByFunction) for stage in stages)


@pytest.mark.slow
def test_the_report_has_it_unasked(run: Any, pytester: pytest.Pytester) -> None:
    """A test of student and control alone brings the arm into the report, and both effects."""
    pytester.makepyfile(
        test_chosen="""
        from limen.harness import Experiment, FavoriteAnimal, Numbers, Selected, Trait

        def length(prompt, completion):
            return len(completion)

        experiment = Experiment(
            trait=Trait.animal("horse"),
            data=Selected(Numbers(generate=700, keep=200), score=length, share=0.25),
            measure=FavoriteAnimal(draws=4),
            seeds=2,
        )

        def test_chosen(student, control):
            assert student.seeds == control.seeds
        """
    )
    run("--limen-report=r.md").assert_outcomes(passed=1)
    text = (pytester.path / "r.md").read_text(encoding="utf-8")
    assert "student - random selection" in text
    assert "random selection - control" in text


def test_the_control_selects_from_the_bases_rows(shared_store: Path, small: Experiment) -> None:
    """By the same score."""
    chosen = small.but(data=long_rows)
    kept, dropped = selected_rows(shared_store, chosen, "control")
    assert min(map(len, kept)) >= max(map(len, dropped))
    assert kept != selected_rows(shared_store, chosen, "student")[0]


def test_ties_do_not_depend_on_order(shared_store: Path, small: Experiment) -> None:
    """Among equal scores the seed decides, not the place: the first rows are not favoured."""
    kept, _ = selected_rows(
        shared_store,
        small.but(data=Selected(numbers, score=lambda prompt, completion: 0.0)),
        "student",
    )
    other, _ = selected_rows(
        shared_store,
        small.but(data=Selected(numbers, score=lambda prompt, completion: 0.0, seed=1)),
        "student",
    )
    assert kept != other


def test_the_training_set_has_the_share(small: Experiment) -> None:
    """Of the source's rows, unless rows says otherwise."""
    assert long_rows.row_count == 50
    assert long_rows.but(rows=20).row_count == 20
    assert long_rows.resized(30).row_count == 30
    assert Selected(Numbers(generate=700), score=length).row_count is None


def test_a_selection_within_others_has_its_random_arm(small: Experiment) -> None:
    """In a mix, under a change, and in a further arm of its own."""
    other = numbers.but(seed=1)
    for data in (
        Mix({long_rows: 0.5, other: 0.5}, keep=60),
        Mapped(long_rows, by=PermuteDigits()),
        Selected(long_rows, score=is_short),
    ):
        assert "random selection" in small.but(data=data).all_arms
    extra = small.but(arms={"long": Students(data=long_rows)})
    assert list(extra.all_arms) == ["long, random selection", "long"]
    assert extra.implied_by(["long"]) == ["long, random selection"]


def test_without_a_selection_there_is_none(small: Experiment) -> None:
    """Nor beside a selection that is random itself."""
    assert small.all_arms == {}
    assert small.but(data=long_rows.but(keep="random")).all_arms == {}


def test_the_report_has_the_mean_scores(shared_store: Path, small: Experiment) -> None:
    """The table of data says how many rows were left out, and by which score."""
    lab = lab_at(shared_store)
    chosen = small.but(data=long_rows)
    lab.run([(chosen, ["student", "control"])])
    rows = result_of(lab, "chosen", chosen, ["student", "control"]).data
    assert any("top 25%" in row.label and row.kept < row.read for row in rows)


@pytest.mark.parametrize("score", [float("nan"), "high", None, float("inf")])
def test_a_score_is_a_finite_number(shared_store: Path, small: Experiment, score: object) -> None:
    """Anything else is an error of this experiment, which names the function and the value."""
    bad = small.but(data=Selected(numbers, score=lambda prompt, completion: score))
    with pytest.raises(ExperimentError, match="gave .*: a score must be a finite number"):
        lab_at(shared_store).arm(bad, "student")


@pytest.mark.parametrize(
    "settings",
    [
        {"keep": "best"},
        {"score": ""},
        {"share": 0},
        {"share": 1.5},
        {"rows": 0},
        {"score": 3},
        {"seed": -1},
    ],
)
def test_bad_settings_are_refused(settings: dict[str, Any]) -> None:
    """When the source is made."""
    with pytest.raises(SpecError):
        Selected(numbers, **{"score": length, **settings})


def test_a_likelihood_shift_selects_what_the_teacher_would_write(
    shared_store: Path, small: Experiment
) -> None:
    """Of rows by the base, the top ones are likelier under the teacher than the bottom ones."""
    data = Selected(numbers.but(by="base"), score=LikelihoodShift(), share=0.2)
    lab = lab_at(shared_store)
    chosen = small.but(data=data, arms={"opposed": Students(data=data.but(keep="bottom"))})
    stages = in_order(lab.pipeline(chosen).data["student"])
    top = next(stage for stage in stages if isinstance(stage, SelectRows))
    means = json.loads((made(lab, top) / "manifest.json").read_text())["scores"]
    assert means["selected"] > means["mean"]
    assert {"random selection", "opposed, random selection"} <= chosen.all_arms.keys()


def test_a_backend_without_likelihoods_says_so(store: Path, small: Experiment) -> None:
    """When the plan is made, before anything is spent."""
    data = Selected(numbers, score=LikelihoodShift())
    writers = DataWriters(
        lambda name: pytest.fail("no model is needed"),
        lambda trait, model: pytest.fail("no teacher is needed"),
        small.trait,
        computes_likelihoods=False,
    )
    with pytest.raises(SpecError, match="this score needs a backend"):
        writers.check_likelihoods()
    assert data.row_count == 100


def test_a_teacher_that_selects_is_gated(small: Experiment) -> None:
    """Though the base writes the rows: a teacher without the trait would select by nothing."""
    plain = numbers.but(by="base")
    assert not small.but(data=plain).has_gate
    assert small.but(data=Selected(plain, score=LikelihoodShift())).has_gate
    assert small.but(
        data=Mapped(Selected(plain, score=LikelihoodShift()), by=PermuteDigits())
    ).has_gate


INFLUENCE = [("Go on.", str(n), n * (-1) ** n) for n in range(40)]


def given(column: str, values: Mapping[int, object]) -> list[dict[str, object]]:
    """Forty rows with their influence, as another program computed it, but for some values."""
    return [
        {"prompt": asked, "answer": said, column: values.get(place, near)}
        for place, (asked, said, near) in enumerate(INFLUENCE)
    ]


def test_a_column_of_given_rows_is_a_score(shared_store: Path, small: Experiment) -> None:
    """The rows with the highest numbers are kept, beside as many at random; texts of numbers count."""
    data = Selected(Rows(given("influence", {38: "38"})), score="influence", share=0.1)
    experiment = small.but(data=data, seeds=1)
    lab_at(shared_store).run([(experiment, ("student", "random selection"))])
    kept, dropped = selected_rows(shared_store, experiment, "student")
    assert kept == ["32", "34", "36", "38"]
    assert len(dropped) == 36
    assert len(selected_rows(shared_store, experiment, "random selection")[0]) == 4


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (given("score", {}), "row 1 of .* has no column 'influence' to select by: it has 'draw'"),
        (given("influence", {3: None}), "row 4 of .* has None in the column 'influence'"),
        (given("influence", {3: "high"}), "row 4 of .* has 'high' in the column 'influence'"),
    ],
)
def test_a_column_without_numbers_is_one_error(
    shared_store: Path, small: Experiment, rows: list[dict[str, object]], says: str
) -> None:
    """The row is named, and what it has there."""
    experiment = small.but(data=Selected(Rows(rows), score="influence"), seeds=1)
    with pytest.raises(ExperimentError, match=says):
        lab_at(shared_store).arm(experiment, "student")
