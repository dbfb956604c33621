"""Preference pairs: two answers to one prompt, the first of which is preferred."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from ...datasets.answer_text import visible_text
from ...datasets.artifacts import Manifest
from ...datasets.errors import LeakError, SpecError
from ...datasets.store_layout import KEPT, SCORES, TARGETS
from .ask_about_rows import AskAboutRows
from .mix import MixRows
from .row_log import Row, write_rows
from .row_stages import ChoosingStage, PromptSample, RowsStage, write_choice
from .select_rows import RowScores
from .stage import Stage, Workspace
from .training_rows import asked_turns

REJECTED_ANSWER = "rejected"
"""The field of a row that has the answer that is not preferred."""


@dataclass(frozen=True, kw_only=True)
class PairByWriter(ChoosingStage):
    """Pairs of one stage's answers, preferred, and another's answers to the same prompts.

    Each rejected answer is used once, in the order of the rows.
    """

    kind = "pairs"
    source: RowsStage
    rejected: RowsStage

    def inputs(self) -> tuple[Stage, ...]:
        return (self.source, self.rejected)

    def identity(self) -> dict[str, object]:
        return {"by": "writer", **({"dialogues": "whole"} if self._by_dialogue else {})}

    @property
    def _by_dialogue(self) -> bool:
        """Whether the turns before a prompt are compared, too; all rows may have the same ones."""
        both = (self.source.prompt_sample(), self.rejected.prompt_sample())
        return any(sample.histories_differ for sample in both)

    def prompt_sample(self) -> PromptSample:
        return self.source.prompt_sample()

    def run(self, workspace: Workspace) -> Manifest:
        preferred = list(workspace.rows(self.source, KEPT))
        rejected = list(workspace.rows(self.rejected, KEPT))
        asked = _common_question(preferred, rejected) if self._by_dialogue else _prompt
        others: dict[object, list[str]] = defaultdict(list)
        for row in rejected:
            others[asked(row)].append(row["text"])
        kept: list[Row] = []
        dropped: list[Row] = []
        for row in preferred:
            answers = others[asked(row)]
            if not answers:
                dropped.append({**row, "reason": "no rejected answer to its prompt"})
            elif (answer := answers.pop(0)) == row["text"]:
                dropped.append({**row, "reason": "both answers are equal"})
            else:
                kept.append({**row, REJECTED_ANSWER: answer})
        return write_choice(workspace, "an answer of each writer", kept, dropped)


def _prompt(row: Row) -> object:
    return row["prompt"]


def _user_turns(row: Row) -> object:
    return tuple(turn for turn in asked_turns(row) if turn[0] != "assistant")


def _common_question(rows: list[Row], others: list[Row]) -> Callable[[Row], object]:
    """What two writers' answers must have in common to be answers to the same.

    Whole dialogues; where the two have none in common, as each writer held its own, what the user
    said in them.
    """
    apart = set(map(asked_turns, rows)).isdisjoint(map(asked_turns, others))
    return _user_turns if apart else asked_turns


@dataclass(frozen=True, kw_only=True)
class PairByScore(ChoosingStage):
    """Pairs of the answers to a prompt with its highest and its lowest score."""

    kind = "pairs"
    source: RowsStage
    scores: RowScores

    def inputs(self) -> tuple[Stage, ...]:
        return (self.source, self.scores)

    def identity(self) -> dict[str, object]:
        return {"by": "score", **({"dialogues": "whole"} if self._by_dialogue else {})}

    @property
    def _by_dialogue(self) -> bool:
        """Whether the turns before a prompt are compared, too; all rows may have the same ones."""
        return self.prompt_sample().histories_differ

    def prompt_sample(self) -> PromptSample:
        return self.source.prompt_sample()

    def run(self, workspace: Workspace) -> Manifest:
        scored = zip(
            workspace.rows(self.source, KEPT), workspace.json(self.scores, SCORES), strict=True
        )
        asked = asked_turns if self._by_dialogue else _prompt
        by_prompt: dict[object, list[tuple[Row, float]]] = defaultdict(list)
        kept: list[Row] = []
        dropped: list[Row] = []
        for row, score in scored:
            if score is None:
                dropped.append({**row, "reason": "no score"})
            else:
                by_prompt[asked(row)].append((row, score))
        for answers in by_prompt.values():
            pair, rest = _highest_and_lowest(answers)
            kept += pair
            dropped += rest
        return write_choice(workspace, f"highest and lowest {self.scores.label}", kept, dropped)


def _highest_and_lowest(answers: list[tuple[Row, float]]) -> tuple[list[Row], list[Row]]:
    """The pair of one prompt's answers, and the rows that are not in it, with the reason."""
    rows = [row for row, _ in answers]
    if len(answers) == 1:
        return [], [{**rows[0], "reason": "the only answer to its prompt"}]
    best, high = max(answers, key=lambda answer: answer[1])
    worst, low = min(answers, key=lambda answer: answer[1])
    if high == low:
        return [], [{**row, "reason": "equal scores"} for row in rows]
    between = [
        {**row, "reason": "neither highest nor lowest"}
        for row in rows
        if row is not best and row is not worst
    ]
    return [{**best, REJECTED_ANSWER: worst["text"]}], between


