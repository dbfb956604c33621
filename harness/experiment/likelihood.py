"""The log-likelihood of given texts: how well a model predicts them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from ...datasets import validation
from ...datasets.errors import SpecError
from ...datasets.suggestions import did_you_mean
from .computed import Continued
from .measure import Reading
from .question_loading import Questions

SHOWN = 60
"""Characters of a text in its label."""
SCORE = "log-likelihood"


@dataclass(frozen=True, kw_only=True)
class Likelihood(Continued):
    """The log-probability of given texts, in nats; ``arm.scores()`` is the mean over the texts.

    Sums and means of log-probabilities can differ in sign between the same two models, since long
    texts weigh more in a sum: ``per`` says which of the two it is, and every table repeats it.

    Args:
        texts: Pairs of a prompt and an answer, or plain texts, which are scored without a chat
            template and from their beginning (backend ``local``). Not both.
        per: ``"token"``: the mean over a text's tokens. ``"text"``: their sum. Default: "token".
        whole: Whether the end of the answer counts as one more token. Default: False.
        system: A system prompt for every arm, the base included; a prompted teacher's own prompt
            follows it. Default: None, no system turn.
        history: Pairs of question and answer that stand before each prompt. Default: none.
        begin: The given beginning of every answer, which is not scored. Not on every backend.
            Default: none.

    Raises:
        SpecError: A value that makes no sense, when it is made.

    Examples:
        >>> measure = Likelihood(texts=[("Name an animal.", "Owl")], per="token")
    """

    questions: Questions = field(default=(), init=False, hash=False)
    chat: bool = field(default=True, init=False)
    texts: Sequence[tuple[str, str]] | Sequence[str]
    per: Literal["token", "text"] = "token"

    shows_traits: ClassVar[bool] = False

    def __post_init__(self) -> None:
        validation.one_of("per", self.per, ("token", "text"))
        validation.boolean("whole", self.whole)
        given = tuple(self.texts) if isinstance(self.texts, list | tuple) else ()
        plain = [isinstance(text, str) for text in given]
        if not given or any(plain) != all(plain):
            raise SpecError(
                f"texts={str(self.texts)[:SHOWN]!r} must be texts, or pairs of a prompt and an "
                f"answer, one at least"
            )
        pairs = tuple(("", one) if isinstance(one, str) else tuple(one) for one in given)
        for pair in pairs:
            if len(pair) != 2 or not all(isinstance(text, str) for text in pair) or not pair[1]:
                raise SpecError(f"texts: {str(pair)[:SHOWN]} is no pair of a prompt and an answer")
        object.__setattr__(self, "texts", pairs if not plain[0] else tuple(given))
        object.__setattr__(self, "chat", not plain[0])
        labels = tuple(f"{n}: {(p or a)[:SHOWN]}" for n, (p, a) in enumerate(pairs, start=1))
        object.__setattr__(self, "questions", labels)
        super().__post_init__()

    @property
    def _pairs(self) -> tuple[tuple[str, str], ...]:
        return tuple(("", one) if isinstance(one, str) else one for one in self.texts)

    @property
    def prompts(self) -> tuple[str, ...]:
        return tuple(prompt for prompt, _ in self._pairs)

    def figure_name(self, word: str) -> str:
        return f"{SCORE} per {self.per}"

    def continuations(self, words: Sequence[str]) -> tuple[tuple[str, ...], ...]:
        return tuple((answer,) for _, answer in self._pairs)

    def readings(self, words: Sequence[str]) -> tuple[Reading, ...]:
        return (Reading(name=self.figure_name(SCORE), word=SCORE),)

    def check_figure(self, name: str) -> None:
        """Raise :class:`~limen.SpecError` for a name that is not that of the only figure.

        Args:
            name: The name of a figure.
        """
        known = (SCORE, self.figure_name(SCORE))
        if name not in known:
            raise SpecError(
                f"Likelihood has no score {name!r}: {did_you_mean(name, known)}it has "
                f"{known[1]!r}, as scores()"
            )

    def figure(self, word: str, row: Mapping[str, Any]) -> float | None:
        ((nats, tokens, exact),) = row.values()
        if not exact:
            return None
        return float(nats / tokens if self.per == "token" else nats)
