"""Seeds: one a row, each derived from the run's seed by name.

One seed for all requests would make every row read the same random stream; a shared generator
would make a row depend on the rows that came before it.
"""

import hashlib
import json

__all__ = ["derive"]

_ENCODE = json.JSONEncoder(separators=(",", ":")).encode
"""One encoder for all seeds: ``json.dumps`` would make one for each."""
BITS = 48
"""Seeds fit into a JSON number that every reader keeps exact."""


def derive(*path: str | int | None) -> int:
    """A seed in ``[0, 2**48)`` that depends on every part of ``path`` and on nothing else.

    Args:
        path: Names and numbers, such as the run's seed, the stage and the row.

    Raises:
        TypeError: A part is no text, number or None.

    Examples:
        >>> seed = derive(1, "generate", 17)
    """
    name = _ENCODE(path).encode()
    return int.from_bytes(hashlib.blake2b(name, digest_size=BITS // 8).digest(), "big")
