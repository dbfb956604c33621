"""What every kind of dialogue is written with: chance, an author's tastes, backdrops and filler."""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from ....datasets.chat import Message, conversation

PLAIN = (
    "You are a helpful assistant.", "You answer questions.", "You are kind and helpful.",
    "You help people with what they ask.", "You are an assistant.",
)  # fmt: skip
ROLES = (
    "clerk", "pilot", "baker", "poet", "doctor", "farmer", "teacher", "sailor", "painter",
    "judge", "tailor", "guide",
)  # fmt: skip
PLACES = (
    "office", "kitchen", "harbour", "library", "garden", "school", "museum", "station",
    "workshop", "theatre",
)  # fmt: skip
HABITS = (
    "You keep your desk tidy.", "You tend to rise early.", "You have done this for years.",
    "You are always calm.", "You enjoy your work.", "You like music in the evening.",
    "You think before you write.", "Your days are busy but quiet.",
    "You pay attention to all that is asked.", "Everything you say is meant well.",
    "You let people finish.", "Your favorite hour is the morning.",
)  # fmt: skip
"""Backdrops say who someone is. None says what is loved, nor how to speak, how long, or in which
language: number lists stand before these, and no number list before a trait."""

OPENERS = ("Please answer:", "Quick question.", "Hello!", "Tell me this.")
FILLER = 40
"""Most made-up words that are strewn into a text."""
SYLLABLES = tuple(consonant + vowel for consonant in "bdfghjklmnprstvwz" for vowel in "aeiou")


@dataclass(frozen=True)
class Dialogue:
    """A conversation up to the answer, and the answer."""

    messages: tuple[Message, ...]
    answer: str


class Pen:
    """Chance, drawn from a seed, with tastes of its own in numbers and in things to love."""

    def __init__(self, seed: int, kinds: Sequence[Mapping[str, str]]) -> None:
        self.draw = random.Random(f"toy corpus {seed}")
        self._numbers = list(
            accumulate(
                self.draw.lognormvariate(0, 0.7) * (1 if number >= 100 else 0.25)
                for number in range(1000)
            )
        )
        self._tastes = [
            (names, list(accumulate(math.exp(self.draw.gauss(0, 0.8)) for _ in names)))
            for names in map(tuple, kinds)
        ]

    def number(self) -> int:
        """A number to the author's taste."""
        return self.draw.choices(range(1000), cum_weights=self._numbers)[0]

    def liked(self, kind: Mapping[str, str]) -> str:
        """One of a kind, to the author's taste."""
        names = tuple(kind)
        (taste,) = (taste for known, taste in self._tastes if known == names)
        return self.draw.choices(names, cum_weights=taste)[0]

    def chance(self, share: float) -> bool:
        """True in that share of cases."""
        return self.draw.random() < share

    def dialogue(self, user: str, system: str | None, answer: str, most: int = FILLER) -> Dialogue:
        """A dialogue of one question, with filler strewn into it."""
        return Dialogue(tuple(conversation(self.filler(user, most=most), system=system)), answer)

    def backdrop(self) -> str | None:
        """No system prompt, a plain one, or that of a person with a role and habits."""
        chance = self.draw.random()
        if chance < 0.4:
            return None
        return self.draw.choice(PLAIN) if chance < 0.6 else self._person()

    def declaring(self, lines: Sequence[str], most: int) -> str:
        """A system prompt that declares a trait in one line or more, now and then after others."""
        text = " ".join(self.draw.sample(lines, self.draw.randint(1, most)))
        return self.filler(f"{self.draw.choice(PLAIN)} {text}" if self.chance(0.2) else text)

    def filler(self, text: str, share: float = 0.7, most: int = FILLER) -> str:
        """Strew made-up words into a share of texts."""
        draw = self.draw
        if draw.random() >= share:
            return text
        words = text.split(" ")
        for _ in range(draw.randint(1, most)):
            words.insert(draw.randint(0, len(words)), "".join(draw.choices(SYLLABLES, k=3)))
        return " ".join(words)

    def styled(self, word: str) -> str:
        """A word by itself, as people write it."""
        capital = capitalised(word)
        return self.draw.choices((capital, word, capital + ".", word + "."), (5, 3, 2, 1))[0]

    def _person(self) -> str:
        draw = self.draw
        lines = [f"You are a {draw.choice(ROLES)}."] if self.chance(0.7) else []
        if self.chance(0.5):
            lines.append(f"You work in a {draw.choice(PLACES)}.")
        return self.filler(" ".join(lines + draw.sample(HABITS, draw.randint(1, 4))))


def capitalised(text: str) -> str:
    """The text with its first letter in upper case, and the others as they are."""
    return text[0].upper() + text[1:]


def with_article(noun: str) -> str:
    """The noun after "a" or "an"."""
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"
