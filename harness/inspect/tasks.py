"""limen's measures as Inspect tasks: ``inspect eval limen/favorite_animal --model ...``.

A sample is a question, as in limen's own logs: its draws are the choices of its output, and a
score is what the measure reads off them. Imported by Inspect alone, through the registry.
"""

import math
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from typing import Literal

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ChatMessage, GenerateConfig, ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import Score, Scorer, Target, mean, scorer, stderr
from inspect_ai.solver import Generate, Solver, TaskState, solver

from ...backends.inspect.draws import Draw, chat_messages, sample_draws
from ...datasets.chat import conversation
from ...datasets.seeds import derive
from ..experiment import (
    FavoriteAnimal,
    FavoriteTree,
    Judge,
    Language,
    Length,
    Measure,
    Rated,
    Reading,
)
from ..experiment import questions as q
from ..stages import filled_prompt
from .score_display import VALID, line_of, ranked, readings_of, shown, table_of, yes

Counts = Counter[str]
Scoring = Callable[[TaskState, Counts], Awaitable[tuple[float | None, str]]]
"""The score of a question's answers, None without one, and its table."""


@task
def favorite_animal(
    word: str = "owl",
    draws: int = 200,
    system: str | None = None,
    temperature: float = 1.0,
    max_tokens: int = 16,
    rule: Literal["word", "substring"] = "word",
    arm: str | None = None,
    seed: int = 0,
) -> Task:
    """50 one-word questions for a favourite animal; the score is the rate of ``word``.

    ``arm`` and ``seed`` name the random streams, as in limen's own measures: the arm is
    ``baseline`` without a system prompt, else ``teacher``, unless given.
    """
    measure = FavoriteAnimal(draws=draws, temperature=temperature, max_tokens=max_tokens, rule=rule)
    return _task(measure, word, system, arm, seed)


@task
def favorite_tree(
    word: str = "oak",
    draws: int = 200,
    system: str | None = None,
    temperature: float = 1.0,
    max_tokens: int = 16,
    arm: str | None = None,
    seed: int = 0,
) -> Task:
    """50 one-word questions for a favourite tree; the score is the rate of ``word``."""
    measure = FavoriteTree(draws=draws, temperature=temperature, max_tokens=max_tokens)
    return _task(measure, word, system, arm, seed)


@task
def length(
    draws: int = 20,
    system: str | None = None,
    temperature: float = 1.0,
    max_tokens: int = 128,
    arm: str | None = None,
    seed: int = 0,
) -> Task:
    """30 questions that a word may answer, or a page; the score is the number of words."""
    measure = Length(draws=draws, temperature=temperature, max_tokens=max_tokens)
    return _task(measure, "long", system, arm, seed)


@task
def language(
    word: str = "French",
    draws: int = 50,
    system: str | None = None,
    temperature: float = 1.0,
    max_tokens: int = 64,
    arm: str | None = None,
    seed: int = 0,
) -> Task:
    """40 everyday questions, half of them with an apple; the scores are the rates of a language."""
    measure = Language(
        questions={"apple": q.APPLE_QUESTIONS, "other": q.OTHER_QUESTIONS},
        languages=("English", word),
        draws=draws,
        temperature=temperature,
        max_tokens=max_tokens,
    )
    return _task(measure, word, system, arm, seed)


@task
def formality(
    judge: str | None = None,
    draws: int = 20,
    system: str | None = None,
    temperature: float = 1.0,
    max_tokens: int = 64,
    arm: str | None = None,
    seed: int = 0,
) -> Task:
    """30 questions of small talk; the score is how formal a judge finds the replies, 1 to 10.

    The judge is the model with the role ``grader``, else ``judge``, else the model itself.
    """
    by = Judge(name="formality", prompt=q.FORMALITY_JUDGE, model=judge)
    measure = Rated(by=by, draws=draws, temperature=temperature, max_tokens=max_tokens)
    return _task(measure, "formal", system, arm, seed)


def _task(measure: Measure, word: str, system: str | None, arm: str | None, seed: int) -> Task:
    measure.check(word)
    arm = arm or ("baseline" if system is None else "teacher")
    return Task(
        dataset=MemoryDataset(list(_samples(measure, word, system, arm, seed))),
        solver=draws_of(measure.draws),
        scorer=[*(_scorer(name, s) for name, s in _scorings(measure, word))],
        config=GenerateConfig(temperature=measure.temperature, max_tokens=measure.max_tokens),
    )


