"""Tinker's API through its SDK: what :class:`~limen.backends.stepwise.StepwiseService` asks for."""

import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

from ...datasets.errors import BackendError, LimenError, UnknownModelError
from ..redaction import guard_logs
from ..stepwise import (
    AdapterSettings,
    KeptWeights,
    OfferedModel,
    RequestRefusedError,
    Tokenizer,
    TrainingSession,
    WeightsSampler,
)
from .connection import Connection, connection
from .errors import LATER
from .sampler import TinkerSampler
from .sdk import Sdk, has_direct_rest_client, sdk, sdk_loggers, sdk_version
from .session import TinkerSession
from .tokenizers import load_tokenizer
from .waiting import LONGEST, Patience

FULL = "Maximum number of LoRA adapters"
"""What SkyRL says while all of its adapters are taken. They are freed as trainings end."""
FULL_PAUSE = 3.0
FULL_LONGEST = 1800.0
"""Seconds to wait for an adapter. Those of a killed client are free after 300."""
SAMPLED = "limen-sampled"
"""The name of weights that were loaded again, to sample from."""


class TinkerService:
    """A service with Tinker's API. Nothing is sent before something is asked of it."""

    def __init__(
        self,
        known: Connection | None = None,
        *,
        outage: float = 30.0,
        longest: float = LONGEST,
        settles_in: float = 30.0,
    ) -> None:
        self._connection = known or connection()
        self._patience = Patience(self._connection, outage=outage, longest=longest)
        self._settles_in = settles_in
        self._lock = threading.Lock()

    @property
    def address(self) -> str:
        """See :class:`~limen.backends.stepwise.StepwiseService`."""
        return self._connection.shown

    @property
    def identity(self) -> str:
        """See :class:`~limen.backends.stepwise.StepwiseService`."""
        return "" if self._connection.is_hosted else self._connection.shown

    @property
    def is_free(self) -> bool:
        """See :class:`~limen.backends.stepwise.StepwiseService`."""
        return self._connection.is_own

    @property
    def settles_in(self) -> float:
        """See :class:`~limen.backends.stepwise.StepwiseService`."""
        return self._settles_in

    def offered(self) -> Sequence[OfferedModel]:
        """See :class:`~limen.backends.stepwise.StepwiseService`."""
        self._check_key()
        self._patience.check_contact()
        found = self._patience.call(self._capabilities, "asking which models there are")
        return [_offered(model) for model in found.supported_models if model.model_name]

    def tokenizer(self, base: str) -> Tokenizer:
        """See :class:`~limen.backends.stepwise.StepwiseService`; from the hub, or a folder."""
        return load_tokenizer(os.environ.get("LIMEN_TINKER_TOKENIZER") or base, base)

    def start(self, base: str, adapter: AdapterSettings) -> TrainingSession:
        """See :class:`~limen.backends.stepwise.StepwiseService`; in a session of its own."""
        service = self._new_service()

        def make() -> Sdk:
            return settled(
                service.create_lora_training_client(
                    base_model=base,
                    rank=adapter.rank,
                    seed=adapter.seed,
                    train_mlp=adapter.train_mlp,
                    train_attn=adapter.train_attn,
                    train_unembed=adapter.train_unembed,
                )
            )

        client = self._opened(make, f"starting a training of {base}")
        return TinkerSession(client, service, self._patience)

    def resume(self, base: str, state: str) -> TrainingSession:
        """See :class:`~limen.backends.stepwise.StepwiseService`."""
        service = self._new_service()

        def make() -> Sdk:
            return settled(service.create_training_client_from_state_with_optimizer(state))

        client = self._opened(make, f"going on from {state}")
        return TinkerSession(client, service, self._patience)

    def sampler(self, base: str, weights: str | None, state: str | None) -> WeightsSampler:
        """See :class:`~limen.backends.stepwise.StepwiseService`."""
        client = self._sampling_client(base, weights)
        load_again = None if state is None else lambda: self._loaded_again(base, state)
        return TinkerSampler(client, weights or base, self._patience, load_again)

    def kept(self, run: str) -> Sequence[KeptWeights]:
        """See :class:`~limen.backends.stepwise.StepwiseService`."""
        doing = f"listing what is kept of {run}"
        try:
            found = self._patience.call(lambda: concluded(self._rest.list_checkpoints(run)), doing)
        except UnknownModelError:
            return []
        return [_kept(each) for each in found.checkpoints]

    def delete(self, path: str) -> bool:
        """See :class:`~limen.backends.stepwise.StepwiseService`."""
        doing = f"deleting {path}"
        remove = self._rest.delete_checkpoint_from_tinker_path
        try:
            self._patience.call(lambda: concluded(remove(path)), doing)
        except (LimenError, RequestRefusedError):  # it is gone, or the server cannot delete
            run = path.removeprefix("tinker://").partition("/")[0]
            return path not in {each.path for each in self.kept(run)}
        return True

    def facts(self) -> Mapping[str, str]:
        """See :class:`~limen.backends.stepwise.StepwiseService`."""
        kind = "the provider's" if self._connection.is_hosted else "your own or another's"
        return {"address": f"{self.address} ({kind})", "SDK": f"tinker {sdk_version()}"}

    def stop(self) -> None:
        """See :class:`~limen.backends.stepwise.StepwiseService`."""
        self._patience.stopped.set()

    def _sampling_client(self, base: str, weights: str | None) -> Sdk:
        chosen = {"base_model": base} if weights is None else {"model_path": weights}
        make = self._sampling.create_sampling_client
        return self._opened(
            lambda: settled(make(**chosen)), f"opening {weights or base} to sample from"
        )

    def _loaded_again(self, base: str, state: str) -> tuple[TrainingSession, Sdk]:
        """A training from a state, to sample from: for servers that sample only from those."""
        session = self.resume(base, state)
        try:
            weights = session.save_weights(SAMPLED)
            return session, self._sampling_client(base, weights)
        except BaseException:
            session.close()
            raise

    def _opened(self, make: Callable[[], Sdk], doing: str) -> Sdk:
        """What a call makes; waits while the server has no room for another adapter."""
        self._check_key()
        end = time.monotonic() + FULL_LONGEST
        while True:
            try:
                return self._patience.call(make, doing)
            except RequestRefusedError as refusal:
                if FULL not in str(refusal) or time.monotonic() > end:
                    raise BackendError(f"{doing}: {refusal}; {LATER}") from None
            self._patience.pause(FULL_PAUSE)

    def _new_service(self) -> Sdk:
        """A client with a session of its own, which ends when the client is closed."""
        self._check_key()
        self._patience.check_contact()
        known = self._connection
        return self._patience.call(
            lambda: sdk().ServiceClient(**_arguments(known)), f"connecting to {known.shown}"
        )

    @cached_property
    def _sampling(self) -> Sdk:
        """The client whose session all sampling shares."""
        with self._lock:
            return self._new_service()

    @cached_property
    def _rest(self) -> Sdk:
        """The client for plain requests."""
        if has_direct_rest_client():
            return self._patience.call(
                lambda: sdk().RestClient(**_arguments(self._connection)), "connecting"
            )
        return self._patience.call(self._sampling.create_rest_client, "connecting")

    def _capabilities(self) -> Sdk:
        if has_direct_rest_client():
            return concluded(self._rest.get_server_capabilities())
        return self._sampling.get_server_capabilities()

    def _check_key(self) -> None:
        guard_logs(self._connection.redactor, "httpx", *sdk_loggers())
        sources = ("TINKER_API_KEY", "TINKER_CREDENTIAL_CMD")
        stored = os.path.expanduser("~/.tinker/credentials.json")
        if self._connection.is_hosted and not (
            any(map(os.environ.get, sources)) or os.path.exists(stored)
        ):
            raise BackendError(
                "no key for Tinker: set TINKER_API_KEY, or set TINKER_BASE_URL to a server of your "
                "own, such as http://127.0.0.1:8000"
            )


def _arguments(known: Connection) -> dict[str, str]:
    given = {"base_url": known.url, "api_key": known.key}
    return {name: value for name, value in given.items() if value is not None}


def settled(made: Sdk) -> Sdk:
    """What a ``create_...`` call makes: itself in old versions, a future of it in newer ones."""
    return made.result() if callable(getattr(made, "result", None)) else made


def concluded(pending: Sdk) -> Sdk:
    """The result of a future."""
    return pending.result()


def _offered(model: Sdk) -> OfferedModel:
    known = vars(model)
    return OfferedModel(
        name=model.model_name,
        can_train=known.get("trainable") is not False,
        max_tokens=known.get("max_context_length"),
    )


def _kept(checkpoint: Sdk) -> KeptWeights:
    known = vars(checkpoint)
    size, expires = known.get("size_bytes"), known.get("expires_at")
    return KeptWeights(
        path=checkpoint.tinker_path,
        name=str(checkpoint.tinker_path).rpartition("/")[2],
        kind="state" if checkpoint.checkpoint_type == "training" else "weights",
        size=size,
        expires=None if expires is None else str(expires),
    )
