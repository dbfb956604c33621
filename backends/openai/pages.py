"""Lists that a service gives in pages, read to an end that a broken service may not have."""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

from .errors import InvalidResponseError, require_page

MAX_ITEMS = 100_000
"""Items of a list at most."""


class HasId(Protocol):
    """An object of a list."""

    id: str


Item = TypeVar("Item", bound=HasId)


def items(ask: Callable[[], Iterable[Item]]) -> Iterator[Item]:
    """The items of all pages, each once.

    Ends where a page repeats an item: such a server ignores ``after``. Raises
    :class:`InvalidResponseError` for a page that is none, and for a list without an end.
    """
    seen: set[str] = set()
    for item in require_page(ask):
        if item.id and item.id in seen:
            return
        if len(seen) == MAX_ITEMS:
            raise InvalidResponseError(f"a list has more than {MAX_ITEMS:,} items")
        seen.add(item.id)
        yield item
