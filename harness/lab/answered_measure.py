"""What some models answered to a measure, and which of the answers are valid."""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from ...backends import WordProbabilities
from ...datasets.answer_text import visible_text
from ...datasets.errors import SpecError
from ..experiment import Judge, Measure, Scored
from ..stages import try_on_texts
from ..statistics import mean
from .answers import ModelAnswers
from .copies import draws_are_copies, draws_vary
from .estimate_fields import DrawFields
from .scoring import Outcomes, OutcomesAt, ScoredAnswers, score_answers


@dataclass(frozen=True, repr=False)
class AnsweredMeasure:
    """The answers of some models, one a seed, to the questions of a measure."""

    name: str
    measure: Measure
    models: tuple[ModelAnswers, ...]

    @cached_property
    def valid(self) -> float:
        """The share of answers that are valid ones, 0 to 1, as the measure says."""
        if self.measure.computed:
            return 1.0
        places = self.measure.places(None)
        scored = score_answers(
            self.models,
            places,
            draws=self.measure.draws_per_question,
            outcomes=lambda model, question: self._validity,
            valid=self._validity,
        )
        return mean([share for row in scored.table for share in row if share is not None])

    @cached_property
    def _validity(self) -> dict[str, bool]:
        """Whether each answer that was given is a valid one.

        A scored one is if it has a score, for which the function is not called once more.
        """
        if isinstance(self.measure, Scored) and type(self.measure).valid is Scored.valid:
            return {text: score is not None for text, score in self._own_scores.items()}
        return {text: self.measure.valid(text) for text in self._texts(self.measure.places(None))}

    @cached_property
    def _copied_models(self) -> int:
        """The number of models whose draws are copies of each other."""
        if self.measure.temperature == 0:
            return 0
        copied = [model for model in self.models if draws_are_copies(model.counts)]
        varies = bool(copied) and self._others_vary()
        return sum(draws_are_copies(model.counts, others_vary=varies) for model in copied)

    def _others_vary(self) -> bool:
        """Whether the draws of a model in another arm vary."""
        return False

    def _any_varies(self) -> bool:
        """Whether the draws of a model vary."""
        return any(draws_vary(model.counts) for model in self.models)

    @cached_property
    def ambiguous(self) -> int:
        """The number of answers that name several things as equals, such as "owl or cat". They are
        not valid, and count for no word.
        """
        return sum(count for text, count in self._answers.items() if self.measure.ambiguous(text))

    def answers(self) -> Counter[str]:
        """Every answer of every model, with how often it was given."""
        return Counter(self._answers)

    @cached_property
    def _answers(self) -> Counter[str]:
        total = Counter[str]()
        for model in self.models:
            for count in model.counts:
                total.update(count)
        return total

    @cached_property
    def _trial(self) -> None:
        """Give every answer to the researcher's functions, in a copy of this process."""
        texts = frozenset(map(visible_text, self._answers))
        for function in self.measure.answer_functions:
            try_on_texts(function, texts)

    def _texts(self, places: range) -> frozenset[str]:
        """Every answer to some questions, for functions to be called on."""
        self._trial  # noqa: B018  (once)
        return frozenset(text for model in self.models for q in places for text in model.counts[q])

    def _hits(self, word: str, places: range) -> OutcomesAt:
        hits = {text: float(self.measure.hit(text, word)) for text in self._texts(places)}
        return lambda model, question: hits

    def _scores_by(self, judge: Judge | None) -> OutcomesAt:
        if judge is None:
            return lambda model, question: self._own_scores
        return lambda model, question: {
            text: judge.rating(said) for text, said in model.said[judge.name][question].items()
        }

    @cached_property
    def _own_scores(self) -> Outcomes:
        """The measure's own score of each answer."""
        return {text: self.measure.score(text) for text in self._texts(self.measure.places(None))}

    def _outcomes(self, judge: str | None, group: str | None) -> set[float]:
        """Every score that an answer of the arm has."""
        rated = self.measure.judge(judge) if self.measure.judges or judge else None
        outcomes, places = self._scores_by(rated), self.measure.places(group)
        cells = ((model, q, outcomes(model, q)) for model in self.models for q in places)
        found = {scores[text] for model, q, scores in cells for text in model.counts[q]}
        return {score for score in found if score is not None}

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

    def _scored(
        self, places: range, outcomes: OutcomesAt, *, hits_are_valid: bool = False
    ) -> ScoredAnswers:
        """The outcomes of all answers; an answer with the word may be valid in any case."""
        return score_answers(
            self.models,
            places,
            draws=self.measure.draws_per_question,
            outcomes=outcomes,
            valid=self._validity,
            hits_are_valid=hits_are_valid,
        )

    def _of_draws(self, places: range, scored: ScoredAnswers) -> DrawFields:
        return DrawFields(
            missing=self._missing(places),
            coverage=scored.coverage,
            copied_models=self._copied_models,
        )

    def _missing(self, places: range) -> int:
        """Draws of some questions that no model answered."""
        draws = self.measure.draws_per_question
        return sum(model.missing_at(q, draws) for model in self.models for q in places)


def group_shows(measure: Measure, group: str | None) -> bool:
    """Whether a group's scores are what shows the trait: the first group's, or all questions'."""
    return group is None or group == next(iter(measure.groups))
