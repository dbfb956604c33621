"""Outcomes that no arm ever gives: a null about such an outcome shows nothing."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ...datasets.suggestions import did_you_mean

if TYPE_CHECKING:
    from ..experiment import Measure
    from ..statistics import Scores

SHOWN = 3
"""The most frequent outcomes that a message shows."""


def never_given(
    word: str, measure: "Measure", arms: Sequence[str], answers: Iterable[Counter[str]]
) -> str:
    """That no answer of some arms gives a word, and which words they give instead."""
    labels: Counter[str] = Counter()
    for counts in answers:
        for text, count in counts.items():
            label = measure.label_of(text)
            if label is not None:
                labels[label] += count
    shown = ", ".join(repr(label) for label, _ in labels.most_common(SHOWN))
    given = f"the most frequent answers are {shown}" if shown else "no answer is a valid one"
    return (
        f"no answer of {', '.join(arms)} gives {word!r}, so it cannot show that arms are alike: "
        f"{did_you_mean(word, labels)}{given}{_teacher_missing(arms)}"
    )


def always_the_same(scores: "Scores", arms: Sequence[str]) -> str:
    """That all answers of some arms have one and the same score."""
    return (
        f"every answer of {', '.join(arms)} has the {scores.name} {scores.pooled[0]:g}, so it "
        f"cannot show that arms are alike: a score must tell answers apart{_teacher_missing(arms)}"
    )


def _teacher_missing(arms: Sequence[str]) -> str:
    return "" if "teacher" in arms else ". The teacher was not asked: use the fixture teacher"
