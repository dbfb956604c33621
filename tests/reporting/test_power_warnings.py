from dataclasses import replace
from pathlib import Path

import pytest

from limen.harness import Experiment, FavoriteAnimal, Length, Numbers, Scored, Trait
from limen.harness.experiment import Reading
from limen.harness.reporting import effect_assertions, known_spread, planned_design
from limen.harness.stages import base_of
from limen.harness.statistics import PUBLISHED, TOY

from ..testing.labs import lab_at
from ..testing.specs import Run

HORSE = Reading(name="", word="horse")


def length(answer: str) -> float:
    """Whether an answer is long."""
    return float(len(answer) > 5)


def test_a_guess_about_scores_is_on_their_scale(tmp_path: Path) -> None:
    """Of scores from 0 to 1 a ninth of what is guessed for ratings from 1 to 10."""
    spreads, designs = [], []
    for ends in ((0, 1), (1, 10)):
        measure = Scored(questions=("How?", "Why?"), outcome=length, scale=ends, draws=10)
        experiment = Experiment(
            trait=Trait.animal("horse"),
            data=Numbers(generate=50, keep=20),
            measure=measure,
            seeds=3,
        )
        lab = lab_at(tmp_path)
        spreads.append(known_spread(lab.store, lab.pipeline(experiment), measure.readings([])[0]))
        designs.append(planned_design(lab, experiment, ["student", "control"]))
    assert [one.treated for one in spreads] == pytest.approx([0.5 / 9, 0.5])
    small, large = designs
    assert small is not None
    assert large is not None
    assert small.detectable == pytest.approx(large.detectable / 9, rel=0.01)


@pytest.fixture
def taught() -> Experiment:
    """An experiment whose effect three seeds find."""
    return Experiment(
        trait=Trait.animal("horse"),
        data=Numbers(generate=5_000, keep=3_000),
        measure=FavoriteAnimal(draws=40),
        recipe={"epochs": 3},
        seeds=5,
        looks=(3,),
    )


@pytest.mark.slow
def test_an_experiment_stops_at_the_look_that_decides(
    shared_store: Path, taught: Experiment
) -> None:
    """Seeds after it are not trained, every arm ends there, and what is found is corrected."""
    lab = lab_at(shared_store)
    lab.run([(taught, ["student", "control"])])
    student, control = lab.arm(taught, "student"), lab.arm(taught, "control")
    assert (student.seeds, control.seeds) == (3, 3)
    effect = student.rate("horse") - control.rate("horse")
    assert effect.verdict == "higher"
    assert effect.p_value == pytest.approx(2 * effect.raw_p_value)
    assert effect.test == "Welch's t over seed means, Bonferroni x 2 (2 looks)"
    last = lab.pipeline(taught).arms["student"][4].answers.subject
    assert not lab.store.has(last.kind, last.key), "the fifth student was trained in vain"
    again = lab_at(shared_store)
    assert again.arm(taught, "student").seeds == 3, "another run takes another number of seeds"


def test_an_undecided_experiment_takes_all_its_seeds(shared_store: Path, small: Experiment) -> None:
    """Where a look finds nothing, or an arm is missing to look at, the other seeds follow."""
    null = small.but(
        data=Numbers(generate=700, keep=200, by="base"),
        control=Numbers(generate=700, keep=200, by="base", seed=1),
        gate=None,
        seeds=4,
        looks=(2, 3),
    )
    lab = lab_at(shared_store)
    lab.run([(null, ["student", "control"])])
    assert (lab.arm(null, "student").seeds, lab.arm(null, "control").seeds) == (4, 4)
    alone = lab_at(shared_store)
    alone.run([(small.but(seeds=3, looks=(2,), gate=None), ["control"])])
    assert alone.arm(small.but(seeds=3, looks=(2,), gate=None), "control").seeds == 3


def test_the_spread_of_own_seeds_comes_first(store: Path, small: Experiment) -> None:
    """An experiment's own arms in the store say how much its seeds differ; the rest is shipped."""
    lab = lab_at(store)
    free = small.but(gate=None)
    lab.run([(free, ["control"])])
    own = known_spread(lab.store, lab.pipeline(free), HORSE)
    assert own.source.startswith("students: shipped with limen: 121 groups of students of the toy")
    assert own.source.endswith("; controls: 2 models of this experiment in the store")
    assert own.treated == TOY.treated
    assert 0 <= own.control < 0.5
    assert own.answer is not None


