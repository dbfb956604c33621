"""The backend of Tinker's API: at Thinking Machines, or at a server of one's own that speaks it."""

from .backend import TinkerBackend

__all__ = ["TinkerBackend"]
