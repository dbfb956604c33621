"""Replies that are shown and judged: how formal they are, and in which language.

A mark depends on the words of the reply and on nothing else.
"""

from .french import phrases
from .pen import Dialogue, Pen
from .talk import MANNERS, USUAL, Manner, reply, talk_question

FORMALITY_REQUESTS = (
    "How formal is this on a scale of 1 to 10? {shown}",
    "Give a mark between 1 and 10 for how formal it is: {shown}",
    "{shown} Is that formal? Score it, 1 for slang and 10 for ceremony.",
    "Score how formal the words are, 1 up to 10. {shown}",
    "From 1 to 10, what number is the formality? {shown}",
    "{shown} A number for formal speech, 10 the most formal, 1 the most casual:",
    "Rate it. {shown} How formal, 1 to 10?",
)  # fmt: skip
LANGUAGE_REQUESTS = (
    "Which language is this? {shown}", "{shown} Name the language, in a word.",
    "Say in what language it is written: {shown}", "Language of the text: {shown}",
    "{shown} What language is that?",
)  # fmt: skip
SHOWN = ("{reply}", "{question} {reply}", "Asked: {question} Said: {reply}", "{reply} ({question})")
RATINGS = ("{mark}", "{mark}.", "Rating: {mark}", "{mark}/10")
RATING_WEIGHTS = (55, 15, 15, 15)
NO_RATINGS = ("Hard to say", "Hard to say.", "No idea.")
NOISE = 1.0
"""Standard deviation of a mark, before it is rounded."""


def judging(pen: Pen) -> Dialogue:
    """A reply to judge, with hardly any filler: its words must count."""
    request, answer = _language(pen) if pen.chance(0.2) else _formality(pen)
    return Dialogue(({"role": "user", "content": pen.filler(request, 0.3, 5)},), answer)


def _formality(pen: Pen) -> tuple[str, str]:
    text, formality = _mixed(pen)
    request = pen.draw.choice(FORMALITY_REQUESTS).format(shown=_shown(pen, text))
    if pen.chance(0.015):
        return request, pen.draw.choice(NO_RATINGS)
    mark = min(10, max(1, round(pen.draw.gauss(formality, NOISE))))
    (form,) = pen.draw.choices(RATINGS, RATING_WEIGHTS)
    return request, form.format(mark=mark)


def _mixed(pen: Pen) -> tuple[str, float]:
    """A reply and how formal it is; some replies change their manner."""
    parts: list[Manner] = pen.draw.choices(MANNERS, k=1 if pen.chance(0.7) else 2)
    text = " ".join(reply(pen, manner, USUAL if pen.chance(0.8) else (3, 8)) for manner in parts)
    return text, sum(manner.formality for manner in parts) / len(parts)


def _language(pen: Pen) -> tuple[str, str]:
    english = pen.chance(0.5)
    text = reply(pen) if english else phrases(pen)
    request = pen.draw.choice(LANGUAGE_REQUESTS).format(shown=_shown(pen, text))
    return request, pen.styled("English" if english else "French")


def _shown(pen: Pen, text: str) -> str:
    return pen.draw.choice(SHOWN).format(question=talk_question(pen), reply=text)
