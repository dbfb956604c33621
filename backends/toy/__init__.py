"""The toy: a small language model in NumPy that really learns. Text in, text out."""

from .backend import ToyBackend

__all__ = ["ToyBackend"]
