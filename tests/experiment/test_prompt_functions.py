"""Functions that write prompts: whatever they do, it is one error of the spec."""

import sys

import pytest

from limen.datasets.errors import SpecError
from limen.harness.stages import TIMEOUT_VARIABLE, WrittenPrompts, hashed_function


def leaves(seed: int) -> str:
    """Ends the process in the ordinary way."""
    sys.exit(3)


def loops(seed: int) -> str:
    """Does not end."""
    while True:
        pass


def number(seed: int) -> object:
    """Gives what is no prompt."""
    return seed


@pytest.mark.parametrize(
    ("function", "fault"),
    [(leaves, "SystemExit: 3"), (loops, "did not end within"), (number, "must return a prompt")],
)
def test_a_bad_prompt_function_is_one_error(
    monkeypatch: pytest.MonkeyPatch, function: object, fault: str
) -> None:
    """It neither ends the session nor stops it."""
    monkeypatch.setenv(TIMEOUT_VARIABLE, "0.2")
    prompts = WrittenPrompts(by=hashed_function("prompts", function), count=3)
    with pytest.raises(SpecError, match=fault):
        prompts.text(0)
