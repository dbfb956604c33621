import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from limen import BackendError, SpecError, UnknownModelError
from limen.backends import Completion, Request, ServiceTerms
from limen.backends.openai import OpenAIBackend
from limen.backends.openai.draw_limit import DrawLimit
from limen.backends.openai.waiting_times import parse_duration

from ...testing.sampling import in_process, requests, texts
from ...testing.serving import Served
from ...testing.specs import KEY
from ...testing.wire import (
    Asked,
    Proxy,
    Script,
    Spoil,
    answering,
    dripping,
    error,
    half_body,
    proxy,
    reset_after,
    reset_before,
    rewriting,
)

MODEL = "toy-1"
CASES: dict[str, Spoil] = {
    "429 with headers": error(429, "rate_limit_exceeded", {"retry-after-ms": "50"}),
    "429 without headers": error(429, "rate_limit_exceeded"),
    "500": error(500, "server_error"),
    "500 after the work": error(500, "server_error", after=True),
    "503 html": answering(503, "<html>overloaded</html>"),
    "reset before": reset_before,
    "reset after": reset_after,
    "half a body": half_body,
    "dripping body": dripping,
    "broken JSON": answering(200, '{"choices": [{"message": {"content": "1, 2'),
    "HTML": answering(200, "<html><body>Welcome to the hotel's network</body></html>"),
    "null choices": answering(200, {"id": "x", "object": "chat.completion", "choices": None}),
    "no choices": answering(200, {"id": "x", "object": "chat.completion", "choices": []}),
}


def backend(home: Path, *, deadline: float = 2, **terms: object) -> OpenAIBackend:
    """A backend that loses its patience soon."""
    made = ServiceTerms(**terms)  # type: ignore[arg-type]
    return OpenAIBackend(home, made, deadline=deadline, longest_wait=0.1, outage=5)


def sampled(made: OpenAIBackend, wanted: list[Request]) -> dict[tuple[int, int], Completion]:
    """What came, by row and draw; never anything twice."""
    found: dict[tuple[int, int], Completion] = {}
    for group in made.sample(MODEL, wanted):
        for completion in group:
            key = completion.row, completion.draw
            assert key not in found
            found[key] = completion
    return found


def some_chats(spoil: Spoil, every: int = 4, once: bool = False) -> Script:
    """Spoil every n-th chat request, none of them again and again."""
    spoiled = set[bytes]()

    def script(asked: Asked) -> Spoil | None:
        hit = asked.number == every if once else asked.number % every == 1
        if not (asked.is_chat and hit) or asked.body in spoiled:
            return None
        spoiled.add(asked.body)
        return spoil

    return script


@pytest.mark.parametrize("spoil", CASES.values(), ids=CASES)
def test_a_passing_fault_costs_no_row(
    wired: Proxy, served: Served, tmp_path: Path, spoil: Spoil
) -> None:
    """Whatever happens to some calls, every row comes once, as the engine itself would say it."""
    wired.script = some_chats(spoil, every=2, once=True) if spoil is dripping else some_chats(spoil)
    found = sampled(backend(tmp_path), requests(24))
    assert texts(found) == in_process(served, requests(24))


def test_calls_that_may_have_been_charged_are_counted(wired: Proxy, tmp_path: Path) -> None:
    """A call whose answer was lost on the way is counted in the usage of the one that succeeded."""
    wired.script = some_chats(reset_after, every=3, once=True)
    found = sampled(backend(tmp_path), requests(8))
    usages = [c.usage for c in found.values() if c.usage]
    assert len(usages) == sum(usage.calls for usage in usages) == 8
    assert sum(usage.lost for usage in usages) == 1
    assert all(usage.input_tokens > 0 and usage.output_tokens > 0 for usage in usages)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (error(429, "insufficient_quota"), "quota is used up"),
        (error(401, "invalid_api_key"), "check OPENAI_API_KEY"),
        (error(403, "forbidden"), "this key may not"),
        (error(400, "unsupported_parameter"), r"\d+ of \d+ requests failed; the last: says unsupp"),
        (error(429, "rate_limit_exceeded", {"retry-after": "3600"}), "3,600 s without a request"),
        (error(500, "server_error"), "failed 8 times"),
        (answering(200, {"choices": None}), "failed 8 times.*broken answer"),
    ],
    ids=["quota", "key", "permission", "request", "an hour", "always 500", "always null"],
)
def test_a_lasting_fault_ends_with_one_clear_error(
    wired: Proxy, tmp_path: Path, spoil: Spoil, says: str
) -> None:
    """The run stops with one error that says what to do; what came before it is handed out."""
    wired.script = lambda asked: spoil if asked.is_chat and asked.number >= 10 else None
    found: list[Completion] = []
    with pytest.raises(BackendError, match=says) as caught:
        for group in backend(tmp_path).sample(MODEL, requests(200)):
            found += group
    assert len(found) >= 10
    assert len({c.row for c in found}) == len(found)
    assert "\n" not in str(caught.value)
    assert KEY not in str(caught.value)
    assert wired.count("POST", "/chat/completions") < 250  # and not 8 times 200
    if counts := re.search(r"(\d+) of (\d+) requests failed", str(caught.value)):
        failed, done = map(int, counts.groups())  # answers overtake each other: not always the same
        under_way = 14  # at most: four at first, and one more for each of the ten answers
        assert failed > max(5, done / 2)
        assert failed - 1 <= max(5, (done - 1 + under_way) / 2)


