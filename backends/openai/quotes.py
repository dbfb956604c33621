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
"""A new account's limits a minute at OpenAI, assumed there until it reports its own."""
DRAWS = "draws a call"
"""The limit of draws in :class:`Limits`. What older versions kept as "draws" may have been set."""


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


def assumed_limits(known: dict[str, float], *, openai: bool) -> dict[str, float]:
    """What a minute allows: as reported; at OpenAI alone, what is not reported is assumed."""
    return {**NEW_ACCOUNT, **known} if openai else known


def quote(work: WorkRequest, prices: Prices, limits: dict[str, float], *, batch: bool) -> Quote:
    """About what, and at most what, some work takes; the time where a limit a minute is known."""
    if work.rows:
        return _training(work, prices)
    per_call = min(work.per_call, int(limits.get(DRAWS, MOST)))
    whole, rest = divmod(work.per_call, per_call)
    calls = -(-work.completions // work.per_call) * (whole + bool(rest))
    about = calls * tokens.mean_prompt_estimate(work.prompts)
    most = calls * tokens.mean_prompt_upper_bound(work.prompts)
    answers = work.completions * work.max_tokens
    price = prices.of_calls(work.model, student=work.student)
    counted = about + answers
    amounts = {"requests": calls, "tokens": counted}
    minutes = {kind: amounts[kind] / limits[kind] for kind in amounts if kind in limits}
    binding = max(minutes, key=lambda kind: minutes[kind], default="")

    def usd(given: float, made: float) -> float | None:
        used = Usage(calls=calls, input_tokens=round(given), output_tokens=round(made))
        return price.of(used, batch=batch) if price else None

    return Quote(
        calls=calls,
        tokens=round(about + tokens.TYPICAL * answers),
        usd=usd(about, tokens.TYPICAL * answers),
        usd_at_most=usd(most, answers),
        minutes=0.0 if batch else minutes.get(binding, 0.0),
        binding=binding,
    )


def _training(work: WorkRequest, prices: Prices) -> Quote:
    """Training on rows of a prompt and an answer; epochs that the service chooses bound nothing."""
    epochs = work.recipe.get("epochs")
    known = epochs if isinstance(epochs, int) else None
    answer = tokens.mean_answer_estimate(work.answers, max_tokens=work.max_tokens)
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


def conditions(model: str, prices: Prices, limits: dict[str, float], *, openai: bool) -> str:
    """The prices and limits that a quote rests on, and where they are from.

    Of a server that is not OpenAI's: what it has reported, and whose prices are taken.
    """
    parts = [_paid(model, prices, openai=openai), _allowed(limits, openai=openai)]
    if openai:
        parts.append("in batch mode (--limen-batch): within 24 h, at half the price")
    return "; ".join(parts)


def _paid(model: str, prices: Prices, *, openai: bool) -> str:
    price = prices.of(model)
    if price is None:
        return "no price is known (give it with --limen-prices)"
    training = "no" if price.training is None else f"${price.training:g} for"
    noted = f"noted {price.noted}, " if price.noted else ""
    others = openai or not price.source.startswith("OpenAI")
    warning = "" if others else "; this server may charge others: give them with --limen-prices"
    return (
        f"${price.input:g} for input, ${price.output:g} for output, {training} training a "
        f"million tokens ({noted}{price.source or 'your own prices'}{warning})"
    )


def _allowed(limits: dict[str, float], *, openai: bool) -> str:
    reported = [kind for kind in NEW_ACCOUNT if kind in limits]
    if not reported and not openai:
        return "requests and tokens a minute: not known, the server has reported no limits"
    shown = assumed_limits(limits, openai=openai)
    amounts = " and ".join(f"{shown[kind]:,.0f} {kind}" for kind in NEW_ACCOUNT if kind in shown)
    if reported:
        return f"{amounts} a minute (as reported by the server)"
    return f"{amounts} a minute (not reported yet; assumed: a new OpenAI account's)"
