"""Inspect, both ways: logs of measures, tasks, and limen's models as a provider."""

from .write_logs import LogWriting

__all__ = ["LogWriting"]
