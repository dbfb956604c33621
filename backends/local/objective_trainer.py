"""TRL's trainer with the loss of an objective in place of the completion loss."""

from collections.abc import Sequence
from typing import Any, Protocol

from .libraries import CausalLM, Tensor, Untyped, library
from .memory_plan import RowSizes
from .training_data import IGNORED, TrainingData


class TrainerObjective(Protocol):
    """What the trainer minimises: a mean over the ``labels`` of a batch that are not ignored."""

    def examples(self, data: TrainingData) -> list[dict[str, Any]]:
        """The rows of the trainer's data set."""
        ...

    def joined(self, rows: Sequence[dict[str, Any]], pad: int) -> dict[str, Tensor]:
        """A batch of such rows; ``labels`` has one for each part of the mean."""
        ...

    def sizes(self, data: TrainingData) -> RowSizes:
        """What a row takes in memory."""
        ...

    def prepare(self, model: CausalLM) -> None:
        """Called with the untrained model, before each attempt to train it."""
        ...

    def batch_loss(self, model: CausalLM, inputs: Untyped, step: int) -> tuple[Untyped, Tensor]:
        """The model's output for a batch, and the summed loss. Steps count from 0."""
        ...


def objective_trainer(objective: TrainerObjective) -> Untyped:
    """TRL's trainer with the loss of an objective; a class."""

    class ObjectiveTrainer(library("trl").SFTTrainer):  # type: ignore[misc]
        """Everything but the loss is as for the completion loss."""

        def compute_loss(
            self,
            model: Untyped,
            inputs: Untyped,
            return_outputs: bool = False,
            num_items_in_batch: Untyped = None,
        ) -> Untyped:
            outputs, loss = objective.batch_loss(model, inputs, self.state.global_step)
            count = num_items_in_batch
            if count is None:
                count = (inputs["labels"] != IGNORED).sum().clamp(min=1)
            loss = loss / count
            return (loss, outputs) if return_outputs else loss

    return ObjectiveTrainer


def padded(rows: Sequence[Sequence[int]], fill: int) -> Tensor:
    """(B, W) rows as one tensor, filled up on the right."""
    width = max(map(len, rows))
    return library("torch").tensor([[*row, *[fill] * (width - len(row))] for row in rows])


def one_label(rows: int) -> Tensor:
    """(B, 2) labels that count once a row: the trainer does not count the first of a row."""
    return library("torch").tensor([[IGNORED, 1]] * rows)


def answer_places(starts: Sequence[int], lengths: Sequence[int]) -> tuple[Tensor, Tensor]:
    """(B, W) which places have a token, and which have a token of the answer."""
    torch = library("torch")
    places = torch.arange(max(lengths))[None]
    filled = places < torch.tensor(lengths)[:, None]
    return filled, filled & (places >= torch.tensor(starts)[:, None])


def answer_logits(model: CausalLM, inputs: Untyped) -> tuple[Untyped, Tensor, Tensor]:
    """The model's output, (N, V) logits before each answer token, and (B, W) where these are.

    Logits are computed from the first answer on; ``answer`` is cut there as well.
    """
    answer = inputs["answer"]
    first = int(answer.any(dim=0).nonzero()[0])
    outputs = model(
        input_ids=inputs["input_ids"],
        attention_mask=inputs["attention_mask"],
        logits_to_keep=answer.shape[1] - first + 1,
        use_cache=False,
    )
    here = answer[:, first:]
    return outputs, outputs.logits[:, :-1][here].float(), here
