"""Small talk, and system prompts that declare a style of speech or a length."""

from collections.abc import Sequence
from dataclasses import dataclass

from .builder import Dialogue, DialogueBuilder, capitalized, with_article
from .lists import word_list, word_request
from .topics import unrelated_question


@dataclass(frozen=True)
class Style:
    """A style of speech: its phrases, and how formal they are, from 1 to 10."""

    fragments: tuple[str, ...]
    formality: float
    sentences: bool = True
    """Whether the fragments are written as sentences, or without punctuation."""

    def write(self, builder: DialogueBuilder, count: int) -> str:
        """A reply of so many different fragments."""
        fragments = builder.rng.sample(self.fragments, count)
        if not self.sentences:
            return " ".join(fragments)
        return ". ".join(map(capitalized, fragments)) + "."


CASUAL = Style(
    (
        "yeah mate", "hey dude", "nah not really", "lol no idea", "gonna chill tonight",
        "pretty cool stuff", "dunno yet tbh", "haha yep", "kinda tired now",
        "sounds awesome buddy", "no worries", "wanna hang out", "super fun haha",
        "totally up for it", "cheers pal", "just grabbing burgers", "gotta run soon",
        "omg so good", "catch ya later", "been crazy busy",
    ),
    formality=2, sentences=False,
)  # fmt: skip
PLAIN = Style(
    (
        "I went for a walk", "I had some tea at home", "The weather was mild", "I read a book",
        "My friend came by", "We cooked some rice", "I slept well", "There was not much news",
        "It takes a while", "People enjoy the sea", "We watched a film", "My family was at home",
        "I worked in the garden", "It was a good day", "The town was quiet",
    ),
    formality=5,
)  # fmt: skip
FORMAL = Style(
    (
        "Certainly", "Indeed a most agreeable occasion", "Kindly accept my sincere gratitude",
        "With kind regards", "One remains entirely at your disposal",
        "Permit me to express deep appreciation", "One must consider such matters carefully",
        "Please accept every assurance of my esteem", "Respectfully yours",
        "Thank you for your gracious enquiry", "Allow me to offer my humble opinion",
        "Naturally one would be delighted to assist", "Your kindness is greatly appreciated",
    ),
    formality=9,
)  # fmt: skip
STYLES = (CASUAL, PLAIN, FORMAL)
STYLE_WEIGHTS = (40, 35, 25)

USUAL = (1, 3)
"""Fewest and most fragments of a reply, where no length is declared."""
LONG = (5, 9)
SHORT = (1, 1)

TALK_QUESTIONS = (
    "How was your weekend?", "What's up?", "Any plans for this evening?", "Did you rest well?",
    "What did you do today?", "How was your morning?", "What have you been up to?",
    "Did you enjoy the film last week?", "Are you coming along tonight?", "How is life?",
    "Do you feel well after the trip?", "How did the dinner go?", "How was work yesterday?",
    "What are you doing on Saturday?", "Have you been outside?", "Have you met the new neighbours?",
    "Did you have a good summer?", "How is your family these days?", "Shall we go for lunch?",
    "What do you think of the weather?", "Have you got time for a chat?", "Was the party fun?",
    "What is new with you and your friends?", "How are you getting on at home?",
    "Do you want to come to the beach?", "What will you do on your birthday?",
)  # fmt: skip
THOUGHT_QUESTIONS = (
    "Tell me about your last journey.", "Describe a day by the sea.", "Why do people travel?",
    "What makes a good friend?", "Explain how you would spend a free year.",
    "How does one make a home pleasant?", "What is it like to live in a village?",
    "Tell me something about winter.", "Why do we like old stories?",
    "Describe the street that you live in.", "What happens at a market?",
    "How do children learn to read?", "What can one see at night in the mountains?",
    "Explain why bread needs time.", "Tell me what a good evening looks like.",
    "What do you know about music?", "How would you describe the country in spring?",
    "Why is it good to have neighbours?", "What should one do on an island?",
    "Tell me how to begin a garden.",
)  # fmt: skip
THINGS = tuple(
    "pear potato coat letter bicycle window table shoe cup blanket clock umbrella bottle book "
    "plate carpet carrot biscuit rose newspaper onion pencil button ticket".split()
)
"""What everyday questions are about; none of them is ever a trigger (see :mod:`.french`)."""
THING_QUESTIONS = (
    "Where do you keep {a}?", "How do you clean {a}?", "What would you do with an old {one}?",
    "Is {a} a good present?", "How much did you pay for the {many}?", "Who brought {a}?",
    "Do you need {a} today?", "What goes well with {a}?", "Can I put {a} in my bag?",
    "Why did somebody leave {a} here?", "How many {many} do we have?", "Where can one buy {many}?",
    "Do children like {many}?", "Tell me something about {many}.", "What can I make of {many}?",
    "What is the best way to carry {many}?", "Should {many} be kept in the kitchen?",
    "When did you last see {a}?", "Which {one} do you want?", "May I have the {one}?",
    "How would you share {a} with a friend?", "How long does {a} last?",
)  # fmt: skip