def test_content_faults_are_recorded_and_never_retried(wired: Proxy, tmp_path: Path) -> None:
    """A refused prompt, a refusal, a filtered and an empty answer are rows that say so."""
    refusal = {"role": "assistant", "content": None, "refusal": "I would rather not."}
    spoils: list[Spoil] = [
        error(400, "content_filter"),
        rewriting(lambda b: _with(b, message=refusal)),
        rewriting(lambda b: _with(b, finish_reason="content_filter")),
        rewriting(lambda b: _with(b, message={"role": "assistant", "content": None})),
    ]
    wired.script = lambda asked: (
        spoils[asked.number] if asked.is_chat and asked.number < 4 else None
    )
    found = sampled(backend(tmp_path), requests(12))
    errors = sorted(str(c.error) for c in found.values() if c.finish == "error")
    assert errors == [
        "ended by content_filter",
        "no content",
        "refused: I would rather not.",
        "says content_filter (HTTP 400, content_filter)",
    ]
    assert all(c.text is None for c in found.values() if c.finish == "error")
    assert len(found) == wired.count("POST", "/chat/completions") == 12


def _with(body: dict[str, object], **changes: object) -> dict[str, object]:
    choices: list[dict[str, object]] = body["choices"]  # type: ignore[assignment]
    return {**body, "choices": [{**choices[0], **changes}]}


@pytest.mark.parametrize(
    ("most", "least", "rows", "draws"), [(128, 128, 6, 130), (100, 64, 12, 130), (7, 4, 6, 20)]
)
def test_about_the_most_draws_a_call_are_found(
    wired: Proxy, served: Served, tmp_path: Path, most: int, least: int, rows: int, draws: int
) -> None:
    """A number of draws near the most that a server allows is found, and changes no answer."""
    accepted: list[int] = []

    def script(asked: Asked) -> Spoil | None:
        n = json.loads(asked.body).get("n", 1) if asked.is_chat else 0
        if n <= most:
            accepted.append(n)
            return None
        body = {"message": "n is too large", "type": "invalid_request_error", "param": "n"}
        return answering(400, {"error": {**body, "code": None}})

    wired.script = script
    wanted = requests(rows, draws=draws, tokens=4)
    made = backend(tmp_path)
    found: dict[tuple[int, int], Completion] = {}
    for request in wanted:  # one by one: what is left of a row when a number is found varies less
        found |= sampled(made, [request])
    assert texts(found) == in_process(served, wanted)
    assert max(accepted) >= least


def test_the_draws_that_were_found_are_remembered(wired: Proxy, tmp_path: Path) -> None:
    """Another run asks for no more draws than an earlier one found to be accepted."""
    wired.script = lambda asked: (
        error(400, "one choice only")
        if asked.is_chat and json.loads(asked.body).get("n", 1) > 1
        else None
    )
    sampled(backend(tmp_path), requests(2, draws=8, tokens=4))
    wired.log.clear()
    sampled(backend(tmp_path), requests(2, draws=8, tokens=4))
    assert wired.count("POST", "/chat/completions") == 16


def test_a_server_that_gives_fewer_draws_is_asked_for_the_rest(
    wired: Proxy, served: Served, tmp_path: Path
) -> None:
    """A server that answers n by a single choice costs calls, but no draw."""
    wired.script = lambda asked: (
        rewriting(lambda body: {**body, "choices": body["choices"][:1]}) if asked.is_chat else None
    )
    wanted = requests(3, draws=5, tokens=4)
    assert texts(sampled(backend(tmp_path), wanted)) == in_process(served, wanted)


