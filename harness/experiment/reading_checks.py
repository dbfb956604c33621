"""What a measure cannot give to a test that reads its arms: decided before anything is run."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

from ...datasets.errors import SpecError
from ...datasets.suggestions import did_you_mean
from .inspect_task import InspectTask
from .likelihood import Likelihood
from .log_odds import LogOdds
from .measure import Measure


class ArmCall(Protocol):
    """A call that reads an arm; None for what is not there, or not known before the run."""

    @property
    def method(self) -> str:
        """The name of the method."""
        ...

    @property
    def word(self) -> str | None:
        """A word, a label, or the name of a score."""
        ...

    @property
    def group(self) -> str | None:
        """A group of questions."""
        ...

    @property
    def judge(self) -> str | None:
        """The name of a judge."""
        ...

    @property
    def judge_is_named(self) -> bool:
        """Whether a judge is given at all, known or not."""
        ...


Check = Callable[[ArmCall, Measure, Sequence[str]], None]
"""Raises :class:`~limen.SpecError` for a reading that a measure cannot give; the words are those
of the experiment's traits.
"""


def refusals_of(reading: ArmCall, measure: Measure, words: Sequence[str]) -> Iterator[str]:
    """Why a measure cannot give what a call reads, a message for each reason."""
    checks = [_group, _judge, _CHECKS[reading.method]]
    for check in checks:
        try:
            check(reading, measure, words)
        except SpecError as error:
            yield str(error)


def _group(reading: ArmCall, measure: Measure, words: Sequence[str]) -> None:
    if reading.group is not None:
        measure.places(reading.group)


def _judge(reading: ArmCall, measure: Measure, words: Sequence[str]) -> None:
    if reading.judge is not None:
        measure.judge(reading.judge)


def _rate(reading: ArmCall, measure: Measure, words: Sequence[str]) -> None:
    name = type(measure).__name__
    if measure.computed:
        raise SpecError(f"{name} samples no answers, so it has no rates: read scores() or score()")
    if reading.word is None:
        return
    measure.check(reading.word)
    if reading.judge is not None:
        _label(reading.judge, reading.word, measure)
    elif not reading.judge_is_named and reading.word not in (*measure.rated_words, *words):
        near = did_you_mean(reading.word, measure.rated_words)
        if near:  # any other word is counted in the replies
            has = ", ".join(map(repr, measure.rated_words))
            raise SpecError(f"{name} has no rate {reading.word!r}: {near}it has {has}")


def _label(judge_name: str, label: str, measure: Measure) -> None:
    """Raise for a label that a judge, who has labels, never gives."""
    judge = next((judge for judge in measure.judges if judge.name == judge_name), None)
    if judge is None or not judge.labels:
        return
    if label.casefold() not in {word.casefold() for word in judge.words}:
        near = did_you_mean(label, judge.words)
        has = ", ".join(map(repr, judge.words))
        raise SpecError(f"the judge {judge.name!r} has no label {label!r}: {near}it has {has}")


def _scores(reading: ArmCall, measure: Measure, words: Sequence[str]) -> None:
    if measure.computed:
        return
    if not measure.judges and not reading.judge_is_named and _has_no_score(measure):
        raise SpecError(f"{type(measure).__name__} has no scores: ask for rate(word)")
    named = reading.judge or (None if reading.judge_is_named else "")
    heard = [judge for judge in measure.judges if named in ("", judge.name)]
    if heard and heard[0].scale is None:
        judge = heard[0]
        label = f"{judge.labels[0]!r}" if judge.labels else "word"
        raise SpecError(
            f"the judge {judge.name!r} gives labels and no ratings, so it has no scores: ask for "
            f"rate({label}, judge={judge.name!r})"
        )


def _has_no_score(measure: Measure) -> bool:
    return type(measure).score is Measure.score


def _score(reading: ArmCall, measure: Measure, words: Sequence[str]) -> None:
    """A figure of a computed measure; of others a judge's ratings."""
    if not measure.computed and reading.word is not None:
        measure.judge(reading.word)
    elif not measure.computed:
        _scores(reading, measure, words)
    elif reading.word is not None:
        _figure(reading.word, measure, words)


def _figure(word: str, measure: Measure, words: Sequence[str]) -> None:
    if isinstance(measure, LogOdds):
        measure.check_computed(word, words)
    elif isinstance(measure, Likelihood):
        measure.check_figure(word)


def _log_odds(reading: ArmCall, measure: Measure, words: Sequence[str]) -> None:
    if not isinstance(measure, LogOdds):
        raise SpecError(
            f"{type(measure).__name__} has no log-odds: give the experiment measure=LogOdds(...)"
        )
    if reading.word is not None:
        measure.check_computed(reading.word, words)


def _exact(reading: ArmCall, measure: Measure, words: Sequence[str]) -> None:
    known = measure.exact_words(words)
    if not known:
        raise SpecError(
            f"{type(measure).__name__} computes no probabilities here: give the measure exact=True"
        )
    if reading.word is not None and reading.word not in known:
        raise SpecError(
            f"the probability of {reading.word!r} is not computed: "
            f"{did_you_mean(reading.word, known)}it is of {', '.join(map(repr, known))}; name it "
            f"in the measure, as in exact=({reading.word!r},)"
        )


def _rank(reading: ArmCall, measure: Measure, words: Sequence[str]) -> None:
    if reading.word is not None and not isinstance(measure, InspectTask):
        measure.check(reading.word)


def _agreement(reading: ArmCall, measure: Measure, words: Sequence[str]) -> None:
    if len(measure.judges) < 2:
        raise SpecError("agreement needs a measure with two judges: by=(Judge(), Judge())")


_CHECKS: Mapping[str, Check] = {
    "rate": _rate, "exact": _exact, "scores": _scores, "score": _score, "log_odds": _log_odds,
    "rank": _rank, "agreement": _agreement,
}  # fmt: skip
METHODS = frozenset(_CHECKS)
"""The methods of an arm that are checked."""
