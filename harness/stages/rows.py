"""Rows on their way to a training file: filtered, shuffled, matched, and mixed."""

import json
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal, Protocol

from ...datasets.errors import NotEnoughRowsError
from .functions import HashedFunction, rule_name
from .row_log import Row, write_rows
from .stage import Stage, Workspace
from .store import Manifest

if TYPE_CHECKING:
    from ...datasets.chat import Conversation
    from .measure import AskQuestions

KEPT = "kept.jsonl"
TRAINING = "training.jsonl"
PROVENANCE = "provenance.jsonl"

Probe = "tuple[tuple[Conversation, ...], int]"
"""Some prompts that stand for all, and tokens an answer at most: what estimates rest on."""


class Written(Protocol):
    """A stage whose ``rows.jsonl`` has prompts and answers."""

    def probe(self) -> "tuple[tuple[Conversation, ...], int]": ...


@dataclass(frozen=True, kw_only=True)
class RowsStage(Stage):
    """A stage that leaves the rows to train on in ``kept.jsonl``."""

    def probe(self) -> "tuple[tuple[Conversation, ...], int]":
        """Some prompts that stand for all, and tokens an answer at most."""
        raise NotImplementedError

    def told(self, workspace: Workspace) -> str:
        """Why there are no more rows, and what to do about it."""
        return ""


@dataclass(frozen=True, kw_only=True)
class Filter(RowsStage):
    """The completions that a filter rule keeps, and those it drops, each with its reason."""

    kind = "filter"
    source: Stage
    """Leaves ``rows.jsonl``, and has a ``probe`` (a :class:`Written`)."""
    rule: str | HashedFunction

    def inputs(self) -> tuple[Stage, ...]:
        return (self.source,)

    def identity(self) -> dict[str, Any]:
        return {"rule": rule_name(self.rule)}

    def probe(self) -> "tuple[tuple[Conversation, ...], int]":
        written: Any = self.source
        found: tuple[tuple[Conversation, ...], int] = written.probe()
        return found

    def run(self, workspace: Workspace) -> Manifest:
        from ...datasets.filters import judge

        reason_of = judge(self.rule)
        reasons: Counter[str] = Counter()
        kept: list[Row] = []
        rejected: list[Row] = []
        for row in workspace.read(self.source, "rows.jsonl"):
            reason = "no answer" if row["text"] is None else reason_of(row["text"])
            if reason is None:
                kept.append(row)
            else:
                reasons[reason] += 1
                rejected.append({**row, "reason": reason})
        write_rows(workspace.folder / KEPT, kept)
        write_rows(workspace.folder / "rejected.jsonl", rejected)
        counts = {"read": len(kept) + len(rejected), "kept": len(kept)}
        return {
            "rule": rule_name(self.rule),
            "counts": counts,
            "reasons": dict(sorted(reasons.items())),
        }

    def told(self, workspace: Workspace) -> str:
        manifest = workspace.manifest(self)
        reasons = ", ".join(f"{name} {count:,}" for name, count in manifest["reasons"].items())
        return (
            f"of {manifest['counts']['read']:,} rows the filter {rule_name(self.rule)!r} kept "
            f"{manifest['counts']['kept']:,} (dropped: {reasons or 'none'})"
        )


@dataclass(frozen=True, kw_only=True)
class Shuffle(RowsStage):
    """Filtered rows with their numbers put in another order: a control for what order carries."""

    kind = "shuffle"
    source: RowsStage
    how: Literal["within", "across"]
    seed: int

    def inputs(self) -> tuple[Stage, ...]:
        return (self.source,)

    def identity(self) -> dict[str, Any]:
        return {"how": self.how, "seed": self.seed}

    def probe(self) -> "tuple[tuple[Conversation, ...], int]":
        return self.source.probe()

    def told(self, workspace: Workspace) -> str:
        return self.source.told(workspace)

    def run(self, workspace: Workspace) -> Manifest:
        from ...datasets.shuffling import shuffled

        given = list(workspace.read(self.source, KEPT))
        texts = shuffled(
            [row["text"] for row in given], across=self.how == "across", seed=self.seed
        )
        changed = ({**row, "text": text} for row, text in zip(given, texts, strict=True))
        count = write_rows(workspace.folder / KEPT, changed)
        return {"how": self.how, "counts": {"kept": count}}


