"""One training through the SDK."""

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict

from ...datasets.errors import BackendError, UnknownModelError
from ..stepwise import (
    AdamSettings,
    RequestRefusedError,
    StepFailedError,
    StepResult,
    TrainingRow,
)
from .errors import FailedRequestError
from .sdk import Sdk, sdk
from .waiting import Patience

LOSS = "cross_entropy"
CLOSING = 10.0
"""Seconds that the service has to take note of the end of a session."""


class TinkerSession:
    """One training client, in a session of the service that is its own."""

    def __init__(self, client: Sdk, connected: Sdk, patience: Patience) -> None:
        self._client: Sdk = client
        self._connected: Sdk = connected
        self._patience = patience
        self._run = str(client.model_id)

    @property
    def run(self) -> str:
        """See :class:`~limen.backends.stepwise.TrainingSession`."""
        return self._run

    def step(
        self, batch: Sequence[TrainingRow], adam: AdamSettings, *, save_as: str | None
    ) -> StepResult:
        """See :class:`~limen.backends.stepwise.TrainingSession`.

        Each request is sent once the one before is done. SkyRL 0.3.0 may otherwise take the
        optimizer's step first, without its gradient; and a state that is asked for before the
        step is known to be applied may be saved without it, under the name of the step.
        """
        try:
            computed = self._client.forward_backward(list(map(_datum, batch)), LOSS)
            output = self._patience.result(computed, "computing a step")
            stepped = self._client.optim_step(sdk().AdamParams(**asdict(adam)))
            self._patience.result(stepped, "applying a step")
            state = None
            if save_as is not None:
                saved = self._client.save_state(save_as)
                state = str(self._patience.result(saved, "saving a state").path)
        except (RequestRefusedError, FailedRequestError) as error:
            raise StepFailedError(f"the service could not do a step: {error}") from None
        except UnknownModelError as error:
            raise StepFailedError(str(self._lost(error))) from None
        return StepResult(loss=loss_of(output, batch), state=state)

    def save_state(self, name: str) -> str:
        """See :class:`~limen.backends.stepwise.TrainingSession`."""
        return self._saved(self._client.save_state(name))

    def save_weights(self, name: str) -> str:
        """See :class:`~limen.backends.stepwise.TrainingSession`."""
        return self._saved(self._client.save_weights_for_sampler(name))

    def close(self) -> None:
        """See :class:`~limen.backends.stepwise.TrainingSession`."""
        with suppress(Exception):  # the service ends sessions by itself, only later
            if hasattr(self._connected, "close"):
                self._connected.close("success").result(CLOSING)
            else:
                self._unload()
        self._connected = self._client = None

    def _saved(self, pending: Sdk) -> str:
        try:
            return str(self._patience.result(pending, "saving weights").path)
        except RequestRefusedError as refusal:
            raise BackendError(f"the service does not save the weights: {refusal}") from None
        except UnknownModelError as error:
            raise self._lost(error) from None

    def _lost(self, error: UnknownModelError) -> BackendError:
        """A server that was started anew has saved states, and no training in memory."""
        return BackendError(
            f"{self._patience.connection.shown} has lost the training {self._run} ({error}): run "
            f"the same command again to go on from its last saved state"
        )

    def _unload(self) -> None:
        """What old versions of the SDK have no method for: free the adapter at the server."""
        import httpx

        known = self._patience.connection
        httpx.post(
            f"{known.url}/api/v1/unload_model",
            json={"model_id": self.run, "type": "unload_model"},
            headers={"X-API-Key": known.key or ""},
            timeout=CLOSING,
        )


def _datum(row: TrainingRow) -> Sdk:
    """A row as the SDK has it: the weights are 1 for the answer and 0 for the prompt."""
    return sdk().Datum(
        model_input=sdk().ModelInput.from_ints(list(row.inputs)),
        loss_fn_inputs={"target_tokens": list(row.targets), "weights": list(row.weights)},
    )


def loss_of(output: Sdk, batch: Sequence[TrainingRow]) -> float | None:
    """The mean loss of the answers' tokens, from their log-probabilities.

    Metrics may be empty, and servers differ in what they add up there. None if any of these
    log-probabilities is missing.
    """
    outputs = list(output.loss_fn_outputs or ())
    if len(outputs) != len(batch):
        return None
    total, tokens = 0.0, 0
    for row, each in zip(batch, outputs, strict=True):
        values = _log_probabilities(each)
        if len(values) < len(row.targets):
            return None
        total -= math.fsum(values[len(row.targets) - row.answer : len(row.targets)])
        tokens += row.answer
    return total / tokens if tokens else None


def _log_probabilities(output: Sdk) -> list[float]:
    """Those of a row's targets, as far as the service has returned them."""
    return [float(value) for value in output["logprobs"].data] if "logprobs" in output else []
