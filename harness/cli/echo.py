"""Printing for people: control characters in the words of models and servers are shown."""

import click

from ...datasets.visible import visible


def echo(text: str = "", *, err: bool = False) -> None:
    """Print a text; control characters in it are spelt out and not obeyed."""
    click.echo(visible(text), err=err)


def counted(number: int, noun: str) -> str:
    """A number of things as people write it: "1 file", "1,200 files"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
