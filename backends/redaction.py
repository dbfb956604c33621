"""Removing secrets from texts and response bodies: the one place that knows the secrets."""

import base64
import html
import json
import logging
import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from urllib.parse import quote, quote_plus, unquote
from weakref import WeakSet

MARK = "[secret]"
SHORTEST = 4
"""Characters of the shortest value that is removed from messages."""
SHORTEST_IN_BODIES = 8
"""The same for response bodies: a shorter word may well be part of an answer."""
LONGEST_PHRASE = 24
"""Characters of the longest value that may be words or a number of an answer, and no key."""
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
        self._answer_forms = [
            form
            for form in self._body_forms
            if looks_like_key(form.decode("utf-8", "surrogatepass"))
        ]

    def text(self, text: object) -> str:
        """The text without secrets, also where a line break splits one."""
        shown = str(text)
        return self._pattern.sub(MARK, shown) if self._secrets else shown

    def body(self, body: bytes, *, answers: bool = False) -> bytes:
        """The bytes of a response, or of a header, without secrets.

        ``answers`` tells that it has texts of a model: of those, what may be words is left.
        """
        forms = self._answer_forms if answers else self._body_forms
        if forms and b"\\u" in body:
            body = _ESCAPE.sub(_unescaped, body)
        for form in forms:
            if form in body:
                body = body.replace(form, MARK.encode())
        return body

    def answer(self, answer: str) -> str:
        """A text of a model without secrets: those that look like keys, and are unbroken."""
        data = answer.encode("utf-8", "surrogatepass")
        return self.body(data, answers=True).decode("utf-8", "surrogatepass")

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        forms = {form for secret in self._secrets for form in _notations(secret)}
        ordered = sorted(forms, key=len, reverse=True)
        return re.compile("|".join(r"\s*".join(map(re.escape, form)) for form in ordered))


def is_secret(value: str) -> bool:
    """Whether a value is worth hiding: long enough, and no usual placeholder."""
    return len(value) >= SHORTEST and value.lower() not in PLACEHOLDERS


def looks_like_key(value: str) -> bool:
    """Whether a value can hardly be words or a number of an answer, by its length and characters.

    It has letters and digits, mixed case, or signs that do not stand between words.
    """
    parts = [part for part in _BETWEEN_WORDS.split(value) if part]
    plain = all(map(str.isdecimal, parts)) or all(map(_is_word, parts))
    return len(value) > LONGEST_PHRASE or not plain


def _is_word(text: str) -> bool:
    return text.isalpha() and text in (text.lower(), text.upper(), text.capitalize())


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
        json.dumps(secret)[1:-1].replace("/", r"\/"),
        json.dumps(secret, ensure_ascii=False)[1:-1].replace("/", r"\/"),
        repr(secret)[1:-1],
        repr(data)[2:-1],
        secret.encode("unicode_escape").decode(),
        html.escape(secret),
        data.decode("latin-1"),
        *_in_base64(data),
        *(part for part in secret.split() if len(part) >= SHORTEST_IN_BODIES),
    ]
    yield from (text for text in dict.fromkeys(notations) if len(text) >= SHORTEST)


def _in_base64(data: bytes) -> Iterator[str]:
    """The characters that data has in base64, wherever in a longer text it begins."""
    yield from (base64.b64encode(data).decode(), base64.urlsafe_b64encode(data).decode())
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + data)
        whole = encoded[-(-8 * before // 6) : (before + len(data)) * 8 // 6].decode()
        yield from (whole, whole.translate(_URL_SAFE))


_BETWEEN_WORDS = re.compile(r"[-_ .,:;!?/'()]")
_URL_SAFE = str.maketrans("+/", "-_")
_ESCAPE = re.compile(
    rb"(?<!\\)((?:\\\\)*)\\u(?:([dD][89abAB]..)\\u([dD][c-fC-F]..)|([0-9a-fA-F]{4}))", re.DOTALL
)
"""A character of a JSON text that is written by its number, or by the two of a surrogate pair."""
_SHORT = {'"': b'\\"', "\\": rb"\\"}


def _unescaped(escape: re.Match[bytes]) -> bytes:
    """The character as JSON texts usually have it: any secret is then found in its usual form."""
    high, low, single = escape[2], escape[3], escape[4]
    try:
        units = bytes.fromhex((single or high + low).decode())
        character = units.decode("utf-16-be")
    except ValueError:  # half a pair, or no number
        return escape[0]
    if character < " ":
        return escape[0]
    return escape[1] + _SHORT.get(character, character.encode())


class _LogFilter(logging.Filter):
    """Removes the secrets of all redactors that are in use from log records."""

    def __init__(self) -> None:
        super().__init__()
        self.redactors: WeakSet[Redactor] = WeakSet()

    def filter(self, record: logging.LogRecord) -> bool:
        """See :class:`logging.Filter`."""
        for redactor in list(self.redactors):
            record.msg, record.args = redactor.text(record.getMessage()), ()
        return True


_LOG_FILTER = _LogFilter()


def guard_logs(redactor: Redactor, *loggers: str) -> None:
    """Have a redactor's secrets removed from what libraries log, such as addresses and headers."""
    _LOG_FILTER.redactors.add(redactor)
    for name in loggers:
        logging.getLogger(name).addFilter(_LOG_FILTER)
