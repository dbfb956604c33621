"""The test over seeds and questions at once: both are samples, and the claim is about both.

The error of a difference is the sum of what seeds add and what questions add. What varies by both
is in each of the two, so it is taken off once (Cameron, Gelbach and Miller 2011, equation 2.2; for
evaluations Miller 2024, 'Adding error bars to evals'). Degrees of freedom: Satterthwaite 1946.
"""

import math

from .degrees_of_freedom import conservative, satterthwaite
from .difference_tests import DifferenceTest, NoTest, TTest, squared_error
from .hypothesis_tests import TOLERANCE
from .samples import Sample
from .variance_components import mean_squares

FEWEST_QUESTIONS = 2


def crossed_test(treated: Sample, reference: Sample, *, paired: bool) -> DifferenceTest:
    """The test of two arms with seeds and questions random; ``paired`` by question if the same."""
    if min(len(treated.questions), len(reference.questions)) < FEWEST_QUESTIONS:
        return NoTest(unit="both", note="one question says nothing of other questions")
    of_seeds, degrees = _of_seeds(treated, reference)
    questions = _of_questions(treated, reference, paired=paired)
    of_questions = math.fsum(part for part, _ in questions)
    shared = math.fsum(_shared(sample) for sample in (treated, reference))
    variance = max(of_seeds + of_questions - shared, of_seeds, of_questions)
    if variance <= TOLERANCE**2:
        return NoTest(unit="both", note="no spread to test a difference against")
    return TTest(
        name="t over seeds and questions, crossed",
        unit="both",
        difference=treated.value - reference.value,
        error=math.sqrt(variance),
        degrees=satterthwaite([(of_seeds, degrees), *questions])
        * (variance / (of_seeds + of_questions)) ** 2,
    )


def _of_seeds(treated: Sample, reference: Sample) -> tuple[float, float]:
    """What seeds add to the squared error of the difference, and its degrees of freedom."""
    several = [sample for sample in (treated, reference) if sample.seeds > 1]
    parts = [(squared_error(sample.by_seed), sample.seeds - 1) for sample in several]
    total = math.fsum(part for part, _ in parts)
    if not total:
        return 0.0, 1
    return total, conservative(satterthwaite(parts), [sample.seeds for sample in several])


def _of_questions(treated: Sample, reference: Sample, *, paired: bool) -> list[tuple[float, float]]:
    """What questions add to the squared error of the difference."""
    one, other = (tuple(sample.by_question.values()) for sample in (treated, reference))
    if paired:
        differences = [x - y for x, y in zip(one, other, strict=True)]
        return [(squared_error(differences), len(differences) - 1)]
    return [(squared_error(values), len(values) - 1) for values in (one, other)]


def _shared(sample: Sample) -> float:
    """What is in an arm's error by seeds and in that by questions: seed by question, and draws."""
    if sample.seeds < 2:
        return 0.0
    return mean_squares(sample.rows).rest / (sample.seeds * len(sample.questions))
