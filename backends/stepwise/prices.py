"""What models cost by the kind of token: read in, sampled, trained on. From a table with dates."""

import tomllib
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from ...datasets.errors import SpecError
from ..base import Usage

MILLION = 1_000_000
Dollars = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class TokenPrice(BaseModel):
    """One model's prices, in US dollars for a million tokens.

    A table for OpenAI's API is read too: ``input``, ``output`` and ``training``.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)
    name: str
    """The model; with ``*`` for any letters."""
    prefill: Dollars = Field(validation_alias=AliasChoices("prefill", "input"))
    sample: Dollars = Field(validation_alias=AliasChoices("sample", "output"))
    train: Dollars | None = Field(None, validation_alias=AliasChoices("train", "training"))
    noted: date | None = None
    source: str = ""
    shutdown: date | None = None

    def of(self, usage: Usage, trained_tokens: int = 0) -> float:
        """What some calls and trained tokens cost."""
        read = usage.input_tokens * self.prefill + usage.output_tokens * self.sample
        return (read + trained_tokens * (self.train or 0.0)) / MILLION


FREE = TokenPrice(name="*", prefill=0.0, sample=0.0, train=0.0, source="your own server")
"""A server of one's own charges nothing."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="ignore")
    model: list[TokenPrice]


@dataclass(frozen=True)
class TokenPrices:
    """The prices that hold for a run: the user's before limen's."""

    table: tuple[TokenPrice, ...]

    def of(self, base: str) -> TokenPrice | None:
        """The prices of a base model; None if none are known."""
        return next((price for price in self.table if fnmatchcase(base, price.name)), None)


@lru_cache(maxsize=8)
def read_prices(shipped: Path, own: Path | None) -> TokenPrices:
    """The prices of two tables, the user's first; raises :class:`~limen.SpecError`."""
    known = _Table.model_validate(tomllib.loads(shipped.read_text(encoding="utf-8"))).model
    return TokenPrices((*(_own(own) if own else ()), *known))


def _own(file: Path) -> list[TokenPrice]:
    try:
        return _Table.model_validate(tomllib.loads(file.read_text(encoding="utf-8"))).model
    except OSError as error:
        raise SpecError(f"cannot read the prices in {file}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        message = "; ".join(str(error).splitlines()[:3])
        raise SpecError(
            f"{file} is no table of prices ({message}). It needs, for each model, [[model]] with "
            f'name = "...", prefill = 0.1, sample = 0.4, train = 0.4, in dollars a million tokens'
        ) from None
