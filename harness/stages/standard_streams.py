"""The standard streams of the process, and their descriptors: seen, and put back."""

import os
import sys
from typing import Any, NamedTuple

DESCRIPTORS = (0, 1, 2)
_spares: dict[int, tuple[tuple[int, ...], int]] = {}
"""By descriptor: the file that it is of, and a second descriptor of the same file."""


class Stream(NamedTuple):
    """A stream of ``sys``."""

    stream: Any
    closed: bool


def stream(name: str) -> Stream:
    """The stream of that name, ``stdout`` for one; those of other programs may be any object."""
    found: Any = vars(sys).get(name)
    try:
        return Stream(found, bool(found.closed))
    except Exception:
        return Stream(found, False)


def put_stream_back(name: str, before: Stream) -> None:
    """Put a stream back; in place of one that was closed, a new one of the same descriptor."""
    setattr(sys, name, before.stream)
    if stream(name) != before:
        number = ("stdin", "stdout", "stderr").index(name)
        setattr(sys, name, open(number, "w" if number else "r", closefd=False))  # noqa: SIM115


def descriptor(number: int) -> tuple[int, ...]:
    """The file that a descriptor is of; empty if it is closed."""
    try:
        facts = os.fstat(number)
    except OSError:
        return ()
    return facts.st_dev, facts.st_ino, facts.st_rdev


def keep_descriptors() -> None:
    """Keep second descriptors of the files of standard streams, with which to put them back."""
    for number in DESCRIPTORS:
        file, spare = _spares.get(number, ((), -1))
        now = descriptor(number)
        if now == file:
            continue
        if spare >= 0:
            os.close(spare)
        _spares.pop(number, None)
        if now:
            _spares[number] = now, os.dup(number)


def forget_descriptors() -> None:
    """Keep none: a forked copy of the process has closed them."""
    _spares.clear()


def put_descriptor_back(number: int, before: tuple[int, ...]) -> None:
    """Have a descriptor be of the file that it was of."""
    file, spare = _spares.get(number, ((), -1))
    if file == before:
        os.dup2(spare, number)
