"""The backend for every server with OpenAI's API: OpenAI, Azure, chat servers, ``limen serve``."""

from .backend import OpenAIBackend

__all__ = ["OpenAIBackend"]
