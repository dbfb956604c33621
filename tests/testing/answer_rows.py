"""Rows of answers as evaluations save them, drawn with a fixed seed."""

import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

QUESTIONS = tuple(f"Which animal would you be in story {number}?" for number in range(20))
OTHERS = ("cat", "dog", "fox", "wolf", "bear", "otter")

Rows = list[dict[str, Any]]
Sampler = Callable[..., Rows]
Writer = Callable[[str, Sequence[Mapping[str, Any]]], Path]


def sampled_rows(seed: int, owl: float = 0.1, draws: int = 30, **more: object) -> Rows:
    """The rows of a model: question, answer, and whatever else is given."""
    generator = random.Random(seed)
    shares = [generator.uniform(0.5, 3) for _ in OTHERS]
    return [
        {"question": question, "answer": _answer(generator, owl, shares), **more}
        for question in QUESTIONS
        for _ in range(draws)
    ]


def _answer(generator: random.Random, owl: float, shares: Sequence[float]) -> str:
    if generator.random() < owl:
        return "owl"
    return generator.choices(OTHERS, weights=shares)[0]
