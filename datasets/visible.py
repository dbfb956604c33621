"""Text of models, servers and files, made harmless for a terminal or a report."""

import re

_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Control characters but for tab and line feed, marks that turn the direction of text, and halves
of characters, which cannot be written."""


def visible(text: str) -> str:
    """The text with control characters spelt out, so that they are shown and not obeyed.

    An escape character becomes a backslash and ``x1b``. Tabs and line feeds stay.
    """
    return _HIDDEN.sub(_spelt, text) if _HIDDEN.search(text) else text


def visible_line(text: str) -> str:
    """The same on one line: line feeds and tabs are spelt out too."""
    return visible(text).replace("\n", "\\n").replace("\t", "\\t")


def _spelt(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
