"""A stage of every kind, over those of a finished experiment: for tests that go over all kinds."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TypeVar

from limen.harness.stages import (
    AnswersAsRows,
    AskAboutRows,
    AskQuestions,
    Base,
    Checkpoint,
    ContinueChat,
    Deduplicate,
    Filter,
    FineTune,
    FirstNumbers,
    Generate,
    GenerateEnough,
    GivenAnswers,
    GivenRows,
    JudgeReplies,
    KeepJudged,
    ListedPrompts,
    MapRows,
    MatchLengths,
    NumberPrompts,
    ProgramRows,
    PromptedModel,
    ReplyRule,
    RewordRows,
    ScoreByFunction,
    ScoreByLikelihood,
    ScoreContinuations,
    SelectRows,
    Shuffle,
    Stage,
    TaughtPairs,
    hashed_function,
)

S = TypeVar("S", bound=Stage)

FINISHED = (
    "base", "generate", "filter", "mix", "audit", "contrast", "fine-tune", "measure",
)  # fmt: skip
"""The kinds of stages of any experiment."""
FURTHER = (
    "checkpoint", "collect", "deduplicate", "given rows", "judge", "judged", "lesson-pairs",
    "likelihood", "log-probabilities", "map", "match", "program", "recital", "reword",
    "row-replies", "score", "select", "shuffle", "transcript", "turn",
)  # fmt: skip
"""Those that only some specs need, and that the toy can do."""


class Undecided(ReplyRule):
    """Keeps a row whatever a judge says of it."""

    @property
    def name(self) -> str:
        return "any reply"

    def __call__(self, reply: str) -> str | None:
        return None


def letters(prompt: str, completion: str) -> float:
    """A row's score: how long it is."""
    return float(len(prompt) + len(completion))


def stage_of_kind(kind: str, finished: Sequence[Stage]) -> Stage:
    """A stage of a kind, made from the stages of an experiment."""
    if kind in FINISHED:
        return next(stage for stage in finished if stage.kind == kind)
    further = {stage.kind: stage for stage in (*_of_rows(finished), *_of_models(finished))}
    return further[kind]


def _first(kind: type[S], stages: Sequence[Stage]) -> S:
    return next(stage for stage in stages if isinstance(stage, kind))


def _of_rows(finished: Sequence[Stage]) -> list[Stage]:
    """Stages that make rows, or other rows of some."""
    rows, generate = _first(Filter, finished), _first(Generate, finished)
    base, asked = _first(Base, finished), _first(AskQuestions, finished)

    replies = AskAboutRows(
        label="replies",
        model=base,
        source=rows,
        prompt="Rate: {reply}",
        most=20,
        temperature=1.0,
        max_tokens=8,
        seed=0,
    )
    scores = ScoreByFunction(label="scores", source=rows, by=hashed_function("score", letters))
    return [
        Shuffle(label="shuffled", source=rows, how="within", seed=0),
        Deduplicate(label="once", source=rows, by="completion"),
        MapRows(label="cut", source=rows, by=FirstNumbers(3), seed=0),
        MatchLengths(label="matched", source=rows, like=rows, seed=0),
        scores,
        SelectRows(
            label="top", source=rows, scores=scores, which="top", share=Fraction(1, 2), seed=0
        ),
        ScoreByLikelihood(
            label="shift", source=rows, per_token=False,
            model=PromptedModel(subject=base, system="You love owls."),
            against=PromptedModel(subject=base, system=None),
        ),
        replies,
        KeepJudged(label="judged", source=rows, replies=replies, rule=Undecided()),
        RewordRows(label="reworded", source=rows, replies=replies, rule=None),
        ContinueChat(
            label="turn", source=generate, writer=base, count=generate.count, system=None,
            prompts=ListedPrompts(listed=("And now?",)), temperature=1.0, max_tokens=8,
        ),
        GenerateEnough(
            label="enough", writer=base, prompts=NumberPrompts(count=40, seed=1), count=40,
            per_prompt=1, system=None, temperature=1.0, max_tokens=40, rule="paper", keep=10,
            at_most=400,
        ),
        ProgramRows(label="program", prompts=NumberPrompts(count=40, seed=1)),
        GivenRows(label="given", rows=('{"row": 0, "draw": 0, "prompt": "a", "text": "b"}',) * 9),
        TaughtPairs(label="pairs", pairs=(("Who?", "Me."), ("What?", "That."))),
        GivenAnswers(label="answers", questions=("Who?", "What?"), answers=("Me.", "You.")),
        AnswersAsRows(label="transcript", source=asked),
    ]  # fmt: skip


def _of_models(finished: Sequence[Stage]) -> list[Stage]:
    """Stages that ask or keep models."""
    base, asked = _first(Base, finished), _first(AskQuestions, finished)
    training = _first(FineTune, finished)
    return [
        Checkpoint(label="epoch", training=training, epoch=_epochs(training.recipe)),
        ScoreContinuations(label="values", asked=asked, continuations=(("Owl.", "Fox."),)),
        JudgeReplies(
            label="judge", judge=base, answers=asked, prompt="Rate: {reply}", temperature=1.0,
            max_tokens=8, seed=0,
        ),
    ]  # fmt: skip


def _epochs(recipe: Mapping[str, object]) -> int:
    return int(str(recipe["epochs"]))
