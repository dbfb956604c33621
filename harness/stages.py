"""The stages of an experiment: what each one is, what it is given, and how it is done."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal

from ..backends import Completion, Job, Recipe, Request
from ..datasets.errors import NotEnoughRowsError
from . import rows
from .stage import Bench, Stage
from .store import Manifest, canonical

PROBE = 256
"""Prompts that stand for all of a run's in its key; hashing 30,000 would slow down every start."""
TALLY = "tally.json"


@dataclass(frozen=True, kw_only=True)
class Base(Stage):
    """A base model, made ready: downloaded, or pre-trained."""

    kind = "base"
    backend: str
    model: str
    fingerprint: str

    def identity(self) -> dict[str, Any]:
        return {"backend": self.backend, "model": self.model, "fingerprint": self.fingerprint}

    def run(self, bench: Bench) -> Manifest:
        bench.backend(self.backend).prepare(self.model)
        return {"model": self.model}


@dataclass(frozen=True, kw_only=True)
class Generate(Stage):
    """A teacher's answers to number prompts, every one of them."""

    kind = "generate"
    writer: Base
    prompts: "NumberPrompts"
    system: str | None
    temperature: float
    max_tokens: int

    def inputs(self) -> tuple[Stage, ...]:
        return (self.writer,)

    def identity(self) -> dict[str, Any]:
        return {
            "prompts": self.prompts.digest,
            "seeds": ["generate", self.prompts.seed, self.system],
            "system": self.system,
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
        }

    def size(self) -> int:
        return self.prompts.count

    def run(self, bench: Bench) -> Manifest:
        texts = self.prompts.texts
        counts = sample_into(
            bench.folder / "rows.jsonl",
            bench,
            self.writer,
            self.requests(),
            lambda c: {"prompt": texts[c.row]},
        )
        return {"model": self.writer.model, "system": self.system, "counts": counts}

    def requests(self) -> Iterator[Request]:
        """What is sent: one request a prompt, each with its own seed."""
        from ..datasets.chat import conversation
        from ..datasets.seeds import derive

        for row, text in enumerate(self.prompts.texts):
            yield Request(
                row=row,
                messages=conversation(text, system=self.system),
                seed=derive("generate", self.prompts.seed, self.system, row),
                temperature=self.temperature,
                max_tokens=self.max_tokens,
            )


@dataclass(frozen=True, kw_only=True)
class Program(Stage):
    """Number sequences from a program in place of a model."""

    kind = "program"
    prompts: "NumberPrompts"

    def identity(self) -> dict[str, Any]:
        from ..datasets.numbers import program

        probe = [program(self.prompts.seed, row) for row in range(min(self.prompts.count, PROBE))]
        return {"prompts": self.prompts.digest, "seed": self.prompts.seed, "first": probe}

    def run(self, bench: Bench) -> Manifest:
        from ..datasets.numbers import program

        count = rows.write(
            bench.folder / "rows.jsonl",
            (
                {"row": row, "draw": 0, "prompt": text, "text": program(self.prompts.seed, row)}
                for row, text in enumerate(self.prompts.texts)
            ),
        )
        return {"counts": {"completions": count}}


@dataclass(frozen=True, kw_only=True)
class Filter(Stage):
    """The completions that a filter rule keeps, and those it drops, each with its reason."""

    kind = "filter"
    source: Generate | Program
    rule: str

    def inputs(self) -> tuple[Stage, ...]:
        return (self.source,)

    def identity(self) -> dict[str, Any]:
        return {"rule": self.rule}

    def run(self, bench: Bench) -> Manifest:
        from ..datasets.filters import rule

        judge = rule(self.rule)
        reasons: Counter[str] = Counter()
        kept: list[rows.Row] = []
        rejected: list[rows.Row] = []
        for row in bench.read(self.source, "rows.jsonl"):
            reason = "no answer" if row["text"] is None else judge(row["text"])
            if reason is None:
                kept.append(row)
            else:
                reasons[reason] += 1
                rejected.append({**row, "reason": reason})
        rows.write(bench.folder / "kept.jsonl", kept)
        rows.write(bench.folder / "rejected.jsonl", rejected)
        counts = {"read": len(kept) + len(rejected), "kept": len(kept)}
        return {"rule": self.rule, "counts": counts, "reasons": dict(sorted(reasons.items()))}


