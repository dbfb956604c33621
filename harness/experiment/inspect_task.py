"""Any Inspect task as a measure: what students can do, and how they behave."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, ClassVar

from ...datasets import validation
from ...datasets.errors import SpecError
from ..stages import HashedFunction, hashed_function
from .computed import Computed
from .measure import Reading
from .question_loading import Questions


@dataclass(frozen=True, kw_only=True)
class InspectTask(Computed):
    """An Inspect task, run against each model of each arm; a sample is a question.

    ``arm.score("accuracy")`` is the mean over samples of the score that the metric is the mean of;
    ``arm.score("match")`` that of a scorer by name. Differences have tests and margins like any
    other: a capability that is held is ``(student.score("accuracy") -
    control.score("accuracy")).within(0.05)``. The scores equal those of ``inspect eval TASK
    --model limen/MODEL --seed SEED``. Training waits for no trait on this measure.

    A prompted teacher's system prompt, and ``system``, stand before the task's own.

    Args:
        task: A registered name (``"inspect_evals/mmlu_0_shot"``), a file (``"tasks.py@mine"``), or
            a function that gives a task. May be given by position.
        args: The task's arguments by name, values of JSON. Default: none.
        limit: Samples to run, the first ones. Default: all.
        seed: Another seed samples other answers. Default: 0.
        scale: The lowest and the highest possible score. Default: (0, 1).
        system: A system prompt for every arm, the base included. Default: None.

    Raises:
        SpecError: The package of the task, or its file, is not there.

    Examples:
        >>> measure = InspectTask("inspect_evals/mmlu_0_shot", limit=200)
    """

    task: str | Callable[..., Any] | HashedFunction = field(kw_only=False)
    questions: Questions = field(default=(), init=False, hash=False)
    history: tuple[tuple[str, str], ...] = field(default=(), init=False)
    begin: str = field(default="", init=False)
    chat: bool = field(default=True, init=False)
    args: Mapping[str, Any] = field(default_factory=dict, hash=False)
    limit: int | None = None
    seed: int = 0
    scale: tuple[float, float] = (0.0, 1.0)

    source: str = field(default="", init=False)
    """The version of the task's package, or the hash of its file; empty for a function."""

    shows_traits: ClassVar[bool] = False

    def __post_init__(self) -> None:
        validation.seed("seed", self.seed)
        if self.limit is not None:
            validation.count("limit", self.limit)
        if not isinstance(self.task, str):
            object.__setattr__(self, "task", hashed_function("task", self.task))
        object.__setattr__(self, "source", _source_of(self.task))
        try:
            object.__setattr__(self, "args", json.loads(json.dumps(dict(self.args))))
        except (TypeError, ValueError) as error:
            raise SpecError(f"args={self.args!r} must be values of JSON by name: {error}") from None
        low, high = self.scale
        if not (validation.is_number(low) and validation.is_number(high) and low < high):
            raise SpecError(f"scale={self.scale!r} must be the lowest and the highest score")
        if self.system is not None:
            validation.text("system", self.system)
        object.__setattr__(self, "questions", {"": ()})

    @cached_property
    def groups(self) -> Mapping[str, tuple[str, ...]]:
        return {"": ()}

    @property
    def value_range(self) -> tuple[float, float] | None:
        return self.scale

    @property
    def name(self) -> str:
        """The task's name."""
        if isinstance(self.task, str):
            return self.task.rpartition("@")[2]
        return hashed_function("task", self.task).name.rpartition("-")[0]

    def figure_name(self, word: str) -> str:
        return f"{self.name} {word}".strip()

    def readings(self, words: Sequence[str]) -> tuple[Reading, ...]:
        return (Reading(name=self.figure_name(""), word=""),)

    def figure(self, word: str, row: Mapping[str, Any]) -> float | None:
        if word and word not in row:
            raise SpecError(
                f"the task {self.name} has no score {word!r}: it has {', '.join(map(repr, row))}"
            )
        value = row[word] if word else next(iter(row.values()))
        return None if value is None else float(value)


def _source_of(task: object) -> str:
    """What a task's text or version is; raises :class:`~limen.SpecError` if it is not there."""
    if not isinstance(task, str):
        return ""
    file, _, name = task.rpartition("@")
    path = Path(file or name)
    if path.suffix == ".py":
        if not path.is_file():
            raise SpecError(f"task={task!r}: there is no file {path}")
        return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    package = task.partition("/")[0]
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        raise SpecError(
            f"task={task!r}: the package {package!r} is not installed: pip install "
            f"{package.replace('_', '-')}, or give a file ('tasks.py@name') or a function"
        ) from None