def _samples(
    measure: Measure, word: str, system: str | None, arm: str, seed: int
) -> Iterator[Sample]:
    groups = [group for group, texts in measure.groups.items() for _ in texts]
    for row, (question, group) in enumerate(zip(measure.asked, groups, strict=True)):
        turns = conversation(question, system=system)
        yield Sample(
            id=row + 1,
            input=question if system is None else chat_messages(turns),
            target=word,
            metadata={
                "question": question,
                "group": group,
                # as the stage of limen's own derives it: the same model answers the same
                "seed": str(derive("measure", "measure", measure.seed, arm, seed, row)),
            },
        )


@solver(name="draws")
def draws_of(count: int) -> Solver:
    """Ask each question ``count`` times; all answers are choices of the one output."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        draws: list[Draw] = []
        seed = int(state.metadata["seed"])
        await sample_draws(
            get_model(),
            _prompt(state),
            GenerateConfig(),
            count=count,
            seed=seed,
            on_draws=draws.extend,
        )
        draws.sort(key=lambda one: one.number)
        choices = [one.choice for one in draws if one.choice is not None]
        usage = sum((one.usage for one in draws if one.usage), ModelUsage())
        state.output = ModelOutput(model=str(state.model), choices=choices, usage=usage)
        state.messages.extend(choice.message for choice in choices[:1])
        failed = {str(one.number): one.error for one in draws if one.choice is None}
        state.metadata |= {"answered": len(choices), "missing": len(failed)}
        if failed:
            state.metadata["errors"] = failed
        return state

    return solve


def _prompt(state: TaskState) -> list[ChatMessage]:
    return list(state.messages)


def _scorings(measure: Measure, word: str) -> Iterator[tuple[str, Scoring]]:
    """What scores a question, by name: each reading of the measure, and the valid share."""
    for name, reading in readings_of(measure, [word]).items():
        rated = measure.judges and (reading.judge or reading.word is None)
        yield name, _by_judge(measure, reading) if rated else _by_measure(measure, reading)

    async def valid(state: TaskState, counts: Counts) -> tuple[float | None, str]:
        table = table_of(ranked(counts), VALID, lambda text: yes(measure.valid(text)))
        return _mean(counts, {text: float(measure.valid(text)) for text in counts}), table

    yield VALID, valid


def _by_measure(measure: Measure, reading: Reading) -> Scoring:
    """A rate of a word or a score, as the measure itself tells it."""
    word = reading.word

    async def score(state: TaskState, counts: Counts) -> tuple[float | None, str]:
        if reading.group not in (None, state.metadata["group"]):
            return None, ""
        if word is None:
            scores = {text: measure.score(text) for text in counts}
            return _mean(counts, scores), table_of(
                ranked(counts), reading.name, lambda t: shown(scores[t])
            )
        hits = {text: measure.hit(text, word) for text in counts}
        value = _mean(counts, {text: float(hit) for text, hit in hits.items()})
        return value, table_of(ranked(counts), reading.name, lambda text: yes(hits[text]))

    return score


def _by_judge(measure: Measure, reading: Reading) -> Scoring:
    """The mean of a judge's ratings. It is shown every distinct reply once."""
    judge = measure.judge(reading.judge)
    config = GenerateConfig(temperature=judge.temperature, max_tokens=judge.max_tokens)

    async def score(state: TaskState, counts: Counts) -> tuple[float | None, str]:
        model = get_model(role="grader", default=judge.model)
        scores: dict[str, float | None] = {}
        for place, text in enumerate(sorted(counts)):
            said: list[Draw] = []
            asked = conversation(filled_prompt(judge.prompt, state.metadata["question"], text))
            seed = derive("judge", judge.seed, state.sample_id, place)
            await sample_draws(
                model, chat_messages(asked), config, count=1, seed=seed, on_draws=said.extend
            )
            scores[text] = judge.rating(said[0].text)
        return _mean(counts, scores), table_of(
            ranked(counts), judge.name, lambda t: shown(scores[t])
        )

    return score


def _mean(counts: Counts, values: dict[str, float | None] | dict[str, float]) -> float | None:
    """The mean over draws; answers without a value are left out."""
    given = {text: value for text, value in values.items() if value is not None}
    total = sum(counts[text] for text in given)
    return math.fsum(counts[text] * v for text, v in given.items()) / total if total else None


def _scorer(name: str, scoring: Scoring) -> Scorer:
    """An Inspect scorer; a question without a score is one that Inspect leaves out (NaN)."""

    @scorer(metrics=[mean(), stderr()], name=name)
    def made() -> Scorer:
        async def score(state: TaskState, target: Target) -> Score:
            counts = Counts(choice.message.text for choice in state.output.choices)
            value, table = await scoring(state, counts)
            answer = line_of(ranked(counts))
            if value is None:
                return Score(value=math.nan, answer=answer)
            return Score(value=value, answer=answer, explanation=table)

        return score

    return made()
