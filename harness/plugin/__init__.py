"""The pytest plugin: options, fixtures, hooks, the session, and what junit files say.

Pytest loads this package in every project where limen is installed, so nothing heavy is imported
here.
"""

from .fixtures import arms, audit, baseline, control, experiment, grid, student, teacher, trajectory
from .hooks import (
    pytest_addoption,
    pytest_assertrepr_compare,
    pytest_cmdline_main,
    pytest_configure,
    pytest_exception_interact,
    pytest_runtestloop,
    pytest_sessionfinish,
    pytest_sessionstart,
)

__all__ = [
    "arms",
    "audit",
    "baseline",
    "control",
    "experiment",
    "grid",
    "pytest_addoption",
    "pytest_assertrepr_compare",
    "pytest_cmdline_main",
    "pytest_configure",
    "pytest_exception_interact",
    "pytest_runtestloop",
    "pytest_sessionfinish",
    "pytest_sessionstart",
    "student",
    "teacher",
    "trajectory",
]
