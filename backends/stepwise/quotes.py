"""Estimates of work at a service that charges by the token."""

from .. import token_estimates as tokens
from ..base import Quote, Usage, WorkRequest
from .prices import TokenPrice
from .sampling import DRAWS_A_CALL


def quote(work: WorkRequest, price: TokenPrice | None) -> Quote:
    """About what, and at most what, some work takes."""
    return _training(work, price) if work.rows else _sampling(work, price)


def conditions(price: TokenPrice | None) -> str:
    """The prices that a quote is computed from, and their source."""
    if price is None:
        return "no price is known (give it with --limen-prices)"
    if not any((price.prefill, price.sample, price.train)):
        return "nothing is charged (your own server)"
    train = "unknown" if price.train is None else f"${price.train:g}"
    noted = f"noted {price.noted}, " if price.noted else ""
    return (
        f"${price.prefill:g} for tokens read, ${price.sample:g} sampled, {train} trained on, a "
        f"million ({noted}{price.source or 'your own prices'})"
    )


def _sampling(work: WorkRequest, price: TokenPrice | None) -> Quote:
    calls = -(-work.completions // work.per_call) * -(-work.per_call // DRAWS_A_CALL)
    answers = work.completions * work.max_tokens
    about = round(work.completions * tokens.mean_prompt_estimate(work.prompts))
    bound = tokens.mean_prompt_upper_bound(work.prompts) + tokens.TEMPLATE
    typical = round(tokens.TYPICAL * answers)
    return Quote(
        calls=calls,
        tokens=about + typical,
        usd=_usd(price, about, typical),
        usd_at_most=_usd(price, round(work.completions * bound), answers),
    )


def _training(work: WorkRequest, price: TokenPrice | None) -> Quote:
    epochs = int(work.recipe.get("epochs") or 1)
    answer = tokens.mean_answer_estimate(work.answers, max_tokens=work.max_tokens)
    about = round(work.rows * epochs * (tokens.mean_prompt_estimate(work.prompts) + answer))
    bound = tokens.mean_prompt_upper_bound(work.prompts) + tokens.TEMPLATE + work.max_tokens
    return Quote(
        tokens=about,
        usd=_trained(price, about),
        usd_at_most=_trained(price, round(work.rows * epochs * bound)),
    )


def _trained(price: TokenPrice | None, tokens: int) -> float | None:
    return None if price is None or price.train is None else price.of(Usage(), tokens)


def _usd(price: TokenPrice | None, given: int, made: int) -> float | None:
    used = Usage(input_tokens=given, output_tokens=made)
    return None if price is None else price.of(used)