@pytest.mark.slow
def test_the_spread_of_other_students_comes_second(shared_store: Path, small: Experiment) -> None:
    """Students of other data that show an effect stand for students, those without for controls."""
    lab = lab_at(shared_store)
    taught = small.but(data=Numbers(generate=2_000, keep=1_000), recipe={"epochs": 3}, gate=None)
    lab.run([(taught, ["student", "control"])])
    other = taught.but(trait=Trait.animal("bear"), data=taught.data.but(seed=7))
    other = other.but(control=Numbers(generate=2_000, keep=1_000, by="base", seed=8))
    spread = known_spread(lab.store, lab.pipeline(other), HORSE)
    assert "of other data that show an effect in the store" in spread.source
    assert "of other data without an effect in the store" in spread.source
    assert spread.treated != TOY.treated


def test_an_empty_store_has_the_spread_of_the_toy(store: Path, small: Experiment) -> None:
    """Where nothing was measured yet the spread of the toy is that of its own students elsewhere."""
    lab = lab_at(store)
    assert known_spread(lab.store, lab.pipeline(small), HORSE) == TOY


@pytest.mark.parametrize(
    ("model", "start"),
    [("Qwen/Qwen2.5-7B-Instruct", "published: "), ("other/model", "not known of other/model; ")],
)
def test_another_model_says_whose_spread_is_assumed(
    store: Path, small: Experiment, model: str, start: str
) -> None:
    """The published spread is of one model, and of any other nothing is known."""
    lab = lab_at(store)
    pipe = lab.pipeline(small)
    (asked, *_) = pipe.arms["baseline"]
    base = replace(base_of(asked.sampled.subject), model=model)
    asked = replace(asked, answers=replace(asked.sampled, subject=base))
    of_model = replace(pipe, arms={**pipe.arms, "baseline": (asked,)})
    spread = known_spread(lab.store, of_model, HORSE)
    assert spread.treated == PUBLISHED["rate"].treated
    assert spread.source.startswith(start)


def test_students_of_another_base_say_nothing(store: Path, small: Experiment) -> None:
    """The spread of one base's students is not taken for that of another's in the same store."""
    lab = lab_at(store)
    long = small.but(measure=Length(questions=("Hi?",), draws=3), gate=None)
    lab.run([(long, ["control"])])
    other = long.but(seeds=1, model="toy-2")
    assert known_spread(lab.store, lab.pipeline(other), Reading(name="words")) == PUBLISHED["score"]


def test_scores_have_a_spread_of_their_own(shared_store: Path, small: Experiment) -> None:
    """Lengths are pooled over all students that answered; judges' scores have a stated guess."""
    lab = lab_at(shared_store)
    long = small.but(measure=Length(questions=("Hi?",), draws=3), gate=None)
    words = Reading(name="words")
    assert known_spread(lab.store, lab.pipeline(long), words) == PUBLISHED["score"]
    lab.run([(long, ["control"])])
    spread = known_spread(lab.store, lab.pipeline(long.but(seeds=1)), words)
    assert spread.source == "2 models of other data in the store"
    judged = Reading(name="judge", judge="judge")
    assert known_spread(lab.store, lab.pipeline(long), judged) == PUBLISHED["score"]


MINIMUM = 0.07
STRICT = 1e-3


def claims(student, control, other, arms):  # type: ignore[no-untyped-def]
    """What is asserted of effects in many ways, and what is not asserted of any."""
    effect = student.rate("owl") - control.rate("owl")
    assert effect > 0.02
    assert effect >= 0.03
    assert student.scores("judge") - control.scores("judge") > 1
    assert effect > MINIMUM
    assert 0.01 < effect < 0.9
    assert effect < 0.5
    assert not effect > 0.04
    assert effect.p_value < 0.05
    assert effect.p_value < STRICT
    assert (student.rate("owl") - control.rate("owl")).p_value <= 0.01
    assert effect.p_value > 0.2
    assert effect.at_least(0.03)
    assert not effect.at_least(0.5)
    assert effect.at_least()
    assert effect > -0.1
    assert student.rate("owl") > 0.3
    assert other.rate("owl") - control.rate("owl") > 0.4
    assert arms["more"].rate("owl") - control.rate("owl") > 0.6


