"""How many failed requests end a stage."""

import pytest

from limen import BackendError
from limen.backends.failure_share import FailureShare

REMEDY = "do something else"


def failing_after(answered: int, limit: float) -> str:
    """The message that ends a stage of which so many requests were answered and all others fail."""
    share = FailureShare("sampling m stopped", limit, REMEDY)
    for _ in range(answered):
        share.answered()
    with pytest.raises(BackendError) as caught:
        for _ in range(1000):
            share.failed("says no")
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
    share = FailureShare("sampling m stopped", 0.5, REMEDY)
    share.failed("says no")
    with pytest.raises(BackendError, match="1 of 1 requests failed; the last: says no"):
        share.check()


def test_requests_that_are_too_long_are_no_error_of_a_few() -> None:
    """They count towards the share, but where a few of them are all that was left, they are kept."""
    share = FailureShare("sampling m stopped", 0.5, REMEDY)
    for _ in range(5):
        share.failed("too long", own=True)
    share.check()
    share.failed("too long", own=True)
    with pytest.raises(BackendError, match="6 of 6 requests failed; the last: too long"):
        share.check()


def test_a_file_may_begin_with_what_is_too_long() -> None:
    """Some of them end no stage before its end; others that follow make them a small share."""
    share = FailureShare("sampling m stopped", 0.5, REMEDY)
    for _ in range(50):
        share.failed("too long", own=True)
    for _ in range(60):
        share.answered()
    share.check()


def test_a_file_of_what_is_too_long_ends_the_stage() -> None:
    """After fifty it is clear that the model is the wrong one; other failures count with them."""
    share = FailureShare("sampling m stopped", 0.5, REMEDY)
    for _ in range(50):
        share.failed("too long", own=True)
    with pytest.raises(BackendError, match="51 of 51 requests failed"):
        share.failed("too long", own=True)
    mixed = FailureShare("sampling m stopped", 0.5, REMEDY)
    for _ in range(5):
        mixed.failed("too long", own=True)
        mixed.failed("says no")
    with pytest.raises(BackendError, match="11 of 11 requests failed"):
        mixed.failed("says no")
