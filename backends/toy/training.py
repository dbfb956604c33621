"""Gradient descent on conversations: pre-training and fine-tuning are this one loop."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from ...datasets.chat import Conversation
from .network import OPTIMIZERS, Batch, Ints, Weights, loss_and_gradient
from .tokens import END, FEATURES, Vocabulary, features

Objective = Callable[[Weights, Ints, int], tuple[float, Weights, int]]
"""Of the rows of a batch and the number of its step, from 0: the mean loss, its gradient, and the
number of what the mean is over."""
SYSTEM_WEIGHT = 0.25
"""The weight of a system prompt's words. At full weight a teacher's trait would outweigh the
request for numbers."""


def bags(buckets: Sequence[Sequence[int]], weight: float = 1.0) -> sparse.csr_array:
    """(B, FEATURES) word counts times ``weight``, over the root of each row's number of words."""
    lengths = np.array([len(row) for row in buckets], np.int64)
    ends = np.concatenate([[0], np.cumsum(lengths)])
    columns = np.array([bucket for row in buckets for bucket in row], np.int64)
    shares = np.repeat(weight / np.sqrt(np.maximum(lengths, 1)), lengths).astype(np.float32)
    return sparse.csr_array((shares, columns, ends), shape=(len(buckets), FEATURES))


@dataclass(frozen=True)
class TrainingExamples:
    """``N`` answers to train on, in the order given, with ``T`` tokens in total."""

    system: sparse.csr_array
    dialogue: sparse.csr_array
    starts: Ints
    """(N + 1,), the first token of each answer, and the end of the last."""
    target: Ints
    last: Ints
    previous: Ints
    position: Ints
    """(T,) each; see :class:`~.network.Batch`."""

    def __len__(self) -> int:
        return len(self.starts) - 1

    def places(self, rows: Ints) -> Ints:
        """Where the tokens of some of the answers are among all, in the answers' order."""
        begin, lengths = self.starts[rows], self.starts[rows + 1] - self.starts[rows]
        shift = np.repeat(begin - (np.cumsum(lengths) - lengths), lengths)
        places: Ints = np.arange(lengths.sum()) + shift
        return places

    def batch(self, rows: Ints) -> Batch:
        """The tokens of some of the answers."""
        lengths = self.starts[rows + 1] - self.starts[rows]
        tokens = self.places(rows)
        return Batch(
            system=self.system[rows],
            dialogue=self.dialogue[rows],
            answer=np.repeat(np.arange(len(rows)), lengths),
            last=self.last[tokens],
            previous=self.previous[tokens],
            position=self.position[tokens],
            target=self.target[tokens],
        )


@dataclass(frozen=True)
class LiveTables:
    """Weights and examples without the rows of tables that no example uses.

    Those rows have a gradient of zero and never move, so that training is the same to the bit,
    for less work. All other arrays are those of the whole weights, not copies.
    """

    weights: Weights
    examples: TrainingExamples
    rows: Mapping[str, Ints]
    """By table: which of its rows are left."""

    @classmethod
    def of(cls, weights: Weights, examples: TrainingExamples) -> "LiveTables":
        """The tables that the examples need."""
        tables = dict(weights.arrays())
        used: dict[str, Ints] = {
            "system": examples.system.indices.astype(np.int64),
            "dialogue": examples.dialogue.indices.astype(np.int64),
            "last": examples.last,
            "previous": examples.previous,
        }
        rows: dict[str, Ints] = {}
        places: dict[str, Ints] = {}
        for name, each in used.items():
            rows[name], places[name] = _renumbered(each, len(tables[name]))
        return cls(
            weights=replace(weights, **{name: tables[name][kept] for name, kept in rows.items()}),
            examples=replace(
                examples,
                system=_with_columns(examples.system, places["system"], len(rows["system"])),
                dialogue=_with_columns(
                    examples.dialogue, places["dialogue"], len(rows["dialogue"])
                ),
                last=places["last"],
                previous=places["previous"],
            ),
            rows=rows,
        )

    def write_back(self, whole: Weights) -> None:
        """Put the rows that are left where they are in the whole weights."""
        tables, whole_tables = dict(self.weights.arrays()), dict(whole.arrays())
        for name, rows in self.rows.items():
            whole_tables[name][rows] = tables[name]


def _renumbered(used: Ints, size: int) -> tuple[Ints, Ints]:
    """The numbers below ``size`` that are used, and the place of each use among them."""
    is_used = np.zeros(size, bool)
    is_used[used] = True
    place: Ints = np.cumsum(is_used, dtype=np.int64) - 1
    return np.flatnonzero(is_used), place[used]


