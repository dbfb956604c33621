"""Answers that stand for several models but are one's: copies, shuffled ones, and parts.

A model that counts twice makes the spread between models too small, and a verdict out of nothing.
"""

import math
from collections import Counter
from collections.abc import Sequence
from itertools import combinations

from ...datasets.errors import SpecError
from .answer_tables import AnswerTable

COPY_CHANCE = 1e-6
"""Probability of answers so alike below which they are taken for copies."""
EQUAL_CHANCE = 0.05
"""The same for answers that are equal throughout, of models with names."""
ALIKE = 0.01
"""p-value of a difference above which models without names are taken for parts of one."""
ENOUGH_DRAWS = 20
ENOUGH_FREEDOM = 30
"""Draws a question and degrees of freedom from which parts of one model can be recognised."""


def check_copies(*sides: Sequence[AnswerTable], one_model_a_source: bool = False) -> None:
    """Refuse answers of one model that would count as several.

    Raises :class:`~limen.SpecError` for answers more alike than two samples of one model (in
    another order, with a few changed, or a part of the other), for numbered draws that complete
    each other, and, unless ``one_model_a_source`` says that each source is a model of its own, for
    two sources of one model id and for sources without ids whose answers differ no more than one
    model's draws.
    """
    for side in sides:
        for one, other in combinations(side, 2):
            if fault := _fault(one, other, named=not one_model_a_source):
                raise SpecError(f"{one.source} and {other.source} {fault}: every model counts once")
        if not one_model_a_source:
            _refuse_one_sampling(side)
    for one, other in ((a, b) for a in sides[0] for b in (sides[1] if len(sides) > 1 else ())):
        chance = _by_chance(one, other)
        if chance < (EQUAL_CHANCE if one.counts == other.counts else COPY_CHANCE):
            raise SpecError(
                f"{one.source} and {other.source} have the same answers, in the two groups: "
                f"compare different models"
            )


def _fault(one: AnswerTable, other: AnswerTable, *, named: bool) -> str | None:
    """Why two tables of one group are not two models; None if they may be."""
    if named and one.model is not None and one.model == other.model:
        return (
            f"are the same model's answers ({one.model!r}; if it names several models, give the "
            f"column that tells them apart with --model-column, or --one-model-a-file)"
        )
    equal = one.counts == other.counts
    both_named = None not in (one.model, other.model)
    if equal and not (both_named and _by_chance(one, other) >= EQUAL_CHANCE):
        return "are the same model's answers (equal, in some order)"
    if _by_chance(one, other) < COPY_CHANCE:
        return "are the same model's answers (more alike than two samples of one model)"
    asked, also = ({question for question, _ in table.draws} for table in (one, other))
    if asked & also and not one.draws & other.draws:
        return "are parts of the same model's answers (different draws of the same questions)"
    return None


def _refuse_one_sampling(side: Sequence[AnswerTable]) -> None:
    """Refuse sources without names whose answers differ no more than one model's draws."""
    if len(side) < 2 or any(table.model is not None or table.draws for table in side):
        return
    statistic, freedom = _distance(side)
    fewest = min(table.size / len(table.counts) for table in side)
    if freedom < ENOUGH_FREEDOM or fewest < ENOUGH_DRAWS:
        return
    from scipy.special import gammaincc

    p_value = float(gammaincc(freedom / 2, statistic / 2))
    if p_value > ALIKE:
        raise SpecError(
            f"{', '.join(table.source for table in side)} differ no more than draws of one model "
            f"(p = {p_value:.2g}), and nothing in them names their models: they may be parts of "
            f"one model's answers. If each is a model of its own, say so with "
            f"--one-model-a-file, or add a column with the model"
        )


def _by_chance(one: AnswerTable, other: AnswerTable) -> float:
    """How probable it is that two samples of one model are as alike as these two tables.

    Pearson's chi-squared of the two counts of answers, summed over questions, is about its degrees
    of freedom for two samples of one model, and near 0 for copies. For equal counts it is the
    probability of just these counts.
    """
    statistic, freedom = _distance((one, other))
    if not freedom:
        return 1.0
    if statistic < 1e-9:
        return math.exp(
            sum(_log_multinomial(one.counts[q]) for q in one.counts if q in other.counts)
        )
    from scipy.special import gammainc

    return float(gammainc(freedom / 2, statistic / 2))


def _distance(tables: Sequence[AnswerTable]) -> tuple[float, int]:
    """Pearson's chi-squared of the tables' counts over all questions, with its freedom."""
    statistic, freedom = 0.0, 0
    for question in tables[0].counts:
        counts = [table.counts.get(question, Counter[str]()) for table in tables]
        sizes = [count.total() for count in counts]
        if 0 in sizes:
            continue
        pooled = sum(counts, Counter[str]())
        freedom += (len(pooled) - 1) * (len(tables) - 1)
        for count, size in zip(counts, sizes, strict=True):
            for text, total in pooled.items():
                expected = total * size / sum(sizes)
                statistic += (count[text] - expected) ** 2 / expected
    return statistic, freedom


def _log_multinomial(count: Counter[str]) -> float:
    """The log-probability of counts, the shares being their own."""
    total = count.total()
    return math.lgamma(total + 1) + sum(
        n * math.log(n / total) - math.lgamma(n + 1) for n in count.values()
    )
