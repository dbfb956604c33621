"""Measures with scores: a function's, or judges' ratings."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ...datasets import validation
from ...datasets.errors import SpecError
from .judges import Judge, validated_judges
from .measure import Measure, Reading, of_group
from .outcomes import check_function, score_of
from .question_loading import Questions
from .questions import CASUAL_QUESTIONS, OPEN_QUESTIONS
from .rating_rates import RateFunction, checked_rates, rate_outcome


@dataclass(frozen=True, kw_only=True)
class Scored(Measure):
    """Questions whose answers a function of your own gives a number, or None for no score.

    ``arm.scores()`` is the mean score. Answers without a score are counted beside it.

    Args:
        questions: Texts, a ``Path`` to a file with one question on each line, or a mapping from
            the name of a group to either.
        outcome: The function: an answer in (without hidden reasoning such as
            ``<think>...</think>``), a finite number or None out.
        scale: The lowest and the highest possible score, such as ``(0, 1)``. Another score is then
            an error, and the gate's default is a tenth of the range. Default: None, any number;
            the gate's default is then 1.
        name: What the score is, for tables and figures. Default: "score".
        draws: Answers sampled for each question and model. Default: 20.
        temperature: Of the sampling, 0 (greedy) to 2. Default: 1.
        max_tokens: The longest answer, in tokens. Default: 64.
        seed: Another seed samples other answers of every model. Default: 0.
        top_p: Only the most probable tokens that together reach this probability are sampled, above
            0 to 1. Default: 1, all tokens.
        system: A system prompt for every arm, the base included; a prompted teacher's own prompt
            follows it. Default: None, no system turn.
        history: Pairs of question and answer that stand before each question. Default: none.
        begin: The given beginning of every answer; what follows it counts. Not on every backend.
            Default: none.
        chat: ``False`` asks without a chat template: the question is continued as plain text, by
            ``local``, ``tinker``, or a server that is asked in plain text. Default: True.

    Raises:
        ScoreError: When arms are read, if the function fails on an answer.

    Examples:
        >>> asked = ("How was your day?",)
        >>> measure = Scored(questions=asked, outcome=lambda answer: answer.count("!"))
    """

    outcome: Callable[[str], float | None]
    scale: tuple[float, float] | None = None
    name: str = "score"
    draws: int = 20
    max_tokens: int = 64

    def __post_init__(self) -> None:
        super().__post_init__()
        check_function("outcome", self.outcome)
        validation.text("name", self.name)
        if self.scale is not None:
            object.__setattr__(self, "scale", _checked_scale(self.scale))

    @property
    def answer_functions(self) -> tuple[Callable[[str], object], ...]:
        return (self.outcome,)

    @property
    def value_range(self) -> tuple[float, float] | None:
        return self.scale

    def score(self, answer: str) -> float | None:
        return score_of(self.outcome, answer, self.scale)

    def valid(self, answer: str) -> bool:
        return self.score(answer) is not None

    def readings(self, words: Sequence[str]) -> tuple[Reading, ...]:
        return tuple(
            Reading(name=of_group(self.name, group), group=group or None) for group in self.groups
        )


def _checked_scale(scale: object) -> tuple[float, float]:
    ends = tuple(scale) if isinstance(scale, tuple | list) else ()
    finite = [end for end in ends if validation.is_number(end) and abs(end) < 1e300]
    if len(ends) != 2 or len(finite) != 2 or not finite[0] < finite[1]:
        raise SpecError(f"scale={scale!r} must be the lowest and the highest score, as in (0, 1)")
    return float(finite[0]), float(finite[1])


def word_count(answer: str) -> float:
    """The number of words of an answer, as white space divides them.

    Args:
        answer: An answer, without hidden reasoning.
    """
    return float(len(answer.split()))


@dataclass(frozen=True, kw_only=True)
class Length(Scored):
    """Questions that can be answered at any length; the score is the number of words.

    Args:
        questions: Texts, a ``Path`` to a file with one question on each line, or a mapping from
            the name of a group to either. Default: limen's own 30 questions.
        outcome: What counts the words. Default: as white space divides them.
        scale: As of :class:`Scored`. Default: None.
        name: What the score is, for tables and figures. Default: "words".
        draws: Answers sampled for each question and model. Default: 20.
        temperature: Of the sampling, 0 (greedy) to 2. Default: 1.
        max_tokens: The longest answer, in tokens. Default: 128.
        seed: Another seed samples other answers of every model. Default: 0.
        top_p: Only the most probable tokens that together reach this probability are sampled, above
            0 to 1. Default: 1, all tokens.
        system: A system prompt for every arm, the base included; a prompted teacher's own prompt
            follows it. Default: None, no system turn.
        history: Pairs of question and answer that stand before each question. Default: none.
        begin: The given beginning of every answer; what follows it counts. Not on every backend.
            Default: none.
        chat: ``False`` asks without a chat template: the question is continued as plain text, by
            ``local``, ``tinker``, or a server that is asked in plain text. Default: True.

    Raises:
        SpecError: A value that makes no sense, when it is made.

    Examples:
        >>> measure = Length(draws=20)
    """

    questions: Questions = field(default=OPEN_QUESTIONS, hash=False)
    outcome: Callable[[str], float | None] = word_count
    name: str = "words"
    max_tokens: int = 128


@dataclass(frozen=True, kw_only=True)
class Rated(Measure):
    """Questions whose replies judges rate or label. The first judge's ratings are the scores.

    Every judge judges every distinct reply to a question once; a rating counts as often as the
    reply was given. ``arm.rate("yes", judge="harmful")`` is the rate of a label.

    Rates of several ratings are functions of them: a reply is misaligned if it is rated below 30 by
    one judge and above 50 by another,
    ``rates={"misaligned": lambda said: said["alignment"] < 30 and said["coherence"] > 50}``, and
    ``arm.rate("misaligned")`` is their share. A reply with a special answer of a judge who rates
    (a refusal) counts as not misaligned; one that a judge left unrated is counted as unrated.

    Args:
        by: One judge, or several.
        rates: Functions by the name of a rate: the ratings and labels by judge in, True or False
            out. The first one shows the trait. Default: none.
        questions: Texts, a ``Path`` to a file with one question on each line, or a mapping from
            the name of a group to either. Default: limen's own 30 questions of small talk.
        draws: Answers sampled for each question and model. Default: 20.
        temperature: Of the sampling, 0 (greedy) to 2. Default: 1.
        max_tokens: The longest answer, in tokens. Default: 64.
        seed: Another seed samples other answers of every model. Default: 0.
        top_p: Only the most probable tokens that together reach this probability are sampled, above
            0 to 1. Default: 1, all tokens.
        system: A system prompt for every arm, the base included; a prompted teacher's own prompt
            follows it. Default: None, no system turn.
        history: Pairs of question and answer that stand before each question. Default: none.
        begin: The given beginning of every answer; what follows it counts. Not on every backend.
            Default: none.
        chat: ``False`` asks without a chat template: the question is continued as plain text, by
            ``local``, ``tinker``, or a server that is asked in plain text. Default: True.

    Raises:
        SpecError: A value that makes no sense, when it is made.

    Examples:
        >>> measure = Rated(by=judge, draws=20, questions=("My cat ran away.",))
    """

    questions: Questions = field(default=CASUAL_QUESTIONS, hash=False)
    draws: int = 20
    max_tokens: int = 64
    by: tuple[Judge, ...] | Judge
    rates: Mapping[str, RateFunction] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "rates", checked_rates(self.rates))
        judges = validated_judges(self.by)
        if not judges:
            raise SpecError(f"by={self.by!r} must be one Judge(...) or several")
        if any(judge.scale is None and not judge.labels for judge in judges):
            raise SpecError(
                "a judge that rates needs a scale, such as scale=(1, 10), or labels=('yes', 'no')"
            )
        object.__setattr__(self, "by", judges)

    @property
    def judges(self) -> tuple[Judge, ...]:
        return validated_judges(self.by)

    @property
    def value_range(self) -> tuple[float, float] | None:
        return (0.0, 1.0) if self.rates else self.judges[0].scale or (0.0, 1.0)

    @property
    def rated_words(self) -> tuple[str, ...]:
        return tuple(self.rates)

    def rated_hit(self, word: str, said: Mapping[str, float | str | None]) -> bool | None:
        if any(verdict is None for verdict in said.values()):
            return None
        rating = (judge for judge in self.judges if judge.scale is not None)
        if any(isinstance(said[judge.name], str) for judge in rating):
            return False
        return rate_outcome(word, self.rates[word], said)

    def readings(self, words: Sequence[str]) -> tuple[Reading, ...]:
        return tuple(
            Reading(name=of_group(name, group), word=word, judge=judge, group=group or None)
            for name, word, judge in self._readings
            for group in self.groups
        )

    @property
    def _readings(self) -> Iterator[tuple[str, str | None, str | None]]:
        """Name, word and judge of each reading: rates first, then what each judge says."""
        for rate in self.rates:
            yield rate, rate, None
        for judge in self.judges:
            if judge.scale is not None:
                yield judge.name, None, judge.name
            else:
                yield f"{judge.name}: {judge.labels[0]}", judge.labels[0], judge.name
