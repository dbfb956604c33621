"""Estimates of work: calls, tokens, dollars, and minutes at the rate limits."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from .. import records
from .. import token_estimates as tokens
from ..base import Quote, Usage, WorkRequest
from .account import base_of
from .draw_limit import MOST
from .prices import Prices

NEW_ACCOUNT = {"requests": 500.0, "tokens": 200_000.0}
"""A new account's limits a minute, assumed until the server reports its own."""
TYPICAL = 0.5
"""How much of ``max_tokens`` an answer is assumed to take, about."""


@dataclass(frozen=True)
class Limits:
    """What a service was found to allow for a base model, kept between runs."""

    folder: Path
    url: str
    """The server whose limits these are."""

    def of(self, model: str) -> dict[str, float]:
        """Requests and tokens a minute, and draws a call; what is not known is left out."""
        known = records.read(self._file(model)) or {}
        return {str(name): float(value) for name, value in known.items()}

    def note(self, model: str, found: dict[str, float]) -> None:
        """Remember what was found."""
        if found and not found.items() <= self.of(model).items():
            records.write(self._file(model), {**self.of(model), **found})

    def _file(self, model: str) -> Path:
        safe = "".join(c if c.isalnum() or c in "-._" else "_" for c in base_of(model))
        server = hashlib.sha256(self.url.encode()).hexdigest()[:8]
        return self.folder / f"{safe[:100]}-{server}.json"


def quote(work: WorkRequest, prices: Prices, limits: dict[str, float], *, batch: bool) -> Quote:
    """About what, and at most what, some work takes."""
    if work.rows:
        return _training(work, prices)
    per_call = min(work.per_call, int(limits.get("draws", MOST)))
    whole, rest = divmod(work.per_call, per_call)
    calls = -(-work.completions // work.per_call) * (whole + bool(rest))
    about = calls * tokens.mean_prompt_estimate(work.prompts)
    most = calls * tokens.mean_prompt_upper_bound(work.prompts)
    answers = work.completions * work.max_tokens
    model = f"ft:{work.model}" if work.student else work.model
    counted = about + answers
    requests = calls / limits.get("requests", NEW_ACCOUNT["requests"])
    by_tokens = counted / limits.get("tokens", NEW_ACCOUNT["tokens"])

    def usd(given: float, made: float) -> float | None:
        used = Usage(calls=calls, input_tokens=round(given), output_tokens=round(made))
        return prices.cost(model, used, batch=batch)

    return Quote(
        calls=calls,
        tokens=round(about + TYPICAL * answers),
        usd=usd(about, TYPICAL * answers),
        usd_at_most=usd(most, answers),
        minutes=0.0 if batch else max(requests, by_tokens),
        binding="requests" if requests >= by_tokens else "tokens",
    )


def _training(work: WorkRequest, prices: Prices) -> Quote:
    """Training on rows of a prompt and an answer; epochs that the service chooses bound nothing."""
    epochs = work.recipe.get("epochs")
    known = epochs if isinstance(epochs, int) else None
    answer = TYPICAL * work.max_tokens
    about = round(work.rows * (tokens.mean_prompt_estimate(work.prompts) + answer) * (known or 3))
    most = work.rows * (
        tokens.mean_prompt_upper_bound(work.prompts) + tokens.TOKENS_PER_TURN + work.max_tokens
    )
    cost = prices.cost(work.model, Usage(), trained_tokens=round(most) * (known or 1))
    free = cost == 0.0
    return Quote(
        tokens=about,
        usd=prices.cost(work.model, Usage(), trained_tokens=about),
        usd_at_most=cost if known or free else None,
    )


def conditions(model: str, prices: Prices, limits: dict[str, float]) -> str:
    """The prices and limits that a quote rests on, and where they are from."""
    price = prices.of(model)
    paid = "no price is known (give it with --limen-prices)"
    if price is not None:
        training = "no" if price.training is None else f"${price.training:g} for"
        noted = f"noted {price.noted}, " if price.noted else ""
        paid = (
            f"${price.input:g} for input, ${price.output:g} for output, {training} training a "
            f"million tokens ({noted}{price.source or 'your own prices'})"
        )
    reported = {"requests", "tokens"} & set(limits)
    known = (
        "as reported by the server"
        if reported
        else "not reported yet; assumed: a new OpenAI account's"
    )
    allowed = {**NEW_ACCOUNT, **limits}
    return (
        f"{paid}; {allowed['requests']:,.0f} requests and {allowed['tokens']:,.0f} tokens a minute "
        f"({known})"
    )
