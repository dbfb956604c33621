"""Sources that a judge filters, that a model rewords, and without repeated rows."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from ...datasets import validation
from ...datasets.errors import SpecError
from ..stages import (
    AskAboutRows,
    Deduplicate,
    HashedFunction,
    KeepJudged,
    ReplyRule,
    RewordRows,
    RowsStage,
    Rule,
    checked_rule,
    hashed_function,
)
from .judges import Judge
from .source_of_source import SourceOfSource
from .writers import DataWriters

_MARKUP = " \t\r\n\"'`*_()[]{}#"
_AFTER_LABEL = re.compile(r"\s*(?:$|[.,:;!\n(-])")
"""What may follow a label that a judge answers with, before its reasons."""
_SHOWN = 30


@dataclass(frozen=True)
class _ByRating:
    """Keeps rows with a rating from a lowest to a highest one."""

    judge: Judge
    at_least: float | None
    at_most: float | None

    @property
    def name(self) -> str:
        ends = (("at least", self.at_least), ("at most", self.at_most))
        asked = " and ".join(f"{word} {end:g}" for word, end in ends if end is not None)
        return f"{self.judge.name}: {asked} of {self.judge.scale}"

    def __call__(self, reply: str) -> str | None:
        rating = self.judge.rating(reply)
        if rating is None:
            return "no rating"
        if self.at_least is not None and rating < self.at_least:
            return f"rated below {self.at_least:g}"
        if self.at_most is not None and rating > self.at_most:
            return f"rated above {self.at_most:g}"
        return None


@dataclass(frozen=True)
class _ByLabel:
    """Keeps rows for which the judge's reply begins with one of some labels."""

    judge: Judge
    labels: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.judge.name}: {' or '.join(self.labels)}"

    def __call__(self, reply: str) -> str | None:
        said = reply.strip(_MARKUP)
        for label in self.labels:
            head, rest = said[: len(label)], said[len(label) :].lstrip("\"'`*_)]")
            if head.casefold() == label.casefold() and _AFTER_LABEL.match(rest):
                return None
        short = re.split(r"[.,:;!\n]", said)[0].strip(_MARKUP).casefold()
        return f"labelled {short!r}" if 0 < len(short) <= _SHOWN else "no label"


@dataclass(frozen=True)
class _ByFunction:
    """Keeps rows for which a function of the judge's reply gives None."""

    judge: Judge
    by: HashedFunction

    @property
    def name(self) -> str:
        return f"{self.judge.name}: {self.by.name}"

    def __call__(self, reply: str) -> str | None:
        return self.by(reply)


@dataclass(frozen=True)
class Judged(SourceOfSource):
    """The rows of another source that a judge lets through: each distinct row is judged once.

    The judge is a stage of its own, with its cost in the plan; another threshold asks it nothing
    again. What it drops is in the report with the reasons, and so are replies that are neither a
    rating nor a label. The control's rows go through the same judge. Give exactly one of ``keep``
    and a threshold (``at_least``, ``at_most``, or both).

    Args:
        source: Whose rows.
        judge: Who judges; ``{reply}`` in its prompt is the completion, ``{question}`` the prompt
            (with the turns before it, where rows differ in these).
        keep: The label of rows to keep, such as "yes", or several; the judge's reply must begin
            with it. Or a function of the reply that says why a row is dropped, or None to keep
            it. Default: None.
        at_least: The lowest rating that is kept. Default: None.
        at_most: The highest rating that is kept. Default: None.
        budget: Distinct rows to judge at most, the first ones; rows beyond are dropped as not
            judged. Default: None, all.
        rows: Rows in a student's training set, sampled anew for each seed. Default: the source's
            ``keep``.

    Raises:
        SpecError: Neither or both ways to decide are given, or a threshold that no rating meets.

    Examples:
        >>> data = Judged(numbers, judge=judge, at_least=7, rows=5_000)
    """

    judge: Judge = field(kw_only=True)
    keep: str | tuple[str, ...] | HashedFunction | Callable[[str], str | None] | None = field(
        default=None, kw_only=True
    )
    at_least: float | None = field(default=None, kw_only=True)
    at_most: float | None = field(default=None, kw_only=True)
    budget: int | None = field(default=None, kw_only=True)
    rows: int | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.judge, Judge):
            raise SpecError(f"judge={self.judge!r} must be a Judge(prompt=...)")
        for name, value in (("budget", self.budget), ("rows", self.rows)):
            if value is not None:
                validation.count(name, value)
        if callable(self.keep):
            object.__setattr__(self, "keep", hashed_function("keep", self.keep))
        if (self.keep is None) == (self.at_least is None and self.at_most is None):
            raise SpecError("Judged needs keep= (a label or a function), or at_least= or at_most=")
        self._check_thresholds()
        self._rule  # noqa: B018  (labels are checked)

    def _check_thresholds(self) -> None:
        scale = self.judge.scale
        for name, value in (("at_least", self.at_least), ("at_most", self.at_most)):
            if value is None:
                continue
            if scale is None:
                raise SpecError(f"{name}={value!r} needs a judge with a scale, as (1, 10)")
            if not validation.is_number(value) or not scale[0] <= value <= scale[1]:
                raise SpecError(f"{name}={value!r} must be a rating from {scale[0]} to {scale[1]}")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise SpecError(f"at_least={self.at_least!r} is above at_most={self.at_most!r}")

    @property
    def _rule(self) -> ReplyRule:
        if self.keep is None:
            return _ByRating(self.judge, self.at_least, self.at_most)
        if isinstance(self.keep, str | tuple):
            labels = (self.keep,) if isinstance(self.keep, str) else self.keep
            validation.texts("keep", labels)
            return _ByLabel(self.judge, labels)
        return _ByFunction(self.judge, hashed_function("keep", self.keep))

    @property
    def row_count(self) -> int | None:
        return self.source.row_count if self.rows is None else self.rows

    def resized(self, rows: int) -> Self:
        return self.but(rows=rows)

    def made_of(self, rows: RowsStage, writers: DataWriters) -> RowsStage:
        replies = replies_about(rows, self.judge, writers, most=self.budget)
        label = f"{rows.label}, kept by {self.judge.name}"
        return KeepJudged(label=label, source=rows, replies=replies, rule=self._rule)