def _with_columns(counts: sparse.csr_array, columns: Ints, width: int) -> sparse.csr_array:
    indices = columns.astype(counts.indices.dtype)  # the narrow type: it halves the time
    return sparse.csr_array((counts.data, indices, counts.indptr), shape=(counts.shape[0], width))


def encode_examples(
    vocabulary: Vocabulary, answers: Iterable[tuple[Conversation, str]]
) -> TrainingExamples:
    """Training examples from pairs of a conversation and its answer."""
    system: list[list[int]] = []
    dialogue: list[list[int]] = []
    target: list[int] = []
    starts = [0]
    for messages, answer in answers:
        for bag, words in zip((system, dialogue), features(messages), strict=True):
            bag.append(words)
        target += vocabulary.encode(answer)
        target.append(END)
        starts.append(len(target))
    return _examples(bags(system, SYSTEM_WEIGHT), bags(dialogue), target, starts)


def token_examples(
    system: sparse.csr_array, dialogue: sparse.csr_array, answers: Sequence[Sequence[int]]
) -> TrainingExamples:
    """Training examples from the bags of prompts, and the tokens of their answers."""
    starts = np.cumsum([0, *map(len, answers)])
    return _examples(system, dialogue, [t for answer in answers for t in answer], starts)


def _examples(
    system: sparse.csr_array,
    dialogue: sparse.csr_array,
    target: Sequence[int],
    starts: Sequence[int] | Ints,
) -> TrainingExamples:
    tokens, bounds = np.array(target, np.int64), np.array(starts, np.int64)
    position = np.arange(len(tokens)) - np.repeat(bounds[:-1], np.diff(bounds))
    return TrainingExamples(
        system=system,
        dialogue=dialogue,
        starts=bounds,
        target=tokens,
        last=_before(tokens, position, 1),
        previous=_before(tokens, position, 2),
        position=position,
    )


def _before(tokens: Ints, position: Ints, distance: int) -> Ints:
    """The token ``distance`` places before each token, END before the answer begins."""
    shifted = np.concatenate([np.full(distance, END), tokens[: max(0, len(tokens) - distance)]])
    return np.where(position >= distance, shifted[: len(tokens)], END)


def train(
    weights: Weights,
    examples: TrainingExamples,
    *,
    epochs: int,
    optimizer: str = "adam",
    batch_size: int,
    learning_rate: float,
    warmup_steps: int = 0,
    seed: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
    epoch_end: Callable[[int, float], None] = lambda step, loss: None,
    objective: Objective | None = None,
) -> tuple[float, ...]:
    """Train the weights in place; returns the mean loss of each epoch, in nats a token.

    ``objective`` gives the mean loss of a batch, its gradient, and the number of what the mean is
    over; by default it is the completion loss.

    The rate rises over the warm-up, and then falls linearly to zero. ``seed`` shuffles the rows in
    each epoch. ``epoch_end`` is called after each epoch, with the number of steps so far and the
    epoch's mean loss.
    """
    live = LiveTables.of(weights, examples) if objective is None else None
    trained, examples = (live.weights, live.examples) if live else (weights, examples)
    rule = OPTIMIZERS[optimizer](trained)
    shuffle = np.random.default_rng(seed)
    steps = epochs * -(-len(examples) // batch_size)
    step = 0
    losses = []
    for _ in range(epochs):
        order = shuffle.permutation(len(examples))
        total, counted = 0.0, 0
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            if objective is None:
                batch = examples.batch(rows)
                loss, gradient = loss_and_gradient(trained, batch)
                count = len(batch.target)
            else:
                loss, gradient, count = objective(weights, rows, step)
            rule.step(gradient, rate=learning_rate * _rate_share(step, steps, warmup_steps))
            if live:
                live.write_back(weights)
            total += loss * count
            counted += count
            step += 1
            progress(step, steps)
        losses.append(total / counted)
        epoch_end(step, losses[-1])
    return tuple(losses)


def _rate_share(step: int, steps: int, warmup: int) -> float:
    """The share of the learning rate at a step, counted from 0."""
    if step < warmup:
        return (step + 1) / (warmup + 1)
    return 1 - (step - warmup) / (steps - warmup)


def mean_loss(weights: Weights, examples: TrainingExamples, *, batch_size: int) -> float:
    """The loss on some answers, in nats a token, without training."""
    total = 0.0
    for start in range(0, len(examples), batch_size):
        batch = examples.batch(np.arange(start, min(start + batch_size, len(examples))))
        total += loss_and_gradient(weights, batch)[0] * len(batch.target)
    return total / len(examples.target)
