"""A model that an Inspect evaluation asks: in this process, or by way of another."""

import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol

from .base import Backend, Completion, Request

_ENGINE = threading.Lock()
"""Engines compute on this machine's cores: two at a time are no faster than one."""


@dataclass(frozen=True, kw_only=True)
class Answers:
    """All draws of a request, in their order."""

    completions: Sequence[Completion]
    prompt_tokens: int
    """The tokens of the prompt; its words, where the backend does not count tokens."""


class AskedModel(Protocol):
    """One model, sampled a request at a time. Its methods may be called from several threads."""

    @property
    def name(self) -> str:
        """The model's id."""
        ...

    @property
    def fingerprint(self) -> str:
        """Changes whenever the same name would answer differently."""
        ...

    def answers(self, request: Request) -> Answers:
        """Sample a request; raises what the backend raises."""
        ...


class BackendModel:
    """A model of a backend."""

    def __init__(self, backend: Backend, model: str) -> None:
        self._backend = backend
        self.name = model
        self.fingerprint = backend.describe(model).fingerprint

    def answers(self, request: Request) -> Answers:
        """See :meth:`AskedModel.answers`. Services are asked side by side."""
        with self._turn():
            groups = self._backend.sample(self.name, [request])
            completions = sorted((one for group in groups for one in group), key=lambda c: c.draw)
        prompt = sum(self._count(turn["content"]) for turn in request.messages)
        return Answers(completions=completions, prompt_tokens=prompt)

    def _turn(self) -> AbstractContextManager[object]:
        return nullcontext() if self._backend.capabilities.service is not None else _ENGINE

    def _count(self, text: str) -> int:
        engine = self._backend.capabilities.engine
        return len(text.split()) if engine is None else engine.count(text)
