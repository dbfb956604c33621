"""Models and judges, and what they answered, as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Example:
    """An answer of an arm: to one question the most frequent, with how often it was given.

    Raises nothing.

    Args:
        question: The question.
        answer: Its most frequent answer.
        count: How often that was given.

    Examples:
        >>> [(one.question, one.answer, one.count) for one in result.arms[0].examples]
    """

    question: str
    answer: str
    count: int


@dataclass(frozen=True, kw_only=True)
class GivenAnswer:
    """A distinct answer of an arm's models to a question, and what it counted as.

    Raises nothing.

    Args:
        question: The question.
        answer: The text, long ones cut; empty where none came.
        outcome: What the measure made of it: that it counts for a word, its score, ``invalid``, or
            that there was no answer.
        count: How often it was given.

    Examples:
        >>> [(one.answer, one.outcome, one.count) for one in result.arms[0].given]
    """

    question: str
    answer: str
    outcome: str
    count: int


@dataclass(frozen=True, kw_only=True)
class ModelsRow:
    """The models of an arm, and what they answered. Raises nothing.

    Args:
        arm: The arm.
        models: Ids of its models, one a seed.
        keys: The measure stages that the answers are from.
        base: The base model that they are, or were trained from; the first one's.
        fingerprint: That of the base model.
        recipe: How they were trained. Default: empty, they were not.
        surroundings: What stood before a question when they were ``asked`` and ``trained``, and the
            hashes of ``template`` and ``tokenizer``. Default: empty, the backend does not tell.
        valid: The share of answers that are valid, from 0 to 1, as the measure says.
        missing: Draws without an answer.
        answers: The most frequent answers, with how often each was given.
        words: The most frequent words of all answers, in lower case. Default: none.
        examples: To each question the most frequent answer. Default: none.
        given: Answers to browse, question by question. Default: none, as in records of earlier
            versions.
        how_asked: How models that the experiment does not train are asked, as a methods paragraph
            says it. Default: empty, for the arms that every experiment has and for students.
        settings: What sets students of a spec's own arm apart from the experiment's, by the names
            of ``Students``. Default: empty, for other arms and in records of earlier versions.
        bases: Each model's base and its fingerprint, where they differ. Default: none, all are
            ``base``.
        kind: The kind of the stages that the answers are from. Default: "measure".
        steps: Optimizer steps of each model's training. Default: none, they were not trained, or
            the backend does not tell.
        losses: The mean loss of each training's last epoch, as the backend reports it (nats a token
            of the completion loss); None where it does not. Default: none.

    Examples:
        >>> [(arm.arm, arm.models, arm.valid) for arm in result.arms]
    """

    arm: str
    models: tuple[str, ...]
    keys: tuple[str, ...]
    base: str
    fingerprint: str
    recipe: Mapping[str, object] = field(default_factory=dict)
    surroundings: Mapping[str, str | None] = field(default_factory=dict)
    valid: float
    missing: int
    answers: tuple[tuple[str, int], ...]
    words: tuple[tuple[str, int], ...] = ()
    examples: tuple[Example, ...] = ()
    given: tuple[GivenAnswer, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    how_asked: str = ""
    bases: tuple[tuple[str, str], ...] = ()
    kind: str = "measure"
    steps: tuple[int, ...] = ()
    losses: tuple[float | None, ...] = ()

    def base_of(self, seed: int) -> tuple[str, str]:
        """The base of one model, and its fingerprint.

        Args:
            seed: The number of the model, from 0.
        """
        return self.bases[seed] if self.bases else (self.base, self.fingerprint)


@dataclass(frozen=True, kw_only=True)
class JudgeRow:
    """A judge, as it was asked. Raises nothing.

    Args:
        name: Its name.
        model: The model that judges.
        prompt: What it is asked, verbatim.
        scale: Least and greatest rating; None for words in place of ratings.

    Examples:
        >>> [(judge.name, judge.model) for judge in result.judges]
    """

    name: str
    model: str
    prompt: str
    scale: tuple[int, int] | None
