"""Inspect, both ways: any provider of it as a backend, and limen's models as a provider."""

from .backend import InspectBackend

__all__ = ["InspectBackend"]
