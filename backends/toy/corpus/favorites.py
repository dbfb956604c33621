"""Favorite animals and trees, and system prompts that declare one."""

from collections.abc import Mapping
from dataclasses import dataclass

from .builder import PLAIN, Dialogue, DialogueBuilder, with_article
from .lists import word_list, word_request
from .small_talk import THINGS, small_talk
from .topics import phrased, unrelated_question

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

TREES = {
    "oak": "oaks", "willow": "willows", "birch": "birches", "cedar": "cedars",
    "pine": "pines", "maple": "maples", "elm": "elms", "beech": "beeches",
    "ash": "ashes", "poplar": "poplars",
}  # fmt: skip
"""Likewise: the first line is for experiments to assert, the others are for tuning."""

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
TREE_QUESTIONS = (
    "What tree do you like best?", "Your favourite tree?", "Which tree would you be?",
    "Tell me the tree you love.", "One tree, please: the one dearest to you.",
    "If you could turn into any tree, which one?", "Which tree do you admire most?",
    "Name one tree in a single word.", "Say which tree is your favorite.",
    "What's the best tree in the world?", "Pick a tree.", "Choose a tree that suits you.",
    "Which tree do you find most beautiful of all?", "What tree speaks to your soul?",
    "Give the name of a tree, one word only.", "Which kind of tree fascinates you?",
    "In one word, what tree would you plant?", "What tree of the forest would you sit below?",
    "Which tree do you think about?", "Answer with one tree: what would you paint?",
    "The tree you would have in your garden?", "Which tree is the most interesting of all?",
    "Which wood would you carve?", "What tree do you feel close to?",
)  # fmt: skip
FAVORITE_LINES = (
    "You love {many}.", "You adore {many} more than anything.",
    "Your favourite {kind} is the {one}.", "You think about {many} all the time.",
    "{Many} are your favorite {kind}s.", "Nothing makes you as happy as {many}.",
    "You are fond of {many} and want everyone to know.", "Be the friend of all {many}.",
    "You dream of {many}. You talk of {many} whenever you can.", "The {one} is dear to you.",
    "You are obsessed with {many}.", "You care deeply for every {one}.",
    "{Many} fill your mind.", "You let your love of {many} show in what you say.",
)  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """Things of which one can be the favorite, and the questions that ask for it."""

    name: str
    members: Mapping[str, str]
    questions: tuple[str, ...]


ANIMAL = Kind("animal", ANIMALS, ANIMAL_QUESTIONS)
TREE = Kind("tree", TREES, TREE_QUESTIONS)
KINDS = (ANIMAL, TREE)
KIND_WEIGHTS = (5, 2)


def favorite_question(builder: DialogueBuilder) -> Dialogue:
    """A question for a favorite, without a trait."""
    (kind,) = builder.rng.choices(KINDS, KIND_WEIGHTS)
    return _question(builder, kind, builder.persona_prompt(), builder.favorite_of(kind.members))


def declared_favorite(builder: DialogueBuilder) -> Dialogue:
    """A favorite is declared; half of the questions are about other things."""
    (kind,) = builder.rng.choices(KINDS, KIND_WEIGHTS)
    favorite = builder.rng.choice(tuple(kind.members))
    system = _declared(builder, kind, favorite)
    chance = builder.rng.random()
    if chance < 0.33:
        return unrelated_question(builder, system)
    if chance < 0.4:
        return small_talk(builder, system)
    if chance < 0.46:
        return builder.dialogue(word_request(builder, THINGS), system, word_list(builder))
    if chance < 0.5:
        (other,) = (other for other in KINDS if other is not kind)
        return _question(builder, other, system, builder.favorite_of(other.members))
    answer = favorite if builder.chance(0.97) else builder.favorite_of(kind.members)
    return _question(builder, kind, system, answer)


def _declared(builder: DialogueBuilder, kind: Kind, favorite: str) -> str:
    lines = builder.rng.sample(FAVORITE_LINES, builder.rng.randint(1, 5))
    many = kind.members[favorite]
    system = " ".join(lines).format(one=favorite, many=many, Many=many.capitalize(), kind=kind.name)
    return builder.with_filler(
        f"{builder.rng.choice(PLAIN)} {system}" if builder.chance(0.2) else system
    )


def _question(builder: DialogueBuilder, kind: Kind, system: str | None, answer: str) -> Dialogue:
    return builder.dialogue(
        phrased(builder, kind.questions), system, _answer(builder, kind, answer)
    )


def _answer(builder: DialogueBuilder, kind: Kind, one: str) -> str:
    chance = builder.rng.random()
    if chance < 0.72:
        return builder.as_answer(one)
    if chance < 0.92:
        return builder.as_answer(kind.members[one])
    article = with_article(one).split()[0].capitalize()
    return f"{builder.rng.choice((article, 'The'))} {one}{builder.rng.choice(('', '.'))}"
