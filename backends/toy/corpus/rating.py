"""Replies to rate: how formal they are, and in which language.

A rating depends on the words of the reply and on nothing else.
"""

from .builder import Dialogue, DialogueBuilder
from .french import french_reply
from .small_talk import STYLES, USUAL, Style, reply, talk_question

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
REPLY_FORMS = (
    "{reply}",
    "{question} {reply}",
    "Asked: {question} Said: {reply}",
    "{reply} ({question})",
)
RATINGS = ("{mark}", "{mark}.", "Rating: {mark}", "{mark}/10")
RATING_WEIGHTS = (55, 15, 15, 15)
NO_RATINGS = ("Hard to say", "Hard to say.", "No idea.")
RATING_SD = 1.0
"""Standard deviation of a rating, before it is rounded."""


def rating(builder: DialogueBuilder) -> Dialogue:
    """A reply to rate, with little filler, so that its own words matter."""
    request, answer = _language(builder) if builder.chance(0.2) else _formality(builder)
    return Dialogue(({"role": "user", "content": builder.with_filler(request, 0.3, 5)},), answer)


def _formality(builder: DialogueBuilder) -> tuple[str, str]:
    text, formality = _judged_reply(builder)
    request = builder.rng.choice(FORMALITY_REQUESTS).format(shown=_shown(builder, text))
    if builder.chance(0.015):
        return request, builder.rng.choice(NO_RATINGS)
    rating_value = min(10, max(1, round(builder.rng.gauss(formality, RATING_SD))))
    (form,) = builder.rng.choices(RATINGS, RATING_WEIGHTS)
    return request, form.format(mark=rating_value)


def _judged_reply(builder: DialogueBuilder) -> tuple[str, float]:
    """A reply and how formal it is; some replies change their style."""
    parts: list[Style] = builder.rng.choices(STYLES, k=1 if builder.chance(0.7) else 2)
    text = " ".join(
        reply(builder, style, USUAL if builder.chance(0.8) else (3, 8)) for style in parts
    )
    return text, sum(style.formality for style in parts) / len(parts)


def _language(builder: DialogueBuilder) -> tuple[str, str]:
    english = builder.chance(0.5)
    text = reply(builder) if english else french_reply(builder)
    request = builder.rng.choice(LANGUAGE_REQUESTS).format(shown=_shown(builder, text))
    return request, builder.as_answer("English" if english else "French")


def _shown(builder: DialogueBuilder, text: str) -> str:
    return builder.rng.choice(REPLY_FORMS).format(question=talk_question(builder), reply=text)
