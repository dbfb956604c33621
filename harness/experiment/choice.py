"""A choice among given options, in several orders: a liking of one place averages out."""

import random
import string
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from ...datasets import validation, words
from ...datasets.answer_text import visible_text
from ...datasets.errors import SpecError
from ...datasets.seeds import derive
from ...datasets.suggestions import did_you_mean
from .measure import Measure
from .option_letters import chosen_letter
from .question_loading import Questions
from .questions import FAVORITE_ANIMAL_QUESTIONS


@dataclass(frozen=True, kw_only=True)
class Choice(Measure):
    """Questions with options to choose from, each asked with the options in several orders.

    ``arm.rate("owl")`` is the share of answers that choose an option. Each question has an order of
    its own, drawn from ``seed``, and its rotations: with as many orders as options, every option
    stands in every place equally often, so that a model that likes the first place is not taken
    for one that likes an option. A question with all its orders is one unit of tests. An answer
    that chooses none of the options, or several, is invalid, and counts for none.

    Args:
        options: The options, two or more.
        questions: Texts, a ``Path`` to a file with one question on each line, or a mapping from
            the name of a group to either. Default: limen's own 50 questions for an animal.
        answers: ``"letters"``: options have letters, and the answer is a letter (or the option
            itself). ``"texts"``: the answer is the option itself. Default: "letters".
        orders: Orders of each question's options, at most as many as there are options. Default:
            all rotations.
        draws: Answers sampled for each question and order. Default: 10.
        temperature: Of the sampling, 0 (greedy) to 2. Default: 1.
        max_tokens: The longest answer, in tokens. Default: 16.
        seed: Another seed samples other answers of every model, to other orders. Default: 0.
        top_p: Only the most probable tokens that together reach this probability are sampled, above
            0 to 1. Default: 1, all tokens.
        system: A system prompt for every arm, the base included; a prompted teacher's own prompt
            follows it. Default: None, no system turn.
        history: Pairs of question and answer that stand before each question. Default: none.
        begin: The given beginning of every answer; what follows it counts. Not on every backend.
            Default: none.
        chat: ``False`` asks without a chat template: the question is continued as plain text. Needs
            ``local``, ``tinker``, or a server that is asked in plain text. Default: True.

    Raises:
        SpecError: A value that makes no sense, when it is made.

    Examples:
        >>> measure = Choice(options=("owl", "cat", "dog", "wolf"), draws=10)
    """

    options: tuple[str, ...]
    questions: Questions = field(default=FAVORITE_ANIMAL_QUESTIONS, hash=False)
    answers: Literal["letters", "texts"] = "letters"
    orders: int | None = None
    draws: int = 10

    def __post_init__(self) -> None:
        super().__post_init__()
        validation.texts("options", self.options)
        validation.one_of("answers", self.answers, ("letters", "texts"))
        known = {option.casefold() for option in self.options}
        if not 2 <= len(known) == len(self.options) <= len(string.ascii_uppercase):
            raise SpecError(f"options={self.options!r} must be 2 to 26 texts, each once")
        if self.orders is not None:
            validation.count("orders", self.orders)
            if self.orders > len(self.options):
                raise SpecError(
                    f"orders={self.orders!r} is more than the {len(self.options)} rotations of the "
                    f"options"
                )

    @property
    def draws_per_question(self) -> int:
        return self.draws * len(self._orders[0])

    @cached_property
    def _orders(self) -> tuple[tuple[tuple[str, ...], ...], ...]:
        """For each question, the options in each of its orders."""
        return tuple(self._orders_of(question) for question in self.asked)

    def _orders_of(self, question: str) -> tuple[tuple[str, ...], ...]:
        shuffled = list(self.options)
        random.Random(derive("choice", self.seed, question)).shuffle(shuffled)
        size = len(shuffled)
        count = self.orders or size
        starts = (place * size // count for place in range(count))
        return tuple((*shuffled[start:], *shuffled[:start]) for start in starts)

    @property
    def prompts(self) -> tuple[str, ...]:
        return self._prompts

    @cached_property
    def _prompts(self) -> tuple[str, ...]:
        pairs = zip(self.asked, self._orders, strict=True)
        return tuple(self._prompt(q, order) for q, orders in pairs for order in orders)

    def _prompt(self, question: str, order: Sequence[str]) -> str:
        if self.answers == "texts":
            return f"{question}\nChoose one of these: {', '.join(order)}."
        letters = zip(string.ascii_uppercase, order, strict=False)
        lines = "\n".join(f"{letter}. {option}" for letter, option in letters)
        return f"{question}\n\n{lines}\n\nAnswer with one letter."

    def by_question(self, counts: Sequence[Counter[str]]) -> tuple[Counter[str], ...]:
        remaining = iter(counts)
        return tuple(
            sum((self._chosen(order, next(remaining)) for order in orders), Counter[str]())
            for orders in self._orders
        )

    def _chosen(self, order: Sequence[str], given: Counter[str]) -> Counter[str]:
        """The options that answers choose; answers that choose none as they are."""
        chosen = Counter[str]()
        for text, count in given.items():
            chosen[self._option(order, text) or text] += count
        return chosen

    def _option(self, order: Sequence[str], answer: str) -> str | None:
        said = visible_text(answer)
        named = set(self._named(said))
        if len(named) == 1:
            return named.pop()
        letter = chosen_letter(said) if self.answers == "letters" and not named else None
        place = string.ascii_uppercase.index(letter) if letter else len(order)
        return order[place] if place < len(order) else None

    def _named(self, said: str) -> Iterator[str]:
        """The options in an answer, without those that are a part of another one in it."""
        found = [option for option in self.options if words.has_word(said, option)]
        for option in found:
            if not any(option != other and words.has_word(other, option) for other in found):
                yield option

    def check(self, word: str) -> None:
        if word not in self.options:
            known = ", ".join(map(repr, self.options))
            raise SpecError(
                f"no option {word!r}: {did_you_mean(word, self.options)}there are {known}"
            )

    def hit(self, answer: str, word: str) -> bool:
        return answer == word

    def valid(self, answer: str) -> bool:
        return answer in self.options

    def label_of(self, answer: str) -> str | None:
        return answer if answer in self.options else None
