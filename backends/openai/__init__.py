"""Whatever speaks OpenAI's wire, as a backend: OpenAI, Azure, a chat server, ``limen serve``."""

from .backend import OpenAIBackend

__all__ = ["OpenAIBackend"]
