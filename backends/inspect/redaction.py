"""Error messages of providers, made fit to show: on one line, and without any secret."""

import os
import re

from ..redaction import Redactor

_MARKUP = re.compile(r"\[/?(?:bold|blue|red|yellow)(?: [a-z]+)*\]")
_SECRET_NAMES = ("KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIAL")
SHORTEST_SECRET = 6
"""Shorter values of the environment are not taken for secrets: they occur by chance."""


def redacted(text: object) -> str:
    """A text on one line, without colour markup and without the environment's secrets."""
    secrets = (
        value
        for name, value in os.environ.items()
        if len(value) >= SHORTEST_SECRET and any(part in name.upper() for part in _SECRET_NAMES)
    )
    return Redactor(secrets).text(" ".join(_MARKUP.sub("", str(text)).split()))
