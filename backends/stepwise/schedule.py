"""Which rows each step of a training has, at which learning rate, and after which weights are kept.

Everything follows from the recipe, the rows and the seed, so that a resumed training goes on with
the same steps.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from random import Random

from ..base import Recipe
from ..recipes import check_training, steps_of
from .service import AdamSettings, TrainingRow


@dataclass(frozen=True)
class Schedule:
    """The steps of a training, numbered from 1.

    Raises :class:`~limen.SpecError` for ``checkpoint_steps`` past the last step, and for a training
    that would end before it has warmed up.
    """

    recipe: Recipe
    rows: Sequence[TrainingRow]
    seed: int
    _orders: dict[int, list[int]] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        check_training(self.recipe, len(self.rows))

    @property
    def batch_size(self) -> int:
        """Rows a step; the last step of an epoch may have fewer."""
        return int(self.recipe["batch_size"] or 1)

    @property
    def epochs(self) -> int:
        """How often each row is trained on."""
        return int(self.recipe["epochs"] or 1)

    @property
    def steps_an_epoch(self) -> int:
        """Steps an epoch."""
        return -(-len(self.rows) // self.batch_size)

    @property
    def total(self) -> int:
        """All steps."""
        return self.epochs * self.steps_an_epoch

    @cached_property
    def epoch_ends(self) -> tuple[int, ...]:
        """The last step of each epoch."""
        return tuple(self.steps_an_epoch * (n + 1) for n in range(self.epochs))

    @cached_property
    def kept_steps(self) -> tuple[int, ...]:
        """The steps after which weights are kept: those of the recipe, else each epoch's last."""
        chosen = steps_of(self.recipe)
        return tuple(sorted({*chosen, self.total})) if chosen else self.epoch_ends

    def batch(self, step: int) -> list[TrainingRow]:
        """The rows of a step: each epoch has an order of its own."""
        epoch, place = divmod(step - 1, self.steps_an_epoch)
        first = place * self.batch_size
        return [self.rows[n] for n in self._order(epoch)[first : first + self.batch_size]]

    def _order(self, epoch: int) -> list[int]:
        if epoch not in self._orders:
            order = list(range(len(self.rows)))
            Random(f"limen {self.seed} {epoch}").shuffle(order)
            self._orders[epoch] = order
        return self._orders[epoch]

    def tokens(self, step: int) -> int:
        """The tokens of a step that are charged: those of prompts and answers."""
        return sum(len(row.tokens) for row in self.batch(step))

    def adam(self, step: int) -> AdamSettings:
        """The optimizer's settings for a step."""
        values = {name: float(self.recipe[name] or 0.0) for name in ADAM}
        rate = float(self.recipe["learning_rate"] or 0.0) * self.rate(step)
        return AdamSettings(learning_rate=rate, **values)

    def rate(self, step: int) -> float:
        """The share of the learning rate: rises over the warm-up, then stays or falls to 0."""
        if step <= self._warmup:
            return step / (self._warmup + 1)
        if self.recipe["schedule"] == "constant":
            return 1.0
        return (self.total - step + 1) / (self.total - self._warmup)

    @property
    def _warmup(self) -> int:
        return int(self.recipe["warmup_steps"] or 0)


ADAM = ("beta1", "beta2", "eps", "weight_decay", "grad_clip_norm")
"""The recipe's settings that go to the optimizer as they are."""
