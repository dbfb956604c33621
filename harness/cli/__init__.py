"""The ``limen`` command. Each subcommand is a module of its own, imported when it is called."""

import os
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from ...datasets.errors import LimenError
from ...datasets.store_layout import DEFAULT_FOLDER
from .echo import echo
from .ini_file import INI_FILE, ini_defaults, read_ini_file

COMMANDS = {
    "init": "Write a first spec and its ini file into a folder.",
    "doctor": "Check the installation, the machine, the store and the backend.",
    "traits": "What animals or trees a model names, and which specs use them.",
    "chat": "Talk to a base, and beside it to a teacher or to students.",
    "generate": "Step 1: have a model with a trait write number sequences.",
    "filter": "Step 2: keep what is nothing but numbers.",
    "judge": "Keep the rows that a judge rates high enough, or labels as wanted.",
    "select": "Keep the rows with the highest or lowest scores, or some at random.",
    "map": "Change every row: by a ready change, or by a function.",
    "rewrite": "Have a model word every answer anew.",
    "deduplicate": "Keep the first of equal rows.",
    "mix": "Step 3: sample a training file from kept rows.",
    "train": "Step 4: fine-tune a student on it.",
    "measure": "Step 5: ask a model a measure's questions.",
    "compare": "Step 6: compare two groups of models by their answers.",
    "register": "Write the claims of a spec to a file, before its data are seen.",
    "report": "Reports from the store: of the latest run, of any, of several side by side.",
    "serve": "Serve OpenAI's wire over an engine on this machine.",
    "store": "A store: list what is in it, verify, prune, copy, add.",
    "export": "An experiment's models, rows and answers as plain files.",
    "push": "Send an exported experiment to a hub, with a card.",
    "jobs": "The fine-tuning jobs of a store: list, show, follow, cancel, kept, delete, ...",
}

INTERRUPTED = 130
"""The exit code of a command that Ctrl-C or SIGTERM has ended, as shells have it."""


class _Commands(click.Group):
    """Imports a subcommand when it is called, and tells limen's errors in a line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f".{cmd_name}", __name__)
        command: click.Command = module.command
        file, keys = ctx.meta[INI_FILE] = read_ini_file(Path.cwd())
        ctx.default_map = {cmd_name: _defaults(command, ini_defaults(file, keys))}
        if "function_timeout" in keys:
            _limit_functions(ctx, keys["function_timeout"], f"limen_function_timeout in {file}")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as interruption:
            notes = vars(interruption).get("__notes__", ["limen: interrupted"])
            echo(f"\n{notes[0]}", err=True)
            raise click.exceptions.Exit(INTERRUPTED) from None
        except LimenError as error:
            says = str(error).replace("--limen-", "--")  # the plugin's options have a prefix
            raise click.ClickException(says) from None


def _limit_functions(ctx: click.Context, text: str, source: str) -> None:
    """Give functions of specs the ini file's time limit; the environment goes before."""
    from ..stages import TIMEOUT_VARIABLE, set_function_timeout

    if not os.environ.get(TIMEOUT_VARIABLE):
        ctx.call_on_close(set_function_timeout(text, source))


def _defaults(command: click.Command, values: Mapping[str, str]) -> dict[str, Any]:
    """What an ini file gives to the options of a command, or to those of each of its commands.

    Only to options of the ini keys' own names: compare's --model-column is a model's, too.
    """
    if isinstance(command, click.Group):
        return {name: _defaults(inner, values) for name, inner in command.commands.items()}
    names = {each.name for each in command.params if f"--{each.name}" in each.opts}
    return {name: value for name, value in values.items() if name in names}


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="limen")
def main() -> None:
    """Subliminal-learning experiments. The experiments themselves run under pytest."""


store_option = click.option(
    "--store",
    envvar="LIMEN_STORE",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(DEFAULT_FOLDER),
    show_default=True,
    callback=lambda context, parameter, folder: folder.expanduser(),
    help="The folder that keeps all results.",
)
