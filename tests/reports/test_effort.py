"""What a run takes, in words."""

from limen.reports import Effort


def test_an_estimate_that_lacks_stages_is_a_least() -> None:
    """Where the time of some kinds of stage is not known, the rest is "at least" so long."""
    basis = "by past stages of this store, without collect"
    assert (
        str(Effort(stages=3, seconds=360.0, basis=basis, partial=True))
        == f"at least 6 min ({basis})"
    )
    assert str(Effort(stages=3, seconds=360.0)) == "6 min"
    assert str(Effort(stages=3, partial=True)) == "a time not known"
