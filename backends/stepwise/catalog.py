"""The base models that a service offers, and those that it offered before."""

import difflib
import hashlib
import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

from ...datasets.errors import BackendError, SpecError, UnknownModelError
from .. import records
from ..base import Model
from .prices import TokenPrice
from .service import OfferedModel, StepwiseService


class Catalog:
    """Base models by name. The service is asked once; ``file`` remembers when it had which."""

    def __init__(
        self,
        service: StepwiseService,
        file: Path,
        *,
        version: int,
        price: Callable[[str], TokenPrice | None],
        estimate_only: bool,
    ) -> None:
        self._service, self._file, self._version = service, file, version
        self._price, self._estimate_only = price, estimate_only
        self._offered: dict[str, OfferedModel] | None = None
        self._lock = threading.Lock()

    def describe(self, base: str) -> Model:
        """The description of a base model; raises :class:`~limen.UnknownModelError`."""
        offered = self._of(base)
        return Model(
            name=base,
            fingerprint=_digest([self._version, self._service.identity, base]),
            can_fine_tune=offered.can_train,
            why_not="" if offered.can_train else f"{self._service.address} only samples from it",
        )

    def with_weights(self, base: Model, weights: str) -> Model:
        """The description of weights from elsewhere, over a base model."""
        return replace(
            base,
            name=f"{base.name}@{weights}",
            fingerprint=_digest([base.fingerprint, weights]),
            can_fine_tune=False,
            why_not="it is an adapter: fine-tune its base model",
        )

    def only_model(self) -> str:
        """The model of a server that has one; raises :class:`~limen.SpecError`."""
        names = list(self._all())
        if len(names) == 1:
            return names[0]
        raise SpecError(
            f"{self._service.address} offers {len(names)} models: name one with --limen-model"
            + (f", such as {names[0]}" if names else "")
        )

    def _of(self, base: str) -> OfferedModel:
        try:
            known = self._all()
        except BackendError:
            if not self._estimate_only:
                raise
            return OfferedModel(name=base)  # a plan needs no key
        if base not in known:
            raise self._unknown(base, list(known))
        return known[base]

    def _all(self) -> dict[str, OfferedModel]:
        with self._lock:
            if self._offered is None:
                self._offered = {model.name: model for model in self._service.offered()}
                self._remember()
            return self._offered

    def _remember(self) -> None:
        today = time.strftime("%Y-%m-%d", time.gmtime())
        seen = dict.fromkeys(self._offered or (), today)
        if not self._estimate_only:
            with records.locked(self._file):
                before = records.read(self._file) or {}
                if not seen.items() <= before.items():
                    records.write(self._file, {**before, **seen})

    def _unknown(self, base: str, names: list[str]) -> UnknownModelError:
        where, price = self._service.address, self._price(base)
        close = difflib.get_close_matches(base, names, n=3, cutoff=0.3) or names[:3]
        hint = f"; it has {', '.join(close)}" if close else ""
        last = (records.read(self._file) or {}).get(base)
        if price is not None and price.shutdown is not None and price.shutdown <= date.today():
            return UnknownModelError(f"{where} retired {base} on {price.shutdown}{hint}")
        if last is not None:
            return UnknownModelError(
                f"{where} has retired {base}: it was last offered on {last}{hint}. Finished "
                f"results in the store stay"
            )
        return UnknownModelError(f"unknown model {base!r} at {where}{hint}")


def _digest(parts: list[object]) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
