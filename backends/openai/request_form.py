"""The form in which requests are sent to a server: which parameters it accepts, and how spelled.

A form begins with everything that limen would like to send. Where a server refuses a parameter,
:meth:`RequestForm.simpler` gives the next simpler form of it. Nothing here is part of a stage's
key, but for the endpoint, which is not found by trying: the user chooses it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from ..base import Request
from ..plain_text import as_plain_text
from .errors import Failure

N = "n"
ENDPOINT = "endpoint"
COMPLETIONS = "completions"
"""The endpoint that continues plain texts, for models without a chat template."""
PARAMETERS: Final = ("n", "seed", "token_limit", "temperature", "top_p", "stop", "system")
"""What a server may refuse, in the order in which it is tried without."""
LADDERS: Final[Mapping[str, tuple[str, ...]]] = {
    "seed": ("48 bits", "31 bits", "not sent"),
    "token_limit": ("max_tokens", "max_completion_tokens", "not sent"),
    "temperature": ("sent", "not sent"),
    "top_p": ("sent", "not sent"),
    "stop": ("sent", "applied by limen"),
    "system": ("system role", "put before the user's text"),
    ENDPOINT: ("chat", COMPLETIONS),
}
"""The forms of each parameter, the best first. The endpoint is chosen by the user alone."""
BY_HAND: Final[Mapping[str, str]] = {"token_limit": "not sent"}
"""Forms that are never found by trying: a server that answers takes a limit by one of its names,
and answers without any would bias what is measured, at a price that nothing bounds."""
SHORT: Final[Mapping[str, Mapping[str, str]]] = {
    "seed": {"48": "48 bits", "31": "31 bits", "32": "31 bits", "none": "not sent"},
    "token_limit": {"none": "not sent"},
    "temperature": {"none": "not sent"},
    "top_p": {"none": "not sent"},
    "stop": {"none": "applied by limen"},
    "system": {"system": "system role", "user": "put before the user's text"},
    ENDPOINT: {},
}
"""What users say in short."""
_NAMES = {
    "n": N, "n_cmpl": N, "seed": "seed", "max_tokens": "token_limit",
    "max_completion_tokens": "token_limit", "temperature": "temperature", "top_p": "top_p",
    "stop": "stop",
}  # fmt: skip
_UNSUPPORTED = re.compile(
    r"(use|try|instead|favou?r|replaced).{0,30}max_completion_tokens"
    r"|max_completion_tokens.{0,20}instead"
    r"|unsupported|not support|unknown|unrecogni[sz]ed|unexpected"
    r"|extra|not permitted|not allowed|deprecated|invalid (parameter|argument|field)"
)
_N_WORDS = re.compile(r"n_cmpl|choices?\b|completions\b|best_of|\bslots?\b|\bn ?(>|=|must)")
_WORDS = (
    (
        "seed",
        re.compile(r"\bseed\b|int32|int64|(32|64).?bit|out of range|overflow|int(eger)? too large"),
    ),
    ("token_limit", re.compile(r"max_(completion_|new_)?tokens")),
    ("temperature", re.compile(r"\btemperature\b")),
    ("top_p", re.compile(r"\btop.?p\b|nucleus")),
    ("stop", re.compile(r"\bstop\b|stop_sequences")),
    ("system", re.compile(r"system.{0,10}(role|message|prompt)|role.{0,20}system|roles must")),
    (N, re.compile(r"\bn\b|n_cmpl|choices?\b|completions\b|best_of|\bslots?\b|num_return")),
)


@dataclass(frozen=True)
class RequestForm:
    """How requests are sent; each field is a step of :data:`LADDERS`."""

    seed: str = "48 bits"
    token_limit: str = "max_tokens"
    temperature: str = "sent"
    top_p: str = "sent"
    stop: str = "sent"
    system: str = "system role"
    endpoint: str = "chat"

    @classmethod
    def recorded(cls, entry: Mapping[str, Any]) -> "RequestForm":
        """The form in which a recorded batch is sent."""
        return cls(**entry.get("form", {}))

    @property
    def path(self) -> Literal["/chat/completions", "/completions"]:
        """The endpoint, below the server's address."""
        return "/completions" if self.endpoint == COMPLETIONS else "/chat/completions"

    @property
    def url(self) -> Literal["/v1/chat/completions", "/v1/completions"]:
        """The endpoint, as lines of a batch name it."""
        return f"/v1{self.path}"  # type: ignore[return-value]

    def value(self, parameter: str) -> str:
        """The form of a parameter."""
        return {
            "seed": self.seed,
            "token_limit": self.token_limit,
            "temperature": self.temperature,
            "top_p": self.top_p,
            "stop": self.stop,
            "system": self.system,
            ENDPOINT: self.endpoint,
        }[parameter]

    def changed(self, parameter: str, value: str) -> "RequestForm":
        """The same with another form of a parameter."""
        return replace(self, **{parameter: value})

    def simpler(self, parameter: str) -> "RequestForm | None":
        """The next simpler form of a parameter; None if it is the last that is tried already."""
        ladder = [value for value in LADDERS[parameter] if value != BY_HAND.get(parameter)]
        if self.value(parameter) not in ladder:
            return None
        place = ladder.index(self.value(parameter)) + 1
        return self.changed(parameter, ladder[place]) if place < len(ladder) else None

    def used_by(self, request: Request) -> tuple[str, ...]:
        """The parameters of a request that this form sends in a way that can be made simpler."""
        used = {
            N: request.draws > 1,
            "seed": self.seed != "not sent",
            "token_limit": self.token_limit == "max_tokens",
            "temperature": self.temperature == "sent",
            "top_p": self.top_p == "sent" and request.top_p < 1,
            "stop": self.stop == "sent" and bool(request.stop),
            "system": self.system == "system role" and _has_system(request),
        }
        return tuple(name for name in PARAMETERS if used[name])

    def body(self, model: str, request: Request) -> dict[str, Any]:
        """The JSON body of a call."""
        body: dict[str, Any] = {"model": model, **self._asked(request)}
        if self.seed != "not sent":
            seed = request.seed + request.first
            body["seed"] = seed if self.seed == "48 bits" else seed % 2**31
        if self.temperature == "sent":
            body["temperature"] = request.temperature
        if self.token_limit != "not sent":
            body[self.token_limit] = request.max_tokens
        if request.draws > 1:
            body["n"] = request.draws
        if request.top_p < 1 and self.top_p == "sent":
            body["top_p"] = request.top_p
        if request.stop and self.stop == "sent":
            body["stop"] = list(request.stop)
        return body

    def _asked(self, request: Request) -> dict[str, Any]:
        """The conversation, or the text to continue."""
        if self.endpoint != COMPLETIONS:
            return {"messages": self._messages(request)}
        plain = as_plain_text(request) if request.chat else request
        return {"prompt": plain.messages[-1]["content"]}

    def _messages(self, request: Request) -> list[dict[str, str]]:
        messages = [{"role": m["role"], "content": m["content"]} for m in request.messages]
        if self.system == "system role" or not _has_system(request):
            return messages
        system = "\n\n".join(m["content"] for m in messages if m["role"] == "system")
        others = [m for m in messages if m["role"] != "system"]
        first = next((i for i, m in enumerate(others) if m["role"] == "user"), None)
        if first is None:
            return [{"role": "user", "content": system}, *others]
        others[first] = {"role": "user", "content": f"{system}\n\n{others[first]['content']}"}
        return others


SIMPLEST = RequestForm(
    seed="not sent",
    temperature="not sent",
    top_p="not sent",
    stop="applied by limen",
    system="put before the user's text",
)
"""The form that every chat server should accept: a model, messages, and a limit of tokens."""


def suspects(failure: Failure, request: Request, form: RequestForm) -> list[str]:
    """The parameters that a refusal seems to mean, likeliest first. Trying has the last word."""
    used = form.used_by(request)
    details = failure.details
    name = details.param.replace("]", "").rpartition(".")[2]
    named = "system" if details.param.startswith("messages") else _NAMES.get(name)
    found = [named] if named else [word for word, regex in _WORDS if regex.search(details.words)]
    if N in found and len(found) > 1 and not named and not _N_WORDS.search(details.words):
        found.remove(N)  # "max_tokens must be less than n" is about max_tokens
    if "token_limit" in found and not _UNSUPPORTED.search(details.words):
        found.remove("token_limit")  # its value is refused, not its name
    return [parameter for parameter in found if parameter in used]


def _has_system(request: Request) -> bool:
    return any(message["role"] == "system" for message in request.messages)
