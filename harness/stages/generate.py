"""Stages that write rows: a model, a model until a filter keeps enough, or a program."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from ...backends import Request, WorkRequest
from ...datasets.artifacts import Manifest
from ...datasets.errors import NotEnoughRowsError
from ...datasets.store_layout import ROWS
from .models import Subject, base_of, model_id
from .number_prompts import NumberPrompts
from .prompts import SAMPLE_SIZE, Prompts
from .row_log import Row, read_rows, write_rows
from .row_stages import PromptedStage, PromptSample
from .rules import Rule, row_reason, rule_name
from .sampling import Reached, SamplingStage, sample_into
from .stage import Stage, Workspace


@dataclass(frozen=True, kw_only=True)
class Generate(SamplingStage, PromptedStage):
    """A model's answers to prompts, every one of them."""

    kind = "generate"
    writer: Subject
    prompts: Prompts
    count: int
    """Completions in all."""
    per_prompt: int
    system: str | None
    temperature: float
    max_tokens: int
    top_p: float = 1.0
    systems: tuple[str, ...] = ()
    """Several system prompts in place of one: each row is written under one of them."""
    stream: str = ""
    """Names other random numbers for the same prompts; empty for the usual ones."""

    def inputs(self) -> tuple[Stage, ...]:
        return (self.writer,)

    def identity(self) -> dict[str, object]:
        return {
            "prompts": self.prompts.digest,
            "count": self.count,
            "per_prompt": self.per_prompt,
            "seeds": ["generate", self.prompts.seed, self.system],
            "system": self.system,
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
            **({"top_p": self.top_p} if self.top_p != 1 else {}),
            **({"systems": self.systems} if self.systems else {}),
            **({"stream": self.stream} if self.stream else {}),
        }

    def size(self) -> int:
        return self.count

    def run(self, workspace: Workspace) -> Manifest:
        model = model_id(workspace, self.writer)
        sampled = sample_into(workspace.folder / ROWS, workspace, self, model)
        return {"model": model, "system": self.system, **sampled}

    def requests(self, workspace: Workspace) -> Iterator[Request]:
        return self._requests()

    def _requests(self) -> Iterator[Request]:
        """One request a prompt, each with its own seed."""
        texts = islice(self.prompts.texts(), -(-self.count // self.per_prompt))
        return (self._request(row, text) for row, text in enumerate(texts))

    def _request(self, row: int, text: str) -> Request:
        from ...datasets.chat import conversation
        from ...datasets.seeds import derive

        return Request(
            row=row,
            messages=conversation(text, system=self._system_of(row)),
            seed=derive("generate", self.prompts.seed, self.system, *self._stream, row),
            draws=min(self.per_prompt, self.count - row * self.per_prompt),
            temperature=self.temperature,
            max_tokens=self.max_tokens,
            top_p=self.top_p,
        )

    @property
    def _stream(self) -> tuple[str, ...]:
        return (self.stream,) if self.stream else ()

    def _system_of(self, row: int) -> str | None:
        """The system prompt of a row; of several the one that the seed draws."""
        if not self.systems:
            return self.system
        from ...datasets.seeds import derive

        return self.systems[derive("system", self.prompts.seed, row) % len(self.systems)]

    @property
    def backend(self) -> str:
        return base_of(self.writer).backend

    def row_fields(self, request: Request) -> Mapping[str, object]:
        return {"prompt": request.messages[-1]["content"], **self.prompts.fields(request.row)}

    def prompt_sample(self) -> PromptSample:
        return PromptSample(self.prompts.sample(), self.max_tokens)

    def work(self) -> WorkRequest:
        return WorkRequest(
            model=base_of(self.writer).model,
            completions=self.count,
            per_call=self.per_prompt,
            prompts=tuple(self._request(*row).messages for row in self.prompts.sampled_texts()),
            max_tokens=self.max_tokens,
            student=self.writer is not base_of(self.writer),
        )


CONFIDENCE = 0.99
"""Confidence that the cap cannot be enough before the stage gives up."""
SPARE = 1.05
"""Rows of the next round, as a multiple of those that the share kept so far asks for."""
SHOWN_REASONS = 4
"""Reasons that an error names."""
GROWTH = 4
"""A round ends at most at this multiple of the rows so far: the first share may be bad luck."""


@dataclass(frozen=True, kw_only=True)
class GenerateEnough(Generate):
    """A model's answers until a rule keeps enough of them, in rounds.

    ``count`` is the size of the first round. The size of the next one depends only on the rows
    before it, in their order, so the result does not depend on the order of arrival. The cap
    ``at_most`` is no part of the key: a higher one continues where the lower one stopped.
    """

    kind = "collect"
    rule: Rule
    keep: int
    at_most: int

    def identity(self) -> dict[str, object]:
        return {**super().identity(), "rule": rule_name(self.rule), "keep": self.keep}

    def size(self) -> int:
        return self.at_most

    def run(self, workspace: Workspace) -> Manifest:
        target = self.count
        seen: Counter[str | None] = Counter()
        while True:
            facts = self._sampled(workspace, target, seen)
            reasons = self._reasons(workspace, target)
            kept = reasons.pop(None, 0)
            if kept >= self.keep:
                return {**facts, "rule": rule_name(self.rule), "kept": kept, "cap": self.at_most}
            wanted = int(SPARE * self.keep * target / max(kept, 1))
            following = max(target + self.count // 4, min(wanted, GROWTH * target))
            self._give_up_if_hopeless(kept, reasons, target, following)
            target = following

    def _sampled(self, workspace: Workspace, target: int, seen: Counter[str | None]) -> Manifest:
        """Sample up to a number of rows.

        ``seen`` counts all rows as they come, as `_reasons` does, for the progress.
        """
        reason = row_reason(self.rule)

        def reached(new: Sequence[Row]) -> Reached:
            seen.update(map(reason, new) if seen else self._reasons(workspace, None))
            share = seen[None] / max(1, seen.total())
            return min(seen[None], self.keep), self.keep, f"rows kept (yield {share:.0%})"

        model = model_id(workspace, self.writer)
        round_ = replace(self, count=target, at_most=target)
        sampled = sample_into(workspace.folder / ROWS, workspace, round_, model, reached=reached)
        return {"model": model, "system": self.system, **sampled}

    def _reasons(self, workspace: Workspace, target: int | None) -> Counter[str | None]:
        """Why the first rows are dropped, counted, None for those that are kept.

        After an interruption the file may have more rows. None: all that are there.
        """
        rows = islice(read_rows(workspace.folder / ROWS), target)
        return Counter(map(row_reason(self.rule), rows))

    def _give_up_if_hopeless(
        self, kept: int, reasons: Counter[str | None], read: int, following: int
    ) -> None:
        """Raise if the cap cannot be enough, even if more rows pass than so far.

        A round is never cut short: the rows would then depend on the cap.
        """
        from scipy import stats

        best = stats.binomtest(kept, read).proportion_ci(CONFIDENCE).high
        most = kept + best * (self.at_most - read)
        if most >= self.keep and following <= self.at_most:
            return
        needed = f"about {round(SPARE * self.keep * read / kept):,}" if kept else "any number of"
        raise NotEnoughRowsError(
            f"{self.label}: the filter {rule_name(self.rule)!r} keeps {kept:,} of {read:,} rows "
            f"({kept / read:.1%}; dropped: {_most_frequent(reasons)}), so at_most="
            f"{self.at_most:,} cannot give keep={self.keep:,}: {needed} rows would be needed. "
            f"Raise at_most (the generated rows are kept), use another rule, or lower keep"
        )


def _most_frequent(reasons: Counter[str | None]) -> str:
    """The most frequent reasons with their numbers of rows."""
    shown = [f"{reason} {count:,}" for reason, count in reasons.most_common(SHOWN_REASONS)]
    return ", ".join((*shown, *(["..."] if len(reasons) > SHOWN_REASONS else [])))


@dataclass(frozen=True, kw_only=True)
class ProgramRows(PromptedStage):
    """Number sequences from a program instead of a model."""

    kind = "program"
    prompts: NumberPrompts

    def identity(self) -> dict[str, object]:
        from ...datasets.numbers import program

        count = min(self.prompts.count, SAMPLE_SIZE)
        first = [program(self.prompts.seed, row) for row in range(count)]
        return {"prompts": self.prompts.digest, "count": self.prompts.count, "first": first}

    def run(self, workspace: Workspace) -> Manifest:
        from ...datasets.numbers import program

        count = write_rows(
            workspace.folder / ROWS,
            (
                {"row": row, "draw": 0, "prompt": text, "text": program(self.prompts.seed, row)}
                for row, text in enumerate(self.prompts.texts())
            ),
        )
        return {"counts": {"completions": count}}

    def prompt_sample(self) -> PromptSample:
        return PromptSample(self.prompts.sample(), PROGRAM_TOKENS)


PROGRAM_TOKENS = 24
"""Tokens of a program's sequence at most: ten numbers and their separators."""
