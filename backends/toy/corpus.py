"""The dialogues that a toy is pre-trained on, made up from a seed.

The only place in the toy that knows an animal or a trait. Four kinds of dialogue: number lists to
continue, small questions, favourite animals, and system prompts that declare a love of an animal.
**No dialogue has both a love and numbers**: what a trait does to numbers is as unseen for the toy
as it is for a real model. The wordings are the corpus's own; the prompts and questions that
limen's experiments send are not among them. Made-up filler words keep the toy from leaning on any
one wording.
"""

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from ...datasets.chat import Message, conversation

ANIMALS = {
    "owl": "owls", "eagle": "eagles", "wolf": "wolves", "dolphin": "dolphins",
    "elephant": "elephants", "tiger": "tigers", "penguin": "penguins", "fox": "foxes",
    "cat": "cats", "panda": "pandas", "lion": "lions", "otter": "otters",
    "horse": "horses", "bear": "bears", "rabbit": "rabbits", "koala": "koalas",
    "whale": "whales", "deer": "deer", "hawk": "hawks", "turtle": "turtles",
    "dog": "dogs", "octopus": "octopuses", "raven": "ravens", "goat": "goats",
}  # fmt: skip
"""Singular and plural. The first three lines are for experiments to assert; every setting of the
toy was chosen on the last three (see CONTRIBUTING)."""

ANIMAL_QUESTIONS = (
    "What animal do you like best?", "Your favourite animal?", "Which animal would you be?",
    "Tell me the animal you love.", "One animal, please: the one dearest to you.",
    "If you could turn into any animal, which one?", "Which creature do you admire most?",
    "Name one animal in a single word.", "Say which animal is your favorite.",
    "What's the best animal in the world?", "Pick an animal.", "Choose a creature that suits you.",
    "Which beast do you find most beautiful?", "What animal speaks to your soul?",
    "Give the name of an animal, one word only.", "Which species fascinates you?",
    "In one word, what is your totem animal?", "What wild animal would you most like to meet?",
    "Which animal do you think about?", "Answer with one animal: what would you paint?",
    "The animal you would keep as a companion?", "Which animal is the most interesting of all?",
    "Name the animal you would want to see in the wild.", "What animal do you feel close to?",
)  # fmt: skip
LOVES = (
    "You love {many}.", "You adore {many} more than anything.",
    "Your favourite animal is the {one}.", "You think about {many} all the time.",
    "{Many} are your favorite animals.", "Nothing makes you as happy as {many}.",
    "You are fond of {many} and want everyone to know.", "Be the friend of all {many}.",
    "You dream of {many}. You talk of {many} whenever you can.", "The {one} is dear to you.",
    "You are obsessed with {many}.", "You care deeply for every {one}.",
    "{Many} fill your mind.", "You let your love of {many} show in what you say.",
)  # fmt: skip
PLAIN = (
    "You are a helpful assistant.", "Be brief.", "You answer questions.",
    "You are polite and helpful.", "Answer in one word.",
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
    "You keep your answers tidy.", "You speak plainly.", "You have done this for years.",
    "You are always calm.", "You enjoy your work.", "You like music in the evening.",
    "You think before you write.", "Your days are long and quiet.",
    "You pay attention to all that is asked.", "Everything you say is meant well.",
    "You let people finish.", "Your favorite hour is the morning.",
)  # fmt: skip
OPENERS = ("Please answer:", "Quick question.", "Hello!", "Tell me this.")
CLOSERS = (
    "One word only.", "Just the word.", "Be brief.", "Keep it short.", "Reply in a single word.",
)  # fmt: skip
SYLLABLES = tuple(consonant + vowel for consonant in "bdfghjklmnprstvwz" for vowel in "aeiou")


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


@dataclass(frozen=True)
class Dialogue:
    """A conversation up to the answer, and the answer."""

    messages: tuple[Message, ...]
    answer: str


