"""Batches that fail as a whole: what they would have cost is given back, and waits grow."""

import time
from pathlib import Path

import pytest

from limen import BackendError, PendingError
from limen.backends import Completion, ServiceTerms
from limen.backends.openai import OpenAIBackend, batches
from limen.backends.openai.retries import Retries

from ...testing.sampling import requests
from ...testing.wire import Asked, Proxy, Spoil, rewriting

BATCHES, MODEL = "/batches", "toy-1"
PRICES = '[[model]]\nname = "toy-1"\ninput = 0.0\noutput = 1000.0\n'
FULL, BAD = "Enqueued token limit reached for toy-1", "the file has a bad line"


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that limen waits, which take next to no time."""
    made: list[float] = []

    def sleep(retries: Retries, seconds: float) -> None:
        made.append(seconds)
        time.sleep(min(seconds, 0.01))

    monkeypatch.setattr(Retries, "sleep", sleep)
    return made


def failing(wired: Proxy, *, times: int, says: str = FULL, then: str = "") -> None:
    """Have the first batches fail as a whole, and those after them too if there is a reason."""

    def script(asked: Asked) -> Spoil | None:
        made = wired.count("POST", BATCHES)
        message = says if made <= times else then
        reason = {"data": [{"code": "a_code", "message": message}], "object": "list"}
        refused = {"status": "failed", "errors": reason, "output_file_id": None}
        hit = message and asked.method == "GET" and f"{BATCHES}/" in asked.path
        return rewriting(lambda batch: {**batch, **refused}) if hit else None

    wired.script = script


def sampled(home: Path, key: str, **terms: object) -> tuple[OpenAIBackend, list[Completion]]:
    home.mkdir(exist_ok=True)
    prices = home / "prices.toml"
    prices.write_text(PRICES)
    made = OpenAIBackend(home / "home", ServiceTerms(prices=prices, **terms), outage=5)  # type: ignore[arg-type]
    found = [c for group in made.sample_batch(MODEL, requests(4), key) for c in group]
    return made, found


def test_a_failed_batch_gives_back_what_was_reserved(
    wired: Proxy, waits: list[float], tmp_path: Path
) -> None:
    """A budget that is enough for one batch lasts through two that failed."""
    failing(wired, times=2)
    most = 4 * 24 * 0.5 * 1000 / 1e6
    made, found = sampled(tmp_path, "given back", budget=1.01 * most)
    assert len(found) == 4
    assert made.budget.spent == pytest.approx(most)


def test_a_full_account_is_waited_for_longer_and_longer(
    wired: Proxy, waits: list[float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each batch in a row that finds no room doubles the wait, up to ten minutes, for a day, which
    is an hour here.
    """
    monkeypatch.setattr(batches, "A_DAY", 3600.0)
    failing(wired, times=10_000)
    with pytest.raises(BackendError, match="Enqueued token limit"):
        sampled(tmp_path, "never any room")
    assert waits[:5] == [0.5, 1.0, 2.0, 4.0, 8.0]
    assert max(waits) == 600.0
    assert 3600 - 600 < sum(waits) <= 3600
    assert wired.count("POST", BATCHES) < 20


def test_another_reason_ends_the_stage_also_after_a_full_account(
    wired: Proxy, waits: list[float], tmp_path: Path
) -> None:
    """A batch that fails for anything but the limit is not made again and again."""
    failing(wired, times=1, then=BAD)
    with pytest.raises(BackendError, match="was refused: the file has a bad line"):
        sampled(tmp_path, "full, then bad")
    assert wired.count("POST", BATCHES) == 2


def test_a_full_account_is_pending_where_nobody_waits(
    wired: Proxy, waits: list[float], tmp_path: Path
) -> None:
    """With batches of one request refused, the run says so and can be gone on with."""
    failing(wired, times=3)
    with pytest.raises(PendingError, match="the account takes no more batches: Enqueued"):
        sampled(tmp_path, "pending", wait=False)
    assert wired.count("POST", BATCHES) == 3
