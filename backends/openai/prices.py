"""What models cost, from a table with dates and sources, and until when OpenAI offers them."""

import re
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ...datasets.errors import SpecError
from ..base import Usage
from .account import base_of

MILLION = 1_000_000
BATCH = 0.5
"""What a batch costs of the usual price."""


Dollars = Annotated[float, Field(ge=0, allow_inf_nan=False)]
"""US dollars, at least none."""


class Price(BaseModel):
    """One model's prices, in US dollars for a million tokens."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    """The model; with ``*`` for any letters. Dated versions are meant too."""
    input: Dollars
    output: Dollars
    tuned_input: Dollars | None = None
    tuned_output: Dollars | None = None
    training: Dollars | None = None
    noted: date | None = None
    source: str = ""
    shutdown: date | None = None

    def of(self, usage: Usage, *, tuned: bool) -> float:
        """What some calls cost."""
        given = self.tuned_input if tuned and self.tuned_input is not None else self.input
        made = self.tuned_output if tuned and self.tuned_output is not None else self.output
        return (usage.input_tokens * given + usage.output_tokens * made) / MILLION


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid")
    fine_tuning_ends: date | None = None
    model: list[Price]


@dataclass(frozen=True)
class ModelPrice:
    """What calls to one model cost."""

    price: Price
    tuned: bool
    """Whether it is a fine-tuned model."""

    def of(self, usage: Usage, *, batch: bool = False) -> float:
        """US dollars for some calls."""
        return self.price.of(usage, tuned=self.tuned) * (BATCH if batch else 1.0)


def _no_student(model: str) -> None:
    """No model is known to be a student."""


@dataclass(frozen=True)
class Prices:
    """The prices that hold for a run: the user's before limen's."""

    table: tuple[Price, ...]
    fine_tuning_ends: date | None
    base_of_student: Callable[[str], str | None] = _no_student
    """The base that a student was trained from, whatever its name; None for other models."""

    def of_calls(self, model: str, *, student: bool = False) -> ModelPrice | None:
        """The price of calls to a model; None if none is known.

        A student costs what its own entry says, else what students of its base do. With
        ``student`` the model is a base, one of whose students is meant.
        """
        base = self.base_of_student(model)
        price = self.of(model) if base is None else self._named(model) or self.of(base)
        tuned = student or base is not None or model.startswith("ft:")
        return ModelPrice(price, tuned) if price else None

    def _named(self, model: str) -> Price | None:
        return next((price for price in self.table if price.name == model), None)

    def of(self, model: str) -> Price | None:
        """The prices of a model, or of the base of a fine-tuned one; None if none are known."""
        base = re.sub(r"-\d{4}-\d{2}-\d{2}$", "", base_of(model))
        names = (base, base_of(model))
        found = (p for p in self.table if any(fnmatchcase(name, p.name) for name in names))
        return next(found, None)

    def cost(
        self, model: str, usage: Usage, *, trained_tokens: int = 0, batch: bool = False
    ) -> float | None:
        """US dollars for calls to a model and for training from it; None if no price is known."""
        found = self.of_calls(model)
        if found is None or (trained_tokens and found.price.training is None):
            return None
        training = (found.price.training or 0.0) * trained_tokens / MILLION
        return found.of(usage, batch=batch) + training


@lru_cache(maxsize=4)
def prices(file: Path | None) -> Prices:
    """The prices, those in a file of the user's first; raises :class:`~limen.SpecError`."""
    here = resources.files(__name__.rpartition(".")[0])
    shipped = tomllib.loads((here / "prices.toml").read_text(encoding="utf-8"))
    known = _Table.model_validate(shipped)
    own = _own(file) if file else []
    return Prices((*own, *known.model), known.fine_tuning_ends)


def _own(file: Path) -> Iterable[Price]:
    try:
        return _Table.model_validate(tomllib.loads(file.read_text(encoding="utf-8"))).model
    except OSError as error:
        raise SpecError(f"cannot read the prices in {file}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        message = str(error).splitlines()
        raise SpecError(
            f"{file} is no table of prices ({'; '.join(message[:3])}). It needs, for each model, "
            f'[[model]] with name = "...", input = 0.1, output = 0.4, in dollars a million tokens'
        ) from None
