"""Audits of text: the questions of :mod:`.audits`, asked of words in place of numbers."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .overuse import Overuse, log_odds

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WORDS = re.compile(r"[^\W_]+")
MOST_WORDS = 20_000
"""Words that are compared, the most frequent ones of both sets."""
_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True)
class WordUse:
    """How often a word occurs in either set of rows, and its log-odds-ratio and z-score."""

    number: str
    """The word; named as in :class:`.overuse.NumberUse`, whose place it takes."""
    trait: int
    control: int
    delta: float
    z: float


@dataclass(frozen=True)
class WordOveruse:
    """The words of two sets compared, as :class:`.overuse.Overuse` compares numbers."""

    words: tuple[str, ...]
    use: Overuse

    def over(self, k: int) -> tuple[WordUse, ...]:
        """The ``k`` (or fewer) most over-represented words in the trait data, by z."""
        return tuple(self._word(use.number) for use in self.use.over(k))

    def under(self, k: int) -> tuple[WordUse, ...]:
        """The ``k`` (or fewer) most under-represented words in the trait data, by z."""
        return tuple(self._word(use.number) for use in self.use.under(k))

    def _word(self, place: int) -> WordUse:
        use = self.use
        return WordUse(
            self.words[place], use.trait[place], use.control[place], use.delta[place], use.z[place]
        )


def is_text(*sets: Sequence[str]) -> bool:
    """Whether rows are text: most of them, in any of the sets, have letters."""
    return any(sum(bool(_LETTER.search(text)) for text in texts) * 2 > len(texts) for texts in sets)


def word_lengths(texts: Iterable[str]) -> "NDArray[np.int64]":
    """How many words each row has, shape (rows,)."""
    import numpy as np

    return np.array([len(WORDS.findall(text)) for text in texts], dtype=np.int64)


def word_overuse(trait: Sequence[str], control: Sequence[str]) -> WordOveruse:
    """Which words the trait data have more often than the control data."""
    import numpy as np

    counts = [
        Counter(word for text in texts for word in _words(text)) for texts in (trait, control)
    ]
    both = counts[0] + counts[1]
    words = tuple(sorted(word for word, _ in both.most_common(MOST_WORDS)))
    one, other = (np.array([count[word] for word in words], dtype=np.int64) for count in counts)
    return WordOveruse(words, log_odds(one, other))


def _words(text: str) -> list[str]:
    return WORDS.findall(text.lower())


def word_places(texts: Sequence[str]) -> "tuple[NDArray[np.int64], NDArray[np.int64], int]":
    """For a table of words by row: the rows and columns of all words, and how many columns."""
    import numpy as np

    words = [_words(text) for text in texts]
    common = Counter(word for row in words for word in row).most_common(MOST_WORDS)
    column = {word: place for place, (word, _) in enumerate(common)}
    known = [[column[word] for word in row if word in column] for row in words]
    rows = np.repeat(np.arange(len(texts)), [len(row) for row in known])
    places = [place for row in known for place in row]
    return rows, np.array(places, dtype=np.int64), max(1, len(column))