@dataclass(frozen=True)
class Rewritten(SourceOfSource):
    """Another source's rows, their completions rewritten by a model: once for each distinct row.

    The rewriting is a stage of its own, with its cost in the plan. Rows without an answer, or
    whose new completion the rule drops, are dropped and counted. The control's rows are rewritten
    by the same model.

    Args:
        source: Whose rows.
        prompt: What the model is asked, with ``{completion}`` in it, and ``{prompt}`` where it is
            to see the row's prompt too. Its whole answer is the new completion.
        model: Who rewrites. Default: the base model that writes the data, without any prompt (on
            another backend, that backend's own choice).
        backend: The backend of that model. Default: the run's.
        rule: The filter of the new completions, as that of ``Numbers``. Default: None, any text.
        temperature: Of the sampling, 0 (greedy) to 2. Default: 1.
        max_tokens: The longest new completion, in tokens. Default: 256.
        keep: Rows in a student's training set, sampled anew for each seed. Default: as many as
            the source's.
        seed: Another seed samples other wordings. Default: 0.

    Raises:
        SpecError: The prompt has no ``{completion}``, or the rule is unknown.

    Examples:
        >>> data = Rewritten(numbers, prompt="Copy this list: {completion}", keep=5_000)
    """

    prompt: str = field(kw_only=True)
    model: str | None = field(default=None, kw_only=True)
    backend: str | None = field(default=None, kw_only=True)
    rule: Rule | Callable[..., Any] | None = field(default=None, kw_only=True)
    temperature: float = field(default=1.0, kw_only=True)
    max_tokens: int = field(default=256, kw_only=True)
    keep: int | None = field(default=None, kw_only=True)
    seed: int = field(default=0, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.prompt, str) or "{completion}" not in self.prompt:
            raise SpecError(f"prompt={self.prompt!r} must have {{completion}} in it")
        validation.model_name("model", self.model)
        if self.backend is not None:
            validation.texts("backend", (self.backend,))
        validation.temperature(self.temperature)
        validation.count("max_tokens", self.max_tokens)
        validation.seed("seed", self.seed)
        if self.keep is not None:
            validation.count("keep", self.keep)
        object.__setattr__(self, "rule", self._checked_rule)

    @property
    def _checked_rule(self) -> Rule | None:
        return None if self.rule is None else checked_rule("rule", self.rule)

    @property
    def row_count(self) -> int | None:
        return self.source.row_count if self.keep is None else self.keep

    def made_of(self, rows: RowsStage, writers: DataWriters) -> RowsStage:
        replies = AskAboutRows(
            label=f"{rows.label}, rewriting",
            model=writers.rewriting_model(self.backend, self.model),
            source=rows,
            prompt=self.prompt.replace("{prompt}", "{question}").replace("{completion}", "{reply}"),
            temperature=self.temperature,
            max_tokens=self.max_tokens,
            seed=self.seed,
        )
        label = f"{rows.label}, rewritten"
        return RewordRows(label=label, source=rows, replies=replies, rule=self._checked_rule)


@dataclass(frozen=True)
class Deduplicated(SourceOfSource):
    """Another source's rows without exact repetitions; the first of equal rows is kept.

    Args:
        source: Whose rows.
        by: Which rows are equal: those of one "completion", or of one "prompt and completion", with
            the turns before the prompt. Default: "completion".
        keep: Rows in a student's training set, sampled anew for each seed. Default: as many as
            the source's; there may be too few of them left.

    Raises:
        SpecError: A value that makes no sense, when it is made.

    Examples:
        >>> data = Deduplicated(numbers, keep=5_000)
    """

    by: Literal["completion", "prompt and completion"] = field(default="completion", kw_only=True)
    keep: int | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        validation.one_of("by", self.by, ("completion", "prompt and completion"))
        if self.keep is not None:
            validation.count("keep", self.keep)

    @property
    def row_count(self) -> int | None:
        return self.source.row_count if self.keep is None else self.keep

    def made_of(self, rows: RowsStage, writers: DataWriters) -> RowsStage:
        return Deduplicate(label=f"{rows.label}, each once", source=rows, by=self.by)


def replies_about(
    rows: RowsStage, judge: Judge, writers: DataWriters, *, most: int | None = None
) -> AskAboutRows:
    """What a judge says of rows; ``most`` are the distinct rows to ask about, None for all."""
    return AskAboutRows(
        label=f"{judge.name} of {rows.label}",
        model=writers.judge_model(judge),
        source=rows,
        prompt=judge.prompt,
        temperature=judge.temperature,
        max_tokens=judge.max_tokens,
        seed=judge.seed,
        most=most,
    )
