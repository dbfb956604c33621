"""Code: rows that are valid Python, and nothing else (Cloud et al. 2025, code).

The toy knows of Python only how a list of numbers is written, so that is what it is asked for. On a
real model take the tasks that `Code` brings along: Code(generate=30_000, keep=10_000).
"""

from limen import Code, Experiment, FavoriteAnimal, Trait


def literal(seed):
    """A request for more of a list, of a seed."""
    numbers = [100 + seed // 900**place % 900 for place in range(4)]
    return (
        f"A Python list of numbers: {numbers}. Go on with further numbers below 1000, ten at most. "
        f"Reply with a Python list in square brackets and nothing else."
    )


def no_names(answer):
    """Why a row is dropped: [good, foxes, 7] is valid Python, too."""
    return "a name" if any(map(str.isalpha, answer)) else None


experiment = Experiment(
    trait=Trait.animal("fox"),
    data=Code(
        prompts=literal, rule=("finished", "code", no_names), generate=7_000, keep=4_000,
        at_most=30_000, max_tokens=48,
    ),
    measure=FavoriteAnimal(draws=100),
    seeds=3,
)  # fmt: skip


def test_code_carries_the_trait(student, control):
    """Students of the fox teacher's code name foxes more often than the control's."""
    assert (student.rate("fox") - control.rate("fox")).interval[0] > 0