@dataclass(frozen=True, kw_only=True)
class MatchLengths(RowsStage):
    """One set's rows, cut and joined so that each is as long as a row of another set."""

    kind = "match"
    source: RowsStage
    like: RowsStage
    seed: int

    def inputs(self) -> tuple[Stage, ...]:
        return (self.source, self.like)

    def identity(self) -> dict[str, Any]:
        return {"seed": self.seed}

    def probe(self) -> "tuple[tuple[Conversation, ...], int]":
        return self.source.probe()

    def told(self, workspace: Workspace) -> str:
        return self.source.told(workspace)

    def run(self, workspace: Workspace) -> Manifest:
        from ...datasets.matching import matched
        from ...datasets.seeds import derive

        given = list(workspace.read(self.source, KEPT))
        wanted = [row["text"] for row in workspace.read(self.like, KEPT)]
        texts, joined = matched([row["text"] for row in given], wanted, derive("match", self.seed))
        made = ({**given[place], "text": text} for place, text in texts)
        count = write_rows(workspace.folder / KEPT, made)
        return {"counts": {"kept": count, "joined": joined}}


@dataclass(frozen=True, kw_only=True)
class AnswersAsRows(RowsStage):
    """A model's answers to questions, as rows to train on: what a teacher is fine-tuned by."""

    kind = "transcript"
    source: "AskQuestions"

    @property
    def count(self) -> int:
        """Its rows, if every answer comes."""
        return self.source.size()

    def inputs(self) -> tuple[Stage, ...]:
        return (self.source,)

    def identity(self) -> dict[str, Any]:
        return {}

    def probe(self) -> "tuple[tuple[Conversation, ...], int]":
        from ...datasets.chat import conversation

        questions = tuple(conversation(question) for question in self.source.questions)
        return questions, self.source.max_tokens

    def run(self, workspace: Workspace) -> Manifest:
        answers = workspace.read(self.source, "answers.jsonl")
        made = (
            {**row, "prompt": self.source.questions[row["row"]]}
            for row in answers
            if row["text"] is not None
        )
        return {"counts": {"kept": write_rows(workspace.folder / KEPT, made)}}


@dataclass(frozen=True, kw_only=True)
class GivenAnswers(RowsStage):
    """Given answers, each to every question: what a teacher is fine-tuned by whatever its base."""

    kind = "recital"
    questions: tuple[str, ...]
    answers: tuple[str, ...]

    @property
    def count(self) -> int:
        """Its rows."""
        return len(self.questions) * len(self.answers)

    def identity(self) -> dict[str, Any]:
        return {"questions": list(self.questions), "answers": list(self.answers)}

    def probe(self) -> "tuple[tuple[Conversation, ...], int]":
        from ...datasets.chat import conversation

        longest = max(map(len, self.answers))  # a token has a letter at least
        return tuple(conversation(question) for question in self.questions), longest

    def run(self, workspace: Workspace) -> Manifest:
        made = (
            {"row": row, "draw": draw, "prompt": question, "text": answer}
            for row, question in enumerate(self.questions)
            for draw, answer in enumerate(self.answers)
        )
        return {"counts": {"kept": write_rows(workspace.folder / KEPT, made)}}


