"""The prompts of a run, as values that stages hold: listed, written by a function, or filled in."""

import hashlib
import random
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from ...datasets.errors import SpecError
from ...datasets.seeds import derive
from .functions import HashedFunction
from .store import canonical
from .user_calls import call_on_text, is_text, shown

if TYPE_CHECKING:
    from ...datasets.chat import Conversation

SAMPLE_SIZE = 256
"""Prompts that stand for all of a run's in its key; hashing 30,000 would slow down every start."""
SOLUTION = "solution"
"""The field of a row that has the known answer to its prompt."""


@dataclass(frozen=True, kw_only=True)
class Prompts:
    """Prompts by row; their texts are made when they are needed."""

    count: int = 1
    seed: int = 0

    def text(self, row: int) -> str:
        """The prompt of a row."""
        raise NotImplementedError

    def fields(self, row: int) -> Mapping[str, str]:
        """What else a row records of its prompt."""
        return {}

    def texts(self) -> Iterator[str]:
        """The prompts, by row."""
        return (self.text(row) for row in range(self.count))

    def sampled_texts(self) -> Iterator[tuple[int, str]]:
        """The first rows, each with its prompt: they stand for all in estimates.

        A function that fails on a row leaves it out: the stage that needs the row says so, and a
        plan is made of what can be known.
        """
        for row in range(min(self.count, SAMPLE_SIZE)):
            with suppress(SpecError):
                yield row, self.text(row)

    @property
    def digest(self) -> str:
        """The hash of what the prompts are, whatever their count."""
        return hashlib.sha256(canonical({"seed": self.seed, **self.content()})).hexdigest()

    def content(self) -> dict[str, object]:
        """What the prompts are made from, as JSON."""
        raise NotImplementedError

    def sample(self) -> "tuple[Conversation, ...]":
        """The first prompts, as conversations: they stand for all in estimates of tokens."""
        from ...datasets.chat import conversation

        return tuple(conversation(text) for _, text in self.sampled_texts())


@dataclass(frozen=True, kw_only=True)
class ListedPrompts(Prompts):
    """Given prompts: each once in an order that the seed sets, then each again, in another order.

    So all are asked equally often, whatever the number of rows.
    """

    listed: tuple[str, ...]
    solutions: tuple[str, ...] = ()
    """The known answers, if there are any."""

    def text(self, row: int) -> str:
        return self.listed[self._place(row)]

    def fields(self, row: int) -> Mapping[str, str]:
        return {SOLUTION: self.solutions[self._place(row)]} if self.solutions else {}

    def _place(self, row: int) -> int:
        round_, place = divmod(row, len(self.listed))
        return _order(len(self.listed), self.seed, round_)[place]

    @cached_property
    def _content(self) -> str:
        texts = {"listed": self.listed, "solutions": self.solutions}
        return hashlib.sha256(canonical(texts)).hexdigest()

    def content(self) -> dict[str, object]:
        return {"listed": self._content}


@lru_cache(maxsize=4)
def _order(count: int, seed: int, round_: int) -> tuple[int, ...]:
    return tuple(random.Random(derive("prompt order", seed, round_)).sample(range(count), count))


@dataclass(frozen=True, kw_only=True)
class FilledPrompts(Prompts):
    """Templates with fields, each drawn evenly and for itself."""

    templates: tuple[str, ...]
    values: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """By field, what may stand there."""

    def text(self, row: int) -> str:
        draw = random.Random(derive("filled prompt", self.seed, row))
        text = draw.choice(self.templates)
        for name, values in self.values:
            text = text.replace(f"{{{name}}}", draw.choice(values))
        return text

    def content(self) -> dict[str, object]:
        return {"templates": list(self.templates), "values": [list(pair) for pair in self.values]}


@dataclass(frozen=True, kw_only=True)
class WrittenPrompts(Prompts):
    """Prompts of a function of a seed, each with its own; with known answers if it gives pairs."""

    by: HashedFunction

    def text(self, row: int) -> str:
        return self._written(row)[0]

    def fields(self, row: int) -> Mapping[str, str]:
        solution = self._written(row)[1]
        return {} if solution is None else {SOLUTION: solution}

    def _written(self, row: int) -> tuple[str, str | None]:
        seed = derive("written prompt", self.seed, row)
        given = call_on_text(
            self.by.call,
            str(seed),
            name=f"the function {self.by.name}",
            what="the seed",
            error=SpecError,
            given=(seed,),
        )
        if isinstance(given, str) and given.strip() and is_text(given):
            return given, None
        if isinstance(given, tuple) and len(given) == 2 and all(map(is_text, given)):
            return given[0], given[1]
        raise SpecError(
            f"the function {self.by.name} gave {shown(given)}: it must return a prompt, or a pair "
            f"of a prompt and its known answer, all of them texts"
        )

    def content(self) -> dict[str, object]:
        return {"by": self.by.name}


@dataclass(frozen=True, kw_only=True)
class EndedPrompts(Prompts):
    """Other prompts, each with the same text below it."""

    before: Prompts
    ending: str

    @classmethod
    def of(cls, prompts: Prompts, ending: str, *, count: int, seed: int) -> Prompts:
        """The prompts with the ending; as they are if it is blank."""
        before = replace(prompts, count=count, seed=seed)
        return (
            cls(before=before, ending=ending, count=count, seed=seed) if ending.strip() else before
        )

    def text(self, row: int) -> str:
        return f"{self.before.text(row)}{self.ending}"

    def fields(self, row: int) -> Mapping[str, str]:
        return self.before.fields(row)

    def content(self) -> dict[str, object]:
        return {"before": self.before.content(), "ending": self.ending}
