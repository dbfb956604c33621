"""Finding what may have been made although no answer came, on a server that gives no tags back.

Limen's tag goes with each job and batch as metadata, which some servers take and leave out of their
lists. There a job or a batch is known by its file, which is uploaded once a content and store.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from .job_details import tag_of
from .responses import whole_number

CLOCKS_APART = 3600.0
"""Seconds by which a server's clock may be behind."""


def untagged(
    listed: Sequence[object], wanted: Mapping[str, object], *, since: str, taken: Collection[str]
) -> list[str]:
    """The ids of items that may be the wanted one; none where the server gives tags back.

    ``wanted`` has the fields that it has, as far as the server reports them; ``since`` is when it
    was intended, and ``taken`` are the ids that are known to be others.
    """
    if any(tag_of(item) for item in listed):
        return []
    known = [vars(item) for item in listed]
    return [
        str(fields["id"])
        for fields in known
        if str(fields.get("id")) not in taken
        and _is_later(fields.get("created_at"), since)
        and all(fields.get(name) in (None, value) for name, value in wanted.items())
    ]


def _is_later(created: object, since: str) -> bool:
    seconds = whole_number(created)
    return not seconds or seconds > datetime.fromisoformat(since).timestamp() - CLOCKS_APART
