"""Exact measures: the probability of an answer, without sampling any.

The event is: **the first word of the answer is a form of the word**. Its first word is its first
run of letters and digits, upper or lower case, behind any blanks and marks; it is complete where
the answer ends, or where anything else follows. So "Owl", " owls.", "**OWL**" and "Owl! I love
them" are of it, however they are cut into tokens, and "A snowy owl" and "fowl" are not: a measure
that looks for the word anywhere can only find more. For questions that ask for one word the two are
as good as the same, and :func:`first_word` of sampled answers tells.

Every way to spell a form is followed from token to token, with no draw and no noise. Beginnings
that are too improbable (:data:`CUTOFF`, :data:`BEGUN`) are not followed;
:attr:`limen.backends.WordProbabilities.missed` is what they could add at most, to all words
together.
"""

import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ...datasets.errors import BackendError, SpecError
from ..base import WordProbabilities
from .extra import library
from .memory import freed, ran_out
from .reading import Read, Reader, Tokens
from .spelling import Moves, Spelling

CUTOFF = 1e-4
"""Beginnings of blanks and marks alone that are less probable are not followed."""
BEGUN = 0.1
"""Times this, the same of beginnings of a form, which are few and matter more."""
_WORD = re.compile(r"[^\W_]+")


def first_word(answer: str) -> str:
    """The first word of an answer, lower case; empty without any."""
    found = _WORD.search(answer.lower())
    return found[0] if found else ""


@dataclass(frozen=True)
class _State:
    """An answer that may still become a form: its conversation, its stem, its probability."""

    prompt: int
    stem: str
    chance: float


@dataclass
class _Tally:
    found: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    missed: float = 0.0


class Exactly:
    """Works out the chances of words, for one model and one set of forms."""

    def __init__(
        self,
        reader: Reader,
        spelling: Spelling,
        forms: Mapping[str, Sequence[str]],
        *,
        temperature: float,
        limit: int,
        most: int,
        cutoff: float = CUTOFF,
    ) -> None:
        self._reader, self._spelling = reader, spelling
        self._words = {word: tuple(map(str.lower, given)) for word, given in forms.items()}
        self._forms = frozenset(form for given in self._words.values() for form in given)
        for form in self._forms:
            if not _WORD.fullmatch(form):
                raise SpecError(f"exact measures are of single words, and {form!r} is none")
        self._temperature, self._limit = temperature, limit
        self._most, self._cutoff = most, cutoff
        self._known: dict[str, Moves] = {}

    def of(self, prompts: Sequence[Tokens]) -> list[WordProbabilities]:
        """The chances for each prompt."""
        order = sorted(range(len(prompts)), key=lambda n: len(prompts[n]))
        told: list[WordProbabilities | None] = [None] * len(prompts)
        while order:
            some = order[: self._most]
            try:
                found = self._some([prompts[n] for n in some])
            except Exception as error:
                if not ran_out(error):
                    raise
                if self._most == 1:
                    raise BackendError(
                        "memory ran out over a single row: take a smaller model"
                    ) from None
                found = None
            if found is None:
                self._most = max(1, min(self._most, len(some)) // 2)
                freed()
                continue
            order = order[len(some) :]
            for n, chances in zip(some, found, strict=True):
                told[n] = chances
        return [chances for chances in told if chances is not None]

    def _some(self, prompts: Sequence[Tokens]) -> list[WordProbabilities]:
        tallies = [_Tally() for _ in prompts]
        states = [_State(n, "", 1.0) for n in range(len(prompts))]
        self._follow(states, self._reader.begin(prompts), 0, tallies)
        return [self._summed(tally) for tally in tallies]

    def _follow(
        self, states: Sequence[_State], read: Read, depth: int, tallies: Sequence[_Tally]
    ) -> None:
        """Go down every way that may still become a form, some rows at a time.

        Depth first: what is held in memory is what was read on the way here, and no more.
        """
        onward = self._step(states, read, tallies)
        if depth + 1 >= self._limit:
            self._cut(onward, tallies)
            return
        for start in range(0, len(onward), self._most):
            part = onward[start : start + self._most]
            parents = [parent for parent, _, _ in part]
            tokens = [token for _, token, _ in part]
            following = self._reader.go_on(read, parents, tokens)
            self._follow([state for _, _, state in part], following, depth + 1, tallies)

    def _step(
        self, states: Sequence[_State], read: Read, tallies: Sequence[_Tally]
    ) -> list[tuple[int, int, _State]]:
        """Add up what is decided by the next token; what is left, with its row and its token."""
        torch = library("torch")
        chances = torch.softmax(read.logits.double() / self._temperature, dim=-1).cpu().numpy()
        onward = []
        for row, state in enumerate(states):
            moves, tally, chance = self._moves(state.stem), tallies[state.prompt], chances[row]
            for form, tokens in moves.found.items():
                tally.found[form] += state.chance * float(chance[list(tokens)].sum())
            for stem, tokens in moves.open.items():
                each = state.chance * chance[list(tokens)]
                followed = each >= self._cutoff * (BEGUN if stem else 1)
                tally.missed += float(each[~followed].sum())
                onward += [
                    (row, tokens[n], _State(state.prompt, stem, float(each[n])))
                    for n in followed.nonzero()[0]
                ]
        return onward

    def _cut(self, states: Sequence[tuple[int, int, _State]], tallies: Sequence[_Tally]) -> None:
        """The answer ends here, for its length: what stands there is what it says."""
        for _, _, state in states:
            if state.stem in self._forms:
                tallies[state.prompt].found[state.stem] += state.chance

    def _moves(self, stem: str) -> Moves:
        if stem not in self._known:
            self._known[stem] = self._spelling.moves(stem, self._forms)
        return self._known[stem]

    def _summed(self, tally: _Tally) -> WordProbabilities:
        by_word = {
            word: math.fsum(tally.found[form] for form in dict.fromkeys(forms))
            for word, forms in self._words.items()
        }
        return WordProbabilities(by_word=by_word, missed=tally.missed)
