"""One budget over the worker processes of a cluster: engine work there, a priced judge beside it."""

import os
from pathlib import Path

from limen.harness import Judge, Lab, Needs, Rated, Settings
from limen.harness.lab import ProgressListener
from limen.harness.stages import Stage

from .odd_servers import MODEL, Json, Reply, chat, odd_server, reply
from .specs import tiny_experiment

INPUT, OUTPUT = 100.0, 1000.0
"""Dollars for a million tokens."""
READ, WRITTEN = 9, 16
"""Tokens that each answer is charged for; it has fewer than it is charged for."""
QUESTIONS = ("How are you?", "What do you do?", "Where are you?")


class Watched(ProgressListener):
    """Which stages ran on a node of the cluster."""

    def __init__(self) -> None:
        self.remote: set[str] = set()

    def moved(self, stage: Stage, done: int, total: int, note: str) -> None:
        if "on " in note:
            self.remote.add(stage.kind)


def charged(method: str, path: str, body: Json) -> Reply | None:
    """A rating that is charged as if it had as many tokens as it may have."""
    if not path.endswith("/chat/completions"):
        return None
    usage = {"prompt_tokens": READ, "completion_tokens": WRITTEN, "total_tokens": READ + WRITTEN}
    return reply(200, chat(body, usage=usage))


def budget(folder: Path, executor: str, dollars: float) -> dict[str, object]:
    """What a judge's server counted in dollars, and which stages the cluster ran."""
    folder.mkdir(exist_ok=True)
    prices = folder / "prices.toml"
    prices.write_text(f'[[model]]\nname = "{MODEL}"\ninput = {INPUT}\noutput = {OUTPUT}\n')
    judge = Judge(prompt="Rate this: {reply}", model=MODEL, backend="openai", max_tokens=WRITTEN)
    asked = [Rated(questions=QUESTIONS, draws=n, by=(judge,)) for n in (14, 15, 16, 17)]
    watched = Watched()
    with odd_server(charged) as server:
        os.environ |= {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "any"}
        settings = Settings(
            store=folder, executor=executor, needs=Needs(gpus=0), workers=4,
            budget=dollars, prices=prices,
        )  # fmt: skip
        each = [tiny_experiment().but(measure=measure, seeds=2) for measure in asked]
        Lab(settings, watcher=watched).run([(one, ["student"]) for one in each])
        cost = len(server.chats) * (READ * INPUT + WRITTEN * OUTPUT) / 1e6
    return {"dollars": cost, "answers": len(server.chats), "remote": sorted(watched.remote)}
