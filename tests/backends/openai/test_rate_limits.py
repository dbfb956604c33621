"""What is taken for a rate limit and what for a used-up account, and how long is waited at least."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path

import pytest

from limen import BackendError
from limen.backends import Completion, Request
from limen.backends.openai import OpenAIBackend, rate_limiter
from limen.backends.openai.rate_limiter import RateLimiter
from limen.backends.openai.retries import Retries
from limen.backends.openai.waiting_times import wait_in_words

from ...testing.odd_servers import MODEL, Answer, Json, Reply, error, odd_server, reply
from ...testing.raw_server import head, raw_server
from ...testing.raw_server import response as raw_response

GEMINI = {
    "error": {
        "code": 429,
        "message": "You exceeded your current quota, please check your plan and billing details. "
        "For more information on this error, head to the page on rate limits. "
        "* Quota exceeded for metric: generate_content_requests, limit: 15. " * 3,
        "status": "RESOURCE_EXHAUSTED",
        "details": [
            {"@type": "type.googleapis.com/google.rpc.Help", "links": []},
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "2.1s"},
        ],
    }
}
GROQ = (
    "Rate limit reached for model `llama` in organization `org` service tier `on_demand` on tokens "
    "per minute (TPM): Limit 6000, Used 5900, Requested 900. {}Please try again in 8s. Need more "
    "tokens? Upgrade to Dev Tier today at /settings/billing"
)
PASSING = {
    "Gemini": (reply(429, GEMINI), 2.1),
    "Gemini, in a list": (reply(429, [GEMINI]), 2.1),
    "Groq": (error(429, GROQ.format(""), type="tokens", code="rate_limit_exceeded"), 8.0),
    "Groq, longer": (error(429, GROQ.format("x " * 200), code="rate_limit_exceeded"), 8.0),
    "no code, a short time": (error(429, GROQ.format("")), 8.0),
    "a billing page": (
        error(429, "Rate limit exceeded, see the billing page", code="rate_limit_exceeded"), 0.5,
    ),
    "billing alone": (error(429, "Too many requests: see /settings/billing for more"), 0.5),
    "a quota that ends": (
        reply(429, {"message": "You exceeded your current quota"}, retry_after="3"), 3.0,
    ),
}  # fmt: skip
LASTING = {
    "OpenAI": reply(
        429,
        {"error": {"message": "You exceeded your current quota, please check your plan and billing "
                              "details.", "type": "insufficient_quota",
                   "code": "insufficient_quota"}},
        retry_after="1",
    ),
    "words alone": error(429, "You exceeded your current quota"),
    "billing": error(403, "Billing is not active for this account"),
}  # fmt: skip


@dataclass
class Clock:
    """Time that passes only where limen waits."""

    now: float = 1000.0
    waits: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Waits at rate limits take no time, and are noted."""
    made, unchanged = Clock(), RateLimiter._wait_for_change

    async def wait_for_change(limiter: RateLimiter, delay: float) -> None:
        if delay == float("inf"):
            await unchanged(limiter, delay)
        else:
            made.wait(delay)

    monkeypatch.setattr(rate_limiter, "time", made)
    monkeypatch.setattr(RateLimiter, "_wait_for_change", wait_for_change)
    monkeypatch.setattr(Retries, "sleep", lambda retries, seconds: made.wait(seconds))
    return made


def sampled(
    url: str, home: Path, monkeypatch: pytest.MonkeyPatch, rows: int = 6
) -> list[Completion]:
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    asked = [
        Request(row=row, messages=[{"role": "user", "content": f"Question {row}?"}], seed=row)
        for row in range(rows)
    ]
    made = OpenAIBackend(home, deadline=5)
    return [c for group in made.sample(MODEL, asked) for c in group]


def refusing(refusal: Reply, first: int, times: int) -> Answer:
    """Refuse so many chat requests, from the given one on."""
    left = iter(range(10_000))

    def answer(method: str, path: str, body: Json) -> Reply | None:
        if not path.endswith("/completions"):
            return None
        return refusal if first <= next(left) < first + times else None

    return answer


@pytest.mark.parametrize(("refusal", "wait"), PASSING.values(), ids=PASSING)
def test_a_rate_limit_is_waited_for(
    refusal: Reply, wait: float, clock: Clock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """One refusal in the middle of a run: it goes on after the time that the server names."""
    with odd_server(refusing(refusal, 3, 1)) as server:
        made = sampled(server.url, tmp_path, monkeypatch)
    assert [c.error for c in made] == [None] * 6
    assert max(clock.waits) == pytest.approx(wait)


@pytest.mark.parametrize("refusal", LASTING.values(), ids=LASTING)
def test_a_used_up_account_ends_the_run(
    refusal: Reply, clock: Clock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What its code says, or words that nothing speaks against, is not waited for."""
    with (
        odd_server(refusing(refusal, 3, 10_000)) as server,
        pytest.raises(BackendError, match="the account's quota is used up"),
    ):
        sampled(server.url, tmp_path, monkeypatch)
    assert clock.waits == []


@pytest.mark.parametrize("header", ["0", formatdate(0, usegmt=True)], ids=["zero", "past"])
def test_waits_grow_whatever_the_server_says(
    header: str, clock: Clock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Five times "at once": half a second is waited, and then twice as long each time."""
    refusal = reply(429, {"error": {"message": "slow down"}}, retry_after=header)
    with odd_server(refusing(refusal, 2, 5)) as server:
        assert len(sampled(server.url, tmp_path, monkeypatch, rows=2)) == 2
    assert clock.waits == pytest.approx([0.5, 1.0, 2.0, 4.0, 8.0])


def test_a_date_is_read_by_the_clock_of_the_server(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A server whose clock is half an hour behind asks for 7 seconds, before its first answer."""
    behind = [f"date: {formatdate(1e9, usegmt=True)}",
              f"retry-after: {formatdate(1e9 + 7, usegmt=True)}"]  # fmt: skip
    counted = iter(range(10_000))

    def exchange(path: str, body: bytes) -> Iterator[bytes]:
        if path.endswith("/completions") and next(counted) < 2:
            yield head(*behind, status="429 Too Many Requests")
            return
        choice = {"index": 0, "message": {"content": "owl"}, "finish_reason": "stop"}
        models = {"data": [{"id": MODEL}]}
        yield from raw_response({"choices": [choice]} if path.endswith("completions") else models)

    with raw_server(exchange) as url:
        assert len(sampled(url, tmp_path, monkeypatch)) == 6
    assert clock.waits[:2] == [pytest.approx(7), pytest.approx(7)]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Please retry in 2.1s.", 2.1),
        ("try again in 7m12.5s. Need more?", 432.5),
        ("Please try again in 500ms.", 0.5),
        ("retry after 20 seconds", 20.0),
        ("please wait 1 hour and 2 minutes", 3600.0),
        ("we waited 600 seconds for the model", None),
        ("retry 3 times with 4 models", None),
    ],
)
def test_times_in_words_are_read(text: str, seconds: float | None) -> None:
    """A number with its unit after words that ask to wait."""
    assert wait_in_words(text) == (None if seconds is None else pytest.approx(seconds))
