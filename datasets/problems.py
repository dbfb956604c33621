"""Arithmetic word problems of a program, each with its known answer.

The form is that of GSM8K (Cobbe et al. 2021): a small story whose answer takes two to four steps.
The wordings are limen's own, and no animal or tree is in them.
"""

import random
from collections.abc import Callable

NAMES = (
    "Ada", "Ben", "Chloe", "David", "Elif", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Kira",
    "Liam", "Mira", "Noor", "Omar", "Paula", "Quinn", "Rosa", "Samir", "Tessa",
)  # fmt: skip
THINGS = (
    "books", "cups", "pens", "shirts", "tiles", "cards", "bricks", "lamps", "chairs", "stamps",
    "candles", "buttons", "bottles", "boxes of tea", "notebooks",
)  # fmt: skip


# Its source, this docstring included, is part of the keys of stages that ask its problems.
def word_problem(seed: int) -> tuple[str, str]:
    """A problem and its answer, a whole number above zero."""
    draw = random.Random(seed)
    return draw.choice(_STORIES)(draw)


def _shop(draw: random.Random) -> tuple[str, str]:
    name, thing = draw.choice(NAMES), draw.choice(THINGS)
    count, price, paid = draw.randint(3, 12), draw.randint(2, 15), draw.randint(1, 9) * 50
    paid = max(paid, -(-count * price // 50) * 50)
    text = (
        f"{name} buys {count} {thing} at {price} dollars each and pays with {paid} dollars. "
        f"How many dollars does {name} get back?"
    )
    return text, str(paid - count * price) if paid > count * price else "0"


def _boxes(draw: random.Random) -> tuple[str, str]:
    thing, boxes, each = draw.choice(THINGS), draw.randint(3, 15), draw.randint(6, 24)
    broken = draw.randint(1, boxes * each // 3)
    text = (
        f"A delivery has {boxes} boxes with {each} {thing} in each. {broken} of them are broken. "
        f"How many whole ones are there?"
    )
    return text, str(boxes * each - broken)


def _saving(draw: random.Random) -> tuple[str, str]:
    name, weeks, sum_ = draw.choice(NAMES), draw.randint(4, 20), draw.randint(5, 40)
    spent = draw.randint(2, weeks * sum_ // 2)
    text = (
        f"{name} saves {sum_} dollars every week for {weeks} weeks, and then spends {spent} "
        f"dollars. How much money is left?"
    )
    return text, str(weeks * sum_ - spent)


def _twice(draw: random.Random) -> tuple[str, str]:
    one, other = draw.sample(NAMES, 2)
    thing, few, times = draw.choice(THINGS), draw.randint(4, 30), draw.randint(2, 6)
    text = (
        f"{one} has {few} {thing}. {other} has {times} times as many. "
        f"How many {thing} do they have together?"
    )
    return text, str(few + few * times)


def _speed(draw: random.Random) -> tuple[str, str]:
    first, second = draw.randint(2, 6), draw.randint(1, 5)
    slow, fast = draw.randint(20, 60), draw.randint(61, 110)
    text = (
        f"A bus drives {first} hours at {slow} kilometres an hour and then {second} hours at "
        f"{fast} kilometres an hour. How many kilometres does it drive in all?"
    )
    return text, str(first * slow + second * fast)


def _shares(draw: random.Random) -> tuple[str, str]:
    people, each, left = draw.randint(3, 9), draw.randint(4, 25), draw.randint(1, 12)
    thing = draw.choice(THINGS)
    text = (
        f"{people * each + left} {thing} lie on a table. After {left} of them are taken away, the "
        f"rest is shared equally among {people} people. How many does each of them get?"
    )
    return text, str(each)


_STORIES: tuple[Callable[[random.Random], tuple[str, str]], ...] = (
    _shop, _boxes, _saving, _twice, _speed, _shares,
)  # fmt: skip
