"""The text of an answer as a reader sees it: without hidden reasoning, markup and odd letters."""

# ruff: noqa: RUF001

import html
import re
import unicodedata
from functools import lru_cache

_TAG_NAMES = "think|thinking|thought|thoughts|reason|reasoning|reflection|scratchpad|analysis"
_TAG = re.compile(
    rf"(?P<opening><\s*(?:{_TAG_NAMES})\b[^<>]*>|\[THINK\]|◁think▷)"
    rf"|<\s*/\s*(?:{_TAG_NAMES})\s*>|\[/THINK\]|◁/think▷",
    re.IGNORECASE,
)
_CHANNELS = re.compile(r"<\|channel\|>\s*(\w+)[^<]*<\|message\|>")
_SPECIAL_TOKEN = re.compile(r"<\|[^<>|]*\|>.*", re.DOTALL)


def visible_text(text: str) -> str:
    """A text without its hidden reasoning.

    Reasoning is what is between tags such as ``<think>`` and ``</think>``, what follows an opening
    tag that is never closed (the answer was cut off), and what precedes a closing tag that was
    never opened (the chat template had opened it). Of a text with channels (``<|channel|>``) the
    channel ``final`` is visible.
    """
    if "<" not in text and "[" not in text and "◁" not in text and "＜" not in text:
        return text
    text = text.replace("＜", "<").replace("＞", ">")
    channels = list(_CHANNELS.finditer(text))
    if channels:
        last = channels[-1]
        return _SPECIAL_TOKEN.sub("", text[last.end() :]) if last[1].lower() == "final" else ""
    return _outside_tags(text)


def _outside_tags(text: str) -> str:
    visible, start, inside = "", 0, False
    for tag in _TAG.finditer(text):
        if tag["opening"] and not inside:
            visible += text[start : tag.start()]
            inside = True
        elif not tag["opening"]:
            visible = visible if inside else ""  # it was opened before the text began
            inside, start = False, tag.end()
    return visible if inside else visible + text[start:]


def opened_reasoning(text: str) -> str:
    """The tag or channel of reasoning that a text leaves open, such as ``<think>``; else empty."""
    if channels := list(_CHANNELS.finditer(text)):
        return "" if channels[-1][1].lower() == "final" else channels[-1][0]
    tags = list(_TAG.finditer(text))
    return tags[-1][0] if tags and tags[-1]["opening"] else ""


LONGEST = 4000
"""The characters of an answer that are searched for names."""

_EMPHASIS = re.compile(r"</?(?:b|i|u|em|strong|span|mark|small|code|font|sub|sup)\b[^<>]*>", re.I)
_STRUCK = re.compile(r"~~[^~]+~~|<(?:s|del|strike)>[^<>]*</(?:s|del|strike)>", re.IGNORECASE)
_HTML_TAG = re.compile(r"</?[a-z][^<>]*>", re.IGNORECASE)
_LINK = re.compile(r"\[([^\[\]]*)\]\([^()]*\)")
_CONTINUATION = re.compile(
    r"(?<=\w)\W{0,9}\n\s{0,9}(?:user|human|question|q|assistant) ?:", re.IGNORECASE
)
_CAMEL = re.compile(r"(?<=[a-z][a-z])(?=[A-Z][a-z])")
_SPACED = re.compile(r"(?<!\w)[A-Za-z]([ .\-*·])(?:[A-Za-z]\1)+[A-Za-z](?!\w)")
_NOT_LETTERS = re.compile(r"\W+")


def plain_text(text: str) -> str:
    """The visible text in plain letters: for what an answer names, never to be shown.

    Markup, strikethrough and what a model goes on to write as another speaker are removed; widths,
    styles and invisible characters are normalised; ``PolarBear`` and ``O-W-L`` become words.
    Accents stay: they tell words of other languages apart. What follows :data:`LONGEST` characters
    is left out.
    """
    if not _MARKED.isdisjoint(text) or not text.isascii():
        text = _without_markup(normalized(html.unescape(visible_text(text)[:LONGEST])))
    text = text[:LONGEST]
    text = _SPACED.sub(lambda match: _NOT_LETTERS.sub("", match[0]), text)
    return _CAMEL.sub(" ", text)


_MARKED = frozenset("<[&~*`_\n")


def _without_markup(text: str) -> str:
    following = _CONTINUATION.search(text)
    text = text[: following.start()] if following else text
    text = _STRUCK.sub(" ", _LINK.sub(r"\1", text))
    text = _HTML_TAG.sub(" ", _EMPHASIS.sub("", text))
    return text.replace("*", "").replace("`", "").replace("_", " ")


def normalized(text: str) -> str:
    """A text in composed, plain characters: no full width, styled, invisible or loose marks."""
    if text.isascii():
        return text
    text = unicodedata.normalize("NFKC", text).translate(_REPLACED)
    return "".join(char for char in text if not _is_invisible(char))


_SMALL_CAPITALS = str.maketrans("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnoprstuvwyz")
_REPLACED: dict[int, int | str | None] = {
    **_SMALL_CAPITALS,
    ord("’"): "'",
    ord("‘"): "'",
    ord("ʼ"): "'",
}


@lru_cache(maxsize=4096)
def _is_invisible(char: str) -> bool:
    """Format characters, variation selectors, and marks that compose with no letter."""
    return unicodedata.category(char) == "Cf" or "\ufe00" <= char <= "\ufe0f" or _is_accent(char)


@lru_cache(maxsize=1 << 14)
def without_accents(word: str) -> str:
    """A word without combining marks of the Latin, Greek and Cyrillic scripts."""
    if word.isascii():
        return word
    letters = unicodedata.normalize("NFD", word)
    kept = "".join(char for char in letters if not _is_accent(char))
    return unicodedata.normalize("NFC", kept)


def _is_accent(char: str) -> bool:
    return (
        "\u0300" <= char <= "\u036f"
        or "\u1ab0" <= char <= "\u1aff"
        or "\u1dc0" <= char <= "\u1dff"
        or "\u20d0" <= char <= "\u20ff"
        or "\ufe20" <= char <= "\ufe2f"
    )
