"""How many failed requests end a stage."""

import pytest

from limen import BackendError
from limen.backends.openai.errors import Failure, FailureKind
from limen.backends.openai.failure_share import FailureShare

FAILURE = Failure(kind=FailureKind.REFUSED, message="says no")


def failing_after(answered: int, limit: float) -> str:
    """The message that ends a stage of which so many requests were answered and all others fail."""
    share = FailureShare("sampling m stopped", limit)
    for _ in range(answered):
        share.answered()
    with pytest.raises(BackendError) as caught:
        for _ in range(1000):
            share.failed(FAILURE)
    return str(caught.value)


@pytest.mark.parametrize(
    ("answered", "limit", "counts"),
    [(0, 0.5, "6 of 6"), (4, 0.5, "6 of 10"), (9, 0.5, "10 of 19"), (9, 0.9, "82 of 91")],
)
def test_the_first_failure_past_the_share_ends_the_stage(
    answered: int, limit: float, counts: str
) -> None:
    """More than five, and more than the share of what is done; the message counts both."""
    assert failing_after(answered, limit).startswith(f"sampling m stopped: {counts} requests")


def test_a_stage_without_any_answer_is_an_error() -> None:
    """A few failures are recorded, but not if nothing else came."""
    share = FailureShare("sampling m stopped", 0.5)
    share.failed(FAILURE)
    with pytest.raises(BackendError, match="1 of 1 requests failed; the last: says no"):
        share.check()
