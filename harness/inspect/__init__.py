"""Inspect, both ways: logs of measures, tasks, and limen's models as a provider."""

from .write_logs import write_missing

__all__ = ["write_missing"]