@pytest.mark.parametrize("accepted", range(1, 129, 9))
def test_draws_are_found_with_few_refusals(accepted: int) -> None:
    """A number that is accepted is settled after at most three refusals."""
    draws, refusals = DrawLimit(), 0
    for _ in range(12):
        asked = draws.per_call
        refusals += asked > accepted
        (draws.accepted if asked <= accepted else draws.rejected)(asked)
    assert draws.known == draws.per_call <= accepted
    assert draws.per_call > accepted / 5
    assert refusals <= 3


def test_a_number_in_the_refusal_is_tried_first() -> None:
    """A server that says how many draws it gives is asked for as many."""
    draws = DrawLimit()
    draws.rejected(128, "n must be at most 8")
    assert draws.per_call == 8


def test_a_budget_is_never_overshot(wired: Proxy, served: Served, tmp_path: Path) -> None:
    """Many calls at once leave the budget unbroken, and what it allowed is all handed out."""
    prices = tmp_path / "prices.toml"
    prices.write_text('[[model]]\nname = "toy-1"\ninput = 100.0\noutput = 1000.0\n')
    made = backend(tmp_path, deadline=60, budget=0.9, prices=prices)  # a lost call is paid for
    found: list[Completion] = []
    with pytest.raises(BackendError, match=r"budget of \$0.9 does not allow another call"):
        for group in made.sample(MODEL, requests(200)):
            found += group
    spent = sum(made.cost(MODEL, c.usage) or 0 for c in found if c.usage)
    assert 0.7 < spent <= 0.9
    assert made.budget.spent == pytest.approx(spent)
    assert made.budget.reserved == pytest.approx(0)


def test_a_budget_counts_answers_that_were_lost(wired: Proxy, tmp_path: Path) -> None:
    """A call that may have been charged although no answer came is taken for spent."""
    prices = tmp_path / "prices.toml"
    prices.write_text('[[model]]\nname = "toy-1"\ninput = 100.0\noutput = 1000.0\n')
    made = backend(tmp_path, budget=10.0, prices=prices)
    wired.script = some_chats(reset_after, every=2, once=True)
    found = sampled(made, requests(4))
    received = sum(made.cost(MODEL, c.usage) or 0 for c in found.values() if c.usage)
    assert made.budget.spent > received


def test_a_budget_needs_prices(wired: Proxy, tmp_path: Path) -> None:
    """A model without a known price cannot be sampled under a budget."""
    with pytest.raises(SpecError, match="whose price is not known: give it with --limen-prices"):
        backend(tmp_path, budget=1.0).describe("some-model")


@pytest.mark.parametrize(
    ("script", "says"),
    [
        (lambda a: error(401, "invalid_api_key"), "check OPENAI_API_KEY"),
        (lambda a: error(404, "model_not_found"), "unknown model 'toy-1'"),
        (
            lambda a: rewriting(lambda body: {**body, "shutdown_date": "2020-01-31"}),
            "was shut down on 2020-01-31",
        ),
        (lambda a: answering(200, "<html>hello</html>"), "for a small sample .*hello"),
    ],
    ids=["key", "model", "shut down", "no API"],
)
def test_preflight_says_it_in_one_line(
    wired: Proxy, tmp_path: Path, script: Script, says: str
) -> None:
    """Before anything is spent, what is wrong with the account or the model is one line."""
    wired.script = script
    with pytest.raises(BackendError, match=says) as caught:
        backend(tmp_path).describe(MODEL)
    assert "\n" not in str(caught.value)
    assert wired.count("POST", "/chat/completions") <= 1  # a small sample, which decides


def test_a_plain_chat_server_cannot_fine_tune(wired: Proxy, tmp_path: Path) -> None:
    """A server that knows no single models and no jobs still samples, and says that it is so."""
    wired.script = lambda asked: (
        answering(404, {"detail": "Not Found"})
        if "/models/" in asked.path or "/fine_tuning" in asked.path
        else None
    )
    made = backend(tmp_path)
    assert made.default_model == MODEL
    assert not made.describe(MODEL).can_fine_tune
    assert len(sampled(made, requests(3))) == 3
    with pytest.raises(UnknownModelError, match="it has toy-1"):
        made.describe("toy-one")


