"""One training at a service: every step is applied once to what is kept, whatever happens.

A step is written down, sent, applied and saved. A process that is killed leaves at most the steps
since the last saved state undone: the next one goes on from that state, so none is applied twice.
A state whose answer was lost is found at the service by its name. What was sent may be charged, so
it is counted as spent, and a step that has to be sent again is counted again.
"""

import math
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass

from ...datasets.errors import BackendError, UnknownModelError
from ..base import Progress
from ..budget import Budget
from ..recipes import steps_of
from .ledger import SavedState, TrainingLedger
from .schedule import Schedule
from .service import (
    AdapterSettings,
    KeptWeights,
    StepFailedError,
    StepResult,
    StepwiseService,
    TrainingSession,
)

WITHOUT_DELETION = 25
"""Steps between saved states at a service that cannot delete them, unless the user says."""
POLL = 1.0
"""Seconds between looks at what the service has kept."""
_NAME = re.compile(r"limen-(?P<kind>state|weights)-(?P<step>[0-9]{6})")


@dataclass
class StepwiseTraining:
    """The steps of one training that are left, and what is kept of it.

    The caller holds the lock of the ledger.
    """

    service: StepwiseService
    ledger: TrainingLedger
    schedule: Schedule
    base: str
    adapter: AdapterSettings
    budget: Budget
    usd_a_token: float
    save_every: int | None
    """Steps between saved states; None for every step where older states can be deleted."""
    progress: Progress
    _can_delete: bool = True

    def run(self) -> None:
        """Train to the end, keep what is to be kept, and delete the rest at the service."""
        if self._is_kept():
            self._finish()
            return
        self._check_not_failed()
        session, done = self._open()
        try:
            self._keep(session, done)
            for step in range(done + 1, self.schedule.total + 1):
                self._step(session, step)
                self._keep(session, step)
                self.progress(step, self.schedule.total)
            self._finish()
        finally:
            session.close()

    def _is_kept(self) -> bool:
        return set(self.schedule.kept_steps) <= set(self.ledger.kept)

    def _finish(self) -> None:
        self._drop_states(below=self.schedule.total + 1)
        self.ledger.append("done", tokens=self.ledger.billed_tokens, steps=self.schedule.total)

    def _open(self) -> tuple[TrainingSession, int]:
        """The training at the service, and the last step that it has."""
        self._recover()
        states = self.ledger.states
        if not states:
            session, done = self.service.start(self.base, self.adapter), 0
        else:
            session, done = self._resumed(states[-1]), states[-1].step
        self.ledger.append("session", run=session.run, step=done)
        return session, done

    def _recover(self) -> None:
        """Write down what the service kept although its answer was lost."""
        if not self.ledger.runs:
            return
        self._note_kept()
        while self._may_come() and self.ledger.age < self.service.settles_in:
            time.sleep(POLL)
            self._note_kept()

    def _may_come(self) -> bool:
        """Whether the state after the step that was under way may yet be saved."""
        step = self.ledger.unanswered
        return step is not None and self._is_due(step)

    def _note_kept(self) -> None:
        for run in dict.fromkeys(self.ledger.runs):
            rejected = {step for session, step in self.ledger.rejected if session == run}
            for each in self.service.kept(run):
                step = step_of(each)
                if step is not None and step not in rejected:
                    self._note(each, step)

    def _note(self, each: KeptWeights, step: int) -> None:
        if each.kind == "weights" and step not in self.ledger.kept:
            self.ledger.append("kept", step=step, path=each.path, recovered=True)
        known = {state.path for state in self.ledger.states} | self.ledger.deleted
        if each.kind == "state" and each.path not in known:
            self.ledger.append("saved", step=step, path=each.path, recovered=True)

    def _resumed(self, state: SavedState) -> TrainingSession:
        try:
            return self.service.resume(self.base, state.path)
        except UnknownModelError:
            raise BackendError(
                f"the training of {self.base} cannot go on: its state after step {state.step} of "
                f"{self.schedule.total} has expired or was deleted at {self.service.address}. "
                f"'limen jobs forget {self.ledger.path.stem}' has the next run train from the "
                f"start, which is charged again"
            ) from None

    def _step(self, session: TrainingSession, step: int) -> None:
        tokens = self.schedule.tokens(step)
        usd = self._reserve(session, step, tokens)
        name = state_name(step) if self._is_due(step) else None
        try:
            self.ledger.append("sent", step=step, tokens=tokens)
            batch, adam = self.schedule.batch(step), self.schedule.adam(step)
            result = session.step(batch, adam, save_as=name)
        except StepFailedError:
            self.ledger.append("rejected", run=session.run, step=step)
            raise
        finally:
            self.budget.settle(usd, usd)  # what was sent may be charged, whatever came of it
        self._check_loss(step, result)
        self.ledger.append("applied", step=step, loss=result.loss)
        if result.state is not None:
            self._saved(step, result.state)

    def _reserve(self, session: TrainingSession, step: int, tokens: int) -> float:
        """Set aside what a step costs; without room for it, save what there is and stop."""
        usd = tokens * self.usd_a_token
        if self.budget.reserve(usd):
            return usd
        done = step - 1
        if done and done not in {state.step for state in self.ledger.states}:
            self._saved(done, session.save_state(state_name(done)))
        raise self.budget.exhausted(usd, f"step {step} of {self.schedule.total} of a training")

    def _saved(self, step: int, path: str) -> None:
        self.ledger.append("saved", step=step, path=path)
        self._drop_states(below=step)

    def _is_due(self, step: int) -> bool:
        every = self.save_every or (1 if self._can_delete else WITHOUT_DELETION)
        last = step == self.schedule.total
        return last or step % every == 0 or step in self.schedule.kept_steps

    def _drop_states(self, *, below: int) -> None:
        """Delete the states before a step, but for those that the recipe names."""
        chosen = steps_of(self.schedule.recipe)
        for state in self.ledger.states:
            if state.step < below and state.step not in chosen and self._can_delete:
                self._can_delete = self.service.delete(state.path)
                if self._can_delete:
                    self.ledger.append("deleted", path=state.path)

    def _keep(self, session: TrainingSession, step: int) -> None:
        """Keep the weights after a step, if they are to be kept and are not yet."""
        if step in self.schedule.kept_steps and step not in self.ledger.kept:
            path = session.save_weights(weights_name(step))
            self.ledger.append("kept", step=step, path=path)

    def _check_loss(self, step: int, result: StepResult) -> None:
        """Raise for a loss that is no number, now and whenever the training is run again."""
        if result.loss is not None and not math.isfinite(result.loss):
            self.ledger.append("failed", why=f"its loss is {result.loss} in step {step}")
        self._check_not_failed()

    def _check_not_failed(self) -> None:
        if self.ledger.failed:
            raise BackendError(f"the training diverged: {self.ledger.failed}; lower learning_rate")


def state_name(step: int) -> str:
    """The name of the state after a step."""
    return f"limen-state-{step:06d}"


def weights_name(step: int) -> str:
    """The name of the weights after a step."""
    return f"limen-weights-{step:06d}"


def step_of(kept: KeptWeights) -> int | None:
    """The step after which weights were saved; None for those that are not limen's."""
    match = _NAME.fullmatch(kept.name)
    return None if match is None else int(match["step"])


def epoch_losses(ledger: TrainingLedger, epoch_ends: Sequence[int]) -> tuple[float, ...]:
    """The mean loss of the steps of each epoch, in nats a token, where any is known."""
    known = ledger.losses
    means, first = [], 1
    for end in epoch_ends:
        losses = [loss for n in range(first, end + 1) if (loss := known.get(n)) is not None]
        if losses:
            means.append(math.fsum(losses) / len(losses))
        first = end + 1
    return tuple(means)
