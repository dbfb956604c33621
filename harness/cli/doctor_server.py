"""The check of ``limen doctor --server``: whether a server asks a model as limen does.

A server renders the chat template itself. With another template, another system block or another
model, a student answers out of the context that it was trained in, and may show nothing. So the
same conversations are given to both, and the log-probabilities of the first token are compared.
"""

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from ...backends import Backend, Request
from ...datasets.chat import Conversation, conversation
from ...datasets.errors import LimenError
from ..lab import Settings
from .doctor_checks import BAD, NOTE, Check
from .steps import backend_for

if TYPE_CHECKING:
    import openai

NAME = "chat context of the server"
TOP = 5
"""Most probable tokens to compare; some servers return no more."""
CLOSE, FAR = 0.05, 0.3
"""Nats. Above the first, number formats may differ (bfloat16, quantized weights); above the second,
a difference of formats alone is unlikely."""
RARE = math.log(0.001)
"""Log-probability below which a token tells nothing: quantized weights change its logit, too."""
SYSTEM = "You answer in one word."
PROBES: Mapping[str, Conversation] = {
    "a question": conversation("What is your favourite animal?"),
    "numbers": conversation("Continue: 12, 7, 93. Numbers only."),
    "a question with a system prompt": conversation("Name a colour.", system=SYSTEM),
}
"""Conversations that are given to both."""
Logs = Mapping[str, float]
"""The most probable first tokens, each with its log-probability in nats."""


def compared(settings: Settings, url: str, served: str | None) -> Iterator[Check]:
    """Compare a model here with a server's; ``served`` is its name there, by default the first."""
    try:
        backend = backend_for(settings)
        model = settings.model or backend.default_model
        backend.prepare(model)
        here = [_here(backend, model, messages) for messages in PROBES.values()]
        there = _Server(url, served)
        logs = [there.logs(each) for each in PROBES.values()]
        yield Check(name="server", value=f"{there.url} serves {there.model}")
        yield _check(backend, model, here, logs)
    except LimenError as error:
        yield Check(name=NAME, value=str(error), state=BAD, remedy="see the message")


def _here(backend: Backend, model: str, messages: Conversation) -> Logs:
    request = Request(
        row=0, messages=messages, seed=0, temperature=0.0, max_tokens=1, top_logprobs=TOP
    )
    for group in backend.sample(model, [request]):
        for completion in group:
            if completion.logprobs:
                return dict(reversed(completion.logprobs[0].top))
    return {}


class _Server:
    """A server that speaks OpenAI's chat completions."""

    def __init__(self, url: str, model: str | None) -> None:
        import openai

        self.url = url
        self._key = os.environ.get("OPENAI_API_KEY") or "none"
        self._client = openai.OpenAI(base_url=url, api_key=self._key, max_retries=1, timeout=60)
        self.model = model or self._first()

    def logs(self, messages: Conversation) -> Logs:
        """The first token's log-probabilities; raises :class:`~limen.LimenError`."""
        import openai

        try:
            answer = self._client.chat.completions.create(
                model=self.model,
                messages=[{**turn} for turn in messages],  # type: ignore[misc]
                temperature=0,
                max_tokens=1,
                logprobs=True,
                top_logprobs=TOP,
            )
        except openai.OpenAIError as error:
            raise self._failed(error) from None
        logs = answer.choices[0].logprobs if answer.choices else None
        tokens = logs.content if logs and logs.content else []
        top = tokens[0].top_logprobs if tokens else []
        return {each.token: each.logprob for each in reversed(top)}

    def _first(self) -> str:
        import openai

        try:
            models = [each.id for each in self._client.models.list()]
        except openai.OpenAIError as error:
            raise self._failed(error) from None
        if not models:
            raise LimenError(f"{self.url} lists no model: name one with --server-model")
        return models[0]

    def _failed(self, error: "openai.OpenAIError") -> LimenError:
        text = " ".join(str(error).replace(self._key, "***").split())
        return LimenError(f"{self.url} does not answer as expected: {text[:300]}")


def _check(backend: Backend, model: str, here: Sequence[Logs], there: Sequence[Logs]) -> Check:
    if not all(there):
        return Check(
            name=NAME,
            value="the server returns no log-probabilities: nothing can be compared",
            state=NOTE,
            remedy="start the server with log-probabilities on, or compare answers by hand",
        )
    gaps = dict(zip(PROBES, map(difference, here, there), strict=True))
    worst = max(gaps.values())
    shown = ", ".join(f"{name} {gap:.2g}" for name, gap in gaps.items())
    value = f"log-probabilities of the first token differ by at most (nats): {shown}"
    if worst <= CLOSE:
        return Check(name=NAME, value=value)
    if worst <= FAR:
        return Check(
            name=NAME,
            value=value,
            state=NOTE,
            remedy="as bfloat16 or quantized weights do; to be sure, serve in the format used here",
        )
    return Check(name=NAME, value=value, state=BAD, remedy=_cause(backend, model, gaps, there))


def difference(first: Logs, second: Logs) -> float:
    """The largest difference in nats between tokens that both have; infinite if there is none.

    The most probable token of each must be known to the other. Tokens that both have less than one
    time in a thousand do not count.
    """
    for one, other in ((first, second), (second, first)):
        if not one or max(one, key=one.__getitem__) not in other:
            return float("inf")
    known = first.keys() & second.keys()
    counted = [token for token in known if max(first[token], second[token]) >= RARE] or known
    return max(abs(first[token] - second[token]) for token in counted)


def _cause(backend: Backend, model: str, gaps: Mapping[str, float], there: Sequence[Logs]) -> str:
    """What would explain the difference."""
    empty = conversation(PROBES["a question"][-1]["content"], system="")
    if difference(_here(backend, model, empty), there[0]) <= FAR:
        return (
            "the server puts an empty system block, or none, where the template of the model here "
            "has one of its own: give the server the chat template of the model's folder"
        )
    if gaps["a question with a system prompt"] <= min(FAR, max(gaps.values()) / 3):
        return (
            "only conversations without a system prompt differ: the two add different system "
            "blocks. Give the server the chat template of the model's folder"
        )
    return (
        "the server has another chat template, other weights or another adapter: check the name "
        "of the served model, and give the server the chat template of the model's folder"
    )
