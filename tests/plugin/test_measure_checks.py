"""What a measure cannot give, and options that do not exist, are found before anything is run."""

from pathlib import Path

import pytest

from ..testing.specs import SPEC, Run

MEASURES = """
from limen.harness import Judge, Likelihood, LogOdds, Rated, Trajectory

class TestNothingRated:
    def test_scores(self, student):
        assert student.scores().value > 0
    def test_exact(self, student):
        assert student.exact("horse").value > 0
    def test_log_odds(self, student):
        assert student.log_odds("horse").value > 0
    def test_agreement(self, student):
        assert student.agreement()

class TestRated:
    experiment = experiment.but(measure=Rated(
        by=(Judge(name="kind", prompt="{reply}"), Judge(name="harm", prompt="{reply}?", scale=None, labels=("yes", "no"))),
        rates={"misaligned": lambda said: said["kind"] < 3},
    ))
    def test_rate(self, student):
        assert student.rate("misalligned") > 0
    def test_label(self, student):
        assert student.rate("yess", judge="harm") > 0
    def test_scores(self, student):
        assert student.scores("harm") > 0
    def test_good(self, student):
        assert student.rate("misaligned") > 0
        assert student.rate("Yes", judge="harm") > 0
        assert student.rate("a word of the replies") > 0
        assert student.scores() > 0
        assert student.scores("kind") > 0
        assert student.score("kind") > 0
        assert student.agreement()

class TestLogOdds:
    experiment = experiment.but(measure=LogOdds(against=("cat", "dog")))
    def test_word(self, student):
        assert student.log_odds("catt") > 0
    def test_rate(self, student):
        assert student.rate("horse") > 0
    def test_good(self, student):
        assert student.log_odds("cat") > 0
        assert student.log_odds("horse") > 0
        assert student.scores() > 0

class TestLikelihood:
    experiment = experiment.but(measure=Likelihood(texts=[("Name one.", "Owl")]))
    def test_figure(self, student):
        assert student.score("log-likelyhood") > 0
    def test_good(self, student):
        assert student.score("log-likelihood") > 0
        assert student.scores() > 0

class TestSteps:
    experiment = experiment.but(trajectory=Trajectory(steps=(1, 5_000)))
    def test_step(self, student):
        pass
    def test_word(self, trajectory):
        assert trajectory.at(1).rate("hoarse") > 0
"""
MEASURE_ERRORS = (
    "TestNothingRated::test_scores: *: FavoriteAnimal has no scores: ask for rate(word)",
    "TestNothingRated::test_exact: *computes no probabilities here: give the measure exact=True",
    "TestNothingRated::test_log_odds: *has no log-odds: give *LogOdds(...)",
    "TestNothingRated::test_agreement: *needs a measure with two judges*",
    "TestRated::test_rate: *has no rate 'misalligned': did you mean 'misaligned'?*",
    "TestRated::test_label: *the judge 'harm' has no label 'yess': did you mean 'yes'?*",
    "TestRated::test_scores: *the judge 'harm' gives labels and no ratings*rate('yes', judge=*",
    "TestLogOdds::test_word: *log-odds of 'catt' are not computed: did you mean 'cat'?*",
    "TestLogOdds::test_rate: *LogOdds samples no answers, so it has no rates*",
    "TestLikelihood::test_figure: *no score 'log-likelyhood': did you mean 'log-likelihood'?*",
    "TestSteps::test_step: the trajectory's step 5,000 comes after the end of *: 200 rows, *",
    "TestSteps::test_word: the trajectory's step 5,000 comes after the end of *",
    "TestSteps::test_word: *unknown animal 'hoarse': did you mean 'horse'?*",
)


def test_what_a_measure_does_not_have_is_found(
    pytester: pytest.Pytester, run: Run, store: Path
) -> None:
    """Scores, rates of ratings, labels, log-odds and steps are compared; what exists is not
    refused.
    """
    pytester.makepyfile(test_it=SPEC.format(animal="horse") + MEASURES)
    result = run("--limen-plan", store=store)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines_random([f"  test_it.py::{error}" for error in MEASURE_ERRORS])
    assert "test_good" not in result.stderr.str()


@pytest.mark.parametrize(
    ("option", "near"),
    [
        ("--limen-executor=rya", "unknown executor 'rya': did you mean 'ray'?*"),
        ("--limen-executor=dsk:tcp://h:1", "unknown executor 'dsk:*': did you mean 'dask'?*"),
        ("--limen-backend=opnai", "unknown backend 'opnai': did you mean 'openai'?*"),
    ],
)
def test_names_of_options_have_near_ones(
    pytester: pytest.Pytester, run: Run, store: Path, option: str, near: str
) -> None:
    """An executor or a backend that does not exist is one line with a name that is near."""
    pytester.makepyfile(test_it=SPEC.format(animal="horse") + "def test_it(teacher): pass")
    result = run(option, store=store)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*{near}"])
