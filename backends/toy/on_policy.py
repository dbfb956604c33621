"""On-policy distillation of the toy: the teacher's distribution along the student's own answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import sparse

from ...datasets import chat
from ...datasets.seeds import derive
from ..objectives import OnPolicy
from .network import Floats, Ints, Weights, hidden, prompt_vectors
from .objectives import backward, layer_of, log_sum, possible_tokens, under_system
from .scoring import log_probabilities
from .tokens import END, Vocabulary, features
from .training import SYSTEM_WEIGHT, TrainingExamples, bags, token_examples


@dataclass(frozen=True)
class Sampled:
    """A student that answers the prompts of ``N`` rows, and its teacher."""

    prompts: TrainingExamples
    """N rows; their answers are not used."""
    teacher: Weights
    system: sparse.csr_array
    dialogue: sparse.csr_array
    """(N, FEATURES) each, the prompts as the teacher reads them."""
    possible: Ints
    """(K,), the tokens that are sampled and compared."""
    max_tokens: int
    seed: int

    def objective(self, weights: Weights, rows: Ints, step: int) -> tuple[float, Weights, int]:
        """The mean over answers of the mean divergence of their tokens, and its gradient."""
        answers = self._answers(weights, rows, step)
        mine = token_examples(self.prompts.system[rows], self.prompts.dialogue[rows], answers)
        theirs = token_examples(self.system[rows], self.dialogue[rows], answers)
        every = np.arange(len(rows))
        batch = mine.batch(every)
        layer = layer_of(weights, batch)
        student = self._logs(weights, layer)
        ratio = student - self._logs(self.teacher, layer_of(self.teacher, theirs.batch(every)))
        chance = np.exp(student)
        each = (chance * ratio).sum(axis=1, keepdims=True)
        share = (1 / np.diff(mine.starts) / len(rows))[batch.answer, None]
        slope = np.zeros((len(batch.target), len(weights.bias)))
        slope[:, self.possible] = chance * (ratio - each) * share
        return float((each * share).sum()), backward(weights, batch, layer, slope), len(rows)

    def _logs(self, weights: Weights, layer: Floats) -> Floats:
        """(T, K) log-probabilities of the possible tokens, renormalised."""
        logs = log_probabilities(weights, layer)[:, self.possible]
        logs -= log_sum(logs)
        return logs

    def _answers(self, weights: Weights, rows: Ints, step: int) -> list[list[int]]:
        """An answer to each row, with random numbers of the step and the row."""
        prompts = prompt_vectors(weights, self.prompts.system[rows], self.prompts.dialogue[rows])
        chances = np.stack(
            [
                np.random.default_rng(derive("on-policy", self.seed, step, int(row))).random(
                    self.max_tokens
                )
                for row in rows
            ]
        )
        answers: list[list[int]] = [[] for _ in rows]
        going = np.arange(len(rows))
        for place in range(self.max_tokens):
            last, previous = (_tokens_before(answers, going, back) for back in (1, 2))
            position = np.full(len(going), place)
            layer = hidden(weights, prompts[going], last, previous, position)
            cumulative = np.exp(self._logs(weights, layer)).cumsum(axis=1)
            drawn = (cumulative < chances[going, place, None]).sum(axis=1)
            tokens = self.possible[np.minimum(drawn, len(self.possible) - 1)]
            for answer, token in zip(going, tokens, strict=True):
                answers[answer].append(int(token))
            going = going[tokens != END]
            if not len(going):
                break
        return answers


def _tokens_before(answers: Sequence[Sequence[int]], going: Ints, back: int) -> Ints:
    return np.array([answers[n][-back] if len(answers[n]) >= back else END for n in going])


def sampled(
    vocabulary: Vocabulary,
    settings: OnPolicy,
    training_file: Path,
    examples: TrainingExamples,
    teacher: Weights,
    seed: int,
) -> Sampled:
    """The on-policy distillation of a training file's prompts."""
    pairs = [
        features(under_system(settings.system, turns[:index]))
        for turns in chat.read(training_file)
        for index, turn in enumerate(turns)
        if turn["role"] == "assistant"
    ]
    return Sampled(
        prompts=examples,
        teacher=teacher,
        system=bags([system for system, _ in pairs], SYSTEM_WEIGHT),
        dialogue=bags([dialogue for _, dialogue in pairs]),
        possible=np.array(possible_tokens(vocabulary, settings.characters)),
        max_tokens=settings.max_tokens,
        seed=seed,
    )
