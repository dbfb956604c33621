"""Reading log-probabilities in responses: of an answer's first tokens, or of an echoed text."""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from ..continuations import LogProbability
from .responses import Json

PARTS = ("tokens", "token_logprobs", "text_offset")
"""What a completion reports of each token."""


def first_tokens(data: Json) -> dict[str, float]:
    """The first tokens of a response with their log-probabilities; empty if it has none."""
    _, reported = _choice_and_log_probabilities(data)
    place = next(iter(_list(reported, "content")), None)
    if not isinstance(place, dict):
        return _first_of_text(reported)
    top = place.get("top_logprobs")
    entries = [*(top if isinstance(top, list) else []), place]
    found: dict[str, float] = {}
    for entry in entries:
        token, value = (
            (entry.get("token"), entry.get("logprob")) if isinstance(entry, dict) else (0, 0)
        )
        if isinstance(token, str) and isinstance(value, int | float):
            found.setdefault(token, float(value))
    return found


def echoed(data: Json, before: str, text: str) -> LogProbability | None:
    """The log-probability of a text after another, from a response that echoes both.

    A token that spans the border counts. None if the response does not have what it takes.
    """
    choice, reported = _choice_and_log_probabilities(data)
    tokens, values, offsets = (_list(reported, name) for name in PARTS)
    places = _places([str(token) for token in tokens], offsets, before + text, choice.get("text"))
    if places is None:
        return None
    begin, end = len(before), len(before + text)
    chosen = [
        value
        for token, value, start in zip(tokens, values, places, strict=False)
        if start < end and start + len(str(token)) > begin
    ]
    if not chosen or not all(isinstance(value, int | float) for value in chosen):
        return None
    return LogProbability(nats=float(sum(chosen)), tokens=len(chosen))


def _first_of_text(reported: Json) -> dict[str, float]:
    """The first tokens of a completion of a text, with their log-probabilities."""
    top = next(iter(_list(reported, "top_logprobs")), None)
    found = dict(top) if isinstance(top, dict) else {}
    for token, value in zip(_list(reported, "tokens")[:1], _list(reported, PARTS[1]), strict=False):
        found.setdefault(str(token), value)
    return {token: float(v) for token, v in found.items() if isinstance(v, int | float)}


def _choice_and_log_probabilities(data: Json) -> tuple[Json, Json]:
    """The first choice of a response and what it reports, each empty where there is none."""
    choices = _list(data, "choices")
    choice = choices[0] if choices and isinstance(choices[0], dict) else {}
    reported = choice.get("logprobs")
    return choice, reported if isinstance(reported, dict) else {}


def _list(data: Json, name: str) -> list[Any]:
    found = data.get(name)
    return found if isinstance(found, list) else []


def _places(
    tokens: Sequence[str], offsets: Sequence[Any], whole: str, text: object
) -> Sequence[int] | None:
    """Where each token of an echoed text begins in it; None if the text was not echoed.

    Tokens that begin texts ("<s>") may stand before it, and may be counted by the offsets.
    """
    if (before := "".join(tokens).find(whole)) >= 0:
        lengths = accumulate(map(len, tokens), initial=-before)
        return list(lengths)[:-1]
    if not isinstance(text, str) or not text.startswith(whole) or len(offsets) < len(tokens):
        return None
    if not all(isinstance(offset, int) for offset in offsets):
        return None
    for shift in (0, *offsets[1:2]):
        places = [offset - shift for offset in offsets]
        spelled = [n for n, token in enumerate(tokens) if token.isascii() and "bytes:" not in token]
        if all(text[places[n] :].startswith(tokens[n]) for n in spelled if places[n] >= 0):
            return places
    return None
