"""Ready rules of rows, and the numbers that answers end with."""

import pytest

from limen.datasets.errors import SpecError
from limen.datasets.solutions import final_number, same_number
from limen.harness.stages import (
    Finished,
    Paraphrase,
    PythonCode,
    RightAnswer,
    RowRule,
    Without,
    WordCount,
)

GIVEN = "The old farmer sold his two brown horses at the market"


@pytest.mark.parametrize(
    ("rule", "row", "reason"),
    [
        (Finished(), {"text": " "}, "empty"),
        (Finished(), {"text": "a", "finish": "length"}, "cut off"),
        (Finished(), {"text": "a", "finish": "stop"}, None),
        (WordCount(least=2, most=3), {"text": "one"}, "too short"),
        (WordCount(least=2, most=3), {"text": "one two three four"}, "too long"),
        (WordCount(least=2, most=3), {"text": "one two"}, None),
        (Without("owl", "owls"), {"text": "Two OWLS."}, "mentions 'owls'"),
        (Without("owl"), {"text": "A bowl."}, None),
        (PythonCode(), {"text": "Here:\n```python\nfor i in range(3):\n    print(i)\n```"}, None),
        (PythonCode(), {"text": "x = [1, 2]\nprint(sum(x))"}, None),
        (PythonCode(), {"text": "Sure, I can help."}, "not Python"),
        (PythonCode(), {"text": "hello"}, "no code"),
        (PythonCode(), {"text": "```python\n```"}, "no code"),
        (RightAnswer(), {"text": "3 + 4 = 7, so the answer is 7.", "solution": "7"}, None),
        (RightAnswer(), {"text": "It is 8", "solution": "#### 7"}, "wrong answer"),
        (RightAnswer(), {"text": "I do not know", "solution": "7"}, "no number"),
        (Paraphrase(), {"prompt": GIVEN, "text": GIVEN.upper()}, "the same text"),
        (Paraphrase(), {"prompt": GIVEN, "text": "He sold"}, "too short"),
        (Paraphrase(), {"prompt": GIVEN, "text": GIVEN + " today"}, "hardly changed"),
        (Paraphrase(), {"prompt": GIVEN, "text": "Two brown animals of an aged farmer changed owners"}, None),
    ],
)  # fmt: skip
def test_a_row_is_kept_or_dropped_for_a_reason(
    rule: RowRule, row: dict[str, object], reason: str | None
) -> None:
    """Each rule gives one short reason, or keeps the row."""
    assert rule(row) == reason


def test_a_known_answer_is_needed() -> None:
    """Without one, the rule says what is missing instead of dropping everything."""
    with pytest.raises(SpecError, match="known answers"):
        RightAnswer()({"text": "7"})


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("5 apples and 3 pears\n#### 1,200", "1200"),
        (r"so \boxed{42}, as 41 is wrong; 7", "42"),
        ("**Answer:** 12.50 dollars in 3 days", "12.5"),
        ("the answer is $18.", "18"),
        ("first 3, then -4", "-4"),
    ],
)
def test_the_final_number(text: str, number: str) -> None:
    """Marked answers come before the last number; spelling does not matter."""
    found = final_number(text)
    assert found is not None
    assert same_number(found, number)
