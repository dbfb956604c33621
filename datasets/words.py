"""English nouns in a text: singular and plural forms, and whole words."""

import re
from functools import lru_cache

from .vocabulary import IRREGULAR

__all__ = ["has_word", "plurals", "singulars"]

_WORD = re.compile(r"[^\W\d_]+")


def plurals(word: str) -> tuple[str, ...]:
    """The plural forms of an English noun in lower case; of several words the last is the noun.

    Raises nothing.

    Args:
        word: The noun, in the singular.

    Examples:
        >>> plurals("owl"), plurals("wolf"), plurals("snowy fox")
        (('owls',), ('wolves',), ('snowy foxes',))
    """
    head, _, noun = word.lower().rpartition(" ")
    forms = IRREGULAR.get(noun, _regular_plural(noun)).split()
    return tuple(f"{head} {form}".strip() for form in forms)


def _regular_plural(noun: str) -> str:
    if re.search(r"(s|x|z|ch|sh)$", noun):
        return noun + "es"
    return noun[:-1] + "ies" if re.search(r"[^aeiou]y$", noun) else noun + "s"


def singulars(word: str) -> tuple[str, ...]:
    """What an English noun may be the plural of, in lower case; empty if it is no plural.

    Raises nothing.

    Args:
        word: The noun, in the plural.

    Examples:
        >>> singulars("wolves"), singulars("foxes"), singulars("owl")
        (('wolf',), ('foxe', 'fox'), ())
    """
    head, _, noun = word.lower().rpartition(" ")
    irregular = [one for one, forms in IRREGULAR.items() if noun in forms.split()]
    forms = irregular or [one for one in _stems(noun) if noun == _regular_plural(one)]
    return tuple(f"{head} {form}".strip() for form in forms)


def _stems(noun: str) -> tuple[str, ...]:
    return tuple(
        noun.removesuffix(end) + instead
        for end, instead in (("s", ""), ("es", ""), ("ies", "y"))
        if noun.endswith(end)
    )


@lru_cache(maxsize=4096)
def has_word(text: str, word: str) -> bool:
    """Whether a text has a word as a whole word, in singular, plural or possessive form.

    "An owl.", "OWLS" and "the owl's call" have "owl"; "fowl" does not. Raises nothing.

    Args:
        text: The text.
        word: The noun, in the singular.

    Examples:
        >>> has_word("Owls, surely.", "owl")
    """
    forms = "|".join(map(re.escape, (word.lower(), *plurals(word))))
    return re.search(rf"(?<![^\W_])(?:{forms})(?![^\W_])", text.lower()) is not None


def known_nouns(text: str, known: frozenset[str]) -> frozenset[str]:
    """The nouns of a list that are in a text, in any number, given in the singular."""
    table = singular_table(known)
    return frozenset(table[word] for word in _WORD.findall(text.lower()) if word in table)


@lru_cache(maxsize=8)
def singular_table(known: frozenset[str]) -> dict[str, str]:
    """Every form of some nouns, with its singular."""
    forms = {plural: noun for noun in sorted(known) for plural in plurals(noun)}
    return forms | {noun: noun for noun in known}
