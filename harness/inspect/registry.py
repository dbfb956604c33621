"""What Inspect finds of limen: the entry point of the group ``inspect_ai``.

Tasks are ``limen/favorite_animal`` and so on, models ``limen/toy-1`` and so on.
"""

from inspect_ai.model import ModelAPI, modelapi

from .tasks import favorite_animal, favorite_tree, formality, language, length

__all__ = ["favorite_animal", "favorite_tree", "formality", "language", "length", "limen"]


@modelapi(name="limen")
def limen() -> type[ModelAPI]:
    """Limen's models."""
    from .provider import LimenAPI

    return LimenAPI
