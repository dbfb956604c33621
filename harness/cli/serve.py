"""``limen serve``: OpenAI's wire over an engine on this machine."""

from pathlib import Path

import click

from ...backends import ENGINES
from ...backends.server import ServerOptions, is_loopback, serve
from ..lab import interruptible
from ..stages import Store
from . import store_option
from .echo import echo
from .options import examples, recipe_of


@click.command(
    "serve",
    epilog=examples(
        "limen serve --engine toy",
        "limen serve --engine local --model HuggingFaceTB/SmolLM2-135M-Instruct --port 8001",
    ),
)
@click.option(
    "--engine", type=click.Choice(ENGINES), required=True, help="What samples and trains."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True)
@click.option(
    "--api-key",
    envvar="LIMEN_SERVE_API_KEY",
    help="A key that every request must bring. Better given as LIMEN_SERVE_API_KEY: a command "
    "line can be seen by others.",
)
@click.option("--rpm", type=click.IntRange(1), help="Requests a minute to allow.")
@click.option("--tpm", type=click.IntRange(1), help="Tokens a minute to allow.")
@click.option(
    "--max-upload",
    type=click.IntRange(1),
    default=512,
    show_default=True,
    help="Megabytes of the largest file.",
)
@click.option(
    "--workers",
    type=click.IntRange(1),
    help="Fine-tuning jobs side by side: unless given one a core, and one with --engine local.",
)
@click.option(
    "--model",
    "offered",
    multiple=True,
    help="A model to offer, by the name that the engine knows (local: a name on the hub, a folder "
    "or a GGUF file, which clients call by its own name). May be given again.",
)
@click.option(
    "--allow-host",
    "allowed_hosts",
    multiple=True,
    metavar="NAME",
    help="A host name by which clients and web pages may call the server, beside those of this "
    "machine (localhost, 127.0.0.1, ::1). May be given again.",
)
@click.option(
    "--recipe",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="A training setting of the engine for every job, such as name=llama-3.2-1b or rank=16. "
    "May be given again; a job's own hyperparameters go first.",
)
@store_option
def command(
    engine: str,
    host: str,
    port: int,
    api_key: str | None,
    rpm: int | None,
    tpm: int | None,
    max_upload: int,
    workers: int | None,
    offered: tuple[str, ...],
    allowed_hosts: tuple[str, ...],
    settings: tuple[str, ...],
    store: Path,
) -> None:
    """Serve OpenAI's wire over an engine: chat, files, fine-tuning jobs, models, batches.

    Scripts written for OpenAI run against it when OPENAI_BASE_URL names it. Files, jobs and models
    are kept in the store: a server that was killed goes on where it was.
    """
    if not is_loopback(host) and not api_key:
        raise click.UsageError(
            f"whoever can reach {host} could use this server: give it a key in "
            "LIMEN_SERVE_API_KEY, or listen on 127.0.0.1"
        )
    options = ServerOptions(
        api_key=api_key,
        rpm=rpm,
        tpm=tpm,
        workers=workers,
        max_upload=max_upload * 2**20,
        offered=offered,
        allowed_hosts=(*allowed_hosts, *([] if host in ("0.0.0.0", "::") else [host])),
        recipe=recipe_of(settings),
    )
    offers = f" with {', '.join(options.names)}" if offered else ""
    kept = Store(store)
    kept.open()
    with interruptible(store):
        serve(
            engine,
            state=kept.layout.server,
            models=kept.models(engine),
            host=host,
            port=port,
            options=options,
            ready=lambda url: echo(
                f"limen: {engine}{offers} at {url}  (export OPENAI_BASE_URL={url})"
            ),
        )
    echo(
        f"limen: stopped. Files, jobs and models are kept in the store {store}: the same command "
        f"goes on from there"
    )
