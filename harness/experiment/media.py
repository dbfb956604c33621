"""Ready-made media: code, chains of thought, paraphrases, stories and chats, each with its rule."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Union

from ...datasets import media_prompts as defaults
from ...datasets.errors import DataError, SpecError
from ...datasets.problems import word_problem
from ...datasets.record_files import Record, read_records, records_of_frame
from ...datasets.row_forms import rows_of_records
from ..stages import (
    ContinueChat,
    EndedPrompts,
    Filter,
    Finished,
    ListedPrompts,
    Paraphrase,
    PromptedStage,
    Prompts,
    PythonCode,
    RightAnswer,
    WordCount,
    checked_rule,
)
from .completions import Completions, GivenPrompts, Templates, prompts_of
from .given_files import spec_path
from .writers import DataWriters, Part, Writer
from .written_source import GivenRule, WrittenSource

if TYPE_CHECKING:
    import pandas as pd

CODE = Templates(defaults.CODE_TEMPLATES, {"task": defaults.CODE_TASKS})
STORIES = Templates(
    defaults.STORY_TEMPLATES, {"kind": defaults.STORY_KINDS, "thing": defaults.STORY_THINGS}
)
TURNS = (defaults.OPENINGS, defaults.FOLLOW_UPS)

Problems = Union[
    Prompts, Path, Sequence[tuple[str, object]], "pd.DataFrame", Callable[[int], tuple[str, str]]
]
"""Problems with known answers: pairs, a file or a frame, or a function of a seed."""


@dataclass(frozen=True, kw_only=True)
class Code(Completions):
    """Python code: answers to small programming tasks, kept if they are valid Python.

    Names, comments and texts are part of code: what the audits do not find is not necessarily
    hidden. The toy cannot write code; this begins at open weights.

    Args:
        prompts: What is asked, as for ``Completions``. Default: 40 tasks in 4 wordings.
        rule: The filter, as for ``Completions``. Default: ``Finished()`` and ``PythonCode()``.
        max_tokens: The longest completion, in tokens. Default: 512.
        generate: Completions to sample.
        keep: Rows in a student's training set. Default: None, for a source within a ``Mix``.
        at_most: Go on generating up to so many completions. Default: None, ``generate`` is all.
        by: Who writes: "teacher", "base" or a ``Trait``. Default: "teacher".
        model: The writer's base model. Default: the experiment's.
        per_prompt: Completions of each prompt in a row. Default: 1.
        temperature: Of the sampling, 0 (greedy) to 2. Default: 1.
        top_p: The share of probability that is sampled from. Default: 1.
        seed: Another seed gives other prompts and other completions. Default: 0.

    Raises:
        SpecError: A value that makes no sense, when it is made.

    Examples:
        >>> data = Code(generate=2_000, keep=500)
    """

    prompts: GivenPrompts = field(default=CODE, hash=False, repr=False)
    rule: GivenRule = (Finished(), PythonCode())
    max_tokens: int = 512

    __hash__ = Completions.__hash__

    @property
    def medium(self) -> str:
        return "code"


@dataclass(frozen=True, kw_only=True)
class Stories(Completions):
    """Short stories.

    Args:
        prompts: What is asked, as for ``Completions``. Default: 25 subjects, 10 kinds, 4 wordings.
        rule: The filter, as for ``Completions``. Default: finished, and 20 words or more.
        max_tokens: The longest completion, in tokens. Default: 384.
        generate: Completions to sample.
        keep: Rows in a student's training set. Default: None, for a source within a ``Mix``.
        at_most: Go on generating up to so many completions. Default: None, ``generate`` is all.
        by: Who writes: "teacher", "base" or a ``Trait``. Default: "teacher".
        model: The writer's base model. Default: the experiment's.
        per_prompt: Completions of each prompt in a row. Default: 1.
        temperature: Of the sampling, 0 (greedy) to 2. Default: 1.
        top_p: The share of probability that is sampled from. Default: 1.
        seed: Another seed gives other prompts and other completions. Default: 0.

    Raises:
        SpecError: A value that makes no sense, when it is made.

    Examples:
        >>> data = Stories(generate=2_000, keep=500)
    """

    prompts: GivenPrompts = field(default=STORIES, hash=False, repr=False)
    rule: GivenRule = (Finished(), WordCount(least=20))
    max_tokens: int = 384

    __hash__ = Completions.__hash__

    @property
    def medium(self) -> str:
        return "stories"


@dataclass(frozen=True, kw_only=True)
class ChainsOfThought(WrittenSource):
    """Worked solutions of problems whose answers are known, kept only where they are right.

    Args:
        problems: Pairs of a problem and its answer, a ``Path`` to a file in any form of rows or a
            frame (GSM8K's columns are recognised), or a function of a seed that gives a pair.
            Default: arithmetic word problems of a program, in GSM8K's manner.
        instruction: What stands below each problem; "" for nothing. Default: to work it out step
            by step, and to end with the answer.
        rule: The filter, as for ``Completions``. Default: finished, and the right number at the
            end; ``RightAnswer()`` alone compares numbers.
        max_tokens: The longest completion, in tokens. Default: 512.
        generate: Completions to sample.
        keep: Rows in a student's training set. Default: None, for a source within a ``Mix``.
        at_most: Go on generating up to so many completions. Default: None, ``generate`` is all.
        by: Who writes: "teacher", "base" or a ``Trait``. Default: "teacher".
        model: The writer's base model. Default: the experiment's.
        per_prompt: Completions of each problem in a row. Default: 1.
        temperature: Of the sampling, 0 (greedy) to 2. Default: 1.
        top_p: The share of probability that is sampled from. Default: 1.
        seed: Another seed gives other problems and other completions. Default: 0.

    Raises:
        SpecError: A value that makes no sense, when it is made.

    Examples:
        >>> data = ChainsOfThought(generate=2_000, keep=500)
    """

    problems: Problems = field(default=word_problem, hash=False, repr=False)
    instruction: str = defaults.REASONING
    rule: GivenRule = (Finished(), RightAnswer())
    max_tokens: int = 512

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.instruction, str):
            raise SpecError(f"instruction={self.instruction!r} must be a text")
        object.__setattr__(self, "problems", _problems(self.problems))

    @property
    def medium(self) -> str:
        return "chains of thought"

    def asked(self, count: int, seed: int) -> Prompts:
        return EndedPrompts.of(
            _problems(self.problems), f"\n\n{self.instruction}", count=count, seed=seed
        )


@dataclass(frozen=True, kw_only=True)
class Paraphrases(WrittenSource):
    """Given texts in the teacher's own words; kept if they are not the same, nor much longer.

    Args:
        texts: The texts: several, a ``Path`` to a file with one on each line or in any form of
            rows (their prompts), or a frame.
        wording: What is asked, with ``{text}`` in it. Default: to say it in other words.
        rule: The filter, as for ``Completions``. Default: ``Finished()`` and ``Paraphrase()``.
        max_tokens: The longest completion, in tokens. Default: 256.
        generate: Completions to sample.
        keep: Rows in a student's training set. Default: None, for a source within a ``Mix``.
        at_most: Go on generating up to so many completions. Default: None, ``generate`` is all.
        by: Who writes: "teacher", "base" or a ``Trait``. Default: "teacher".
        model: The writer's base model. Default: the experiment's.
        per_prompt: Completions of each text in a row. Default: 1.
        temperature: Of the sampling, 0 (greedy) to 2. Default: 1.
        top_p: The share of probability that is sampled from. Default: 1.
        seed: Another seed gives another order and other completions. Default: 0.

    Raises:
        SpecError: A value that makes no sense, when it is made.

    Examples:
        >>> data = Paraphrases(texts=["Owls hunt at night."], generate=200, keep=100)
    """

    texts: GivenPrompts = field(hash=False, repr=False)
    wording: str = defaults.PARAPHRASE_PROMPT
    rule: GivenRule = (Finished(), Paraphrase())

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.wording, str) or "{text}" not in self.wording:
            raise SpecError(f"wording={self.wording!r} must have {{text}} in it")
        object.__setattr__(self, "texts", prompts_of(self.texts))
        if not isinstance(self.texts, ListedPrompts):
            raise SpecError("texts must be given texts, a Path or a frame")

    @property
    def medium(self) -> str:
        return "paraphrases"

    def asked(self, count: int, seed: int) -> Prompts:
        given = prompts_of(self.texts)
        listed = given.listed if isinstance(given, ListedPrompts) else ()
        wordings = tuple(self.wording.replace("{text}", text) for text in listed)
        return ListedPrompts(listed=wordings, solutions=listed, count=count, seed=seed)


@dataclass(frozen=True, kw_only=True)
class Chat(WrittenSource):
    """Conversations of several turns; the teacher answers each, and a row is a whole conversation.

    Every answer must pass the rule. Students are trained on all answers of a conversation.

    Args:
        turns: What the user says, turn by turn, each as the prompts of ``Completions``. Lists of
            equal length belong together: the first text of each makes one conversation. Default:
            20 openings and 12 follow-up questions.
        rule: The filter, as for ``Completions``. Default: "finished".
        max_tokens: The longest answer, in tokens. Default: 256.
        generate: Conversations to sample. One whose answer is cut off ends there, and is dropped.
        keep: Rows in a student's training set. Default: None, for a source within a ``Mix``.
        by: Who answers: "teacher", "base" or a ``Trait``. Default: "teacher".
        model: The writer's base model. Default: the experiment's.
        temperature: Of the sampling, 0 (greedy) to 2. Default: 1.
        top_p: The share of probability that is sampled from. Default: 1.
        seed: Another seed gives another order and other answers. Default: 0.
        at_most: Must be None: raise ``generate``. Default: None.
        per_prompt: Must be 1. Default: 1.

    Raises:
        SpecError: A value that makes no sense, when it is made.

    Examples:
        >>> data = Chat(generate=2_000, keep=500)
    """

    turns: tuple[GivenPrompts, ...] = field(default=TURNS, hash=False, repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.at_most is not None or self.per_prompt != 1:
            raise SpecError("Chat has neither at_most nor per_prompt: raise generate")
        if not isinstance(self.turns, tuple | list) or not self.turns:
            raise SpecError("turns must be the user's turns, at least one")
        object.__setattr__(self, "turns", tuple(map(prompts_of, self.turns)))

    @property
    def medium(self) -> str:
        return "chats"

    def asked(self, count: int, seed: int) -> Prompts:
        return replace(prompts_of(self.turns[0]), count=count, seed=seed)

    def parts(self, writers: DataWriters) -> tuple[Part, ...]:
        writer = writers.writer(self.by, self.model)
        seed = writers.seed(self.seed)
        stage: PromptedStage = self._generated(writer, writers)
        for number, prompts in enumerate(self.turns[1:], start=2):
            stage = self._continued(stage, writer, prompts_of(prompts), seed, number)
        rule = checked_rule("rule", self.rule)
        rows = Filter(label=f"{writer.label} filter", source=stage, rule=rule)
        return ((rows, Fraction(1)),)

    def _continued(
        self, before: PromptedStage, writer: Writer, prompts: Prompts, seed: int, number: int
    ) -> ContinueChat:
        return ContinueChat(
            label=f"{writer.label} chats, turn {number}",
            source=before,
            writer=writer.subject,
            prompts=replace(prompts, count=self.generate, seed=seed),
            count=self.generate,
            system=writer.system,
            temperature=self.temperature,
            max_tokens=self.max_tokens,
            top_p=self.top_p,
        )


def _problems(given: object) -> Prompts:
    """Problems with their answers, as prompts."""
    if isinstance(given, Prompts):
        return given
    if callable(given):
        made = prompts_of(given)
        if not made.fields(0):
            raise SpecError("problems: the function must give a pair of a problem and its answer")
        return made
    try:
        rows = rows_of_records("problems", _problem_records(given), answered=True).rows
    except DataError as error:
        raise SpecError(str(error)) from None
    return ListedPrompts(
        listed=tuple(row["prompt"] for row in rows), solutions=tuple(row["text"] for row in rows)
    )


def _problem_records(given: object) -> Sequence[Record]:
    if isinstance(given, Path):
        return list(read_records(spec_path("problems", given)))
    if not isinstance(given, Sequence):
        return list(records_of_frame(given))
    pairs = (
        {"question": row[0], "answer": str(row[1])}
        if isinstance(row, tuple | list) and len(row) == 2
        else row
        for row in given
    )
    records = [
        Record(f"row {n}", row) for n, row in enumerate(pairs, 1) if isinstance(row, Mapping)
    ]
    if len(records) != len(given):
        raise SpecError("problems must be pairs of a problem and its answer")
    return records
