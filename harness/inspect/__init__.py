"""Inspect, both ways: logs of measures, tasks, and limen's models as a provider.

Nothing is imported here: a process that writes logs loads :mod:`.log_files` and what that needs.
"""
