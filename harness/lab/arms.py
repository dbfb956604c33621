"""Finished results: the arms of an experiment, read from the store and scored."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypedDict

from ...backends import WordProbabilities
from ...datasets.errors import ScoreError, SpecError
from ..experiment import Agreement, Experiment, Judge, Measure, Reading, Scored
from ..stages import FineTune, Store
from ..statistics import Estimate, EvidenceListener, ExactRate, Rate, Scores, mean
from .answers import ModelAnswers, read_answers
from .judging import agreement, judge_error, unrated
from .pipeline import ModelStages

Table = tuple[tuple[float | None, ...], ...]
"""(seeds, questions), a number or None in each."""


class _Common(TypedDict):
    """The fields that all estimates of an arm share."""

    arm: str
    questions: tuple[str, ...]
    table: Table
    draws: int
    valid: float
    missing: int
    trained: bool
    shows_trait: bool
    family: int
    looks: int
    margin: float | None
    listener: EvidenceListener | None


@dataclass(frozen=True, repr=False)
class Arm:
    """One group of models that answered the same questions: one model a seed."""

    name: str
    measure: Measure
    models: tuple[ModelAnswers, ...]
    trained: bool
    trait_word: str
    """The word that shows the trait of the experiment."""
    family: int = 1
    """Traits that are tried together."""
    looks: int = 1
    """How often the results may be looked at before all seeds are in."""
    margin: float | None = None
    """The difference below which arms count as alike."""
    listener: EvidenceListener | None = field(default=None, compare=False)
    """Receives the comparisons that are made with the arm's estimates and their effects."""

    @property
    def seeds(self) -> int:
        """Models in the arm."""
        return len(self.models)

    def __repr__(self) -> str:
        models = ", ".join(model.model for model in self.models)
        ties = f", {self.ambiguous:,} ambiguous" if self.ambiguous else ""
        return f"<{self.name}: {models}; {self.valid:.0%} valid answers{ties}>"

    @cached_property
    def _rates(self) -> dict[tuple[str, str | None, str | None], Rate]:
        """The rates that were computed before: scoring many answers takes a while."""
        return {}

    def rate(self, word: str, *, group: str | None = None, judge: str | None = None) -> Rate:
        """The share of answers with a word, counted as the measure says, or as a judge does.

        ``group`` takes the questions of one group alone. Raises :class:`~limen.SpecError` for a
        group or a judge that the measure does not have, and for a word that no answer can have.
        """
        self.measure.check(word)
        key = (word, group, judge)
        if key not in self._rates:
            self._rates[key] = self._rate(word, group, judge)
        return self._rates[key]

    def exact(self, word: str, *, group: str | None = None) -> ExactRate:
        """How probable it is that an answer's first word is the word, in any number.

        Needs a measure with ``exact=True`` on a backend of open weights; raises
        :class:`~limen.SpecError` else, and for a word that was not asked for.
        """
        places = self.measure.places(group)
        each = [self._chances(model, word) for model in self.models]
        return ExactRate(
            word=word,
            missed=mean([chances[q].missed for chances in each for q in places]),
            **self._common(
                places,
                tuple(tuple(chances[q].by_word[word] for q in places) for chances in each),
                word == self.trait_word and group_shows(self.measure, group),
            ),
        )

    def _chances(self, model: ModelAnswers, word: str) -> tuple[WordProbabilities, ...]:
        if model.chances is None:
            raise SpecError(
                f"nothing exact is known of {self.name}: only open weights (--limen-backend local) "
                f"can tell, of a measure with exact=True"
            )
        known = model.chances[0].by_word
        if word not in known:
            raise SpecError(
                f"the probability of {word!r} was not worked out, but only of "
                f"{', '.join(known)}: name it in the measure, as in exact=({word!r},)"
            )
        return model.chances

    def _rate(self, word: str, group: str | None, judge: str | None) -> Rate:
        places = self.measure.places(group)
        shows = word == self.trait_word and group_shows(self.measure, group)
        if judge is None:
            hits = {text: self.measure.hit(text, word) for text in self._texts(places)}
            shares = self._shares(places, lambda model, question, text: hits[text])
            if not any(share is not None for row in shares for share in row):
                raise ScoreError(f"{self.name} answered nothing at all, so it has no rate")
            return Rate(word=word, **self._common(places, shares, shows))
        heard = self.measure.judge(judge)
        self.measure.check(word)
        shares = self._shares(
            places, lambda model, q, text: heard.names(model.said[heard.name][q][text], word)
        )
        count = unrated(heard, self.name, self.models, places)
        return Rate(word=word, unrated=count, **self._common(places, shares, shows))

    def scores(self, judge: str | None = None, *, group: str | None = None) -> Scores:
        """The scores of the answers: the first judge's ratings, or those of the judge of a name.

        Raises :class:`~limen.ScoreError` if no answer has one (:class:`~limen.JudgeError` if the
        judge rated nothing at all).
        """
        places = self.measure.places(group)
        rated = self.measure.judge(judge) if self.measure.judges or judge else None
        each = tuple(
            tuple(tuple(sorted(self._scored(model, q, rated))) for q in places)
            for model in self.models
        )
        count = sum(len(cell) for row in each for cell in row)
        total = sum(model.counts[q].total() for model in self.models for q in places)
        if total and not count:
            raise (
                judge_error(rated, self.name, self.models, total)
                if rated
                else self._unscored(total)
            )
        means = tuple(tuple(mean(cell) if cell else None for cell in row) for row in each)
        own = self.measure.name if isinstance(self.measure, Scored) else "score"
        name = rated.name if rated else own
        common = self._common(places, means, group_shows(self.measure, group))
        return Scores(name=name, each=each, unrated=total - count, **common)

    def read(self, reading: Reading) -> Estimate:
        """The rate or the scores that a reading stands for."""
        if reading.word is not None and reading.exact:
            return self.exact(reading.word, group=reading.group)
        if reading.word is not None:
            return self.rate(reading.word, group=reading.group, judge=reading.judge)
        return self.scores(reading.judge, group=reading.group)

    def agreement(self) -> Agreement:
        """How far the first two judges agree on the replies that both rated."""
        if len(self.measure.judges) < 2:
            raise SpecError("agreement needs a measure with two judges: by=(Judge(), Judge())")
        return agreement(self.measure.judges[0], self.measure.judges[1], self.models)

    @cached_property
    def valid(self) -> float:
        """The share of answers that are valid ones, 0 to 1, as the measure says."""
        valid = {text: self.measure.valid(text) for text in self._texts(self.measure.places(None))}
        places = self.measure.places(None)
        shares = self._shares(places, lambda model, question, text: valid[text])
        return mean([share for row in shares for share in row if share is not None])

    @cached_property
    def ambiguous(self) -> int:
        """The number of answers that name several things as equals, such as "owl or cat". They are
        not valid, and count for no word.
        """
        return sum(count for text, count in self.answers().items() if self.measure.ambiguous(text))

    def answers(self) -> Counter[str]:
        """Every answer of every model, with how often it was given."""
        total = Counter[str]()
        for model in self.models:
            for count in model.counts:
                total.update(count)
        return total

    def _shares(
        self, places: range, counts: Callable[[ModelAnswers, int, str], bool | None]
    ) -> Table:
        def of(model: ModelAnswers) -> tuple[float | None, ...]:
            return tuple(model.share(q, lambda q, text: counts(model, q, text)) for q in places)

        return tuple(map(of, self.models))

    def _common(self, places: range, table: Table, shows: bool) -> _Common:
        return _Common(
            arm=self.name,
            questions=tuple(self.measure.asked[q] for q in places),
            table=table,
            draws=self.measure.draws,
            valid=self.valid,
            missing=sum(model.missing for model in self.models),
            trained=self.trained,
            shows_trait=shows,
            family=self.family,
            looks=self.looks,
            margin=self.margin,
            listener=self.listener,
        )

    def _scored(self, model: ModelAnswers, question: int, judge: Judge | None) -> Iterator[float]:
        for text, count in model.counts[question].items():
            if judge is not None:
                score = judge.rating(model.said[judge.name][question][text])
            else:
                score = self.measure.score(text)
            if score is not None:
                yield from (score for _ in range(count))

    def _unscored(self, answers: int) -> ScoreError:
        seen = ", ".join(repr(text[:60]) for text, _ in self.answers().most_common(3))
        return ScoreError(
            f"the outcome function gave None for each of {answers:,} answers of {self.name}, so "
            f"there is no mean to compare: they are {seen}"
        )

    def _texts(self, places: range) -> frozenset[str]:
        return frozenset(text for model in self.models for q in places for text in model.counts[q])


def group_shows(measure: Measure, group: str | None) -> bool:
    """Whether a group's scores are what shows the trait: the first group's, or all questions'."""
    return group is None or group == next(iter(measure.groups))


def read_arm(
    store: Store,
    name: str,
    experiment: Experiment,
    models: tuple[ModelStages, ...],
    listener: EvidenceListener | None = None,
) -> Arm:
    """The arm that these finished stages measured."""
    return Arm(
        name=name,
        measure=experiment.measure,
        models=tuple(read_answers(store, one, experiment.measure) for one in models),
        trained=isinstance(models[0].answers.subject, FineTune) and name != "teacher",
        trait_word=experiment.trait.shown_by,
        family=experiment.family,
        looks=len(experiment.looks) + 1,
        margin=experiment.margin,
        listener=listener,
    )
