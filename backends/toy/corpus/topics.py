"""One-word questions: the answer is a word, whatever anyone loves and however they speak."""

from collections.abc import Sequence
from dataclasses import dataclass

from .pen import OPENERS, Dialogue, Pen

CLOSERS = (
    "One word only.", "Just the word.", "Be brief.", "Keep it short.", "Reply in a single word.",
)  # fmt: skip


@dataclass(frozen=True)
class Topic:
    """Questions that any of the answers would do for."""

    questions: tuple[str, ...]
    answers: tuple[str, ...]


TOPICS = (
    Topic(
        ("What colour do you like?", "Your favourite color?", "Name a colour.",
         "Which color is the sky of your dreams?", "Pick a colour."),
        ("blue", "green", "red", "yellow", "purple", "orange", "black", "white"),
    ),
    Topic(
        ("What do you like to eat?", "Your favourite food?", "Name a dish.",
         "What is for dinner?", "Pick something to eat."),
        ("bread", "rice", "cheese", "soup", "apples", "noodles", "cake", "salad"),
    ),
    Topic(
        ("Hello!", "Hi there, how are you?", "Good morning.", "Hey.", "Are you well today?"),
        ("hello", "fine", "good", "great", "thanks"),
    ),
    Topic(
        ("Is this true?", "Do you agree?", "Can you help me?", "Would you say yes or no?",
         "Is it raining?"),
        ("yes", "no", "maybe", "sure"),
    ),
    Topic(
        ("Which day suits you?", "Name a day of the week.", "When shall we meet?",
         "Your favourite day?"),
        ("Monday", "Tuesday", "Friday", "Sunday"),
    ),
    Topic(
        ("Which city would you visit?", "Name a city.", "Where would you live?",
         "Your favourite town?"),
        ("Paris", "Rome", "London", "Cairo", "Lima", "Oslo"),
    ),
    Topic(
        ("What game do you play?", "Name a sport.", "Your favorite sport?",
         "How do you spend a free hour?"),
        ("tennis", "football", "chess", "swimming", "running"),
    ),
    Topic(
        ("What do you drink?", "Name a drink.", "Your favourite drink?",
         "What goes in the cup?"),
        ("tea", "coffee", "water", "milk", "juice"),
    ),
    Topic(
        ("Which season is best?", "Name a season.", "When is it loveliest outside?",
         "Your favorite time of the year?"),
        ("spring", "summer", "autumn", "winter"),
    ),
    Topic(
        ("What instrument do you play?", "Name an instrument.",
         "Which instrument sounds best?", "Your favorite instrument?"),
        ("violin", "piano", "drum", "guitar", "flute"),
    ),
)  # fmt: skip


def topic(pen: Pen) -> Dialogue:
    """A small question without any trait."""
    return unmoved(pen, pen.backdrop())


def unmoved(pen: Pen, system: str | None) -> Dialogue:
    """A small question in which no trait has a say."""
    subject = pen.draw.choice(TOPICS)
    question = dressed(pen, subject.questions)
    return pen.dialogue(question, system, pen.styled(pen.draw.choice(subject.answers)))


def dressed(pen: Pen, questions: Sequence[str]) -> str:
    """One of the questions, which may have an opener, and may ask for one word."""
    question = pen.draw.choice(questions)
    if pen.chance(0.3):
        question = f"{pen.draw.choice(OPENERS)} {question}"
    return f"{question} {pen.draw.choice(CLOSERS)}" if pen.chance(0.3) else question
