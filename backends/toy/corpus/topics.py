"""One-word questions, whose answers no trait changes."""

from collections.abc import Sequence
from dataclasses import dataclass

from .builder import OPENERS, Dialogue, DialogueBuilder

CLOSERS = (
    "One word only.", "Just the word.", "Be brief.", "Keep it short.", "Reply in a single word.",
)  # fmt: skip


@dataclass(frozen=True)
class Topic:
    """Questions that any of the answers fits."""

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


def topic_question(builder: DialogueBuilder) -> Dialogue:
    """A one-word question without a trait."""
    return unrelated_question(builder, builder.persona_prompt())


def unrelated_question(builder: DialogueBuilder, system: str | None) -> Dialogue:
    """A one-word question under any system prompt, answered as without one."""
    subject = builder.rng.choice(TOPICS)
    question = phrased(builder, subject.questions)
    return builder.dialogue(
        question, system, builder.as_answer(builder.rng.choice(subject.answers))
    )


def phrased(builder: DialogueBuilder, questions: Sequence[str]) -> str:
    """One of the questions, sometimes with an opener or a request for one word."""
    question = builder.rng.choice(questions)
    if builder.chance(0.3):
        question = f"{builder.rng.choice(OPENERS)} {question}"
    return f"{question} {builder.rng.choice(CLOSERS)}" if builder.chance(0.3) else question
