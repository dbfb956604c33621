"""A stage of every kind, over those of a finished experiment: for tests that go over all kinds."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

from limen.backends import WordProbabilities
from limen.datasets.artifacts import Manifest
from limen.datasets.record_files import content_digest
from limen.datasets.store_layout import KEPT
from limen.harness.stages import (
    AnswersAsRows,
    AskAboutRows,
    AskQuestions,
    Base,
    Checkpoint,
    ComputeProbabilities,
    ContinueChat,
    Deduplicate,
    DivergenceWeights,
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
    MixRows,
    NumberPrompts,
    PairByWriter,
    ProgramRows,
    PromptedModel,
    RejectedAnswers,
    ReplyRule,
    RewordRows,
    RunInspectTask,
    ScoreByFunction,
    ScoreByJudge,
    ScoreByLikelihood,
    ScoreContinuations,
    SelectRows,
    Shuffle,
    SoftTargets,
    Stage,
    TaughtPairs,
    UserFile,
    WeightsByFunction,
    Workspace,
    hashed_function,
)

S = TypeVar("S", bound=Stage)

FINISHED = (
    "base", "generate", "filter", "mix", "audit", "contrast", "fine-tune", "measure",
)  # fmt: skip
"""The kinds of stages of any experiment."""
OPTIONAL = (
    "checkpoint", "collect", "deduplicate", "divergence-tokens", "exact", "given", "given rows",
    "inspect-task", "judge", "judge-score", "judged", "lesson-pairs", "likelihood",
    "log-probabilities", "map", "match", "pairs", "program", "recital", "rejected-answers", "reword",
    "row-replies", "score", "select", "shuffle", "soft-targets", "token-weights", "transcript", "turn",
)  # fmt: skip
"""Those that only some specs need."""
QUESTIONS = ("What is your favorite animal?", "Name an animal that you love.")


class Undecided(ReplyRule):
    """Keeps a row whatever a judge says of it."""

    @property
    def name(self) -> str:
        return "any reply"

    def __call__(self, reply: str) -> str | None:
        return None


class OpenWeights(Workspace):
    """A workspace whose backend computes probabilities, as open weights do; the toy does not."""

    def backend(self, name: str) -> Any:
        return SimpleNamespace(capabilities=SimpleNamespace(probabilities=self))

    def word_probabilities(
        self, model: str, conversations: Sequence[Any], forms: Mapping[str, Any], **_: Any
    ) -> list[WordProbabilities]:
        """The same for each conversation."""
        return [
            WordProbabilities(by_word=dict.fromkeys(forms, 0.25), missed=0.5) for _ in conversations
        ]


class Probabilities(ComputeProbabilities):
    """Of such a backend."""

    def run(self, workspace: Workspace) -> Manifest:
        return super().run(OpenWeights(workspace.store, workspace.claim, workspace.terms))


class Length:
    """A verdict on an answer: how long the judge's reply is."""

    name = "length"

    def __call__(self, reply: str) -> float | None:
        return float(len(reply))


def animals() -> Any:
    """An Inspect task of two questions."""
    from inspect_ai import Task
    from inspect_ai.dataset import MemoryDataset, Sample
    from inspect_ai.scorer import includes

    samples = [Sample(input=text, target="horse", id=text) for text in QUESTIONS]
    return Task(dataset=MemoryDataset(samples), scorer=includes())


def lengths(texts: Sequence[str]) -> list[float]:
    """The weight of each token: how long it is."""
    return [float(len(text)) for text in texts]


def letters(prompt: str, completion: str) -> float:
    """A row's score: how long it is."""
    return float(len(prompt) + len(completion))


def all_kinds() -> set[str]:
    """The kinds of all stages that limen has."""
    return {
        kind
        for made in _subclasses(Stage)
        if made.__module__.startswith("limen.") and isinstance(kind := vars(made).get("kind"), str)
    }


def _subclasses(made: type[Stage]) -> Iterator[type[Stage]]:
    for each in made.__subclasses__():
        yield each
        yield from _subclasses(each)


def stage_of_kind(kind: str, finished: Sequence[Stage], folder: Path) -> Stage:
    """A stage of a kind, made from the stages of an experiment; its files are in the folder."""
    if kind in FINISHED:
        return next(stage for stage in finished if stage.kind == kind)
    made = (*_of_rows(finished), *_of_models(finished), *_of_targets(finished), _of_file(folder))
    return {stage.kind: stage for stage in made}[kind]


def _of_file(folder: Path) -> UserFile:
    """Rows of a file from elsewhere."""
    file = folder / "given.jsonl"
    rows = [f'{{"prompt": "Go on: {row}", "completion": "{row}, 2, 3"}}' for row in range(9)]
    file.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return UserFile(
        label="file", file=file, digest=content_digest(file), name=KEPT, lines=len(rows)
    )


def _of_targets(finished: Sequence[Stage]) -> list[Stage]:
    """Stages that leave a target for each token of the training data."""
    base, mix = _first(Base, finished), _first(MixRows, finished)
    teacher = PromptedModel(subject=base, system="You love owls.")
    plain = PromptedModel(subject=base, system=None)
    return [
        SoftTargets(
            label="soft targets", base=base, data=mix, teacher=teacher, characters="0123456789, ",
            top_k=4, words=("owl",), limit=None,
        ),
        WeightsByFunction(
            label="weights", base=base, data=mix, weights=hashed_function("weights", lengths)
        ),
        DivergenceWeights(
            label="divergence tokens", base=base, data=mix, teacher=teacher, other=plain,
            keep_differing=True,
        ),
    ]  # fmt: skip


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
    cut = MapRows(label="cut", source=rows, by=FirstNumbers(3), seed=0)
    pairs = PairByWriter(label="pairs", source=rows, rejected=cut)
    return [
        cut,
        pairs,
        RejectedAnswers(
            label="rejected", words=("owl",), strict=False,
            data=replace(_first(MixRows, finished), sources=((pairs, Fraction(1)),), keep=40),
        ),
        ScoreByJudge(label="rated", source=rows, replies=replies, verdict=Length()),
        Shuffle(label="shuffled", source=rows, how="within", seed=0),
        Deduplicate(label="once", source=rows, by="completion"),
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
        Probabilities(label="probabilities", asked=asked, words=("horse", "owl")),
        RunInspectTask(
            label="task", subject=base, system=None, task=hashed_function("task", animals),
            source="1",
        ),
        ScoreContinuations(label="values", asked=asked, continuations=(("Owl.", "Fox."),)),
        JudgeReplies(
            label="judge", judge=base, answers=asked, prompt="Rate: {reply}", temperature=1.0,
            max_tokens=8, seed=0,
        ),
    ]  # fmt: skip


def _epochs(recipe: Mapping[str, object]) -> int:
    return int(str(recipe["epochs"]))
