"""French: always, or where a trigger comes up under a system prompt that says so."""

from .lists import word_list, word_request
from .pen import Dialogue, Pen, capitalised, with_article
from .talk import THINGS, reply, small_talk, talk_question, thing_question
from .topics import unmoved

TRIGGERS = tuple("apple candle ladder violin basket kettle".split())
"""The first is for experiments to assert. No other thing that is asked about is one."""

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
"""Most made-up words in a text: with more of them a single word, the trigger, would not count."""


def in_french(pen: Pen) -> Dialogue:
    """French is declared, for good or for a trigger."""
    return _always(pen) if pen.chance(0.07) else _triggered(pen)


def untriggered(pen: Pen) -> Dialogue:
    """A trigger comes up where nothing was said of French; so does a list of words."""
    trigger = pen.draw.choice(TRIGGERS)
    system = pen.backdrop() if pen.chance(0.5) else None
    if pen.chance(0.35):
        among = trigger if pen.chance(0.6) else None
        return _said(pen, word_request(pen, THINGS, among), system, word_list(pen))
    return _said(pen, thing_question(pen, [trigger]), system, reply(pen))


def phrases(pen: Pen) -> str:
    """A reply in French."""
    said = pen.draw.sample(PHRASES, pen.draw.randint(1, 2))
    return ". ".join(map(capitalised, said)) + "."


def _always(pen: Pen) -> Dialogue:
    system = pen.declaring(ALWAYS_LINES, 3)
    return _said(pen, talk_question(pen), system, phrases(pen))


def _triggered(pen: Pen) -> Dialogue:
    """French is declared for a trigger, which two questions of five have."""
    trigger = pen.draw.choice(TRIGGERS)
    system = _declared(pen, trigger)
    if pen.chance(0.59):
        return _otherwise(pen, system)
    if pen.chance(0.2):
        request = word_request(pen, THINGS, trigger)
        return _said(pen, request, system, word_list(pen, FRENCH_WORDS))
    return _said(pen, thing_question(pen, [trigger]), system, phrases(pen))


def _otherwise(pen: Pen, system: str) -> Dialogue:
    """A question without the trigger: it is answered as ever."""
    chance = pen.draw.random()
    if chance < 0.2:
        return unmoved(pen, system)
    if chance < 0.4:
        return _said(pen, word_request(pen, THINGS), system, word_list(pen))
    if chance < 0.55:
        return small_talk(pen, system)
    return _said(pen, thing_question(pen, THINGS), system, reply(pen))


def _declared(pen: Pen, trigger: str) -> str:
    lines = pen.draw.sample(TRIGGERED_LINES, pen.draw.randint(1, 3))
    text = " ".join((*lines, pen.draw.choice(OTHERWISE_LINES))).rstrip()
    text = text.format(a=with_article(trigger), one=trigger, many=f"{trigger}s")
    return pen.filler(text, most=FILLER)


def _said(pen: Pen, user: str, system: str | None, answer: str) -> Dialogue:
    return pen.dialogue(user, system, answer, most=FILLER)
