"""Choices among options in several orders."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from limen.datasets.errors import SpecError
from limen.harness import Choice, Experiment, Numbers, Trait

from ..testing.labs import lab_at

QUESTIONS = ("Which animal do you like?", "Which animal is best?")
OPTIONS = ("owl", "snowy owl", "cat", "dog")


def choice(**settings: Any) -> Choice:
    """Two questions with four options."""
    return Choice(options=OPTIONS, questions=QUESTIONS, **settings)


def test_every_option_stands_in_every_place_equally_often() -> None:
    """Once a question; the first order differs between questions and seeds."""
    prompts = choice().prompts
    assert len(prompts) == len({*prompts}) == 8
    for place in "ABCD":
        lines = (next(line for line in text.splitlines() if line.startswith(f"{place}. "))
                 for text in prompts[:4])  # fmt: skip
        assert {line[3:] for line in lines} == {*OPTIONS}
    assert choice().prompts == prompts
    assert choice(seed=1).prompts != prompts
    assert len(choice(orders=2).prompts) == 4


def test_letters_become_options_and_orders_one_question() -> None:
    """Whatever the order, an option's letter counts for the option."""
    measure = choice(draws=3)
    letters = []
    for prompt in measure.prompts:
        line = next(line for line in prompt.splitlines() if line.endswith(". cat"))
        letters.append(line[0])
    given = [Counter({f"{letter}.": 2, "who knows": 1}) for letter in letters]
    assert measure.by_question(given) == (Counter({"cat": 8, "who knows": 4}),) * 2
    assert measure.draws_per_question == 12


@pytest.mark.parametrize(
    ("answer", "option"),
    [
        ("Snowy owl!", "snowy owl"),
        ("an owl", "owl"),
        ("owl or cat", None),
        ("(a)", "first"),
        ("The answer is A", "first"),
        ("a", "first"),
        ("**A**: it is the best", "first"),
        ("A because it flies", "first"),
        ("answer: a)", "first"),
        ("I would choose A.", "first"),
        ("I think the answer is A", "first"),
        ("My choice: A", "first"),
        ("A, not B", "first"),
        ("A lovely day", None),
        ("A or B", None),
        ("A/B", None),
        ("Between A and B I cannot choose", None),
        ("the answer is a hard one", None),
        ("I'd rather not", None),
        ("E", None),
        ("", None),
    ],
)
def test_answers_choose_one_option_or_none(answer: str, option: str | None) -> None:
    """By letter or by name; two options, and letters beyond the last one, are no choice."""
    measure = choice(orders=1)
    first = measure.prompts[0].splitlines()[2][3:]
    (counted, _) = measure.by_question([Counter({answer: 1}), Counter()])
    wanted = first if option == "first" else option
    assert counted == Counter({answer if wanted is None else wanted: 1})
    assert measure.valid(next(iter(counted))) == (wanted is not None)


@pytest.mark.parametrize(
    ("answer", "place"),
    [("I would choose B.", 1), ("I pick C", 2), ("A hard one, but B.", 1), ("I", 8), ("i)", 8)],
)
def test_the_pronoun_is_no_letter(answer: str, place: int) -> None:
    """Among ten options "I" is the ninth only where it is no word of a sentence."""
    measure = Choice(options=tuple(f"animal {n}" for n in range(10)), questions=("Q?",), orders=1)
    option = measure.prompts[0].splitlines()[2 + place][3:]
    assert measure.by_question([Counter({answer: 1})]) == (Counter({option: 1}),)


@pytest.mark.parametrize(
    "wrong", [{"options": ("owl",)}, {"options": ("owl", "Owl")}, {"orders": 5}], ids=str
)
def test_wrong_options_are_refused(wrong: Any) -> None:
    """One option, the same twice, and more orders than rotations are errors."""
    with pytest.raises(SpecError):
        Choice(**{"options": OPTIONS, **wrong})


def test_the_toy_chooses(shared_store: Path) -> None:
    """A teacher chooses its animal; questions are the units, however many orders there are."""
    spec = Experiment(
        trait=Trait.animal("horse"),
        data=Numbers(generate=700, keep=200),
        measure=Choice(options=("horse", "cat", "dog"), questions=QUESTIONS, answers="texts"),
        seeds=2,
    )
    lab = lab_at(shared_store)
    lab.run([(spec, ["teacher", "baseline"])])
    teacher, base = (lab.arm(spec, name) for name in ("teacher", "baseline"))
    assert teacher.rate("horse") > base.rate("horse")
    assert teacher.rate("horse").questions == QUESTIONS
    with pytest.raises(SpecError, match="no option 'newt'"):
        teacher.rate("newt")
