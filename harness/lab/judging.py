"""What judges made of an arm's replies: how many they left unrated, and how far they agree."""

from collections import Counter
from collections.abc import Sequence

from ...datasets.errors import JudgeError, ScoreError
from ..experiment import Agreement, Judge, Measure
from ..statistics import mean, spearman
from .answers import ModelAnswers
from .scoring import Outcomes, OutcomesAt


def unrated(judge: Judge, arm: str, models: Sequence[ModelAnswers], places: range) -> int:
    """The number of replies for which a judge named nothing.

    Raises :class:`~limen.JudgeError` if that is all of them.
    """
    replies = [
        (count, model.said[judge.name][q][text])
        for model in models
        for q in places
        for text, count in model.counts[q].items()
    ]
    unnamed = sum(count for count, said in replies if judge.named(said) is None)
    total = sum(count for count, _ in replies)
    if total and unnamed == total:
        raise judge_error(judge, arm, models, total)
    return unnamed


def outcomes_of_labels(judge: Judge, word: str) -> OutcomesAt:
    """Whether a judge names a word, such as a label, of each reply."""
    return lambda model, question: {
        text: judge.names(said, word) for text, said in model.said[judge.name][question].items()
    }


def outcomes_of_ratings(measure: Measure, word: str) -> OutcomesAt:
    """Whether replies count for a rate that is made of what all judges say of them."""

    def outcome(model: ModelAnswers, question: int, text: str) -> float | None:
        said = {
            one.name: one.verdict(model.said[one.name][question][text]) for one in measure.judges
        }
        hit = measure.rated_hit(word, said)
        return None if hit is None else float(hit)

    def outcomes(model: ModelAnswers, question: int) -> Outcomes:
        return {text: outcome(model, question, text) for text in model.counts[question]}

    return outcomes


def judge_error(judge: Judge, arm: str, models: Sequence[ModelAnswers], replies: int) -> JudgeError:
    """The error of a judge that rated none of an arm's replies."""
    said = (text for model in models for by in model.said[judge.name] for text in by.values())
    seen = ", ".join(repr(text) for text in list(dict.fromkeys(said))[:3])
    wanted = (
        f"A rating is one number from {judge.scale[0]} to {judge.scale[1]}"
        if judge.scale
        else f"An answer begins with {' or '.join(map(repr, judge.labels))}"
        if judge.labels
        else "An answer is one language, in a word"
    )
    return JudgeError(
        f"the judge {judge.name!r} rated none of {replies:,} replies of {arm}: it says "
        f"{seen}. {wanted}: say so in its prompt, or take another model for it"
    )


def unscored_error(arm: str, given: Counter[str], answers: int) -> ScoreError:
    """The error of a function that gave none of an arm's answers a score."""
    seen = ", ".join(repr(text[:60]) for text, _ in given.most_common(3))
    return ScoreError(
        f"the outcome function gave None for each of {answers:,} answers of {arm}, so "
        f"there is no mean to compare: they are {seen}"
    )


def agreement(first: Judge, second: Judge, models: Sequence[ModelAnswers]) -> Agreement:
    """How far two judges agree on the replies that both rated."""
    pairs = [
        (a, b)
        for model in models
        for q, count in enumerate(model.counts)
        for text in sorted(count)
        if (a := first.rating(model.said[first.name][q][text])) is not None
        and (b := second.rating(model.said[second.name][q][text])) is not None
        for _ in range(count[text])
    ]
    return Agreement(
        judges=(first.name, second.name),
        replies=len(pairs),
        spearman=spearman([a for a, _ in pairs], [b for _, b in pairs]),
        within_one=mean([float(abs(a - b) <= 1) for a, b in pairs]),
    )