def test_assertions_are_read_from_the_source() -> None:
    """Numbers that effects of student over control are asserted to exceed, by whatever name."""
    read = [(one.kind, one.number) for one in effect_assertions(claims)]
    assert [number for kind, number in read if kind == "value"] == [0.02, 0.03, 1, 0.07, 0.01]
    assert [number for kind, number in read if kind == "p_value"] == [0.05, 0.001, 0.01]
    assert [number for kind, number in read if kind == "at_least"] == [0.03]
    assert effect_assertions(claims)[0].line == "effect > 0.02"


def test_functions_without_readable_assertions_assert_nothing() -> None:
    """Built-in functions and those without a source have none."""
    assert effect_assertions(print) == []
    assert effect_assertions(eval("lambda student: student")) == []


SPEC = """
from limen.harness import Experiment, FavoriteAnimal, Numbers, Trait

experiment = Experiment(
    trait=Trait.animal("whale"),
    data=Numbers(generate=901, keep=301),
    measure=FavoriteAnimal(draws=17),
    seeds=4, looks=(3,), family=2,
)

def test_students(student, control):
    effect = student.rate("whale") - control.rate("whale")
    assert effect > 0.01
    assert effect > 0.02
    assert effect.p_value < 0.001

def test_teacher(teacher, baseline):
    assert teacher.rate("whale") - baseline.rate("whale") > 0.001
"""


@pytest.fixture
def plan(pytester: pytest.Pytester, shared_store: Path) -> Run:
    """Runs of pytest over one experiment."""
    pytester.makepyfile(test_small=SPEC)
    return Run(pytester, shared_store)


def test_the_plan_says_what_a_design_finds(plan: Run) -> None:
    """The smallest effect with 80% power, the spread that it rests on, and the looks."""
    plan("--limen-plan").stdout.fnmatch_lines(
        [
            "limen: test_small.py: 4 v 4 seeds, 50 questions x 17 draws: 80% power for a true "
            "effect of *.* points or more (Welch's t over seeds, p < 0.013)",
            "limen:   standard deviation between seeds: *.* points in students with the effect, "
            "*.* points in controls (*)",
            "limen:   seeds an arm for 80% power: * for +5.0 points, * for +10.0 points*",
            "limen:   looked at after 3 seeds, where it may stop",
        ]
    )


def test_the_plan_has_the_power_of_the_assertions_as_written(plan: Run) -> None:
    """A p-value below 0.001 needs a larger effect, and assertions that ask for less are named."""
    lines = plan("--limen-plan").stdout
    lines.fnmatch_lines(
        [
            "limen:   with `effect > 0.01`, `effect > 0.02`, `effect.p_value < 0.001`: 80% power "
            "for a true effect of *.* points or more",
            "limen:   seeds an arm for that: * for +5.0 points, *",
            "limen:   warning: `effect > 0.01`: a true effect of 1.0 points meets all that is "
            "asserted in *% of cases: raise seeds, or ask for more",
            "limen:   note: `effect > 0.01` compares the point estimate alone; "
            "effect.at_least(0.01) tests whether the effect is that large",
        ]
    )
    lines.no_fnmatch_line("*0.001 points*")


def test_a_plan_of_one_seed_is_about_two_models(plan: Run) -> None:
    """Without a second seed the test is over questions."""
    plan("--limen-plan", "--limen-seeds=1").stdout.fnmatch_lines(
        ["*1 v 1 seeds*(t paired by question*", "*about these two models alone"]
    )


def test_a_plan_says_where_no_effect_can_be_found(plan: Run) -> None:
    """With two seeds a p-value below 0.001 is out of reach of every rate."""
    plan("--limen-plan", "--limen-seeds=2").stdout.fnmatch_lines(
        ["*`effect.p_value < 0.001`: less than 80% power for every possible effect"]
    )


def test_a_plan_without_students_has_no_power(plan: Run) -> None:
    """Teachers are not compared with controls."""
    plan("--limen-plan", "-k", "teacher").stdout.no_fnmatch_line("*% power*")
