"""The stages of an experiment: what each one is, what it is given, and how it is done."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any, Literal

from ..backends import Job, Recipe, Request, Usage, Work, is_service
from ..datasets.errors import NotEnoughRowsError
from . import rows
from .prompts import PROBE, NumberPrompts
from .sampled import Sampled, sample_into
from .stage import Bench, Stage
from .store import Manifest

TALLY = "tally.json"
PROGRAM_TOKENS = 24
"""Tokens of a program's sequence at most: ten numbers, and what stands between them."""


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
class Generate(Sampled):
    """A teacher's answers to number prompts, every one of them."""

    kind = "generate"
    writer: Base
    prompts: NumberPrompts
    count: int
    """Completions in all."""
    per_prompt: int
    system: str | None
    temperature: float
    max_tokens: int

    def inputs(self) -> tuple[Stage, ...]:
        return (self.writer,)

    def identity(self) -> dict[str, Any]:
        return {
            "prompts": self.prompts.digest,
            "count": self.count,
            "per_prompt": self.per_prompt,
            "seeds": ["generate", self.prompts.seed, self.system],
            "system": self.system,
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
        }

    def size(self) -> int:
        return self.count

    def run(self, bench: Bench) -> Manifest:
        sampled = sample_into(bench.folder / "rows.jsonl", bench, self, self.writer.model)
        return {"model": self.writer.model, "system": self.system, **sampled}

    def requests(self) -> Iterator[Request]:
        """One request a prompt, each with its own seed."""
        from ..datasets.chat import conversation
        from ..datasets.seeds import derive

        for row, text in enumerate(self.prompts.texts()):
            yield Request(
                row=row,
                messages=conversation(text, system=self.system),
                seed=derive("generate", self.prompts.seed, self.system, row),
                draws=min(self.per_prompt, self.count - row * self.per_prompt),
                temperature=self.temperature,
                max_tokens=self.max_tokens,
            )

    @property
    def backend(self) -> str:
        return self.writer.backend

    def shown(self, request: Request) -> dict[str, str]:
        return {"prompt": request.messages[-1]["content"]}

    def work(self) -> Work:
        return Work(
            model=self.writer.model,
            completions=self.count,
            per_call=self.per_prompt,
            prompts=tuple(request.messages for request in islice(self.requests(), PROBE)),
            max_tokens=self.max_tokens,
        )


@dataclass(frozen=True, kw_only=True)
class Program(Stage):
    """Number sequences from a program in place of a model."""

    kind = "program"
    prompts: NumberPrompts

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
                for row, text in enumerate(self.prompts.texts())
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
        backend = bench.backend(self.base.backend)
        made = backend.fine_tune(job, bench.claim.progress)
        facts: Manifest = {
            "model": made.model,
            "base": self.base.model,
            "recipe": dict(self.recipe),
            "seed": self.seed,
            "counts": {"examples": made.examples, "tokens": made.tokens},
            "losses": list(made.losses),
            "checkpoints": [asdict(checkpoint) for checkpoint in made.checkpoints],
        }
        if is_service(backend):
            usd = backend.cost(self.base.model, Usage(), trained_tokens=made.tokens)
            facts |= {"job": made.job, "cost": {"trained_tokens": made.tokens, "usd": usd}}
        return facts

    def work(self) -> Work:
        source = _generation(self.data)
        requests = source.work() if isinstance(source, Generate) else None
        prompts = requests.prompts if requests else source.prompts.probe()
        return Work(
            model=self.base.model,
            rows=self.data.keep,
            prompts=tuple(tuple(m for m in p if m["role"] != "system") for p in prompts),
            max_tokens=requests.max_tokens if requests else PROGRAM_TOKENS,
            recipe=self.recipe,
        )


@dataclass(frozen=True, kw_only=True)
class Measure(Sampled):
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
        model = model_id(bench, self.subject)
        sampled = sample_into(file, bench, self, model)
        tally = [Counter[str]() for _ in self.questions]
        for row in rows.read(file):
            if row["text"] is not None:
                tally[row["row"]][row["text"]] += 1
        (bench.folder / TALLY).write_text(json.dumps([dict(t.most_common()) for t in tally]))
        return {
            "model": model,
            "system": self.system,
            "questions": list(self.questions),
            **sampled,
        }

    def requests(self) -> Iterator[Request]:
        """One request a question, for all of its draws."""
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

    @property
    def backend(self) -> str:
        return base_of(self.subject).backend

    def work(self) -> Work:
        return Work(
            model=base_of(self.subject).model,
            completions=self.size(),
            per_call=self.draws,
            prompts=tuple(request.messages for request in self.requests()),
            max_tokens=self.max_tokens,
            student=isinstance(self.subject, FineTune),
        )


def _generation(data: Mix) -> Generate | Program:
    """What wrote the rows of a training file."""
    source = data.source
    return (source if isinstance(source, Filter) else source.source).source


def base_of(subject: Base | FineTune) -> Base:
    """The base model that a subject is, or was trained from."""
    return subject if isinstance(subject, Base) else subject.base


def model_id(bench: Bench, subject: Base | FineTune) -> str:
    """The id to sample a finished base or student by."""
    return str(bench.manifest(subject)["model"])
