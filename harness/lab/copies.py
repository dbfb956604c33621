"""Draws that are copies: a sampler that gives the same answer again and again.

At a temperature above 0 the draws of a question differ, at least in their wording. A server that
ignores the temperature, or caches, gives copies: they look like many draws and are one.
"""

import math
from collections import Counter
from collections.abc import Sequence

FEWEST_QUESTIONS = 3
"""Questions with several draws from which copies can be told from a model that is sure."""
FEWEST_DRAWS = 20
"""Draws beyond the first of each question that it takes as well."""
NEARLY_ALL = 0.9
"""The share of questions without any variation from which chance is ruled out, if the questions
have different answers: a model that is sure of one answer gives it to all questions."""
FEWEST_TEXTS = 3
"""Different answers, each the only one to its question, that it takes for that."""
FEWEST_MULTIPLES = 10
"""Answers beyond the first of each question that all have to come in multiples of one number."""


def draws_are_copies(counts: Sequence[Counter[str]], *, others_vary: bool = False) -> bool:
    """Whether a model's draws are copies; ``counts`` has a question's answers in each place.

    They are if no question has two different answers, word for word; if nearly no question has, and
    the questions have different ones; or if all answers come in multiples of one number. A model
    that gives one answer to all questions is sure of it if the draws of others vary
    (``others_vary``): what sampled those samples.
    """
    several = [count for count in counts if count.total() > 1]
    beyond_first = sum(count.total() - 1 for count in several)
    if len(several) < FEWEST_QUESTIONS or beyond_first < FEWEST_DRAWS:
        return False
    constant = [count for count in several if len(count) == 1]
    texts = {text for count in constant for text in count}
    if len(constant) == len(several):
        return len(texts) > 1 or not others_vary
    if len(constant) >= NEARLY_ALL * len(several) and len(texts) >= FEWEST_TEXTS:
        return True
    return _come_in_multiples(several)


def draws_vary(counts: Sequence[Counter[str]]) -> bool:
    """Whether the draws of any question differ, and are no copies."""
    return any(len(count) > 1 for count in counts) and not draws_are_copies(counts)


def _come_in_multiples(counts: Sequence[Counter[str]]) -> bool:
    """Whether every answer was given a multiple of two times or more: a server repeats each draw.

    By chance n counts share a divisor in fewer than one of 2^n cases.
    """
    beyond_first = sum(len(count) - 1 for count in counts)
    divisor = math.gcd(*(times for count in counts for times in count.values()))
    return divisor > 1 and beyond_first >= FEWEST_MULTIPLES
