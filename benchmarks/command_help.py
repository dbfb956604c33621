"""The help of every command, as ``docs/commands.md`` shows it.

``python benchmarks/command_help.py`` prints it. MkDocs puts it into the page at each build.
"""

from collections.abc import Iterator

import click

from limen.harness.cli import main

MARK = "<!-- the help of every command -->"
WIDTH = 90
"""Characters of a line."""


def on_page_markdown(markdown: str, **given: object) -> str:
    """MkDocs calls this for each page: put the help where its mark is."""
    return markdown.replace(MARK, listing()) if MARK in markdown else markdown


def listing() -> str:
    """The help of all commands as markdown, each below a heading."""
    return "\n\n".join(
        f"## {name}\n\n```text\n{_help(command, name)}\n```" for name, command in commands()
    )


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command with its whole name; of a group only its commands."""
    for name in main.list_commands(_context(main, "limen")):
        command = main.get_command(_context(main, "limen"), name)
        if isinstance(command, click.Group):
            inner = sorted(command.commands.items())
            yield from ((f"limen {name} {each}", one) for each, one in inner)
        elif command is not None:
            yield f"limen {name}", command


def _help(command: click.Command, name: str) -> str:
    return command.get_help(_context(command, name))


def _context(command: click.Command, name: str) -> click.Context:
    """A context of its own: no ini file gives defaults."""
    return click.Context(
        command,
        info_name=name,
        terminal_width=WIDTH,
        help_option_names=["-h", "--help"],
    )


if __name__ == "__main__":
    print(listing())
