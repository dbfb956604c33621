"""Inspect, both ways: logs of measures, tasks, and limen's models as a provider."""

from .log_contents import write_missing

__all__ = ["write_missing"]