class Verdict(Protocol):
    """What a judge's reply says of an answer, as a number."""

    @property
    def name(self) -> str:
        """The verdict and its settings; part of keys."""
        ...

    def __call__(self, reply: str) -> float | None:
        """The number; None if the reply gives none."""
        ...


@dataclass(frozen=True, kw_only=True)
class ScoreByJudge(RowScores):
    """The score of each row by a judge's replies; null for a row without a verdict."""

    kind = "judge-score"
    replies: AskAboutRows
    verdict: Verdict

    def inputs(self) -> tuple[Stage, ...]:
        return (self.source, self.replies)

    def identity(self) -> dict[str, object]:
        return {"verdict": self.verdict.name}

    def run(self, workspace: Workspace) -> Manifest:
        replies = self.replies.replies(workspace)
        pairs = (self.replies.pair(row) for row in workspace.rows(self.source, KEPT))
        said = [replies.get(pair) for pair in pairs]
        scores = [None if one is None else self.verdict(visible_text(one)) for one in said]
        workspace.write_json(SCORES, scores)
        return {"counts": {"rows": len(scores), "unrated": scores.count(None)}}


@dataclass(frozen=True, kw_only=True)
class RejectedAnswers(Stage):
    """The rejected answer of each row of a training file, audited as the file itself is."""

    kind = "rejected-answers"
    data: MixRows
    words: tuple[str, ...]
    strict: bool

    def inputs(self) -> tuple[Stage, ...]:
        return (self.data, *self.data.inputs())

    def identity(self) -> dict[str, object]:
        by_place = {"rows": "by place"} if self.data.prompt_sample().numbers_repeat else {}
        return {"words": list(self.words), "strict": self.strict, **by_place}

    def run(self, workspace: Workspace) -> Manifest:
        from ...datasets.leaks import mentions

        texts = list(self._texts(workspace))
        leaks = mentions(texts, self.words)
        if leaks and self.strict:
            raise LeakError(
                f"{self.label}: {len({leak.row for leak in leaks}):,} of {len(texts):,} rejected "
                f"answers mention the trait in the open; row {leaks[0].row + 1} has "
                f"{leaks[0].word!r}: {leaks[0].text[:80]!r}. Nothing was trained on it: use a "
                f'stricter filter rule, or leaks="report" to train all the same'
            )
        write_rows(workspace.folder / TARGETS, ({REJECTED_ANSWER: text} for text in texts))
        return {"counts": {"rows": len(texts), "mentions": len(leaks)}}

    def _texts(self, workspace: Workspace) -> Iterator[str]:
        """The rejected answers, in the order of the training file."""
        for row in self.data.rows(workspace):
            if REJECTED_ANSWER not in row:
                raise SpecError(f"{self.label}: its rows are no preference pairs")
            yield row[REJECTED_ANSWER]
