"""The session that limen keeps for a pytest run; nothing heavy is imported before it is needed."""

from typing import TYPE_CHECKING

import pytest

from ...datasets.errors import LimenError

if TYPE_CHECKING:
    from .session import LimenSession

_SESSION = pytest.StashKey["LimenSession"]()


def session_of(config: pytest.Config) -> "LimenSession":
    """The session of this run; made when first asked for."""
    if _SESSION not in config.stash:
        from .session import LimenSession

        try:
            config.stash[_SESSION] = LimenSession(config)
        except LimenError as error:
            raise pytest.UsageError(f"limen: {error}") from None
    return config.stash[_SESSION]