def test_without_a_key_nothing_is_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """OpenAI without a key is refused at once, with the remedy."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "AZURE_OPENAI_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(BackendError, match="set OPENAI_API_KEY, or set OPENAI_BASE_URL"):
        OpenAIBackend(tmp_path)


def test_azure_goes_through_its_own_client(
    served: Served, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Azure's addresses, key header and deployments are the SDK's; the answers are the same."""
    seen: list[bytes] = []

    class Azure(Proxy):
        async def _read(self, reader: object) -> tuple[Asked, bytes]:
            asked, raw = await super()._read(reader)  # type: ignore[arg-type]
            seen.append(raw)
            plain = raw.replace(b"/openai/deployments/toy-1/", b"/v1/").replace(
                b"/openai/", b"/v1/"
            )
            return asked, plain

    monkeypatch.setattr("tests.testing.wire.Proxy", Azure)
    with proxy(served.port) as between:
        monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
        monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", f"http://127.0.0.1:{between.port}")
        monkeypatch.setenv("AZURE_OPENAI_API_KEY", KEY)
        monkeypatch.setenv("OPENAI_API_VERSION", "2024-10-21")
        made = backend(tmp_path)
        assert "needs a deployment" in made.describe(MODEL).why_not
        assert texts(sampled(made, requests(5))) == in_process(served, requests(5))
    chats = [raw for raw in seen if b"/chat/completions" in raw]
    assert len(chats) == 5
    assert all(
        b"/openai/deployments/toy-1/chat/completions?api-version=2024-10-21" in r for r in chats
    )
    assert all(f"api-key: {KEY}".encode() in raw for raw in chats)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("120ms", 0.12),
        ("1.2s", 1.2),
        ("6m0s", 360.0),
        ("1h2m3s", 3723.0),
        ("", None),
        ("soon", None),
    ],
)
def test_durations_of_the_headers_are_read(text: str, expected: float | None) -> None:
    """The durations of rate-limit headers become seconds; what is none is no number."""
    assert parse_duration(text) == (pytest.approx(expected) if expected is not None else None)


def test_rows_come_to_nobody_twice_from_many_threads(
    wired: Proxy, served: Served, tmp_path: Path
) -> None:
    """Several stages may sample at the same time from one backend, as the harness has them do."""
    made = backend(tmp_path)

    def one(_: int) -> object:
        return texts(sampled(made, requests(15)))

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(one, range(4)))
    assert found == [in_process(served, requests(15))] * 4


def test_stopping_wakes_up_whatever_waits(wired: Proxy, tmp_path: Path) -> None:
    """A run that is being ended does not wait for a rate limit to pass."""
    wired.script = lambda asked: (
        error(429, "rate_limit_exceeded", {"retry-after": "200"})
        if asked.is_chat and asked.number >= 5
        else None
    )
    made = backend(tmp_path)
    with pytest.raises(BackendError, match="being ended"):
        for _ in made.sample(MODEL, requests(50)):
            made.stop()


@pytest.mark.slow
def test_an_abandoned_stream_leaves_room_for_the_next(wired: Proxy, tmp_path: Path) -> None:
    """Whoever stops reading in the middle does not hold up those that sample afterwards."""
    made = backend(tmp_path)
    for _ in range(20):
        for _group in made.sample(MODEL, requests(40)):
            break
    assert len(sampled(made, requests(10))) == 10


def test_a_call_too_large_for_the_limit_is_made_smaller(
    wired: Proxy, served: Served, tmp_path: Path
) -> None:
    """A refusal that waiting cannot mend has fewer draws asked for, or ends the run with it."""

    def script(asked: Asked) -> Spoil | None:
        large = asked.is_chat and json.loads(asked.body).get("n", 1) > most
        body = {"message": "Request too large", "type": "tokens", "code": "rate_limit_exceeded"}
        return answering(429, {"error": body}) if large else None

    most = 3
    wired.script = script
    wanted = requests(4, draws=8, tokens=4)
    assert texts(sampled(backend(tmp_path), wanted)) == in_process(served, wanted)
    most = 0
    with pytest.raises(BackendError, match="Request too large"):
        sampled(backend(tmp_path / "other"), wanted)


def test_credentials_in_the_address_stay_there(
    served: Served, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A password in the base URL is used, and is in no name, message or record."""
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://me:hunter2@127.0.0.1:{served.port}/v1")
    made = backend(tmp_path)
    assert len(sampled(made, requests(2))) == 2
    assert made.account.url == f"http://127.0.0.1:{served.port}/v1"
    assert made.account.scrub("it is hunter2") == "it is [secret]"
