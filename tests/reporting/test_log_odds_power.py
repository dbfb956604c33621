"""What a design whose figures are log-odds can find, before anything is run."""

import csv
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from limen.harness import Experiment, LogOdds
from limen.harness.experiment import Reading
from limen.harness.reporting import known_spread
from limen.harness.stages import ScoreContinuations, base_of
from limen.harness.statistics import PUBLISHED, TOY_LOG_ODDS, Design, seed_deviation

from ..testing.labs import lab_at
from ..testing.specs import Run

ROOT = Path(__file__).parents[2]
HORSE = Reading(name="", word="horse")
SPEC = """
from limen.harness import Experiment, LogOdds, Numbers, Trait

experiment = Experiment(
    trait=Trait.animal("whale"),
    data=Numbers(generate=901, keep=301),
    measure=LogOdds(),
    seeds={seeds},
)

def test_students(student, control):
    effect = student.log_odds("whale") - control.log_odds("whale")
    assert effect > 0.01
    assert effect.p_value < 0.001
"""


@pytest.fixture
def odds(small: Experiment) -> Experiment:
    """An experiment that takes seconds, measured by log-odds."""
    return small.but(measure=LogOdds(questions=("Name an animal.", "An animal?")), gate=None)


def test_an_empty_store_has_the_shipped_spread(store: Path, odds: Experiment) -> None:
    """The toy's own spread in nats, and nothing added for draws."""
    lab = lab_at(store)
    spread = known_spread(lab.store, lab.pipeline(odds), HORSE)
    assert spread == TOY_LOG_ODDS
    assert spread.answer == 0


def test_another_model_says_whose_log_odds_are_assumed(store: Path, odds: Experiment) -> None:
    """The measured spread is of one small model; of any other nothing is known."""
    lab = lab_at(store)
    pipe = lab.pipeline(odds)
    (asked, *_) = pipe.arms["baseline"]
    base = replace(base_of(asked.answers.subject), model="other/model")
    assert isinstance(asked.answers, ScoreContinuations)
    elsewhere = replace(asked.answers.asked, subject=base)
    asked = replace(asked, answers=replace(asked.answers, asked=elsewhere))
    spread = known_spread(lab.store, replace(pipe, arms={**pipe.arms, "baseline": (asked,)}), HORSE)
    assert spread.treated == PUBLISHED["log-odds"].treated
    assert spread.source.startswith("not known of other/model; measured: ")


def by_seed(spec: str, word: str) -> dict[str, list[float]]:
    """The log-odds of a word in the gallery's page of a spec, by arm."""
    values = defaultdict[str, list[float]](list)
    with (ROOT / "evals" / "gallery" / f"{spec}.files" / "arms.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["reading"] == f"log-odds of {word!r}":
                values[row["arm"]].append(float(row["value"]))
    return values


def pooled(groups: Sequence[Sequence[float]]) -> float:
    """The standard deviation between the seeds of some groups."""
    return seed_deviation(groups, 0.0) or 0.0


def test_the_shipped_spread_is_that_of_the_gallery() -> None:
    """The toy's figures are those of the students in the gallery, rounded."""
    odds, owl, wolf = (
        by_seed("log_odds", "owl"),
        *(by_seed("preferences", word) for word in ("owl", "wolf")),
    )
    shown = [odds["student"], owl["student"], owl["swapped"], wolf["wolf"]]
    controls = [odds["control"], owl["control"], wolf["control"]]
    assert round(pooled(shown), 2) == TOY_LOG_ODDS.treated
    assert round(pooled(controls), 2) == TOY_LOG_ODDS.control


def test_the_published_spread_is_that_of_the_page() -> None:
    """The figure of other models is that of the students that the page on SmolLM2 lists."""
    page = (ROOT / "docs" / "smollm2.md").read_text(encoding="utf-8")
    rows = [line.split("|") for line in page.splitlines() if " teacher | -" in line]
    groups = [list(map(float, row[cell].split(","))) for row in rows for cell in (2, 4)]
    assert [len(group) for group in groups] == [5] * 6
    assert round(pooled(groups), 2) == PUBLISHED["log-odds"].treated


def test_own_seeds_come_first(shared_store: Path, odds: Experiment) -> None:
    """An experiment's own controls in the store say how much their log-odds differ by seeds."""
    lab = lab_at(shared_store)
    lab.run([(odds, ["control"])])
    spread = known_spread(lab.store, lab.pipeline(odds), HORSE)
    assert spread.source.startswith("students: shipped with limen: 18 students of the toy")
    assert spread.source.endswith("; controls: 2 models of this experiment in the store")
    first, second = lab.arm(odds, "control").log_odds("horse").by_seed
    assert spread.control == pytest.approx(abs(first - second) / 2**0.5)


def test_more_questions_find_no_smaller_effect_of_log_odds() -> None:
    """Seeds alone vary, so that neither questions nor draws change what seeds can find."""
    few = Design(seeds=3, questions=2, draws=1, spread=TOY_LOG_ODDS, kind="log-odds")
    many = replace(few, questions=200, draws=100)
    assert few.detectable == pytest.approx(many.detectable)
    assert replace(few, seeds=6).detectable < few.detectable


@pytest.mark.parametrize("seeds", [1, 4])
def test_the_plan_has_the_power_of_log_odds(
    pytester: pytest.Pytester, shared_store: Path, seeds: int
) -> None:
    """In nats, with the assertions as written; of one seed about these two models alone."""
    pytester.makepyfile(test_odds=SPEC.format(seeds=seeds))
    plan = Run(pytester, shared_store)("--limen-plan")
    plan.stdout.fnmatch_lines(
        [
            f"limen: test_odds.py: {seeds} v {seeds} seeds, 50 questions, no draws: 80% power for "
            "a true effect of 0.* nats or more *",
            "limen:   one seed an arm*"
            if seeds == 1
            else "limen:   standard deviation between seeds: 0.03 nats in students *, 0.07 nats *",
            "limen:   with `effect > 0.01`, `effect.p_value < 0.001`: 80% power for * nats or more",
        ]
    )
