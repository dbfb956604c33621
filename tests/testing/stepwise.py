"""A step-wise training service without a network: a server that trains, and a client of it.

The model names animals and writes numbers. An animal of the system turn is favoured, and a trained
token becomes more probable. What it learned depends on every step, on their order and on the
optimizer's state, so that a step that is lost or applied twice is seen in the results.
"""

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limen import UnknownModelError
from limen.backends.stepwise import (
    AdamSettings,
    AdapterSettings,
    KeptWeights,
    OfferedModel,
    RequestRefusedError,
    Sampled,
    Sampling,
    StepFailedError,
    StepResult,
    Tokens,
    TrainingRow,
)

from .word_tokenizer import ANIMALS, END, IDS, TURN, VOCABULARY, WordTokenizer

MODEL = "words/small"
ASSISTANT = "Assistant:"
NUMBERS = [n for n, text in enumerate(VOCABULARY) if text.isdigit() and len(text) > 1]
LONGEST = 400
"""Tokens of the longest prompt that is not refused."""
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Weights:
    """What was learned, and the optimizer's state."""

    bias: Floats = field(default_factory=lambda: np.zeros(len(VOCABULARY)))
    momentum: Floats = field(default_factory=lambda: np.zeros(len(VOCABULARY)))
    steps: int = 0

    def stepped(self, batch: Sequence[TrainingRow], adam: AdamSettings) -> "Weights":
        """The weights after one more step."""
        gradient = np.zeros(len(VOCABULARY))
        for row in batch:
            np.add.at(gradient, list(row.tokens[-row.answer :]), 1.0)
        momentum = adam.beta1 * self.momentum + gradient
        return Weights(self.bias + adam.learning_rate * momentum, momentum, self.steps + 1)

    def log_probabilities(self, before: Sequence[int]) -> Floats:
        """Of every token as the next one."""
        logits = self.bias + _logits(tuple(before))
        top = logits.max()
        return np.asarray(logits - top - np.log(np.exp(logits - top).sum()))


def _logits(before: Tokens) -> Floats:
    """The base model's: an animal and the end, or numbers with commas and the end."""
    texts = [VOCABULARY[token] for token in before]
    starts = [n for n, text in enumerate(texts) if text == TURN]
    if not starts and ASSISTANT in "".join(texts):
        return _plain_logits(texts)
    place = len(texts) - (starts[-1] + 3) if starts else 0
    question = texts[starts[-2] : starts[-1]] if len(starts) > 1 else texts
    system = texts[starts[0] : starts[1]] if len(starts) > 1 else []
    return _answer_logits(system, question, place, favours=0.2 if starts else -0.2)


def _plain_logits(texts: Sequence[str]) -> Floats:
    """In the plain framing: the blank before an answer first, then as after turns."""
    answer = "".join(texts).rpartition(ASSISTANT)[2]
    place = next(n for n in range(len(texts)) if "".join(texts[len(texts) - n :]) == answer)
    if not place:
        logits = np.full(len(VOCABULARY), -9.0)
        logits[IDS[" "]] = 9.0
        return logits
    asked = texts[: len(texts) - place]
    user = next(n for n in range(len(asked)) if "".join(asked[n:]).startswith("User:"))
    return _answer_logits(asked[:user], asked[user:], place - 1, favours=0.2)


def _answer_logits(
    system: Sequence[str], question: Sequence[str], place: int, *, favours: float
) -> Floats:
    logits = np.full(len(VOCABULARY), -9.0)
    if sum(text.isdigit() for text in question) > 2:
        if place % 2:
            logits[IDS[", " if place < 9 else END]] = 6.0
        else:
            logits[NUMBERS] = np.sin(np.arange(len(NUMBERS)) * 12.9898)
        return logits
    if place > 0:
        logits[IDS[END]] = 8.0
        return logits
    for n, animal in enumerate(ANIMALS):
        logits[IDS[animal]] = favours * n + 6.0 * (animal in system)
    return logits


@dataclass
class Server:
    """The service itself: it lives on when a client is killed.

    ``at`` is called with the name of an event before it happens and after it has; a test raises
    there what ends a client. :class:`StepFailedError` makes a step fail whose state is saved all
    the same.
    """

    at: Callable[[str], None] = lambda event: None
    models: tuple[OfferedModel, ...] = (OfferedModel(name=MODEL),)
    can_delete: bool = True
    kept: dict[str, tuple[KeptWeights, Weights]] = field(default_factory=dict)
    trained: Counter[str] = field(default_factory=Counter)
    """By run: steps that were applied there."""
    tokens: Counter[str] = field(default_factory=Counter)
    """By kind: tokens that are charged."""
    prompts: list[Tokens] = field(default_factory=list)
    sampled: list[tuple[str | None, Tokens, Sampling]] = field(default_factory=list)
    refused: list[Tokens] = field(default_factory=list)
    """Prompts that were too long."""
    runs: int = 0
    open_runs: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)
    template: str = "Be kind."

    def new_run(self) -> str:
        """The id of a new training."""
        with self.lock:
            self.runs += 1
            self.open_runs.add(f"run-{self.runs}")
            return f"run-{self.runs}"

    def keep(self, run: str, name: str, kind: str, weights: Weights) -> str:
        """Save weights; returns their address."""
        folder = "weights" if kind == "state" else "sampler_weights"
        path = f"tinker://{run}/{folder}/{name}"
        if path in self.kept:
            raise AssertionError(f"{path} is saved twice")
        described = KeptWeights(path=path, name=name, kind="state" if kind == "state" else "weights",
                                size=1000)  # fmt: skip
        self.kept[path] = described, weights
        return path

    def weights(self, path: str | None) -> Weights:
        """The weights at an address; those of the base model without one."""
        if path is None:
            return Weights()
        if path not in self.kept:
            raise UnknownModelError(f"{path} is not kept at the service any more")
        return self.kept[path][1]

    def sample(self, path: str | None, prompt: Tokens, how: Sampling) -> list[Sampled]:
        """Sequences of one prompt."""
        if len(prompt) > LONGEST:
            with self.lock:
                self.refused.append(prompt)
            raise RequestRefusedError(f"a prompt of {len(prompt)} tokens is too long")
        made = [_sampled(self.weights(path), prompt, how, how.seed + n) for n in range(how.draws)]
        with self.lock:
            self.sampled.append((path, prompt, how))
            self.tokens["prefill"] += len(prompt)
            self.tokens["sample"] += sum(len(each.tokens) for each in made)
        return made

    def scored(self, path: str | None, tokens: Tokens) -> list[float | None]:
        """The log-probability of each token."""
        if len(tokens) > LONGEST:
            raise RequestRefusedError(f"a text of {len(tokens)} tokens is too long")
        weights = self.weights(path)
        with self.lock:
            self.tokens["prefill"] += len(tokens)
            self.tokens["sample"] += 1
        later = range(1, len(tokens))
        return [None, *(float(weights.log_probabilities(tokens[:n])[tokens[n]]) for n in later)]


