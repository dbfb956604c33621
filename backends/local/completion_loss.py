"""The completion loss: logits at the answers alone, and their loss and gradient in one pass."""

from functools import cache

from .libraries import Tensor, Untyped, library
from .training_data import IGNORED

CHUNK = 32
"""Tokens whose logits are in float32 at a time: few enough for a processor's cache."""


@cache
def _cross_entropy() -> Untyped:
    """The autograd function; made when first needed, because PyTorch is imported late."""
    torch = library("torch")

    class SummedCrossEntropy(library("torch").autograd.Function):  # type: ignore[misc]
        """The sum of -log p(label), in float32; the gradient has the type of the logits.

        ``logits`` are (N, V), ``labels`` (N,). The gradient (softmax minus one-hot) is computed
        beside the loss, so that the logits are read once.
        """

        @staticmethod
        def forward(ctx: Untyped, logits: Tensor, labels: Tensor) -> Tensor:
            total = torch.zeros((), device=logits.device)
            gradient = torch.empty_like(logits)
            for start in range(0, len(labels), CHUNK):
                part = slice(start, start + CHUNK)
                logs = logits[part].float().log_softmax(dim=-1)
                wanted = labels[part, None]
                total -= logs.gather(1, wanted).sum()
                gradient[part] = logs.exp_().scatter_add_(
                    1, wanted, logs.new_full(wanted.shape, -1)
                )
            ctx.save_for_backward(gradient)
            return total

        @staticmethod
        def backward(ctx: Untyped, scale: Tensor) -> tuple[Tensor | None, ...]:
            (gradient,) = ctx.saved_tensors
            return gradient * scale.to(gradient.dtype), None

    return SummedCrossEntropy


def summed_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """The sum over tokens of -log p(label); ``logits`` are (N, V), ``labels`` (N,)."""
    loss: Tensor = _cross_entropy().apply(logits, labels)
    return loss


def completion_trainer() -> Untyped:
    """TRL's trainer, with logits at the answers alone; a class."""

    class CompletionTrainer(library("trl").SFTTrainer):  # type: ignore[misc]
        """The loss is TRL's, but for rounding; its counts of tokens and entropies are left out."""

        def get_batch_samples(
            self, epoch_iterator: Untyped, num_batches: int, device: Untyped
        ) -> tuple[list[Untyped], Untyped]:
            """The parts of a batch, with rows of like lengths in one part."""
            parts, count = super().get_batch_samples(epoch_iterator, num_batches, device)
            return sorted_by_length(parts), count

        def compute_loss(
            self,
            model: Untyped,
            inputs: Untyped,
            return_outputs: bool = False,
            num_items_in_batch: Untyped = None,
        ) -> Untyped:
            if self.aux_loss_enabled:  # experts: their balance is a part of the loss
                return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
            outputs, loss, count = _batch_loss(model, inputs)
            loss = loss / (count if num_items_in_batch is None else num_items_in_batch)
            return (loss, outputs) if return_outputs else loss

    return CompletionTrainer


def sorted_by_length(parts: list[dict[str, Tensor]]) -> list[dict[str, Tensor]]:
    """The rows of a batch in parts of the same sizes, the shortest first: less is padded.

    Each part holds (R, T) tensors, padded on the right. The sum over the batch is the same.
    """
    if len(parts) < 2:
        return parts
    whole = {name: _joined([part[name] for part in parts], name) for name in parts[0]}
    lengths = whole["attention_mask"].sum(dim=1)
    order = lengths.argsort(stable=True)
    chosen = order.split([len(part["input_ids"]) for part in parts])
    return [
        {name: rows[part, : int(lengths[part].max())] for name, rows in whole.items()}
        for part in chosen
    ]


def _joined(parts: list[Tensor], name: str) -> Tensor:
    """The rows of several parts, padded to one width."""
    torch = library("torch")
    width = max(part.shape[1] for part in parts)
    fill = IGNORED if name == "labels" else 0
    pad = torch.nn.functional.pad
    return torch.cat([pad(part, (0, width - part.shape[1]), value=fill) for part in parts])


def _batch_loss(model: Untyped, inputs: Untyped) -> tuple[Untyped, Tensor, int]:
    """The model's output, the summed loss of a batch, and how many tokens are trained on."""
    labels = inputs["labels"]
    trained = labels != IGNORED
    first = int(trained.any(dim=0).nonzero()[0])  # its logits are one place before
    outputs = model(
        input_ids=inputs["input_ids"],
        attention_mask=inputs["attention_mask"],
        logits_to_keep=labels.shape[1] - first + 1,
        use_cache=False,
    )
    wanted = labels[:, first:]
    here = trained[:, first:]
    loss = summed_loss(outputs.logits[:, :-1][here], wanted[here])
    return outputs, loss, int(here.sum())
