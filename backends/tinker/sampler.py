"""Sampling and scoring through the SDK."""

import threading
from collections.abc import Callable, Sequence

from ...datasets.errors import BackendError, UnknownModelError
from ..stepwise import RequestRefusedError, Sampled, Sampling, Tokens, TrainingSession
from .sdk import Sdk, sdk
from .waiting import Patience

UNLOADED = "not loaded"
"""What SkyRL says of weights whose training it has no longer in memory."""
LOADINGS = 3
"""Loadings for one call, on a server that unloads weights in between."""
LoadAgain = Callable[[], tuple[TrainingSession, Sdk]]
"""Gives a training with the same weights in memory, and a client that samples from it."""


class TinkerSampler:
    """Samples from one set of weights, or from a base model."""

    def __init__(
        self, client: Sdk, what: str, patience: Patience, load_again: LoadAgain | None
    ) -> None:
        self._client, self._what, self._patience = client, what, patience
        self._load_again = load_again
        self._session: TrainingSession | None = None
        self._lock = threading.Lock()

    def sample(self, prompt: Tokens, how: Sampling) -> Sequence[Sampled]:
        """See :class:`~limen.backends.stepwise.WeightsSampler`."""
        settings = sdk().SamplingParams(
            max_tokens=how.max_tokens,
            seed=how.seed,
            stop=list(how.stop),
            temperature=how.temperature,
            top_p=how.top_p,
        )

        def ask(client: Sdk) -> Sdk:
            return client.sample(
                prompt=_input(prompt), num_samples=how.draws, sampling_params=settings
            )

        answered = self._answer(ask, f"sampling from {self._what}")
        return [
            Sampled(tokens=tuple(each.tokens), stopped=str(each.stop_reason) == "stop")
            for each in answered.sequences
        ]

    def log_probabilities(self, tokens: Tokens) -> Sequence[float | None]:
        """See :class:`~limen.backends.stepwise.WeightsSampler`."""

        def ask(client: Sdk) -> Sdk:
            return client.compute_logprobs(_input(tokens))

        scored = list(self._answer(ask, f"scoring with {self._what}") or ())
        if len(scored) == len(tokens) - 1:  # a server that leaves the first token out
            return [None, *scored]
        return scored

    def close(self) -> None:
        """See :class:`~limen.backends.stepwise.WeightsSampler`."""
        if self._session is not None:
            self._session.close()

    def _answer(self, ask: Callable[[Sdk], Sdk], doing: str) -> Sdk:
        """An answer; weights that are not in the server's memory are loaded again."""
        for _ in range(LOADINGS):
            client = self._client
            try:
                return self._patience.result(ask(client), doing)
            except RequestRefusedError as refusal:
                if UNLOADED not in str(refusal):
                    raise
                self._reload(client, str(refusal))
            except UnknownModelError as error:
                where = self._patience.connection.shown
                raise UnknownModelError(
                    f"{self._what} is not kept at {where} any more: {error}"
                ) from None
        raise BackendError(
            f"{doing}: the server unloads the weights as soon as they are loaded: it has too few "
            f"adapters for what is asked of it; give it more, or limen fewer --limen-workers"
        )

    def _reload(self, failed: Sdk, refusal: str) -> None:
        """Load the weights that a client failed to find, unless another thread has done it."""
        if self._load_again is None:
            raise BackendError(
                f"the server has {self._what} not in memory, and no state of it is kept to load it "
                f"from ({refusal})"
            )
        with self._lock:
            if self._client is failed:
                self.close()
                self._session, self._client = self._load_again()


def _input(tokens: Tokens) -> Sdk:
    return sdk().ModelInput.from_ints(list(tokens))