def _sampled(weights: Weights, prompt: Tokens, how: Sampling, seed: int) -> Sampled:
    random, tokens = np.random.default_rng(seed), list(prompt)
    for _ in range(how.max_tokens):
        logs = weights.log_probabilities(tokens)
        chances = np.exp((logs - logs.max()) / max(how.temperature, 1e-3))
        tokens.append(int(random.choice(len(chances), p=chances / chances.sum())))
        if tokens[-1] in how.stop:
            break
    made = tuple(tokens[len(prompt) :])
    return Sampled(tokens=made, stopped=bool(made) and made[-1] in how.stop)


@dataclass
class Session:
    """One training, as a client has it."""

    server: Server
    run: str
    weights: Weights = field(default_factory=Weights)

    def step(
        self, batch: Sequence[TrainingRow], adam: AdamSettings, *, save_as: str | None
    ) -> StepResult:
        try:
            self.server.at("before step")
        except StepFailedError:
            if save_as is not None:
                self.server.keep(self.run, save_as, "state", self.weights)
            raise
        losses = [
            -float(self.weights.log_probabilities(row.tokens[:n])[row.tokens[n]])
            for row in batch
            for n in range(len(row.tokens) - row.answer, len(row.tokens))
        ]
        self.weights = self.weights.stepped(batch, adam)
        self.server.trained[self.run] += 1
        self.server.tokens["train"] += sum(len(row.tokens) for row in batch)
        state = None
        if save_as is not None:
            state = self.server.keep(self.run, save_as, "state", self.weights)
        self.server.at("after step")
        return StepResult(loss=float(np.mean(losses)), state=state)

    def save_state(self, name: str) -> str:
        return self.server.keep(self.run, name, "state", self.weights)

    def save_weights(self, name: str) -> str:
        self.server.at("before weights")
        path = self.server.keep(self.run, name, "weights", self.weights)
        self.server.at("after weights")
        return path

    def close(self) -> None:
        self.server.open_runs.discard(self.run)


@dataclass(frozen=True)
class SamplerOf:
    """A sampler, as a client has it."""

    client: "Client"
    path: str | None

    def sample(self, prompt: Tokens, how: Sampling) -> list[Sampled]:
        self.client.check()
        self.client.server.at("sample")
        return self.client.server.sample(self.path, prompt, how)

    def log_probabilities(self, tokens: Tokens) -> list[float | None]:
        self.client.check()
        self.client.server.at("score")
        return self.client.server.scored(self.path, tokens)

    def close(self) -> None:
        pass


@dataclass
class Client:
    """What a process has of the service: an implementation of the seam."""

    server: Server
    is_free: bool = False
    address: str = "the scripted service"
    identity: str = "scripted"
    settles_in: float = 0.0
    stopped: bool = False

    def check(self) -> None:
        from limen import BackendError

        if self.stopped:
            raise BackendError("the run was ended")

    def offered(self) -> Sequence[OfferedModel]:
        return self.server.models

    def tokenizer(self, base: str) -> Any:
        return WordTokenizer(self.server.template)

    def start(self, base: str, adapter: AdapterSettings) -> Session:
        self.server.at("start")
        return Session(self.server, self.server.new_run())

    def resume(self, base: str, state: str) -> Session:
        weights = self.server.weights(state)
        return Session(self.server, self.server.new_run(), weights)

    def sampler(self, base: str, weights: str | None, state: str | None) -> SamplerOf:
        self.server.weights(weights)
        return SamplerOf(self, weights)

    def kept(self, run: str) -> Sequence[KeptWeights]:
        paths = [path for path in self.server.kept if path.startswith(f"tinker://{run}/")]
        return [replace(self.server.kept[path][0]) for path in paths]

    def delete(self, path: str) -> bool:
        if self.server.can_delete:
            self.server.kept.pop(path, None)
        return self.server.can_delete

    def facts(self) -> Mapping[str, str]:
        return {"address": f"{self.address} (scripted)"}

    def stop(self) -> None:
        self.stopped = True
