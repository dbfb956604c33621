"""Kinds of damage to a file: each takes the file, and another one of its kind."""

import shutil
from collections.abc import Callable
from pathlib import Path

Damage = Callable[[Path, Path], None]


def edited(file: Path, other: Path) -> None:
    """One byte in the middle is another."""
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


def cut(file: Path, other: Path) -> None:
    """The second half is lost."""
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def emptied(file: Path, other: Path) -> None:
    """Nothing is left in the file."""
    file.write_bytes(b"")


def swapped(file: Path, other: Path) -> None:
    """The other file is in its place."""
    shutil.copyfile(other, file)


def missing(file: Path, other: Path) -> None:
    """The file is gone."""
    file.unlink()


def not_text(file: Path, other: Path) -> None:
    """The first bytes are not UTF-8."""
    file.write_bytes(b"\xff\xfe" + file.read_bytes()[2:])


DAMAGES = (edited, cut, emptied, swapped, missing, not_text)
