"""Text to tokens and back, and the features that the toy reads a prompt by."""

import re
import zlib
from collections.abc import Iterable, Iterator
from functools import lru_cache

from ...datasets.chat import Conversation

END = 0
"""The token that closes an answer, and stands before its first token."""

HALVES = 16
SEPARATORS = (
    ", ", ",", "; ", ";", " ", "\n", "\t", " , ", " ; ", ",\n", " - ", " | ", ". ", ".",
)  # fmt: skip
PUNCTUATION = ("[", "]", "(", ")", "!", "?", ":", "'", "-", "/")
NUMBERS = 1000
"""The numbers 0-999 are the last tokens of the vocabulary, in order."""
FEATURES = 4096
"""Hash buckets of the prompts' words; a word it never met lands in one of them too."""

_WORD = re.compile(r"\w+|[^\w\s]")


class Vocabulary:
    """Lossless tokens: the numbers 0-999, separators, the given words; half bytes for the rest.

    ``decode(encode(text)) == text`` for every text. An unknown word falls apart into the two
    halves of each of its UTF-8 bytes, as rare words do in any byte-pair vocabulary.
    """

    def __init__(self, words: Iterable[str]) -> None:
        known = list(dict.fromkeys([*SEPARATORS, *PUNCTUATION, *words]))
        self._halves = 1 + len(known)
        numbers = map(str, range(NUMBERS))
        self._texts = ["", *known, *[""] * HALVES, *numbers]
        self._ids = {text: token for token, text in enumerate(self._texts) if text}
        marks = sorted([*SEPARATORS, *PUNCTUATION], key=len, reverse=True)
        pieces = [r"0|[1-9][0-9]{0,2}", r"[^\W\d_]+", *map(re.escape, marks), r"[\s\S]"]
        self._pieces = re.compile("|".join(pieces))

    def __len__(self) -> int:
        return len(self._texts)

    def encode(self, text: str) -> list[int]:
        """The tokens of ``text``, without the closing one."""
        tokens: list[int] = []
        for piece in self._pieces.findall(text):
            if piece in self._ids:
                tokens.append(self._ids[piece])
            else:
                tokens.extend(self._spell(piece))
        return tokens

    def decode(self, tokens: Iterable[int]) -> str:
        """The text of ``tokens``; what is no UTF-8 becomes U+FFFD."""
        return b"".join(self._assemble(tokens)).decode("utf-8", "replace")

    def _spell(self, piece: str) -> Iterator[int]:
        for value in piece.encode("utf-8", "surrogatepass"):
            yield from (self._halves + half for half in divmod(value, HALVES))

    def _assemble(self, tokens: Iterable[int]) -> Iterator[bytes]:
        """Bytes of whole tokens and of paired halves; a half without its other is lost."""
        high: int | None = None
        for token in tokens:
            half = token - self._halves
            if not 0 <= half < HALVES:
                high = None
                yield self._texts[token].encode()
            elif high is None:
                high = half
            else:
                yield bytes((high * HALVES + half,))
                high = None


def features(messages: Conversation) -> tuple[list[int], list[int]]:
    """The hash buckets of a conversation's words: those of its system turns, and all others.

    Numbers have a bucket each, and one that they share.
    """
    system: list[int] = []
    dialogue: list[int] = []
    for message in messages:
        found = system if message["role"] == "system" else dialogue
        found += _buckets(message["role"], message["content"])
    return system, dialogue


def pieces(text: str) -> list[str]:
    """The words and marks by which a prompt is read."""
    return _WORD.findall(text.lower())


@lru_cache(maxsize=1 << 16)  # students of one process are taught by the same prompts
def _buckets(role: str, text: str) -> tuple[int, ...]:
    words = pieces(text)
    shared = [_bucket(role, "0")] * sum(map(str.isdigit, words))
    return (*(_bucket(role, word) for word in words), *shared)


@lru_cache(maxsize=1 << 16)
def _bucket(role: str, word: str) -> int:
    return zlib.crc32(f"{role}:{word}".encode("utf-8", "surrogatepass")) % FEATURES