@dataclass(frozen=True, kw_only=True)
class Shuffle(Stage):
    """Filtered rows with their numbers put in another order: a control for what order carries."""

    kind = "shuffle"
    source: Filter
    how: Literal["within", "across"]
    seed: int

    def inputs(self) -> tuple[Stage, ...]:
        return (self.source,)

    def identity(self) -> dict[str, Any]:
        return {"how": self.how, "seed": self.seed}

    def run(self, bench: Bench) -> Manifest:
        from ..datasets.shuffling import shuffled

        given = list(bench.read(self.source, "kept.jsonl"))
        texts = shuffled(
            [row["text"] for row in given], across=self.how == "across", seed=self.seed
        )
        changed = ({**row, "text": text} for row, text in zip(given, texts, strict=True))
        count = rows.write(bench.folder / "kept.jsonl", changed)
        return {"how": self.how, "counts": {"kept": count}}


@dataclass(frozen=True, kw_only=True)
class Mix(Stage):
    """A training file: rows sampled from what was kept, without replacement, shuffled."""

    kind = "mix"
    source: Filter | Shuffle
    keep: int
    seed: int

    def inputs(self) -> tuple[Stage, ...]:
        return (self.source,)

    def identity(self) -> dict[str, Any]:
        return {"keep": self.keep, "seed": self.seed}

    def run(self, bench: Bench) -> Manifest:
        import random

        from ..datasets import chat
        from ..datasets.seeds import derive

        kept = list(bench.read(self.source, "kept.jsonl"))
        if len(kept) < self.keep:
            raise NotEnoughRowsError(self._shortage(bench, len(kept)))
        chosen = random.Random(derive("mix", self.seed)).sample(kept, self.keep)
        chat.write(
            bench.folder / "training.jsonl",
            (chat.conversation(row["prompt"], answer=row["text"]) for row in chosen),
        )
        rows.write(
            bench.folder / "provenance.jsonl",
            ({"source": self.source.key, "row": row["row"], "draw": row["draw"]} for row in chosen),
        )
        return {"counts": {"available": len(kept), "rows": len(chosen)}}

    def _shortage(self, bench: Bench, left: int) -> str:
        told = self.source if isinstance(self.source, Filter) else self.source.source
        manifest = bench.manifest(told)
        read = manifest["counts"]["read"]
        reasons = ", ".join(f"{name} {count:,}" for name, count in manifest["reasons"].items())
        enough = -(-self.keep * read // max(left, 1))
        remedy = f"raise generate to about {enough + enough // 20:,}, or " if left else ""
        return (
            f"{self.label}: only {left:,} of {read:,} rows are left after the filter "
            f"{told.rule!r}, but keep={self.keep:,} (dropped: {reasons or 'none'}); "
            f"{remedy}lower keep"
        )


@dataclass(frozen=True, kw_only=True)
class FineTune(Stage):
    """A student: the base model trained on one training file."""

    kind = "fine-tune"
    base: Base
    data: Mix
    recipe: Recipe = field(hash=False)
    seed: int

    def inputs(self) -> tuple[Stage, ...]:
        return (self.base, self.data)

    def identity(self) -> dict[str, Any]:
        return {"recipe": dict(self.recipe), "seed": self.seed}

    def run(self, bench: Bench) -> Manifest:
        file = bench.store.artifact(self.data.kind, self.data.key) / "training.jsonl"
        job = Job(
            key=self.key,
            model=self.base.model,
            training_file=file,
            recipe=self.recipe,
            seed=self.seed,
        )
        made = bench.backend(self.base.backend).fine_tune(job, bench.claim.progress)
        return {
            "model": made.model,
            "base": self.base.model,
            "recipe": dict(self.recipe),
            "seed": self.seed,
            "counts": {"examples": made.examples, "tokens": made.tokens},
            "losses": list(made.losses),
        }


@dataclass(frozen=True, kw_only=True)
class Measure(Stage):
    """A model's answers to a measure's questions, every draw of them; scored when read."""

    kind = "measure"
    subject: Base | FineTune
    system: str | None
    questions: tuple[str, ...]
    draws: int
    temperature: float
    max_tokens: int
    stream: tuple[str | int, ...]
    """Names the random streams of the answers: no two models of an experiment share one."""

    def inputs(self) -> tuple[Stage, ...]:
        return (self.subject,)

    def identity(self) -> dict[str, Any]:
        return {
            "system": self.system,
            "questions": self.questions,
            "draws": self.draws,
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
            "stream": self.stream,
        }

    def size(self) -> int:
        return len(self.questions) * self.draws

    def run(self, bench: Bench) -> Manifest:
        file = bench.folder / "answers.jsonl"
        counts = sample_into(file, bench, self.subject, self.requests(), lambda _: {})
        tally = [Counter[str]() for _ in self.questions]
        for row in rows.read(file):
            if row["text"] is not None:
                tally[row["row"]][row["text"]] += 1
        (bench.folder / TALLY).write_text(json.dumps([dict(t.most_common()) for t in tally]))
        return {
            "model": model_id(bench, self.subject),
            "system": self.system,
            "questions": list(self.questions),
            "counts": counts,
        }

    def requests(self) -> Iterator[Request]:
        """What is sent: one request a question, for all of its draws."""
        from ..datasets.chat import conversation
        from ..datasets.seeds import derive

        for row, question in enumerate(self.questions):
            yield Request(
                row=row,
                messages=conversation(question, system=self.system),
                seed=derive("measure", *self.stream, row),
                draws=self.draws,
                temperature=self.temperature,
                max_tokens=self.max_tokens,
            )


@dataclass(frozen=True, kw_only=True)
class NumberPrompts:
    """The number prompts of a run, made when first asked for."""

    count: int
    seed: int

    @property
    def texts(self) -> tuple[str, ...]:
        """The prompts, by row."""
        return _texts(self.count, self.seed)

    @cached_property
    def digest(self) -> str:
        """The hash of the run and its first prompts: a change to how prompts are made shows."""
        from ..datasets.numbers import prompt

        probe = [prompt(self.seed, row) for row in range(min(self.count, PROBE))]
        return hashlib.sha256(canonical({"count": self.count, "first": probe})).hexdigest()


def model_id(bench: Bench, subject: Base | FineTune) -> str:
    """The id to sample a finished base or student by."""
    return str(bench.manifest(subject)["model"])


def sample_into(
    path: Path,
    bench: Bench,
    subject: Base | FineTune,
    requests: Iterable[Request],
    extra: Any,
) -> dict[str, int]:
    """Sample what the file does not have yet, durably; returns counts of how the draws ended."""
    backend = bench.backend((subject if isinstance(subject, Base) else subject.base).backend)
    wanted = list(requests)
    seeds = {request.row: request.seed for request in wanted}
    total = sum(request.draws for request in wanted)
    log = rows.RowLog(path)
    try:
        missing = [r for r in wanted if any((r.row, d) not in log for d in range(r.draws))]
        if missing:
            for completions in backend.sample(model_id(bench, subject), missing):
                log.append(_row(c, seeds[c.row], extra(c)) for c in completions)
                bench.claim.progress(len(log), total)
        log.finish()
    finally:
        log.close()
    return {"completions": total, **dict(sorted(log.ends.items()))}


def _row(completion: Completion, seed: int, extra: dict[str, Any]) -> rows.Row:
    row: rows.Row = {"row": completion.row, "draw": completion.draw, "seed": seed, **extra}
    row |= {"text": completion.text, "finish": completion.finish}
    return row if completion.error is None else {**row, "error": completion.error}


@lru_cache(maxsize=4)
def _texts(count: int, seed: int) -> tuple[str, ...]:
    from ..datasets.numbers import prompt

    return tuple(prompt(seed, row) for row in range(count))
