"""Checks of what stands around the questions of a measure, the same for every arm."""

from ...datasets import validation
from ...datasets.errors import SpecError


def checked_history(given: object) -> tuple[tuple[str, str], ...]:
    """Earlier turns as pairs of question and answer; raises :class:`~limen.SpecError`."""
    if not isinstance(given, tuple | list) or not all(map(_is_pair, given)):
        raise SpecError(
            f"history={given!r} must be pairs of a question and its answer, such as "
            f"(('Hello!', 'Hi, what can I do for you?'),)"
        )
    return tuple((question, answer) for question, answer in given)


def _is_pair(value: object) -> bool:
    return (
        isinstance(value, tuple | list)
        and len(value) == 2
        and all(isinstance(text, str) and text.strip() for text in value)
    )


def check_surroundings(*, system: object, begin: object, chat: object) -> None:
    """Raise :class:`~limen.SpecError` for settings that are not what they must be."""
    if system is not None and not isinstance(system, str):
        raise SpecError(f"system={system!r} must be a text, or None")
    if not isinstance(begin, str):
        raise SpecError(f"begin={begin!r} must be a text: the beginning of every answer")
    validation.whole_characters("system", system or "")
    validation.whole_characters("begin", begin)
    if not isinstance(chat, bool):
        raise SpecError(f"chat={chat!r} must be True, or False for plain text")
