"""Finished results: the arms of an experiment, read from the store and scored."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from ...datasets.errors import ScoreError, SpecError
from ..experiment import Agreement, LogOdds, Reading, Scored
from ..statistics import (
    Distance,
    Estimate,
    EvidenceListener,
    ExactRate,
    Rate,
    Scores,
    Table,
    in_unit,
    mean,
)
from .absence import always_the_same, never_given
from .answered_measure import AnsweredMeasure, group_shows
from .computed_figures import computed_figures
from .distributions import distributions_of, ranks_of
from .estimate_fields import CommonFields
from .judging import (
    agreement,
    judge_error,
    outcomes_of_labels,
    outcomes_of_ratings,
    unrated,
    unscored_error,
)
from .kept_results import kept
from .scoring import ScoredAnswers


@dataclass(frozen=True, repr=False)
class Arm(AnsweredMeasure):
    """One group of models that answered the same questions: one model a seed.

    Args:
        name: The name of the arm, such as "student".
        measure: The measure that its models answered.
        models: The answers of each model, one a seed.
        trained: Whether its models were fine-tuned.
        trait_word: The word that shows the trait of the experiment.
        other_trait_words: The words that show the other traits that the experiment names.
            Default: none.
        data_trait_words: Those of them whose teachers write the students' data. Default: none.
        lowered_words: Those of all these that a trait makes rarer or lower. Default: none.
        family: Traits that are tried together. Default: 1.
        looks: How often the results may be looked at before all seeds are in. Default: 1.
        margin: The difference below which arms count as alike. Default: None.
        listener: Receives the comparisons that are made with the arm's estimates and their effects.
            Default: None.
        others: The other arms of the experiment that are finished. Default: none.
        trainings: What names the trainings of its models, at whatever epoch these are; none if
            untrained. Default: none.

    Raises:
        SpecError: From its methods: a word or a scorer that the measure does not have.
        ScoreError: From `scores()`: no answer has a score.

    Examples:
        >>> student.rate("owl") - control.rate("owl")
    """

    trained: bool
    trait_word: str
    """The word that shows the trait of the experiment."""
    other_trait_words: tuple[str, ...] = ()
    """The words that show the other traits that the experiment names."""
    data_trait_words: tuple[str, ...] = ()
    """Those of them whose teachers write the students' data: a mix has several."""
    lowered_words: tuple[str, ...] = ()
    """Those of all these that a trait makes rarer or lower, as a dislike does."""
    family: int = 1
    """Traits that are tried together."""
    looks: int = 1
    """How often the results may be looked at before all seeds are in."""
    margin: float | None = None
    """The difference below which arms count as alike."""
    listener: EvidenceListener | None = field(default=None, compare=False)
    """Receives the comparisons that are made with the arm's estimates and their effects."""
    others: Callable[[], Sequence["Arm"]] = field(default=tuple, compare=False)
    """The other arms of the experiment, as far as they are finished."""
    trainings: tuple[str, ...] = ()
    """What names the trainings of its models, at whatever epoch these are; none if untrained."""

    @property
    def trait_words(self) -> tuple[str, ...]:
        """The words that show a trait of the experiment, its own first."""
        return self.trait_word, *self.other_trait_words

    @property
    def seeds(self) -> int:
        """Models in the arm."""
        return len(self.models)

    def __repr__(self) -> str:
        models = ", ".join(model.model for model in self.models)
        ties = f", {self.ambiguous:,} ambiguous" if self.ambiguous else ""
        return f"<{self.name}: {models}; {self.valid:.0%} valid answers{ties}>"

    def _repr_html_(self) -> str:
        """What notebooks show."""
        from .arm_display import arm_as_html

        answers = {} if self.measure.computed else self.answers()
        return arm_as_html(self.name, [model.model for model in self.models], answers)

    def rate(self, word: str, *, group: str | None = None, judge: str | None = None) -> Rate:
        """The share of answers with a word, counted as the measure says, or as a judge does.

        Args:
            word: The word, such as "owl"; of labels, options, languages: one of them.
            group: The questions of this group alone. Default: None, all questions.
            judge: Counts by what the judge of this name says. Default: None, by the answers
                themselves.

        Raises:
            SpecError: A group or a judge that the measure has not; a word that no answer can
                have.
            ScoreError: There are no answers.
        """
        self.measure.check(word)
        if self.measure.computed:
            raise SpecError(f"{type(self.measure).__name__} samples no answers, so it has no rates")
        return self._rate_or_absence(word, group, judge)

    @kept
    def _rate_or_absence(self, word: str, group: str | None, judge: str | None) -> Rate:
        rate = self._rate(word, group, judge)
        absence = self._absence(word, group, judge) if rate.value == 0 else ""
        return replace(rate, absence=absence)

    def _absence(self, word: str, group: str | None, judge: str | None) -> str:
        """That no arm ever gives a word; empty if one of them does."""
        arms = (self, *self.others())
        if any(arm._gives(word, group, judge) for arm in arms):
            return ""
        names = [arm.name for arm in arms]
        return never_given(word, self.measure, names, (arm.answers() for arm in arms))

    @kept
    def _gives(self, word: str, group: str | None, judge: str | None) -> bool:
        """Whether the arm gives a word: every other arm may ask."""
        places = self.measure.places(group)
        if judge is None and word in self.measure.rated_words:
            return self._rate(word, group, None).value > 0
        if judge is None:
            return any(self.measure.hit(text, word) for text in self._texts(places))
        heard = self.measure.judge(judge)
        said = (model.said[heard.name][q].values() for model in self.models for q in places)
        return any(heard.names(text, word) for texts in said for text in texts)

    def exact(self, word: str, *, group: str | None = None) -> ExactRate:
        """How probable it is that an answer's first word is the word, in any number.

        Needs a measure with ``exact=True`` on a backend of open weights.

        Args:
            word: The word, one that the measure was asked for.
            group: The questions of this group alone. Default: None, all questions.

        Raises:
            SpecError: Not exact, or not of this word.
        """
        places = self.measure.places(group)
        each = [self._chances(model, word) for model in self.models]
        table = tuple(tuple(chances[q].by_word[word] for q in places) for chances in each)
        return ExactRate(
            word=word,
            missing=0,
            missed=mean([chances[q].missed for chances in each for q in places]),
            **self._common(places, table, word, group),
        )

    def _rate(self, word: str, group: str | None, judge: str | None) -> Rate:
        places = self.measure.places(group)
        if judge is None and word in self.measure.rated_words:
            return self._rate_of_ratings(word, group)
        if judge is None:
            scored = self._scored(places, self._hits(word, places), hits_are_valid=True)
            if not scored.total:
                raise ScoreError(f"{self.name} answered nothing at all, so it has no rate")
            return self._rate_of(word, group, scored, unrated=0)
        heard = self.measure.judge(judge)
        left = unrated(heard, self.name, self.models, places)
        scored = self._scored(places, outcomes_of_labels(heard, word), hits_are_valid=True)
        return self._rate_of(word, group, scored, unrated=left)

    def _rate_of_ratings(self, word: str, group: str | None) -> Rate:
        """A rate that is made of what several judges say of each reply."""
        places = self.measure.places(group)
        scored = self._scored(places, outcomes_of_ratings(self.measure, word), hits_are_valid=True)
        total = sum(model.counts[q].total() for model in self.models for q in places)
        if total and not scored.total:
            raise judge_error(self.measure.judges[0], self.name, self.models, total)
        return self._rate_of(word, group, scored, unrated=total - scored.total)

    def _rate_of(
        self, word: str, group: str | None, scored: ScoredAnswers, *, unrated: int
    ) -> Rate:
        places = self.measure.places(group)
        common = self._common(places, scored.table, word, group)
        return Rate(word=word, unrated=unrated, **common, **self._of_draws(places, scored))

    def scores(self, judge: str | None = None, *, group: str | None = None) -> Scores:
        """The scores of the answers: the first judge's ratings, or those of the judge of a name.

        Args:
            judge: The name of a judge. Default: None, the first one.
            group: The questions of this group alone. Default: None, all questions.

        Raises:
            ScoreError: No answer has a score; `JudgeError` if a judge rated nothing.
        """
        if self.measure.computed and judge is None:
            return self._computed(self._first_figure, group)
        return self._scores_of(judge, group)

    @kept
    def _scores_of(self, judge: str | None, group: str | None) -> Scores:
        places = self.measure.places(group)
        rated = self.measure.judge(judge) if self.measure.judges or judge else None
        scored = self._scored(places, self._scores_by(rated))
        total = sum(model.counts[q].total() for model in self.models for q in places)
        if total and not scored.total:
            raise (
                judge_error(rated, self.name, self.models, total)
                if rated
                else unscored_error(self.name, self.answers(), total)
            )
        own = self.measure.name if isinstance(self.measure, Scored) else "score"
        scores = Scores(
            name=rated.name if rated else own,
            each=tuple(tuple(cell.each for cell in row) for row in scored.cells),
            scale=rated.scale if rated else self.measure.value_range,
            unrated=total - scored.total,
            **self._common(places, scored.table, None, group),
            **self._of_draws(places, scored),
        )
        return replace(scores, absence=self._sameness(scores, judge, group))

    def _sameness(self, scores: Scores, judge: str | None, group: str | None) -> str:
        """That all answers of all arms have one score; empty if they do not."""
        if len(set(scores.pooled)) > 1:
            return ""
        arms = (self, *self.others())
        if any(arm._outcomes(judge, group) - set(scores.pooled) for arm in arms):
            return ""
        return always_the_same(scores, [arm.name for arm in arms])

    def score(self, name: str | None = None, *, group: str | None = None) -> Scores:
        """The mean of a score by its name: of an Inspect task a scorer's or a metric's, of other
        measures a judge's. Without a name the first one.

        Args:
            name: The name of a scorer, a metric or a judge. Default: None, the first one.
            group: The questions of this group alone. Default: None, all questions.

        Raises:
            ScoreError: No answer has a score.
        """
        if self.measure.computed:
            return self._computed(name or self._first_figure, group)
        return self.scores(name, group=group)

    def log_odds(self, word: str, *, group: str | None = None) -> Scores:
        """The log-odds of a word against others, in nats: of a measure ``LogOdds(...)``.

        Args:
            word: A trait's word, or one of the measure's ``against``.
            group: The questions of this group alone. Default: None, all questions.

        Raises:
            SpecError: Another measure, or a word that was not computed.
        """
        if not isinstance(self.measure, LogOdds):
            raise SpecError(
                f"{type(self.measure).__name__} has no log-odds: give the experiment "
                f"measure=LogOdds(...)"
            )
        return self._computed(word, group)

    @kept
    def _computed(self, word: str, group: str | None) -> Scores:
        """A figure of a computed measure."""
        named = self.measure.asked or self.models[0].labels
        places = self.measure.places(group) if self.measure.asked else range(len(named))
        figures = computed_figures(self.name, self.measure, self.models, word, places)
        scores = Scores(
            name=self.measure.figure_name(word),
            each=figures.each,
            scale=self.measure.value_range,
            missing=figures.missing,
            **self._common(places, figures.table, word, group),
        )
        scores = replace(scores, questions=tuple(named[place] for place in places))
        return in_unit(scores, self.measure.unit) if self.measure.unit else scores

    def _shows(self, word: str | None, group: str | None) -> bool:
        """Whether a word's figure, or a score, is what shows a trait of the students' data."""
        words = self.trait_word, *self.data_trait_words
        return (word is None or word in words) and group_shows(self.measure, group)

    @property
    def _first_figure(self) -> str:
        """The word or score of the first reading of a computed measure."""
        return self.measure.readings([self.trait_word])[0].word or ""

    def read(self, reading: Reading) -> Estimate:
        """The rate or the scores that a reading stands for.

        Args:
            reading: One of the measure's ``readings``.
        """
        if self.measure.computed:
            return self._computed(reading.word or self._first_figure, reading.group)
        if reading.word is not None and reading.exact:
            return self.exact(reading.word, group=reading.group)
        if reading.word is not None:
            return self.rate(reading.word, group=reading.group, judge=reading.judge)
        return self.scores(reading.judge, group=reading.group)

    def distance(self, other: "Arm", *, group: str | None = None) -> Distance:
        """The total variation between this arm's answers and another's, with a permutation test.

        It finds what no single word shows.

        Args:
            other: The arm to compare with, of the same measure.
            group: The questions of this group alone. Default: None, all questions.

        Raises:
            SpecError: The measure has no answers, or the other arm answered other questions.
        """
        places = self.measure.places(group)
        both = ((arm.measure, arm.models) for arm in (self, other))
        treated, reference = (distributions_of(*one, places, self.trait_words) for one in both)
        return Distance(
            name=f"{self.name} v {other.name}",
            treated=treated,
            reference=reference,
            correction=self.family * self.looks,
            missing=self._missing(places) + other._missing(places),
            listener=self.listener,
        )

    def rank(self, word: str, *, group: str | None = None) -> Scores:
        """The place of a word among each model's answers, 1 for the most frequent one.

        Args:
            word: A word or label that answers can have.
            group: The questions of this group alone. Default: None, all questions.

        Raises:
            SpecError: A word that no answer can have.
        """
        self.measure.check(word)
        places = self.measure.places(group)
        models = distributions_of(self.measure, self.models, places, self.trait_words)
        ranks, questions = ranks_of(word, models)
        table = tuple((rank,) for rank in ranks)
        each = tuple((() if rank is None else (rank,),) for rank in ranks)
        common = self._common(places, table, word, group)
        scores = Scores(name=f"rank of {word!r}", each=each, missing=0, **common)
        lowers = not scores.lowers  # the more frequent a word, the smaller is its rank
        return replace(scores, questions=(questions,), draws=1, lowers=lowers)

    def _others_vary(self) -> bool:
        return any(arm._any_varies() for arm in self.others())

    def agreement(self) -> Agreement:
        """How far the first two judges agree on the replies that both rated."""
        if len(self.measure.judges) < 2:
            raise SpecError("agreement needs a measure with two judges: by=(Judge(), Judge())")
        return agreement(self.measure.judges[0], self.measure.judges[1], self.models)

    def _common(
        self, places: range, table: Table, word: str | None, group: str | None
    ) -> CommonFields:
        """The fields of an estimate of a word; of a score without one."""
        return CommonFields(
            arm=self.name,
            questions=tuple(self.measure.asked[q] for q in places) if self.measure.asked else (),
            table=table,
            draws=self.measure.draws_per_question,
            valid=self.valid,
            trained=self.trained,
            shows_trait=self._shows(word, group),
            lowers=(word or self.trait_word) in self.lowered_words,
            family=self.family,
            looks=self.looks,
            margin=self.margin,
            listener=self.listener,
            models=self.trainings or tuple(model.key for model in self.models),
        )
