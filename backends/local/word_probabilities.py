"""Exact measures: the probability of an answer, without sampling.

The event is: **the first word of the answer is a form of the word**. The first word is the first
run of letters and digits, in upper or lower case, after any blanks and punctuation; it is complete
where the answer ends, or where anything else follows. So "Owl", " owls.", "**OWL**" and "Owl! I
love them" belong to the event, however they are split into tokens; "A snowy owl" and "fowl" do not.
A measure that looks for the word anywhere in the answer can only find more. For questions that ask
for one word the two are practically equal; :func:`first_word` of sampled answers shows it.

Every spelling of a form is followed token by token, with no draw and no noise. Beginnings with too
low a probability (:data:`CUTOFF`, :data:`STEM_CUTOFF_FACTOR`) are not followed;
:attr:`limen.backends.WordProbabilities.missed` bounds what they could add, to all words together.
"""

import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ...datasets.errors import BackendError, SpecError
from ..base import WordProbabilities
from .forward_pass import CachedForward, ForwardState, Tokens
from .libraries import library
from .memory import free_memory, is_out_of_memory
from .spelling import Spelling, Transitions

CUTOFF = 1e-4
"""Beginnings of blanks and punctuation only that are less probable are not followed."""
STEM_CUTOFF_FACTOR = 0.1
"""The cutoff of beginnings of a form, as a factor: they are few and matter more."""
_WORD = re.compile(r"[^\W_]+")


def first_word(answer: str) -> str:
    """The first word of an answer in lower case; empty if there is none."""
    match = _WORD.search(answer.lower())
    return match[0] if match else ""


@dataclass(frozen=True)
class _State:
    """An answer that may still become a form: its conversation, its stem, its probability."""

    prompt: int
    stem: str
    probability: float


@dataclass
class _Tally:
    """Probabilities of one conversation so far, by form."""

    by_form: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    missed: float = 0.0


class WordProbabilityCalculator:
    """Computes the probabilities of words, for one model and one set of forms."""

    def __init__(
        self,
        forward: CachedForward,
        spelling: Spelling,
        forms: Mapping[str, Sequence[str]],
        *,
        temperature: float,
        max_tokens: int,
        max_rows: int,
        cutoff: float = CUTOFF,
    ) -> None:
        self._forward, self._spelling = forward, spelling
        self._words = {word: tuple(map(str.lower, given)) for word, given in forms.items()}
        self._forms = frozenset(form for given in self._words.values() for form in given)
        for form in self._forms:
            if not _WORD.fullmatch(form):
                raise SpecError(
                    f"exact measures need single words of letters and digits, and {form!r} is not "
                    f"one"
                )
        self._temperature, self._max_tokens = temperature, max_tokens
        self._max_rows, self._cutoff = max_rows, cutoff
        self._known: dict[str, Transitions] = {}

    def compute(self, prompts: Sequence[Tokens]) -> list[WordProbabilities]:
        """The probabilities for each prompt."""
        order = sorted(range(len(prompts)), key=lambda n: len(prompts[n]))
        results: dict[int, WordProbabilities] = {}
        while order:
            batch = order[: self._max_rows]
            computed = self._batch_or_none([prompts[n] for n in batch])
            if computed is None:
                self._max_rows = max(1, min(self._max_rows, len(batch)) // 2)
                free_memory()
                continue
            order = order[len(batch) :]
            results.update(zip(batch, computed, strict=True))
        return [results[n] for n in range(len(prompts))]

    def _batch_or_none(self, prompts: Sequence[Tokens]) -> list[WordProbabilities] | None:
        """The probabilities for some prompts together; None if memory ran out."""
        try:
            return self._batch(prompts)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            if self._max_rows == 1:
                raise BackendError(
                    "memory ran out over a single prompt: use a smaller model"
                ) from None
            return None

    def _batch(self, prompts: Sequence[Tokens]) -> list[WordProbabilities]:
        tallies = [_Tally() for _ in prompts]
        states = [_State(n, "", 1.0) for n in range(len(prompts))]
        self._follow(states, self._forward.start(prompts), 0, tallies)
        return [self._summed(tally) for tally in tallies]

    def _follow(
        self,
        states: Sequence[_State],
        forward_state: ForwardState,
        depth: int,
        tallies: Sequence[_Tally],
    ) -> None:
        """Follow every beginning that may still become a form, some rows at a time.

        Depth first: only the states on the way to the current row are in memory.
        """
        onward = self._step(states, forward_state, tallies)
        if depth + 1 >= self._max_tokens:
            self._count_at_limit(onward, tallies)
            return
        for start in range(0, len(onward), self._max_rows):
            part = onward[start : start + self._max_rows]
            parents = [parent for parent, _, _ in part]
            tokens = [token for _, token, _ in part]
            extended = self._forward.extend(forward_state, parents, tokens)
            self._follow([state for _, _, state in part], extended, depth + 1, tallies)

    def _step(
        self, states: Sequence[_State], forward_state: ForwardState, tallies: Sequence[_Tally]
    ) -> list[tuple[int, int, _State]]:
        """Count what the next token decides; returns the rest, with row and token of each."""
        torch = library("torch")
        logits = forward_state.logits.double() / self._temperature
        probabilities = torch.softmax(logits, dim=-1).cpu().numpy()
        onward = []
        for row, state in enumerate(states):
            transitions, tally = self._transitions(state.stem), tallies[state.prompt]
            for form, tokens in transitions.complete.items():
                share = float(probabilities[row][list(tokens)].sum())
                tally.by_form[form] += state.probability * share
            for stem, tokens in transitions.open.items():
                each = state.probability * probabilities[row][list(tokens)]
                followed = each >= self._cutoff * (STEM_CUTOFF_FACTOR if stem else 1)
                tally.missed += float(each[~followed].sum())
                onward += [
                    (row, tokens[n], _State(state.prompt, stem, float(each[n])))
                    for n in followed.nonzero()[0]
                ]
        return onward

    def _count_at_limit(
        self, states: Sequence[tuple[int, int, _State]], tallies: Sequence[_Tally]
    ) -> None:
        """Answers that reach their greatest length end here, so their stem is their first word."""
        for _, _, state in states:
            if state.stem in self._forms:
                tallies[state.prompt].by_form[state.stem] += state.probability

    def _transitions(self, stem: str) -> Transitions:
        if stem not in self._known:
            self._known[stem] = self._spelling.transitions(stem, self._forms)
        return self._known[stem]

    def _summed(self, tally: _Tally) -> WordProbabilities:
        by_word = {
            word: math.fsum(tally.by_form[form] for form in dict.fromkeys(forms))
            for word, forms in self._words.items()
        }
        return WordProbabilities(by_word=by_word, missed=tally.missed)
