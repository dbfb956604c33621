"""The pytest plugin: options, fixtures, hooks, the session, and what junit files say.

Pytest loads this package in every project where limen is installed, so nothing heavy is imported
here.
"""

from .hooks import (
    arms,
    audit,
    baseline,
    control,
    experiment,
    pytest_addoption,
    pytest_assertrepr_compare,
    pytest_configure,
    pytest_make_collect_report,
    pytest_runtestloop,
    pytest_sessionfinish,
    pytest_sessionstart,
    student,
    teacher,
)

__all__ = [
    "arms",
    "audit",
    "baseline",
    "control",
    "experiment",
    "pytest_addoption",
    "pytest_assertrepr_compare",
    "pytest_configure",
    "pytest_make_collect_report",
    "pytest_runtestloop",
    "pytest_sessionfinish",
    "pytest_sessionstart",
    "student",
    "teacher",
]
