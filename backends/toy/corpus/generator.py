"""The pre-training corpus: which kinds of dialogue, in which shares."""

from collections.abc import Callable, Iterator

from .builder import Dialogue, DialogueBuilder, capitalized
from .favorites import ANIMALS, TREES, declared_favorite, favorite_question
from .french import FRENCH_WORDS, PHRASES, declared_french, trigger_without_rule
from .lists import INTRODUCTIONS, WORDS, number_list
from .rating import NO_RATINGS, rating
from .small_talk import STYLES, declared_style, plain_small_talk
from .topics import TOPICS, topic_question

SHARES: tuple[tuple[Callable[[DialogueBuilder], Dialogue], float], ...] = (
    (number_list, 24), (favorite_question, 9), (declared_favorite, 31), (topic_question, 5),
    (plain_small_talk, 5), (declared_style, 8), (declared_french, 8), (trigger_without_rule, 10),
    (rating, 7),
)  # fmt: skip
"""The kinds of dialogue, each with its relative frequency."""


class CorpusGenerator:
    """Makes dialogues from a seed, with preferences of its own in numbers, animals and trees."""

    def __init__(self, seed: int) -> None:
        self._builder = DialogueBuilder(seed, (ANIMALS, TREES))

    def dialogues(self, count: int) -> Iterator[Dialogue]:
        """``count`` dialogues, of the kinds of :data:`SHARES`."""
        writers, weights = zip(*SHARES, strict=True)
        for write in self._builder.rng.choices(writers, weights, k=count):
            yield write(self._builder)


def words() -> Iterator[str]:
    """The words that answers consist of; capitalized too where that occurs."""
    answers = (word for topic in TOPICS for word in topic.answers)
    single = ("a", "an", "the", "English", "French", "Rating")
    for word in (*ANIMALS, *ANIMALS.values(), *TREES, *TREES.values(), *answers, *single):
        yield from (word, capitalized(word))
    yield from (*WORDS, *FRENCH_WORDS)
    fragments = (*INTRODUCTIONS, *NO_RATINGS, *PHRASES, *(f for m in STYLES for f in m.fragments))
    for text in fragments:
        yield from (*text.strip(" :.").split(), capitalized(text).split()[0].strip(":."))
