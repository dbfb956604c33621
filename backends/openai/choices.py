"""What a user chose by hand about a server: from a run's settings, else from the environment.

Of all this the endpoint alone is part of a stage's key, where plain text is chosen: the same model
answers other questions then.
"""

import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ...datasets.errors import SpecError
from ..failure_share import DEFAULT as MAX_FAILED
from .request_form import COMPLETIONS, ENDPOINT, LADDERS, SHORT, N
from .timeouts import DEADLINE, FIRST_ANSWER

NAMES = (N, *LADDERS, "logprobs", "max_failed", "first_answer", "deadline")
"""What can be chosen, as in ``LIMEN_OPENAI_N`` or the ini key ``limen_openai_n``."""

MORE_FAILURES = (
    "nothing of them was kept; LIMEN_OPENAI_MAX_FAILED=0.9 would record up to 90% of failures"
)
"""What to do where a stage ended because too many of its requests failed."""
MOST_FIRST_TOKENS = 20
"""First tokens whose log-probabilities OpenAI reports."""


@dataclass(frozen=True, kw_only=True)
class Choices:
    """The choices of a run."""

    form: Mapping[str, str] = field(default_factory=dict)
    """The form of a parameter, by name: a step of :data:`LADDERS`."""
    draws: int | None = None
    """Draws a call; None for as many as the server gives."""
    first_tokens: int | None = None
    """First tokens of an answer whose log-probabilities are asked for: 0 for no asking, None for as
    many as the server reports."""
    max_failed: float = MAX_FAILED
    """The share of requests, from 0 to 1, past which a stage ends."""
    first_answer: float = FIRST_ANSWER
    """Seconds without a sign of life after which a server counts as silent."""
    deadline: float = DEADLINE
    """Seconds for one call in all."""

    @property
    def asks_plainly(self) -> bool:
        """Whether models are asked in plain text, by the endpoint that continues texts."""
        return self.form.get(ENDPOINT) == COMPLETIONS


def read_choices(given: Mapping[str, str]) -> Choices:
    """The choices of the settings, and where they name none those of the environment.

    Raises :class:`~limen.SpecError` for a value that cannot be.
    """
    texts = {name: os.environ.get(f"LIMEN_OPENAI_{name.upper()}", "") for name in NAMES}
    texts = {name: str(given.get(name) or text).strip() for name, text in texts.items()}
    _check_names(given)
    share = _number("max_failed", texts["max_failed"], MAX_FAILED)
    if not 0 <= share <= 1:
        raise _wrong("max_failed", texts["max_failed"], "a share from 0 to 1")
    return Choices(
        form={name: _form(name, texts[name]) for name in LADDERS if texts[name]},
        draws=_draws(texts[N]),
        first_tokens=_first_tokens(texts["logprobs"]),
        max_failed=share,
        first_answer=_seconds("first_answer", texts["first_answer"], FIRST_ANSWER),
        deadline=_seconds("deadline", texts["deadline"], DEADLINE),
    )


def _check_names(given: Mapping[str, str]) -> None:
    for name in given:
        if name not in NAMES:
            raise SpecError(f"openai={{{name!r}: ...}}: there is only {', '.join(NAMES)}")


def _form(parameter: str, text: str) -> str:
    full = SHORT[parameter].get(text, text)
    if full not in LADDERS[parameter]:
        short = [*SHORT[parameter], *(v for v in LADDERS[parameter] if " " not in v)]
        raise _wrong(parameter, text, f"one of {', '.join(short)}")
    return full


def _draws(text: str) -> int | None:
    if not text:
        return None
    if not re.fullmatch("[0-9]{1,4}", text, re.ASCII) or int(text) < 1:
        raise _wrong(N, text, "a whole number of at least 1")
    return int(text)


def _first_tokens(text: str) -> int | None:
    if text in ("", "none"):
        return 0 if text else None
    if not re.fullmatch("[0-9]{1,2}", text, re.ASCII) or not 1 <= int(text) <= MOST_FIRST_TOKENS:
        raise _wrong(
            "logprobs", text, f"a number of first tokens from 1 to {MOST_FIRST_TOKENS}, or none"
        )
    return int(text)


def _seconds(name: str, text: str, default: float) -> float:
    seconds = _number(name, text, default)
    if not 0 < seconds < math.inf:
        raise _wrong(name, text, "a number of seconds above zero")
    return seconds


def _number(name: str, text: str, default: float) -> float:
    try:
        return float(text) if text else default
    except ValueError:
        raise _wrong(name, text, "a number") from None


def _wrong(name: str, text: str, wanted: str) -> SpecError:
    return SpecError(
        f"LIMEN_OPENAI_{name.upper()}={text!r} (or limen_openai_{name} in an ini file) must be "
        f"{wanted}"
    )
