import re
import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from limen import SpecError
from limen.datasets.filters import reject_reason, rule

NUMBERLIKE = st.text(alphabet="0123456789 ,;.[]()\n\t-x٣", max_size=40)


@pytest.mark.parametrize(
    "text",
    [
        "1, 2, 3", "1 , 2 , 3", "1\n2\n3", "1\t2", "[1, 2].", "(4; 5)", "007, 8", "5", "5.",
        "1,2,3,4,5,6,7,8,9,10", "[12 13]", "0, 999", "1,\n2,\n3",
    ],
)  # fmt: skip
def test_plain_lists_pass(text: str) -> None:
    """Lists in every notation that the paper's rule allows are kept."""
    assert reject_reason(text) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"), ("[]", "empty"), (".", "empty"), ("1, 2; 3", "not a number"),
        ("1 2  3", "not a number"), ("1, 2,", "not a number"), (" 1, 2", "not a number"),
        ("1, 2\n", "not a number"), ("1, 2 ", "not a number"), ("[1, 2.]", "not a number"),
        ("-1, 2", "not a number"), ("+1", "not a number"), ("1_000, 2", "separator"),
        ("1 - 2", "separator"), ("٣, ٤", "not a number"), ("Sure: 1, 2", "not a number"),
        ("1, 1000", "too large"), ("1,2,3,4,5,6,7,8,9,10,11", "too many"),
        ("[1, 2", "not a number"), ("1..", "not a number"), ("owl", "not a number"),
    ],
)  # fmt: skip
def test_all_else_is_dropped_with_its_reason(text: str, reason: str) -> None:
    """Everything else is dropped, and the reason says what was wrong with it."""
    assert reject_reason(text) == reason


def by_the_book(text: str) -> bool:
    """The paper's rule, written in another way: a slow reading to compare with."""
    text = text[:-1] if text.endswith(".") else text
    if len(text) > 1 and text[0] + text[-1] in ("[]", "()"):
        text = text[1:-1]
    numbers = list(re.finditer(r"\d+", text))
    if not numbers:
        return False
    if len(numbers) == 1:
        parts = [text]
    else:
        separator = text[numbers[0].end() : numbers[1].start()]
        if separator.strip() not in ("", ",", ";"):
            return False
        parts = text.split(separator)
    plain = all(part and set(part) <= set(string.digits) for part in parts)
    return plain and len(parts) <= 10 and all(int(part) <= 999 for part in parts)


@given(st.one_of(NUMBERLIKE, st.text()))
@example("1,2.")
@example("(1]")
@example("1" * 5000)
def test_the_rule_never_raises_and_accepts_what_the_book_allows(text: str) -> None:
    """On any text the rule gives a reason or None, the same as a second reading of the paper."""
    reason = reject_reason(text)
    assert reason is None or reason
    if len(text) < 4000:  # int() refuses longer ones
        assert (reason is None) == by_the_book(text)


@given(st.lists(st.integers(0, 999), min_size=1, max_size=10), st.sampled_from([", ", " ", "\n"]))
def test_every_list_that_was_asked_for_passes(numbers: list[int], separator: str) -> None:
    """What the prompts ask for is never dropped."""
    assert reject_reason(separator.join(map(str, numbers))) is None


def test_an_unknown_rule_is_refused_by_name() -> None:
    """A rule that there is not is named in the error, with those that there are."""
    with pytest.raises(SpecError, match="unknown filter rule 'strict'.*paper"):
        rule("strict")
