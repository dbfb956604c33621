"""Requests for number sequences, and what comes of them."""

from collections.abc import Iterator

from limen.backends import Completion, Request, open_engine
from limen.datasets import chat, numbers

from .serving import Served

MODEL = "toy-1"


def requests(count: int, draws: int = 1, tokens: int = 24) -> list[Request]:
    return [
        Request(
            row=row,
            messages=chat.conversation(numbers.prompt(0, row)),
            seed=1000 * row + 5,
            draws=draws,
            max_tokens=tokens,
        )
        for row in range(count)
    ]


def texts(completions: Iterator[Completion] | dict[tuple[int, int], Completion]) -> object:
    """Answers by row and draw."""
    given = completions.values() if isinstance(completions, dict) else completions
    return {(c.row, c.draw): (c.text, c.finish) for c in given}


def in_process(served: Served, wanted: list[Request]) -> object:
    """The same from the engine itself."""
    engine = open_engine("toy", served.store / "models" / "toy")
    return texts(c for group in engine.sample(MODEL, wanted) for c in group)
