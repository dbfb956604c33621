"""The answers of an arm that a report lets people browse: question by question, with outcomes."""

from collections import Counter
from collections.abc import Iterator

from ...datasets.visible import visible
from ...reports import GivenAnswer
from ..experiment import Judge, Scored
from ..lab import Arm

MOST_ROWS = 400
"""Rows of one arm, at most."""
VALID, INVALID = 3, 2
"""Distinct answers of each kind that are kept of a question, the most frequent ones."""
LONGEST = 300
"""Characters that are kept of an answer."""
NO_ANSWER = "no answer (failed or refused)"


def given_answers(arm: Arm, word: str) -> tuple[GivenAnswer, ...]:
    """The most frequent answers to each question with their outcomes, over all models of an arm.

    Of many questions some are taken, evenly spaced. Missing answers have a row, too.

    Args:
        arm: a finished arm; of a computed measure it has no answers.
        word: what shows the trait; answers that count for it are told apart.
    """
    if arm.measure.computed:
        return ()
    places = arm.measure.places(None)
    step = max(1, -(-len(places) * (VALID + INVALID + 1) // MOST_ROWS))
    return tuple(row for place in places[::step] for row in _rows(arm, place, word))


def _rows(arm: Arm, place: int, word: str) -> Iterator[GivenAnswer]:
    question = visible(arm.measure.asked[place])
    counts = Counter[str]()
    for model in arm.models:
        counts.update(model.counts[place])
    left = {True: VALID, False: INVALID}
    for text, count in sorted(counts.items(), key=lambda each: (-each[1], each[0])):
        if not any(left.values()):
            break
        is_valid = arm.measure.valid(text) or arm.measure.hit(text, word)
        if left[is_valid]:
            left[is_valid] -= 1
            yield GivenAnswer(
                question=question,
                answer=visible(text[:LONGEST]),
                outcome=_outcome(arm, place, text, word, is_valid=is_valid),
                count=count,
            )
    missing = sum(m.missing_at(place, arm.measure.draws_per_question) for m in arm.models)
    if missing:
        yield GivenAnswer(question=question, answer="", outcome=NO_ANSWER, count=missing)


def _outcome(arm: Arm, place: int, text: str, word: str, *, is_valid: bool) -> str:
    """What an answer counts as."""
    if not is_valid:
        return "invalid"
    measure = arm.measure
    if isinstance(measure, Scored):
        score = measure.score(text)
        return "valid, not scored" if score is None else f"score {score:g}"
    if measure.hit(text, word):
        return f"counts for {word!r}"
    verdicts = (_verdict(arm, place, text, judge) for judge in measure.judges)
    judged = [verdict if isinstance(verdict, str) else f"{verdict:g}" for verdict in verdicts]
    return f"judged {', '.join(judged)}" if judged else "valid, other"


def _verdict(arm: Arm, place: int, text: str, judge: Judge) -> float | str:
    """What a judge made of an answer to a question."""
    replies = (model.said[judge.name][place] for model in arm.models)
    verdicts = (judge.verdict(said[text]) for said in replies if text in said)
    return next((verdict for verdict in verdicts if verdict is not None), "not rated")
