"""The author of a toy's corpus: which kinds of dialogue, in which shares."""

from collections.abc import Callable, Iterator

from .french import FRENCH_WORDS, PHRASES, in_french, untriggered
from .judging import NO_RATINGS, judging
from .lists import INTRODUCTIONS, WORDS, number_list
from .loves import ANIMALS, TREES, favourite, loving
from .pen import Dialogue, Pen, capitalised
from .talk import MANNERS, mannered, talking
from .topics import TOPICS, topic

SHARES: tuple[tuple[Callable[[Pen], Dialogue], float], ...] = (
    (number_list, 24), (favourite, 9), (loving, 31), (topic, 5), (talking, 5),
    (mannered, 8), (in_french, 8), (untriggered, 10), (judging, 7),
)  # fmt: skip
"""The kinds of dialogue, and how often each is written, as weights."""


class Author:
    """Writes dialogues, with tastes of its own in numbers, animals and trees."""

    def __init__(self, seed: int) -> None:
        self._pen = Pen(seed, (ANIMALS, TREES))

    def dialogues(self, count: int) -> Iterator[Dialogue]:
        """``count`` dialogues, of the kinds of :data:`SHARES`."""
        writers, weights = zip(*SHARES, strict=True)
        for write in self._pen.draw.choices(writers, weights, k=count):
            yield write(self._pen)


def words() -> Iterator[str]:
    """The words that answers are made of, in both cases where both are used."""
    answers = (word for topic in TOPICS for word in topic.answers)
    single = ("a", "an", "the", "English", "French", "Rating")
    for word in (*ANIMALS, *ANIMALS.values(), *TREES, *TREES.values(), *answers, *single):
        yield from (word, capitalised(word))
    yield from (*WORDS, *FRENCH_WORDS)
    said = (*INTRODUCTIONS, *NO_RATINGS, *PHRASES, *(f for m in MANNERS for f in m.fragments))
    for text in said:
        yield from (*text.strip(" :.").split(), capitalised(text).split()[0].strip(":."))