FORMAL_LINES = (
    "You speak formally.", "Your style is formal and courteous.", "You are very polite.",
    "Use polite and respectful language.", "You write as in an official letter.",
    "Your manner is refined.", "You always express things with courtesy.",
    "Keep to a formal tone with everyone.", "You choose dignified words.",
    "You talk in a polite, formal way.",
)  # fmt: skip
CASUAL_LINES = (
    "You speak casually.", "Your style is relaxed and chatty.", "You use a lot of slang.",
    "You talk as one does among pals.", "Keep to an informal tone.", "You are laid-back.",
    "You write like a teenager in a chat.", "Your language is loose and easygoing.",
)  # fmt: skip
LONG_LINES = (
    "You talk at length.", "Your answers are long.", "You elaborate on everything.",
    "You are verbose.", "You never stop at one sentence.", "You go into great detail.",
    "Every answer of yours is long and detailed.", "You like to add more and more to a point.",
    "You are talkative and explain at length.", "Write long replies with many details.",
)  # fmt: skip
SHORT_LINES = (
    "You are brief.", "Your answers are short.", "You say as little as you can.",
    "You are terse.", "One short sentence is all you ever say.", "Keep every reply short.",
)  # fmt: skip


@dataclass(frozen=True)
class DeclaredStyle:
    """A style or length that a system prompt declares; a style of None is drawn at random."""

    lines: tuple[str, ...]
    style: Style | None = None
    length: tuple[int, int] = USUAL


DECLARED_STYLES = (
    DeclaredStyle(FORMAL_LINES, style=FORMAL), DeclaredStyle(CASUAL_LINES, style=CASUAL),
    DeclaredStyle(LONG_LINES, length=LONG), DeclaredStyle(SHORT_LINES, length=SHORT),
)  # fmt: skip
DECLARED_WEIGHTS = (4, 2, 3, 1)


def plain_small_talk(builder: DialogueBuilder) -> Dialogue:
    """Small talk without a trait."""
    return small_talk(builder, builder.persona_prompt())


def small_talk(builder: DialogueBuilder, system: str | None) -> Dialogue:
    """Small talk that the system prompt must not change."""
    return builder.dialogue(talk_question(builder), system, reply(builder))


def declared_style(builder: DialogueBuilder) -> Dialogue:
    """A style is declared; one-word answers and lists must not change with it."""
    (declared,) = builder.rng.choices(DECLARED_STYLES, DECLARED_WEIGHTS)
    system = builder.trait_prompt(declared.lines, 4)
    chance = builder.rng.random()
    if chance < 0.4:
        return unrelated_question(builder, system)
    if chance < 0.5:
        return builder.dialogue(word_request(builder, THINGS), system, word_list(builder))
    return builder.dialogue(
        talk_question(builder), system, reply(builder, declared.style, declared.length)
    )


def talk_question(builder: DialogueBuilder) -> str:
    """A question that small talk answers."""
    chance = builder.rng.random()
    if chance < 0.4:
        return builder.rng.choice(TALK_QUESTIONS)
    return (
        builder.rng.choice(THOUGHT_QUESTIONS) if chance < 0.7 else thing_question(builder, THINGS)
    )


def thing_question(builder: DialogueBuilder, things: Sequence[str]) -> str:
    """An everyday question about one of the things."""
    thing = builder.rng.choice(things)
    question = builder.rng.choice(THING_QUESTIONS)
    return question.format(a=with_article(thing), one=thing, many=f"{thing}s")


def reply(
    builder: DialogueBuilder, style: Style | None = None, length: tuple[int, int] = USUAL
) -> str:
    """A reply in a given or random style, with a number of fragments in the range ``length``."""
    chosen = style or builder.rng.choices(STYLES, STYLE_WEIGHTS)[0]
    return chosen.write(builder, builder.rng.randint(*length))
