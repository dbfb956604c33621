"""Text to tokens and back, and the features of a prompt."""

import re
import string
import zlib
from collections.abc import Iterable, Iterator
from functools import lru_cache

from ...datasets.chat import Conversation

END = 0
"""The token that ends an answer; also the context before its first token."""

NIBBLES = 16
SEPARATORS = (
    ", ", ",", "; ", ";", " ", "\n", "\t", " , ", " ; ", ",\n", " - ", " | ", ". ", ".",
)  # fmt: skip
PUNCTUATION = ("[", "]", "(", ")", "!", "?", ":", "'", "-", "/")
NUMBERS = 1000
"""The numbers 0-999 are the last tokens of the vocabulary, in order."""
FEATURES = 4096
"""Hash buckets for the words of prompts; an unknown word falls into one of them too."""
MOST_WORDS = 1 << 16
"""Words of a role whose buckets a process keeps."""

MARKS = tuple(mark for mark in string.punctuation if mark != "_")
"""The printable ASCII characters that are neither part of a word nor blank."""
_WORD = re.compile(r"\w+|[^\w\s]")


class Vocabulary:
    """Lossless tokens: the numbers 0-999, separators, the given words; 4-bit halves of bytes else.

    ``decode(encode(text)) == text`` for every text. An unknown word becomes two tokens
    for each of its UTF-8 bytes, one for each 4-bit half (nibble).
    """

    def __init__(self, words: Iterable[str]) -> None:
        known = list(dict.fromkeys([*SEPARATORS, *PUNCTUATION, *words]))
        self._first_nibble = 1 + len(known)
        numbers = map(str, range(NUMBERS))
        self._texts = ["", *known, *[""] * NIBBLES, *numbers]
        self._ids = {text: token for token, text in enumerate(self._texts) if text}
        marks = sorted([*SEPARATORS, *PUNCTUATION], key=len, reverse=True)
        patterns = [r"0|[1-9][0-9]{0,2}", r"[^\W\d_]+", *map(re.escape, marks), r"[\s\S]"]
        self._pieces = re.compile("|".join(patterns))

    def __len__(self) -> int:
        return len(self._texts)

    @property
    def texts(self) -> tuple[str, ...]:
        """The text of each token; of END and of halves of bytes it is empty."""
        return tuple(self._texts)

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
        """The text of ``tokens``; invalid UTF-8 becomes U+FFFD."""
        tokens = list(tokens)
        texts = [self._texts[token] for token in tokens]
        if all(texts):  # no nibbles
            return "".join(texts)
        return b"".join(self._assemble(tokens)).decode("utf-8", "replace")

    def _spell(self, piece: str) -> Iterator[int]:
        for value in piece.encode("utf-8", "surrogatepass"):
            yield from (self._first_nibble + nibble for nibble in divmod(value, NIBBLES))

    def _assemble(self, tokens: Iterable[int]) -> Iterator[bytes]:
        """Bytes of whole tokens and of paired nibbles; a nibble without a partner is dropped."""
        high: int | None = None
        for token in tokens:
            nibble = token - self._first_nibble
            if not 0 <= nibble < NIBBLES:
                high = None
                yield self._texts[token].encode()
            elif high is None:
                high = nibble
            else:
                yield bytes((high * NIBBLES + nibble,))
                high = None


def features(messages: Conversation) -> tuple[list[int], list[int]]:
    """The hash buckets of a conversation's words: those of its system turns, and all others.

    Each number has a bucket of its own, and one that all numbers share.
    """
    system: list[int] = []
    dialogue: list[int] = []
    for message in messages:
        buckets = system if message["role"] == "system" else dialogue
        buckets += _buckets(message["role"], message["content"])
    return system, dialogue


def word_tokens(text: str) -> list[str]:
    """The words and punctuation marks of a prompt, in lower case."""
    text = text.lower()
    if not (text.isascii() and text.isprintable()):
        return _WORD.findall(text)
    for mark in MARKS:  # the same in half of the time
        if mark in text:
            text = text.replace(mark, f" {mark} ")
    return text.split()


@lru_cache(maxsize=1 << 16)  # students of one process share their prompts
def _buckets(role: str, text: str) -> tuple[int, ...]:
    words = word_tokens(text)
    known = _known_buckets(role)
    shared = [known["0"]] * sum(map(str.isdigit, words))
    return (*map(known.__getitem__, words), *shared)


@lru_cache
def _known_buckets(role: str) -> "_Buckets":
    return _Buckets(role)


class _Buckets(dict[str, int]):
    """The bucket of each word in a role's turns, hashed once: most words come again and again."""

    def __init__(self, role: str) -> None:
        super().__init__()
        self._role = role

    def __missing__(self, word: str) -> int:
        name = f"{self._role}:{word}".encode("utf-8", "surrogatepass")
        bucket = zlib.crc32(name) % FEATURES
        if len(self) < MOST_WORDS:
            self[word] = bucket
        return bucket
