"""The trainings of a store at a step-wise service, what it keeps for them, and deleting that."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ...datasets.errors import BackendError
from .ledger import TrainingLedger
from .service import KeptWeights, StepwiseService
from .students import Students
from .training import step_of


@dataclass(frozen=True, kw_only=True)
class TrainingSummary:
    """One training, as its ledger has it."""

    training: str
    base: str
    address: str
    """Of the service."""
    seed: int
    steps: int
    last_step: int
    """The last one that was applied."""
    finished: bool
    failed: bool
    """Whether it diverged, so that no further step helps."""
    sent_again: int
    """Steps that a crash had sent again."""
    tokens: int
    """The tokens of all steps that were sent."""
    students: tuple[str, ...]

    @property
    def state(self) -> str:
        """How far it is, in words."""
        again = f", {self.sent_again} sent again" if self.sent_again else ""
        place = f"at step {self.last_step:,} of {self.steps:,}"
        done = "succeeded" if self.finished else f"{'failed ' * self.failed}{place}"
        return f"{done}{again}"


@dataclass(frozen=True, kw_only=True)
class KeptForTraining:
    """Weights that the service keeps, and after which step of which training."""

    training: str
    step: int | None
    weights: KeptWeights


class Trainings:
    """All trainings below a backend's folder."""

    def __init__(self, home: Path) -> None:
        self._students = Students(home)

    def all(self) -> list[TrainingSummary]:
        """Every training that has begun; nothing is asked of the service."""
        ledgers = ((each, self._students.ledger(each)) for each in self._students.trainings())
        return [self._summary(each, ledger) for each, ledger in ledgers if ledger.begun]

    def find(self, what: str) -> TrainingSummary:
        """The training whose digest begins so, or that a student is from.

        Raises :class:`~limen.BackendError` if it is not one.
        """
        found = [t for t in self.all() if t.training.startswith(what) or what in t.students]
        if len(found) != 1 or not what:
            count = "no training" if not found else f"{len(found)} trainings"
            raise BackendError(f"{count} {what!r} in the store: see limen jobs list")
        return found[0]

    def kept(self, service: StepwiseService, training: str) -> list[KeptForTraining]:
        """What the service keeps for a training, in all of its sessions there."""
        ledger = self._students.ledger(training)
        found = (each for run in dict.fromkeys(ledger.runs) for each in service.kept(run))
        return [KeptForTraining(training=training, step=step_of(k), weights=k) for k in found]

    def delete(self, service: StepwiseService, kept: Iterable[KeptForTraining]) -> tuple[int, int]:
        """Delete kept weights; returns how many are gone, and how many the service still has.

        Raises :class:`~limen.BackendError` while their training is under way.
        """
        gone = left = 0
        for each in kept:
            with _idle(each.training), self._students.locked(each.training, wait=False) as ledger:
                deleted = service.delete(each.weights.path)
                if deleted:
                    ledger.append("deleted", path=each.weights.path)
            gone, left = gone + deleted, left + (not deleted)
        return gone, left

    def forget(self, training: str) -> None:
        """Drop a training from the store's records, so that the next run trains it again.

        Raises :class:`~limen.BackendError` while it is under way.
        """
        with _idle(training):
            self._students.forget(training)

    def _summary(self, training: str, ledger: TrainingLedger) -> TrainingSummary:
        begun = ledger.begun
        return TrainingSummary(
            training=training,
            base=str(begun["base"]),
            address=str(begun["address"]),
            seed=int(begun["seed"]),
            steps=int(begun["steps"]),
            last_step=ledger.last_applied,
            finished=ledger.done is not None,
            failed=ledger.failed is not None,
            sent_again=ledger.sent_again,
            tokens=ledger.billed_tokens,
            students=tuple(self._students.ids(training)),
        )


@contextmanager
def _idle(training: str) -> Iterator[None]:
    """Say so where a training is under way in another process."""
    try:
        yield
    except TimeoutError:
        raise BackendError(f"the training {training} is under way: end its run first") from None
