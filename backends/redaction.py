"""Removing secrets from texts and response bodies: the one place that knows the secrets."""

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from urllib.parse import quote, quote_plus, unquote

MARK = "[secret]"
SHORTEST = 4
"""Characters of the shortest value that is removed from messages."""
SHORTEST_IN_BODIES = 8
"""The same for response bodies: a shorter word may well be part of an answer."""
PLACEHOLDERS = frozenset(
    {
        "", "any", "dummy", "empty", "key", "lm-studio", "no-key", "none", "not-needed", "null",
        "ollama", "openai", "password", "secret", "sk-no-key-required", "test", "token", "user",
    }
)  # fmt: skip
"""Keys that people give to servers that want none. They are no secrets."""


class Redactor:
    """Replaces secrets by ``[secret]``, in every notation that a server or library may show.

    ``secrets`` are keys, tokens, passwords and ``user:password`` pairs as they are sent.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = [s for s in secrets if is_secret(s)]
        long = (s for s in self._secrets if len(s) >= SHORTEST_IN_BODIES)
        forms = {form.encode("utf-8", "surrogatepass") for s in long for form in _notations(s)}
        self._body_forms = sorted(forms, key=len, reverse=True)

    def text(self, text: object) -> str:
        """The text without secrets, also where a line break splits one."""
        shown = str(text)
        return self._pattern.sub(MARK, shown) if self._secrets else shown

    def body(self, body: bytes) -> bytes:
        """The bytes of a response without secrets."""
        for form in self._body_forms:
            if form in body:
                body = body.replace(form, MARK.encode())
        return body

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        forms = {form for secret in self._secrets for form in _notations(secret)}
        ordered = sorted(forms, key=len, reverse=True)
        return re.compile("|".join(r"\s*".join(map(re.escape, form)) for form in ordered))


def is_secret(value: str) -> bool:
    """Whether a value is worth hiding: long enough, and no usual placeholder."""
    return len(value) >= SHORTEST and value.lower() not in PLACEHOLDERS


def _notations(secret: str) -> Iterator[str]:
    """The secret as it is, percent-encoded, escaped, in base64, and its parts between blanks."""
    data = secret.encode("utf-8", "surrogatepass")
    encoded = [quote(data, safe=""), quote(data), quote_plus(data)]
    notations = [
        secret,
        unquote(secret),
        *encoded,
        *(re.sub("%..", lambda match: match[0].lower(), text) for text in encoded),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        repr(data)[2:-1],
        secret.encode("unicode_escape").decode(),
        html.escape(secret),
        data.decode("latin-1"),
        base64.b64encode(data).decode(),
        base64.urlsafe_b64encode(data).decode(),
        *(part for part in secret.split() if len(part) >= SHORTEST_IN_BODIES),
    ]
    yield from (text for text in dict.fromkeys(notations) if len(text) >= SHORTEST)
