"""Finished results: the arms of an experiment, read from the store and scored."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from ...backends import WordProbabilities
from ...datasets.errors import JudgeError, ScoreError, SpecError
from ..experiment import Agreement, Experiment, Judge, Measure, Reading
from ..stages import (
    CHANCES,
    RATINGS,
    TALLY,
    ComputeProbabilities,
    FineTune,
    JudgeReplies,
    Manifest,
    Store,
    read_rows,
)
from ..statistics import Estimate, ExactRate, Rate, Scores, mean, spearman
from .pipeline import ModelStages

Said = Mapping[str, str | None]
"""What a judge said of each distinct reply to one question; None where it did not answer."""


@dataclass(frozen=True)
class ModelAnswers:
    """What one model answered."""

    model: str
    key: str
    """The key of the measure stage that the answers are from."""
    counts: tuple[Counter[str], ...]
    """(questions,), how often each answer was given."""
    missing: int
    """Draws without an answer, failed or refused."""
    said: Mapping[str, tuple[Said, ...]]
    """By judge: (questions,), what it said of the replies."""
    chances: tuple[WordProbabilities, ...] | None = None
    """(questions,), how probable some answers are, where that was worked out."""
    surroundings: Mapping[str, Any] = field(default_factory=dict)
    """What stood around the questions, where the backend told."""

    def share(self, question: int, counts: Callable[[int, str], bool | None]) -> float | None:
        """The share of a question's answers that count; None where there are none.

        Answers of which ``counts`` cannot say whether they do (None) are left out.
        """
        given = self.counts[question]
        told = {text: counts(question, text) for text in given}
        total = sum(given[text] for text, counted in told.items() if counted is not None)
        return sum(given[text] for text in given if told[text]) / total if total else None


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

    @property
    def seeds(self) -> int:
        """Models in the arm."""
        return len(self.models)

    def __repr__(self) -> str:
        models = ", ".join(model.model for model in self.models)
        return f"<{self.name}: {models}; {self.valid:.0%} valid answers>"

    @cached_property
    def _rates(self) -> dict[tuple[str, str | None, str | None], Rate]:
        """The rates that were asked for: scoring many answers takes a while."""
        return {}

    def rate(self, word: str, *, group: str | None = None, judge: str | None = None) -> Rate:
        """The share of answers with a word, counted as the measure says, or as a judge does.

        ``group`` takes the questions of one group alone. Raises :class:`~limen.SpecError` for a
        group or a judge that the measure has not.
        """
        asked = (word, group, judge)
        if asked not in self._rates:
            self._rates[asked] = self._rate(word, group, judge)
        return self._rates[asked]

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
        told = self.measure.judge(judge)
        self.measure.check(word)
        shares = self._shares(
            places, lambda model, q, text: told.names(model.said[told.name][q][text], word)
        )
        unrated = self._untold(told, places)
        return Rate(word=word, unrated=unrated, **self._common(places, shares, shows))

    def _untold(self, judge: Judge, places: range) -> int:
        """The replies of which a judge did not say what it was asked; not all may be such."""
        replies = [
            (count, model.said[judge.name][q][text])
            for model in self.models
            for q in places
            for text, count in model.counts[q].items()
        ]
        untold = sum(count for count, said in replies if judge.named(said) is None)
        total = sum(count for count, _ in replies)
        if total and untold == total:
            raise JudgeError(self._unrated(judge, total))
        return untold

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
            raise JudgeError(self._unrated(rated, total)) if rated else self._unscored(total)
        means = tuple(tuple(mean(cell) if cell else None for cell in row) for row in each)
        name = rated.name if rated else getattr(self.measure, "name", "score")
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
        first, second = self.measure.judges[:2]
        pairs = [
            (a, b)
            for model in self.models
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

    @cached_property
    def valid(self) -> float:
        """The share of answers that are valid ones, 0 to 1, as the measure says."""
        valid = {text: self.measure.valid(text) for text in self._texts(self.measure.places(None))}
        places = self.measure.places(None)
        shares = self._shares(places, lambda model, question, text: valid[text])
        return mean([share for row in shares for share in row if share is not None])

    def answers(self) -> Counter[str]:
        """Every answer of every model, with how often it was given."""
        total = Counter[str]()
        for model in self.models:
            for count in model.counts:
                total.update(count)
        return total

    def _shares(
        self, places: range, counts: Callable[[ModelAnswers, int, str], bool | None]
    ) -> tuple[tuple[float | None, ...], ...]:
        def of(model: ModelAnswers) -> tuple[float | None, ...]:
            return tuple(model.share(q, lambda q, text: counts(model, q, text)) for q in places)

        return tuple(map(of, self.models))

    def _common(
        self, places: range, table: tuple[tuple[float | None, ...], ...], shows: bool
    ) -> dict[str, Any]:
        return {
            "arm": self.name,
            "questions": tuple(self.measure.asked[q] for q in places),
            "table": table,
            "draws": self.measure.draws,
            "valid": self.valid,
            "missing": sum(model.missing for model in self.models),
            "trained": self.trained,
            "shows_trait": shows,
            "family": self.family,
            "looks": self.looks,
            "margin": self.margin,
        }

    def _scored(self, model: ModelAnswers, question: int, judge: Judge | None) -> Iterator[float]:
        for text, count in model.counts[question].items():
            if judge is not None:
                score = judge.rating(model.said[judge.name][question][text])
            else:
                score = self.measure.score(text)
            if score is not None:
                yield from (score for _ in range(count))

    def _unrated(self, judge: Judge, replies: int) -> str:
        said = (
            text for model in self.models for by in model.said[judge.name] for text in by.values()
        )
        seen = ", ".join(repr(text) for text in list(dict.fromkeys(said))[:3])
        wanted = (
            f"A rating is one number from {judge.scale[0]} to {judge.scale[1]}"
            if judge.scale
            else "An answer is one language, in a word"
        )
        return (
            f"the judge {judge.name!r} rated none of {replies:,} replies of {self.name}: it says "
            f"{seen}. {wanted}: say so in its prompt, or take another model for it"
        )

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
    store: Store, name: str, experiment: Experiment, asked: tuple[ModelStages, ...]
) -> Arm:
    """The arm that these finished stages measured."""
    return Arm(
        name=name,
        measure=experiment.measure,
        models=tuple(_read(store, one, experiment.measure) for one in asked),
        trained=isinstance(asked[0].answers.subject, FineTune) and name != "teacher",
        trait_word=experiment.trait.shown_by,
        family=experiment.family,
        looks=len(experiment.looks) + 1,
        margin=experiment.margin,
    )


def stored_answers(store: Store, manifest: Manifest) -> ModelAnswers:
    """What a model answered, from the manifest of a finished measure and its tally."""
    tally = json.loads((store.artifact(manifest["kind"], manifest["key"]) / TALLY).read_text())
    counts = tuple(Counter[str](question) for question in tally)
    return ModelAnswers(
        model=manifest["model"],
        key=manifest["key"],
        counts=counts,
        missing=manifest["counts"]["completions"] - sum(count.total() for count in counts),
        said={},
        surroundings=manifest.get("surroundings", {}),
    )


def _read(store: Store, asked: ModelStages, measure: Measure) -> ModelAnswers:
    stage = asked.answers
    answers = stored_answers(store, store.finished(stage.kind, stage.key))
    said = {
        judge.name: _said(store, judged, answers.counts)
        for judge, judged in zip(measure.judges, asked.judged, strict=True)
    }
    chances = None if asked.exact is None else _chances(store, asked.exact)
    return replace(answers, said=said, chances=chances)


def _chances(store: Store, exact: ComputeProbabilities) -> tuple[WordProbabilities, ...]:
    told = json.loads((store.artifact(exact.kind, exact.key) / CHANCES).read_text())
    return tuple(WordProbabilities(**each) for each in told)


def _said(store: Store, judged: JudgeReplies, counts: tuple[Counter[str], ...]) -> tuple[Said, ...]:
    """What a judge said, dealt out to the replies in the order that it was asked in."""
    answers = read_rows(store.artifact(judged.kind, judged.key) / RATINGS)
    said = (row["text"] for row in answers)
    return tuple({text: next(said) for text in sorted(count)} for count in counts)
