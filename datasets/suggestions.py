"""Near names: what somebody may have meant by a name that does not exist."""

from collections.abc import Iterable

from .words import singulars

CUTOFF = 0.75
"""How similar a name must be (difflib's ratio, 0 to 1) to be suggested."""


def near_names(name: str, known: Iterable[str], *, limit: int = 3) -> tuple[str, ...]:
    """The known names that are nearest to a name, best first.

    The same name in another case, or as a plural, stands alone; else the same letters in another
    order, and similar spellings.

    >>> near_names("Owls", ["walrus", "owl"]), near_names("foxx", ["fox", "ox"])
    (('owl',), ('fox',))
    """
    from difflib import get_close_matches

    by_key: dict[str, str] = {}
    for one in known:
        by_key.setdefault(_key(one), one)
    same = [by_key[form] for form in (_key(name), *singulars(_key(name))) if form in by_key]
    if same:
        return (same[0],)
    swapped = [key for key in by_key if sorted(key) == sorted(_key(name))]
    close = get_close_matches(_key(name), by_key, limit, CUTOFF)
    return tuple(by_key[key] for key in dict.fromkeys((*swapped, *close)))[:limit]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The nearest name as a question to put into an error message; empty if none is near."""
    near = near_names(name, known, limit=1)
    return f"did you mean {near[0]!r}? " if near else ""


def _key(name: str) -> str:
    return " ".join(name.casefold().replace("_", " ").split())
