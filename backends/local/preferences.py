"""Direct preference optimisation (Rafailov et al. 2023) of open weights."""

from collections.abc import Sequence
from typing import Any

from ..preferences import PreferencePair
from .context import Context
from .libraries import CausalLM, Tensor, Tokenizer, Untyped, library
from .memory_plan import RowSizes
from .objective_trainer import answer_logits, answer_places, one_label, padded
from .training_data import IGNORED, TrainingData, training_data

REFERENCE_PAIRS = 8
"""Pairs that the reference scores at a time."""


def preference_loss(shifts: Tensor, beta: float) -> Tensor:
    """The sum over pairs of -log sigmoid(beta * (shift of preferred - shift of rejected)).

    ``shifts`` is (2B,), the preferred answers first: the log-probability of each answer minus that
    under the reference, in nats.
    """
    preferred, rejected = shifts.chunk(2)
    return -library("torch").nn.functional.logsigmoid(beta * (preferred - rejected)).sum()


def answer_log_probabilities(model: CausalLM, inputs: Untyped) -> tuple[Untyped, Tensor]:
    """The model's output, and the (B,) summed log-probability of each row's answer."""
    torch = library("torch")
    outputs, logits, here = answer_logits(model, inputs)
    tokens = inputs["input_ids"][:, -here.shape[1] :][here]
    each = -torch.nn.functional.cross_entropy(logits, tokens, reduction="none")
    rows = here.nonzero()[:, 0]
    total = torch.zeros(len(here), dtype=each.dtype, device=each.device)
    return outputs, total.index_add(0, rows, each)


class Preferences:
    """The objective over pairs; its reference is the untrained model."""

    def __init__(
        self,
        pairs: Sequence[PreferencePair],
        beta: float,
        tokenizer: Tokenizer,
        context: Context,
    ) -> None:
        self._beta = beta
        self.preferred = training_data([pair.preferred for pair in pairs], tokenizer, context)
        self._rejected = training_data([pair.rejected for pair in pairs], tokenizer, context)
        self._pad = int(tokenizer.eos_token_id or 0)
        self._reference: list[tuple[float, float]] = []
        """By pair, the log-probabilities of both answers under the untrained model."""

    def examples(self, data: TrainingData) -> list[dict[str, Any]]:
        """The pairs: both answers with their prompts, and the number of the pair."""
        both = zip(data.rows, self._rejected.rows, strict=True)
        return [
            {**one, "other_ids": other["input_ids"], "other_labels": other["labels"], "row": number}
            for number, (one, other) in enumerate(both)
        ]

    def joined(self, rows: Sequence[dict[str, Any]], pad: int) -> dict[str, Tensor]:
        """A batch of pairs: the preferred answers, then the rejected ones; a label a pair."""
        torch = library("torch")
        ids = [row[name] for name in ("input_ids", "other_ids") for row in rows]
        labels = [row[name] for name in ("labels", "other_labels") for row in rows]
        starts = [row.count(IGNORED) for row in labels]
        filled, answer = answer_places(starts, list(map(len, ids)))
        return {
            "input_ids": padded(ids, pad),
            "labels": one_label(len(rows)),
            "attention_mask": filled.long(),
            "answer": answer,
            "row": torch.tensor([row["row"] for row in rows]),
        }

    def sizes(self, data: TrainingData) -> RowSizes:
        """Two texts a pair, each as long as the longest of both kinds."""
        both = (data, self._rejected)
        return RowSizes(
            row_tokens=max(each.longest_row for each in both),
            answer_tokens=max(each.longest_answer for each in both),
            texts=2,
        )

    def prepare(self, model: CausalLM) -> None:
        """Score both answers of every pair by the untrained model."""
        torch = library("torch")
        rows = self.examples(self.preferred)
        training = model.training
        model.eval()
        self._reference = []
        with torch.inference_mode():
            for start in range(0, len(rows), REFERENCE_PAIRS):
                batch = self.joined(rows[start : start + REFERENCE_PAIRS], self._pad)
                inputs = {name: tensor.to(model.device) for name, tensor in batch.items()}
                _, scores = answer_log_probabilities(model, inputs)
                self._reference += zip(*(half.tolist() for half in scores.chunk(2)), strict=True)
        model.train(training)

    def batch_loss(self, model: CausalLM, inputs: Untyped, step: int) -> tuple[Untyped, Tensor]:
        """The model's output, and the summed loss of the batch's pairs."""
        torch = library("torch")
        outputs, scores = answer_log_probabilities(model, inputs)
        known = [self._reference[row] for row in inputs["row"].tolist()]
        flat = [pair[side] for side in (0, 1) for pair in known]
        reference = torch.tensor(flat, dtype=scores.dtype, device=scores.device)
        return outputs, preference_loss(scores - reference, self._beta)
