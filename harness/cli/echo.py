"""Printing for people: control characters in the words of models and servers are shown."""

import click

from ...datasets.visible import visible


def echo(text: str = "", *, err: bool = False) -> None:
    """Print a text; control characters in it are spelt out and not obeyed."""
    click.echo(visible(text), err=err)
