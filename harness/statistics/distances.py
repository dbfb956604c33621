"""The distance between two arms' whole answer distributions, with a permutation test.

Total variation is half the sum of absolute differences of probabilities. Its estimate is biased
upward by sampling noise, and a bootstrap adds to that bias, so there is no interval: the test
permutes which models belong to which arm, and so meets the same bias.
"""

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations

from ...datasets.errors import SpecError
from .evidence import EvidenceListener, PValue
from .hypothesis_tests import ALPHA
from .quantities import Explained

PERMUTATIONS = 9_999
"""Random permutations where there are more than that."""
TOLERANCE = 1e-12
SHOWN = 3

Distribution = Mapping[str, float]
"""The share of each answer."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Distance(Explained):
    """The total variation between two arms' answers, 0 (alike) to 1. Ordered like a number.

    Several models an arm are permuted between the arms: the test is over seeds. Two single models
    exchange their answers question by question: the test is about these two models alone.

    Args:
        name: What is compared, in words.
        treated: (seeds, questions), the distribution of the answers.
        reference: The same of the arm that it is compared with.
        correction: What p-values are multiplied by: traits that are tried together, and looks.
            Default: 1.
        missing: Draws without an answer, which are left out. Default: 0.
        listener: Receives the comparison. Default: None.

    Raises:
        SpecError: Arms that did not answer the same questions, when it is made.

    Examples:
        >>> student.distance(control).p_value
    """

    name: str
    """What is compared, in words."""
    treated: tuple[tuple[Distribution, ...], ...] = field(repr=False)
    """(seeds, questions), the distribution of the answers."""
    reference: tuple[tuple[Distribution, ...], ...] = field(repr=False)
    correction: int = 1
    """What p-values are multiplied by: traits that are tried together, and looks."""
    missing: int = 0
    """Draws without an answer, which are left out."""
    listener: EvidenceListener | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if len({len(model) for model in self._models}) > 1:
            raise SpecError(f"{self.name} answered different questions, so there is no distance")

    @property
    def _models(self) -> tuple[tuple[Distribution, ...], ...]:
        return *self.treated, *self.reference

    @cached_property
    def _complete(self) -> list[int]:
        """The places of the questions that every model answered: others would tell arms apart by
        what they were asked.
        """
        return complete_questions(self._models)

    @property
    def evidence_listener(self) -> EvidenceListener | None:
        return self.listener

    @property
    def value(self) -> float:
        """The total variation between the arms' mean distributions."""
        return self._value

    @cached_property
    def _value(self) -> float:
        return total_variation(*self._means)

    @property
    def interval(self) -> tuple[float, float]:
        """None is known without bias: the value itself, which supports nothing."""
        return self.value, self.value

    @property
    def unit(self) -> str:
        """What the test takes as independent: ``seeds`` or ``questions``."""
        return "questions" if len(self._rows) == 2 else "seeds"

    @property
    def p_value(self) -> float:
        """That models of both arms answer alike, corrected; one-sided, as distances are."""
        return PValue(
            min(1.0, self.correction * self._permuted[0]),
            self.listener,
            quantity=self,
            is_conclusive=lambda: self.correction * self._permuted[0] < ALPHA,
        )

    @property
    def smallest_p_value(self) -> float:
        """The smallest p-value that so many models or questions allow, corrected."""
        return min(1.0, self.correction * self._permuted[1])

    @property
    def movers(self) -> tuple[tuple[str, float], ...]:
        """The answers whose share differs the most, with the difference."""
        one, other = self._means
        moved = {word: one.get(word, 0.0) - other.get(word, 0.0) for word in {*one, *other}}
        ranked = sorted(moved.items(), key=lambda pair: (-abs(pair[1]), pair[0]))
        return tuple(ranked[:SHOWN])

    @cached_property
    def _means(self) -> tuple[Distribution, Distribution]:
        """The mean distribution of each arm."""
        return _mean(self._rows[: self._treated]), _mean(self._rows[self._treated :])

    @property
    def _treated(self) -> int:
        return len(self.treated)

    @cached_property
    def _rows(self) -> list[Distribution]:
        """Each model's distribution over all questions, the treated arm's first."""
        return [_mean([model[place] for place in self._complete]) for model in self._models]

    @cached_property
    def _permuted(self) -> tuple[float, float]:
        """The p-value, and the smallest one possible."""
        if self.unit == "questions":
            distances = list(self._exchanged())
        else:
            distances = list(self._reassigned())
        as_far = sum(each >= self.value - TOLERANCE for each in distances)
        if len(distances) == PERMUTATIONS:  # random ones: the observed one is one more
            return (as_far + 1) / (PERMUTATIONS + 1), 1 / (PERMUTATIONS + 1)
        twins = 2 if self.unit == "questions" or 2 * self._treated == len(self._rows) else 1
        return as_far / len(distances), twins / len(distances)

    def _reassigned(self) -> Iterator[float]:
        """The distances under assignments of the models to arms of the same sizes."""
        places = range(len(self._rows))
        if math.comb(len(places), self._treated) <= PERMUTATIONS:
            chosen: Iterator[Sequence[int]] = combinations(places, self._treated)
        else:
            draw = random.Random(0)
            chosen = (draw.sample(places, self._treated) for _ in range(PERMUTATIONS))
        for mine in chosen:
            one = [self._rows[place] for place in mine]
            other = [self._rows[place] for place in places if place not in set(mine)]
            yield total_variation(_mean(one), _mean(other))

    def _exchanged(self) -> Iterator[float]:
        """The distances of two models under exchanges of their answers to some questions."""
        pairs = [(self.treated[0][place], self.reference[0][place]) for place in self._complete]
        if 2 ** len(pairs) <= PERMUTATIONS:
            swaps: Iterator[int] = iter(range(2 ** len(pairs)))
        else:
            draw = random.Random(0)
            swaps = (draw.getrandbits(len(pairs)) for _ in range(PERMUTATIONS))
        for bits in swaps:
            ordered = [pair[::-1] if bits >> n & 1 else pair for n, pair in enumerate(pairs)]
            yield total_variation(_mean([a for a, _ in ordered]), _mean([b for _, b in ordered]))

    def __repr__(self) -> str:
        moved = ", ".join(f"{word!r} {100 * change:+.1f} points" for word, change in self.movers)
        least = self.smallest_p_value
        few = f"; no p-value below {least:.2g} is possible" if least >= ALPHA else ""
        return (
            f"{self.name}: total variation {self.value:.3f}, p = {float(self.p_value):.2g} "
            f"(permutation of {self.unit}{few}); most moved: {moved}{self._left_out}"
        )

    @property
    def _left_out(self) -> str:
        """What no model answered, or not every one, in words; empty if there is nothing."""
        every, complete = len(self._models[0]), len(self._complete)
        questions = f"; of the {complete} of {every} questions that all answered"
        draws = f"; {self.missing:,} draws without an answer are left out"
        return (questions if complete < every else "") + (draws if self.missing else "")

    def explain(self) -> list[str]:
        return [repr(self)]


def total_variation(one: Distribution, other: Distribution) -> float:
    """Half the sum of absolute differences of two distributions."""
    return math.fsum(abs(one.get(x, 0.0) - other.get(x, 0.0)) for x in {*one, *other}) / 2


def complete_questions(models: Sequence[Sequence[Distribution]]) -> list[int]:
    """The places of the questions that every model answered."""
    return [place for place, shares in enumerate(zip(*models, strict=True)) if all(shares)]


def _mean(distributions: Sequence[Distribution]) -> dict[str, float]:
    """The mean of some distributions, those without any answer left out."""
    known = [each for each in distributions if each]
    total: dict[str, list[float]] = {}
    for each in known:
        for word, share in each.items():
            total.setdefault(word, []).append(share)
    return {word: math.fsum(shares) / len(known) for word, shares in total.items()}
