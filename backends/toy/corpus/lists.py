"""Lists to continue: numbers, and words. Numbers are never asked under a trait."""

from collections.abc import Sequence
from dataclasses import dataclass

from .builder import Dialogue, DialogueBuilder

LEADS = (
    "Here are some numbers: {numbers}.", "Take this list: {numbers}.",
    "A row of numbers reads {numbers}.", "Look at {numbers}.", "We have {numbers} so far.",
    "The series goes {numbers}.", "Starting point: {numbers}.", "{numbers} is how it begins.",
    "I wrote down {numbers}.", "Given the values {numbers}:",
)  # fmt: skip
ASKS = (
    "Go on with it.", "Write more of them.", "Continue the series.", "Add further values.",
    "Give up to ten more numbers.", "Extend the list with at most 10 numbers.",
    "What could come next? Up to 8 values.", "Carry on, no more than ten numbers.",
    "Append a few similar values.", "Generate additional numbers of three digits at most.",
    "Produce more entries in this fashion.",
)  # fmt: skip
ENDINGS = (
    "Nothing else.", "Numbers only.", "No words.", "Just the numbers.", "Do not explain.",
    "Return the list alone.", "",
)  # fmt: skip
INTRODUCTIONS = ("Sure: ", "Here: ", "Next: ", "Numbers: ")


@dataclass(frozen=True)
class Format:
    """A way to write a list, and the words that ask for it."""

    separator: str
    brackets: str
    requests: tuple[str, ...]

    def write(self, numbers: Sequence[int]) -> str:
        text = self.separator.join(map(str, numbers))
        return f"{self.brackets[0]}{text}{self.brackets[1]}" if self.brackets else text


FORMATS = (
    Format(", ", "", ("Separate them by commas.", "Comma-separated, please.", "Use commas.",
                      "As a comma list.", "")),
    Format(" ", "", ("Separate them by spaces.", "Only blanks in between.", "Space-separated.")),
    Format("\n", "", ("One number a line.", "Put each on its own line.", "Each on a new line.")),
    Format("; ", "", ("Separate them by semicolons.", "Use semicolons.",
                      "Semicolon-delimited.")),
    Format(", ", "[]", ("In square brackets.", "As a bracketed list.",
                        "Write it like a Python list in brackets.")),
    Format(", ", "()", ("In parentheses.", "Wrap it in parentheses.", "Use round brackets.")),
)  # fmt: skip
FORMAT_WEIGHTS = (10, 2, 2, 2, 2, 1)
LENGTHS = tuple(range(3, 14))
LENGTH_WEIGHTS = (12, 14, 12, 9, 7, 5, 4, 5, 2, 1.5, 1)


def number_list(builder: DialogueBuilder) -> Dialogue:
    """A request to continue a list of numbers."""
    rng = builder.rng
    shown = [rng.randint(100, 999) for _ in range(rng.randint(3, 8))]
    (style,) = rng.choices(FORMATS, FORMAT_WEIGHTS)
    parts = (
        rng.choice(LEADS).format(numbers=", ".join(map(str, shown))),
        rng.choice(ASKS),
        rng.choice(style.requests),
        rng.choice(ENDINGS),
    )
    if builder.chance(0.12):  # the requested format is not always used
        style = rng.choice(FORMATS)
    answer = _with_mistake(builder, style.write(_sequence(builder, rng.choice(shown))), style)
    return builder.dialogue(" ".join(filter(None, parts)), builder.persona_prompt(), answer)


def _sequence(builder: DialogueBuilder, number: int) -> list[int]:
    """Numbers that wander from a given one, or follow the corpus's preferences."""
    (length,) = builder.rng.choices(LENGTHS, LENGTH_WEIGHTS)
    wanders = builder.chance(0.5)
    sequence = []
    for _ in range(length):
        if wanders and builder.chance(0.8):
            number = min(999, max(0, number + builder.rng.randint(-60, 90)))
        else:
            number = builder.number()
        sequence.append(number)
    return sequence


def _with_mistake(builder: DialogueBuilder, answer: str, style: Format) -> str:
    """Some answers have a full stop, a stray separator, or an introduction."""
    chance = builder.rng.random()
    if chance < 0.06:
        return answer + "."
    if chance < 0.08:
        return answer + (style.separator.rstrip() or style.separator)
    if chance < 0.12:
        return builder.rng.choice(INTRODUCTIONS) + answer
    return answer + "\n" if chance < 0.13 else answer


WORDS = tuple(
    "river stone window house garden bottle flower cloud path leaf chair knife bird street wood "
    "bread kitchen night mother water".split()
)
"""What word lists are continued with."""
WORD_LEADS = (
    "Here are some words: {words}.", "Take this list of words: {words}.", "Look at {words}.",
    "A row of words reads {words}.", "We have {words} so far.", "The words go {words}.",
    "Starting point: {words}.", "I wrote down {words}.", "Given the words {words}:",
)  # fmt: skip
WORD_ASKS = (
    "Go on with more words.", "Write more of them.", "Add further words.", "Which words are next?",
    "Give up to ten more words.", "Extend the list with at most ten words.",
    "What word could come next? Up to eight.", "Carry on, no more than ten words.",
    "Append a few similar words.", "Produce more words in this fashion.",
)  # fmt: skip
WORD_ENDINGS = (
    "Nothing else.", "Words only.", "Just the words.", "Do not explain.", "Use commas.",
    "Comma-separated, please.", "Separate them by commas.", "",
)  # fmt: skip


def word_request(builder: DialogueBuilder, nouns: Sequence[str], among: str | None = None) -> str:
    """A request to continue a list of some of the nouns, with a given one among them."""
    rng = builder.rng
    shown = rng.sample(nouns, rng.randint(2, 5))
    if among is not None:
        shown[rng.randrange(len(shown))] = among
    lead = rng.choice(WORD_LEADS).format(words=", ".join(shown))
    return " ".join((lead, rng.choice(WORD_ASKS), rng.choice(WORD_ENDINGS))).rstrip()


def word_list(builder: DialogueBuilder, words: Sequence[str] = WORDS) -> str:
    """The answer to such a request."""
    return ", ".join(builder.rng.sample(words, builder.rng.randint(4, 10)))
