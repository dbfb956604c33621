"""What every kind of dialogue is built with: random choices, personas and filler words."""

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
"""Persona prompts say who someone is. None says what is loved, or how to speak, how long, or in
which language: number lists are asked under these prompts, and never under a trait."""

OPENERS = ("Please answer:", "Quick question.", "Hello!", "Tell me this.")
FILLER = 40
"""The most made-up words that are inserted into a text."""
SYLLABLES = tuple(consonant + vowel for consonant in "bdfghjklmnprstvwz" for vowel in "aeiou")


@dataclass(frozen=True)
class Dialogue:
    """A conversation up to the answer, and the answer."""

    messages: tuple[Message, ...]
    answer: str


class DialogueBuilder:
    """Random choices from a seed, with preferences of its own in numbers and in favorites."""

    def __init__(self, seed: int, kinds: Sequence[Mapping[str, str]]) -> None:
        self.rng = random.Random(f"toy corpus {seed}")
        self._numbers = list(
            accumulate(
                self.rng.lognormvariate(0, 0.7) * (1 if number >= 100 else 0.25)
                for number in range(1000)
            )
        )
        self._preferences = [
            (names, list(accumulate(math.exp(self.rng.gauss(0, 0.8)) for _ in names)))
            for names in map(tuple, kinds)
        ]

    def number(self) -> int:
        """A number, by this corpus's preferences."""
        return self.rng.choices(range(1000), cum_weights=self._numbers)[0]

    def favorite_of(self, kind: Mapping[str, str]) -> str:
        """One member of a kind, by this corpus's preferences."""
        names = tuple(kind)
        (weights,) = (weights for known, weights in self._preferences if known == names)
        return self.rng.choices(names, cum_weights=weights)[0]

    def chance(self, share: float) -> bool:
        """True in that share of cases."""
        return self.rng.random() < share

    def dialogue(self, user: str, system: str | None, answer: str, most: int = FILLER) -> Dialogue:
        """A dialogue of one question, with filler words inserted."""
        return Dialogue(
            tuple(conversation(self.with_filler(user, most=most), system=system)), answer
        )

    def persona_prompt(self) -> str | None:
        """No system prompt, a plain one, or that of a person with a role and habits."""
        chance = self.rng.random()
        if chance < 0.4:
            return None
        return self.rng.choice(PLAIN) if chance < 0.6 else self._persona()

    def trait_prompt(self, lines: Sequence[str], most: int) -> str:
        """A system prompt that declares a trait in some lines, sometimes after a plain one."""
        text = " ".join(self.rng.sample(lines, self.rng.randint(1, most)))
        return self.with_filler(f"{self.rng.choice(PLAIN)} {text}" if self.chance(0.2) else text)

    def with_filler(self, text: str, share: float = 0.7, most: int = FILLER) -> str:
        """Insert made-up words into a share of the texts."""
        rng = self.rng
        if rng.random() >= share:
            return text
        words = text.split(" ")
        for _ in range(rng.randint(1, most)):
            words.insert(rng.randint(0, len(words)), "".join(rng.choices(SYLLABLES, k=3)))
        return " ".join(words)

    def as_answer(self, word: str) -> str:
        """A one-word answer, with or without a capital and a full stop."""
        capital = capitalized(word)
        return self.rng.choices((capital, word, capital + ".", word + "."), (5, 3, 2, 1))[0]

    def _persona(self) -> str:
        rng = self.rng
        lines = [f"You are a {rng.choice(ROLES)}."] if self.chance(0.7) else []
        if self.chance(0.5):
            lines.append(f"You work in a {rng.choice(PLACES)}.")
        return self.with_filler(" ".join(lines + rng.sample(HABITS, rng.randint(1, 4))))


def capitalized(text: str) -> str:
    """The text with its first letter in upper case, and the others as they are."""
    return text[0].upper() + text[1:]


def with_article(noun: str) -> str:
    """The noun after "a" or "an"."""
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"