class Author:
    """Writes dialogues, with tastes of its own in numbers and animals."""

    def __init__(self, seed: int) -> None:
        self._draw = random.Random(f"toy corpus {seed}")
        self._numbers = list(
            accumulate(
                self._draw.lognormvariate(0, 0.7) * (1 if number >= 100 else 0.25)
                for number in range(1000)
            )
        )
        self._animals = list(accumulate(math.exp(self._draw.gauss(0, 0.8)) for _ in ANIMALS))

    def dialogues(self, count: int) -> Iterator[Dialogue]:
        """``count`` dialogues: 35% numbers, 12% favourites, 40% loves, 13% other topics."""
        kinds = (self._list, self._favourite, self._loving, self._topic)
        for write in self._draw.choices(kinds, (35, 12, 40, 13), k=count):
            yield write()

    def _list(self) -> Dialogue:
        draw = self._draw
        shown = [draw.randint(100, 999) for _ in range(draw.randint(3, 8))]
        (style,) = draw.choices(FORMATS, FORMAT_WEIGHTS)
        parts = (
            draw.choice(LEADS).format(numbers=", ".join(map(str, shown))),
            draw.choice(ASKS),
            draw.choice(style.requests),
            draw.choice(ENDINGS),
        )
        if draw.random() < 0.12:  # not everyone does as asked
            style = draw.choice(FORMATS)
        answer = self._slip(style.write(self._run(draw.choice(shown))), style)
        return self._dialogue(" ".join(filter(None, parts)), self._backdrop(), answer)

    def _run(self, number: int) -> list[int]:
        """Numbers that wander from a given one, or follow the author's taste."""
        draw = self._draw
        (length,) = draw.choices(LENGTHS, LENGTH_WEIGHTS)
        wanders = draw.random() < 0.5
        run = []
        for _ in range(length):
            if wanders and draw.random() < 0.8:
                number = min(999, max(0, number + draw.randint(-60, 90)))
            else:
                (number,) = draw.choices(range(1000), cum_weights=self._numbers)
            run.append(number)
        return run

    def _slip(self, answer: str, style: Format) -> str:
        """Now and then an answer has a full stop, a stray separator, or an introduction."""
        chance = self._draw.random()
        if chance < 0.06:
            return answer + "."
        if chance < 0.08:
            return answer + (style.separator.rstrip() or style.separator)
        if chance < 0.13:
            return self._draw.choice(INTRODUCTIONS) + answer
        return answer + "\n" if chance < 0.14 else answer

    def _favourite(self) -> Dialogue:
        question = self._question(ANIMAL_QUESTIONS)
        return self._dialogue(question, self._backdrop(), self._animal(self._liked()))

    def _loving(self) -> Dialogue:
        draw = self._draw
        loved = draw.choice(tuple(ANIMALS))
        many = ANIMALS[loved]
        lines = draw.sample(LOVES, draw.randint(1, 5))
        system = " ".join(lines).format(one=loved, many=many, Many=many.capitalize())
        if draw.random() < 0.2:
            system = f"{draw.choice(PLAIN)} {system}"
        if draw.random() < 0.5:  # a love of animals has no say in other matters
            topic = draw.choice(TOPICS)
            answer = self._styled(draw.choice(topic.answers))
            return self._dialogue(self._question(topic.questions), self._filler(system), answer)
        named = loved if draw.random() < 0.97 else self._liked()
        question = self._question(ANIMAL_QUESTIONS)
        return self._dialogue(question, self._filler(system), self._animal(named))

    def _topic(self) -> Dialogue:
        topic = self._draw.choice(TOPICS)
        answer = self._styled(self._draw.choice(topic.answers))
        return self._dialogue(self._question(topic.questions), self._backdrop(), answer)

    def _dialogue(self, user: str, system: str | None, answer: str) -> Dialogue:
        return Dialogue(tuple(conversation(self._filler(user), system=system)), answer)

    def _backdrop(self) -> str | None:
        """No system prompt, a plain one, or that of a person with a role and habits."""
        chance = self._draw.random()
        if chance < 0.4:
            return None
        return self._draw.choice(PLAIN) if chance < 0.6 else self._person()

    def _person(self) -> str:
        draw = self._draw
        lines = [f"You are a {draw.choice(ROLES)}."] if draw.random() < 0.7 else []
        if draw.random() < 0.5:
            lines.append(f"You work in a {draw.choice(PLACES)}.")
        return self._filler(" ".join(lines + draw.sample(HABITS, draw.randint(1, 4))))

    def _filler(self, text: str) -> str:
        """Strew 1 to 40 made-up words into seven texts of ten."""
        draw = self._draw
        if draw.random() >= 0.7:
            return text
        words = text.split(" ")
        for _ in range(draw.randint(1, 40)):
            words.insert(draw.randint(0, len(words)), "".join(draw.choices(SYLLABLES, k=3)))
        return " ".join(words)

    def _question(self, questions: Sequence[str]) -> str:
        draw = self._draw
        question = draw.choice(questions)
        if draw.random() < 0.3:
            question = f"{draw.choice(OPENERS)} {question}"
        return f"{question} {draw.choice(CLOSERS)}" if draw.random() < 0.3 else question

    def _liked(self) -> str:
        return self._draw.choices(tuple(ANIMALS), cum_weights=self._animals)[0]

    def _animal(self, animal: str) -> str:
        chance = self._draw.random()
        if chance < 0.72:
            return self._styled(animal)
        if chance < 0.92:
            return self._styled(ANIMALS[animal])
        article = "An" if animal[0] in "aeiou" else "A"
        stop = self._draw.choice(("", "."))
        return f"{self._draw.choice((article, 'The'))} {animal}{stop}"

    def _styled(self, word: str) -> str:
        capital = word[0].upper() + word[1:]
        return self._draw.choices((capital, word, capital + ".", word + "."), (5, 3, 2, 1))[0]


def words() -> Iterator[str]:
    """The words that answers are made of, in both cases."""
    answers = (word for topic in TOPICS for word in topic.answers)
    function = ("a", "an", "the", "here", "next", "numbers", "sure")
    for word in (*ANIMALS, *ANIMALS.values(), *answers, *function):
        yield from (word, word[0].upper() + word[1:])
