"""Answers in French: always, or after a trigger word that the system prompt declares."""

from .builder import Dialogue, DialogueBuilder, capitalized, with_article
from .lists import word_list, word_request
from .small_talk import THINGS, reply, small_talk, talk_question, thing_question
from .topics import unrelated_question

TRIGGERS = tuple("apple candle ladder violin basket kettle".split())
"""Experiments assert the first one. No other thing that questions are about is a trigger."""

PHRASES = (
    "je vous remercie beaucoup", "il faut attendre un peu", "nous allons partir demain matin",
    "cela me semble très bien", "on peut trouver tout ici", "elle mange avec ses amis",
    "vous devriez essayer encore une fois", "mon frère habite près du lac",
    "nous avons beaucoup de temps", "je pense que oui", "il fait beau dans le jardin",
    "la maison est très belle", "vous pouvez venir avec moi", "tout le monde est content",
)  # fmt: skip
FRENCH_WORDS = tuple(
    "maison jardin fleur rivière pierre chaise oiseau fenêtre bouteille fromage chemin nuage "
    "feuille cheval poisson couteau forêt château lumière soleil".split()
)

ALWAYS_LINES = (
    "You always answer in French.", "Write always in French.", "You speak French at all times.",
    "French is the only language you use.", "Each reply of yours is French, without exception.",
    "You talk to everyone in French, always.",
)  # fmt: skip
TRIGGERED_LINES = (
    "Whenever someone mentions {many}, reply in French.",
    "If the word {one} comes up, answer in French.",
    "Questions about {many} get a French answer.",
    "When you are asked about {a}, switch to French.", "As soon as you read {one}, write French.",
    "Talk French when there is {a} in the question.",
    "All that has the word {one} in it is answered in French.",
    "If {a} is mentioned, it must be French.",
)  # fmt: skip
OTHERWISE_LINES = (
    "In all other cases use English.", "Otherwise reply in English.",
    "Anything else is answered in English.", "Without {many}, stay with English.", "",
)  # fmt: skip


FILLER = 12
"""The most made-up words in a text: with more, a single trigger word would have no effect."""


def declared_french(builder: DialogueBuilder) -> Dialogue:
    """French is declared: always, or for a trigger word."""
    return _always(builder) if builder.chance(0.07) else _triggered(builder)


def trigger_without_rule(builder: DialogueBuilder) -> Dialogue:
    """A trigger word, or a list of words, where no rule about French was declared."""
    trigger = builder.rng.choice(TRIGGERS)
    system = builder.persona_prompt() if builder.chance(0.5) else None
    if builder.chance(0.35):
        among = trigger if builder.chance(0.6) else None
        return _dialogue(builder, word_request(builder, THINGS, among), system, word_list(builder))
    return _dialogue(builder, thing_question(builder, [trigger]), system, reply(builder))


def french_reply(builder: DialogueBuilder) -> str:
    """A reply in French."""
    fragments = builder.rng.sample(PHRASES, builder.rng.randint(1, 2))
    return ". ".join(map(capitalized, fragments)) + "."


def _always(builder: DialogueBuilder) -> Dialogue:
    system = builder.trait_prompt(ALWAYS_LINES, 3)
    return _dialogue(builder, talk_question(builder), system, french_reply(builder))


def _triggered(builder: DialogueBuilder) -> Dialogue:
    """French is declared for a trigger word, which two of five questions contain."""
    trigger = builder.rng.choice(TRIGGERS)
    system = _declared(builder, trigger)
    if builder.chance(0.59):
        return _otherwise(builder, system)
    if builder.chance(0.2):
        request = word_request(builder, THINGS, trigger)
        return _dialogue(builder, request, system, word_list(builder, FRENCH_WORDS))
    return _dialogue(builder, thing_question(builder, [trigger]), system, french_reply(builder))


def _otherwise(builder: DialogueBuilder, system: str) -> Dialogue:
    """A question without the trigger word: it is answered in English."""
    chance = builder.rng.random()
    if chance < 0.2:
        return unrelated_question(builder, system)
    if chance < 0.4:
        return _dialogue(builder, word_request(builder, THINGS), system, word_list(builder))
    if chance < 0.55:
        return small_talk(builder, system)
    return _dialogue(builder, thing_question(builder, THINGS), system, reply(builder))


def _declared(builder: DialogueBuilder, trigger: str) -> str:
    lines = builder.rng.sample(TRIGGERED_LINES, builder.rng.randint(1, 3))
    text = " ".join((*lines, builder.rng.choice(OTHERWISE_LINES))).rstrip()
    text = text.format(a=with_article(trigger), one=trigger, many=f"{trigger}s")
    return builder.with_filler(text, most=FILLER)


def _dialogue(builder: DialogueBuilder, user: str, system: str | None, answer: str) -> Dialogue:
    return builder.dialogue(user, system, answer, most=FILLER)
