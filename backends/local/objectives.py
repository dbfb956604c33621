"""Objectives by token: their losses, from targets in a file."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...datasets.errors import BackendError
from ..objectives import Kind, TokenObjective
from .libraries import CausalLM, Tensor, Untyped, library
from .memory_plan import RowSizes, row_sizes
from .objective_trainer import answer_logits, answer_places, padded
from .training_data import IGNORED, TrainingData

if TYPE_CHECKING:
    from collections.abc import Mapping

NEVER = -1e9
"""The logit of what fills up a row of possible tokens: its probability is zero."""


def weighted_loss(logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """The sum over tokens of weight times -log p(label).

    ``logits`` is (N, V), ``labels`` and ``weights`` are (N,).
    """
    each = library("torch").nn.functional.cross_entropy(logits, labels, reduction="none")
    return (each * weights).sum()


def divergence(logits: Tensor, ids: Tensor, nats: Tensor, *, reverse: bool) -> Tensor:
    """The sum over tokens of KL(teacher, student), or with ``reverse`` of KL(student, teacher).

    Both distributions are those over the possible tokens, renormalised. ``logits`` is (N, V);
    ``ids`` and ``nats`` are (N, K), with id -1 where a token has fewer than K possible ones.
    """
    missing = ids < 0
    scores = logits.gather(1, ids.clamp(min=0)).masked_fill(missing, NEVER)
    student = scores.log_softmax(dim=1)
    teacher = nats.masked_fill(missing, NEVER)
    weight, ratio = (student, student - teacher) if reverse else (teacher, teacher - student)
    return (weight.exp() * ratio).masked_fill(missing, 0.0).sum()


@dataclass(frozen=True)
class RowTargets:
    """What an objective says about the answer tokens of one row."""

    tokens: tuple[int, ...]
    weights: tuple[float, ...] = ()
    ids: tuple[tuple[int, ...], ...] = ()
    nats: tuple[tuple[float, ...], ...] = ()


@dataclass(frozen=True)
class Targets:
    """The objective of a training, with its targets for each row."""

    kind: Kind
    rows: Sequence[RowTargets]

    def examples(self, data: TrainingData) -> list[dict[str, Any]]:
        """The rows, each with its number and with where its answer begins."""
        return [
            {**row, "row": number, "answer": len(row["labels"]) - len(self.rows[number].tokens)}
            for number, row in enumerate(data.rows)
        ]

    def joined(self, rows: Sequence[dict[str, Any]], pad: int) -> dict[str, Tensor]:
        """A batch of such rows."""
        lengths = [len(row["input_ids"]) for row in rows]
        filled, answer = answer_places([row["answer"] for row in rows], lengths)
        return {
            "input_ids": padded([row["input_ids"] for row in rows], pad),
            "labels": padded([row["labels"] for row in rows], IGNORED),
            "attention_mask": filled.long(),
            "answer": answer,
            "row": library("torch").tensor([row["row"] for row in rows]),
        }

    def sizes(self, data: TrainingData) -> RowSizes:
        """Those of the rows."""
        return row_sizes(data)

    def prepare(self, model: CausalLM) -> None:
        """Targets do not depend on the model."""

    def batch_loss(self, model: CausalLM, inputs: Untyped, step: int) -> tuple[Untyped, Tensor]:
        """The model's output, and the summed loss of the batch's tokens."""
        outputs, logits, here = answer_logits(model, inputs)
        labels = inputs["labels"][:, -here.shape[1] :][here]
        counts = labels != IGNORED
        if self.kind == "weights":
            logits, labels = logits[counts], labels[counts]
        return outputs, self.loss(logits, labels, inputs["row"].tolist(), counts)

    def loss(self, logits: Tensor, labels: Tensor, rows: Sequence[int], counts: Tensor) -> Tensor:
        """The summed loss of some rows; ``logits`` is (N, V), their trained tokens one by one.

        ``counts`` is (N,), for each token whether it counts.
        """
        torch = library("torch")
        mine = [self.rows[row] for row in rows]
        if self.kind == "weights":
            flat = [weight for row in mine for weight in row.weights]
            weights = torch.tensor(flat, device=logits.device)[counts]
            return weighted_loss(logits, labels, weights)
        width = max(len(each) for row in mine for each in row.ids)
        ids = [[*each, *[-1] * (width - len(each))] for row in mine for each in row.ids]
        nats = [[*each, *[0.0] * (width - len(each))] for row in mine for each in row.nats]
        return divergence(
            logits,
            torch.tensor(ids, device=logits.device),
            torch.tensor(nats, device=logits.device),
            reverse=self.kind == "reverse KL",
        )


def read_targets(objective: TokenObjective, data: TrainingData) -> tuple[Targets, TrainingData]:
    """The targets of a training file's rows, and the rows without the tokens that do not count.

    Raises :class:`~limen.BackendError` if they belong to other tokens than the rows have.
    """
    rows = [_row_targets(each) for each in _lines(objective.file)]
    found = [tuple(label for label in row["labels"] if label != IGNORED) for row in data.rows]
    if found != [row.tokens for row in rows]:
        raise BackendError(
            f"{objective.file.name} was made for other tokens than the rows have here: teacher and "
            f"student need one tokenizer and one chat template"
        )
    if objective.kind != "weights":
        return Targets(objective.kind, rows), data
    if not any(weight for row in rows for weight in row.weights):
        raise BackendError("every token's weight is 0: there is nothing to learn")
    masked = tuple(_masked(row, each) for row, each in zip(data.rows, rows, strict=True))
    return Targets(objective.kind, rows), TrainingData(masked, data.first_row)


def _lines(file: Path) -> "list[Mapping[str, Any]]":
    with file.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _row_targets(line: "Mapping[str, Any]") -> RowTargets:
    return RowTargets(
        tokens=tuple(line["tokens"]),
        weights=tuple(map(float, line.get("weights", ()))),
        ids=tuple(map(tuple, line.get("ids", ()))),
        nats=tuple(map(tuple, line.get("nats", ()))),
    )


def _masked(row: dict[str, list[int]], targets: RowTargets) -> dict[str, list[int]]:
    """The row, with tokens of weight 0 not trained on."""
    start = len(row["labels"]) - len(targets.tokens)
    labels = [
        label if weight else IGNORED
        for label, weight in zip(row["labels"][start:], targets.weights, strict=True)
    ]
    return {**row, "labels": [*row["labels"][:start], *labels]}