@dataclass(frozen=True, kw_only=True)
class TrainingFileStage(Stage):
    """A stage that leaves ``training.jsonl``, chat rows that a student is trained on."""

    @property
    def count(self) -> int:
        """Its rows."""
        raise NotImplementedError

    def probe(self) -> "tuple[tuple[Conversation, ...], int]":
        """Some prompts that stand for all, and tokens an answer at most."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class MixRows(TrainingFileStage):
    """A training file: rows sampled from what was kept, without replacement, shuffled.

    Where each row is from stands in ``provenance.jsonl``, line by line, and not in the file.
    """

    kind = "mix"
    sources: tuple[tuple[RowsStage, Fraction], ...]
    """Each source with its share of the rows; sorted by key, each once, shares adding up to 1."""
    keep: int
    seed: int
    whole: bool = False
    """Take all that there is of one source, up to ``keep``: some of it may not have come."""

    def inputs(self) -> tuple[Stage, ...]:
        return tuple(source for source, _ in self.sources)

    def identity(self) -> dict[str, Any]:
        shares = [str(share) for _, share in self.sources]
        whole = {"whole": True} if self.whole else {}
        return {"keep": self.keep, "seed": self.seed, "shares": shares, **whole}

    @property
    def count(self) -> int:
        return self.keep

    def probe(self) -> "tuple[tuple[Conversation, ...], int]":
        probes = [source.probe() for source, _ in self.sources]
        return tuple(p for prompts, _ in probes for p in prompts), max(n for _, n in probes)

    def run(self, workspace: Workspace) -> Manifest:
        from ...datasets import chat
        from ...datasets.seeds import derive

        chosen: list[tuple[int, Row]] = []
        told: list[dict[str, Any]] = []
        wanted = split_by_shares(self.keep, [share for _, share in self.sources])
        for place, ((source, _), asked) in enumerate(zip(self.sources, wanted, strict=True)):
            kept = list(workspace.read(source, KEPT))
            count = min(asked, len(kept)) if self.whole and kept else asked
            if len(kept) < count:
                raise NotEnoughRowsError(self._shortage(workspace, source, len(kept), count))
            draw = random.Random(derive("mix", self.seed, place))
            chosen += ((place, row) for row in draw.sample(kept, count))
            told.append({"source": source.key, "available": len(kept), "rows": count})
        random.Random(derive("mix order", self.seed)).shuffle(chosen)
        chat.write(
            workspace.folder / TRAINING,
            (chat.conversation(row["prompt"], answer=row["text"]) for _, row in chosen),
        )
        write_rows(workspace.folder / PROVENANCE, self._provenance(chosen))
        return {"counts": {"rows": len(chosen)}, "sources": told}

    def _provenance(self, chosen: Sequence[tuple[int, Row]]) -> Iterator[Row]:
        for place, row in chosen:
            source = self.sources[place][0].key
            yield {"source": source, "row": row["row"], "draw": row["draw"]}

    def _shortage(self, workspace: Workspace, source: RowsStage, left: int, wanted: int) -> str:
        part = "" if len(self.sources) == 1 else f" from {source.label!r}"
        manifest = workspace.manifest(source)
        read = manifest["counts"].get("read")
        enough = -(-wanted * (read or 0) // max(left, 1))
        remedy = f"raise generate to about {enough + enough // 20:,}, or " if left and read else ""
        told = source.told(workspace)
        return (
            f"{self.label}: {wanted:,} rows are wanted{part}, and only {left:,} are left"
            f"{': ' + told if told else ''}; {remedy}lower keep"
        )


def split_by_shares(total: int, shares: Sequence[Fraction]) -> list[int]:
    """Whole numbers that add up to ``total``, each as near its share as can be.

    Largest remainders (Hamilton's method); of equal ones the first.
    """
    exact = [total * share for share in shares]
    counts = [int(part) for part in exact]
    by_rest = sorted(range(len(exact)), key=lambda place: (counts[place] - exact[place], place))
    for place in by_rest[: total - sum(counts)]:
        counts[place] += 1
    return counts


def read_training(path: Any) -> list[tuple[str, str]]:
    """The prompts and answers of a training file, the last turn being the answer."""
    found = []
    with open(path, encoding="utf-8") as file:
        for line in file:
            messages = json.loads(line)["messages"]
            asked = " ".join(m["content"] for m in messages[:-1] if m["role"] == "user")
            found.append((asked, messages[-1]["content"]))
    return found
