"""Answers that stand for two models but are one's: copies, shuffled ones, and parts.

A model that counts twice makes the spread between models too small, and a verdict out of nothing.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations

from ...datasets.errors import SpecError
from .models import AnsweredModel

CHANCE = 1e-6
"""Probability of answers so alike below which they are taken for copies."""
ALIKE = 0.01
"""p-value of a difference above which models without names are taken for parts of one."""
ENOUGH = 20
"""Draws a question, and degrees of freedom, from which parts of one model can be told."""


def refuse_copies(
    treated: Sequence[AnsweredModel],
    reference: Sequence[AnsweredModel],
    *,
    one_model_a_source: bool = False,
) -> None:
    """Raise :class:`~limen.SpecError` where one model's answers stand for several models.

    Found are: one name in two sources of a group; answers more alike than those of two samples of
    the same model (also in another order, with a few lines changed, or a part of the other); draw
    numbers that complete each other; and, where nothing names the models and
    ``one_model_a_source`` does not say that they are several, answers that differ no more than one
    model's draws.
    """
    for first, second in combinations([*treated, *reference], 2):
        if are_copies(first, second):
            raise SpecError(
                f"{first.label} and {second.label} are the same model's answers (more alike than "
                f"two samples of one model): every model counts once, so leave one out"
            )
    for group in (treated, reference):
        if not one_model_a_source:
            _refuse_shared_names(group)
        _refuse_parts(group)
        if not one_model_a_source:
            _refuse_one_sampling(group)


def _refuse_shared_names(group: Sequence[AnsweredModel]) -> None:
    seen: dict[str, AnsweredModel] = {}
    for model in group:
        if model.name and (other := seen.setdefault(model.name, model)) is not model:
            raise SpecError(
                f"{other.source} and {model.source} are the same model's answers, "
                f"{model.name!r}: every model counts once. Join them into one file; if each file "
                f"is a model of its own, say so with --one-model-a-file"
            )


def _refuse_parts(group: Sequence[AnsweredModel]) -> None:
    """Refuse models whose draws have numbers that complete each other."""
    for first, second in combinations(group, 2):
        both = [q for q in first.draws if q in second.draws]
        if both and all(first.draws[q].isdisjoint(second.draws[q]) for q in both):
            raise SpecError(
                f"{first.label} and {second.label} are parts of one sampling: their draws of a "
                f"question have different numbers throughout. One model's draws count once: join "
                f"the files, or number the draws of each model from 0"
            )


def _refuse_one_sampling(group: Sequence[AnsweredModel]) -> None:
    """Refuse sources without names whose answers differ no more than one model's draws."""
    if len(group) < 2 or any(model.name or model.draws for model in group):
        return
    statistic, freedom = _distance(group)
    if freedom < ENOUGH or min(model.draws_a_question for model in group) < ENOUGH:
        return
    from scipy.special import gammaincc

    p_value = float(gammaincc(freedom / 2, statistic / 2))
    if p_value > ALIKE:
        raise SpecError(
            f"{', '.join(model.label for model in group)} differ no more than draws of one model "
            f"(p = {p_value:.2g}), and nothing names their models: they may be parts of one "
            f"file. If each is a model of its own, say so with --one-model-a-file, or add a "
            f"column with the model"
        )


def unnamed(group: Sequence[AnsweredModel]) -> bool:
    """Whether a group's sources are taken for models although nothing in them says so."""
    return len(group) > 1 and not any(model.name for model in group)


def are_copies(first: AnsweredModel, second: AnsweredModel) -> bool:
    """Whether two models' answers are more alike than two samples of one model would be.

    The statistic is Pearson's chi-squared of the two counts of answers, question by question; for
    two samples of one model it is about its degrees of freedom, and for copies near 0.
    """
    statistic, freedom = _distance((first, second))
    if not freedom:
        return False
    if statistic < 1e-9:
        return _log_chance(first, second) < math.log(CHANCE)
    from scipy.special import gammainc

    return float(gammainc(freedom / 2, statistic / 2)) < CHANCE


def _distance(group: Sequence[AnsweredModel]) -> tuple[float, int]:
    """Pearson's chi-squared of the models' counts over all questions, with its freedom."""
    statistic, freedom = 0.0, 0
    for question in group[0].questions:
        counts = [model.answers.get(question, Counter[str]()) for model in group]
        sizes = [count.total() for count in counts]
        if 0 in sizes:
            continue
        pooled = sum(counts, Counter[str]())
        freedom += (len(pooled) - 1) * (len(group) - 1)
        for count, size in zip(counts, sizes, strict=True):
            for text, both in pooled.items():
                expected = both * size / sum(sizes)
                statistic += (count[text] - expected) ** 2 / expected
    return statistic, freedom


def _log_chance(first: AnsweredModel, second: AnsweredModel) -> float:
    """The log-probability that a second sample has exactly the counts of the first."""
    return sum(_log_multinomial(first.answers[q]) for q in first.questions if second.answers.get(q))


def _log_multinomial(count: Counter[str]) -> float:
    return math.fsum(_log_terms(count))


def _log_terms(count: Counter[str]) -> Iterator[float]:
    total = count.total()
    yield math.lgamma(total + 1)
    for n in count.values():
        yield n * math.log(n / total) - math.lgamma(n + 1)
