"""Whole answer distributions of an arm: what it answers, not only whether it answers one word."""

from collections import Counter
from collections.abc import Mapping, Sequence

from ...datasets.errors import SpecError
from ..experiment import LogOdds, Measure
from ..statistics import complete_questions
from .answers import ModelAnswers

INVALID = "(invalid)"
"""Stands for all answers that are no valid ones."""

Distributions = tuple[tuple[Mapping[str, float], ...], ...]
"""(seeds, questions), the share of each answer."""


def distributions_of(
    measure: Measure, models: tuple[ModelAnswers, ...], places: range, words: tuple[str, ...]
) -> Distributions:
    """The answer distributions of some models; of log-odds the exact ones among its words, with
    those of the traits (``words``).

    Raises :class:`~limen.SpecError` for a measure without answers or log-odds.
    """
    if isinstance(measure, LogOdds):
        return tuple(tuple(measure.shares(one.figures[q], words) for q in places) for one in models)
    if measure.computed:
        raise SpecError(f"{type(measure).__name__} has no answers, so it has no distributions")
    texts = {text for one in models for q in places for text in one.counts[q]}
    labels = {text: _label(measure, text) for text in texts}
    return tuple(tuple(_shares(one.counts[q], labels) for q in places) for one in models)


def _label(measure: Measure, text: str) -> str:
    label = measure.label_of(text) if measure.valid(text) else None
    return INVALID if label is None else label


def _shares(given: Counter[str], labels: Mapping[str, str]) -> dict[str, float]:
    counts = Counter[str]()
    for text, count in given.items():
        counts[labels[text]] += count
    total = counts.total()
    return {label: count / total for label, count in counts.items()} if total else {}


def ranks_of(word: str, models: Distributions) -> tuple[list[float | None], str]:
    """The rank of a word in each model, and the questions that it is of, in words.

    It is of those that all the models answered: what one was not asked, or did not answer, would
    move it.
    """
    complete = complete_questions(models)
    ranks = [_rank_of(word, [model[q] for q in complete]) for model in models]
    every = len(complete) == len(models[0])
    named = "all questions" if every else f"questions {', '.join(str(q + 1) for q in complete)}"
    return ranks, named


def _rank_of(word: str, known: Sequence[Mapping[str, float]]) -> float | None:
    """The place of a word among a model's answers, 1 for the most frequent; None without answers.

    Equal shares have the mean of their places; a word that is never given comes after all others.
    """
    if not known:
        return None
    words = {label for each in known for label in each if label != INVALID} | {word}
    total = {label: sum(each.get(label, 0.0) for each in known) for label in words}
    higher = sum(share > total[word] for share in total.values())
    equal = sum(share == total[word] for share in total.values())
    return higher + (equal + 1) / 2
