"""The words, ``and``, ``or``, ``not`` and brackets of ``limen report -k``."""

import pytest

from limen import SpecError
from limen.harness.cli.title_filter import title_filter

TITLE = "evals/test_owl.py[Snowy-owl]"


@pytest.mark.parametrize(
    ("expression", "matches"),
    [
        (None, True),
        ("", True),
        ("owl", True),
        ("OWL", True),
        ("fox", False),
        ("not fox", True),
        ("owl and fox", False),
        ("owl or fox", True),
        ("owl and not (fox or snowy)", False),
        ("[snowy-owl]", True),
        ("test_owl.py", True),
    ],
)
def test_titles_match_as_in_pytest(expression: str | None, matches: bool) -> None:
    """A word is a part of the title in any case; and, or, not and brackets combine words."""
    assert title_filter(expression)(TITLE) is matches


@pytest.mark.parametrize("expression", ["owl fox", "(owl", "and", "not", "owl or"])
def test_what_cannot_be_read_is_an_error(expression: str) -> None:
    """The message repeats the expression and says what to write."""
    with pytest.raises(SpecError, match="cannot be read: write words with and"):
        title_filter(expression)
