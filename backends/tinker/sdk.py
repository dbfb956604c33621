"""The SDK: imported late, and read in whichever version is installed."""

import logging
import os
import warnings
from importlib import import_module
from importlib.metadata import version
from typing import Any, TypeAlias

Sdk: TypeAlias = Any
"""Anything of the SDK: limen is type-checked with and without it, to the same result."""


def sdk() -> Sdk:
    """The SDK's module. It is told to send no telemetry, unless the environment says otherwise."""
    os.environ.setdefault("TINKER_TELEMETRY", "0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the libraries below it, at their import
        return import_module("tinker")


def sdk_version() -> str:
    """The version that is installed."""
    return version("tinker")


def sdk_loggers() -> list[str]:
    """The names of its loggers: each has its own filters."""
    sdk()
    names = ("tinker", *logging.Logger.manager.loggerDict)
    return [name for name in names if name.partition(".")[0] == "tinker"]


def has_direct_rest_client() -> bool:
    """Whether the SDK's client for plain requests needs no session. Old versions have another."""
    from inspect import signature

    made = vars(sdk()).get("RestClient")
    return made is not None and "api_key" in signature(made).parameters
