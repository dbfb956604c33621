from collections.abc import Callable
from pathlib import Path

import pytest

from limen import BackendError, SpecError
from limen.backends import ServiceTerms
from limen.backends.continuations import ContinuationRequest, LogProbability
from limen.backends.openai import OpenAIBackend

from ...testing.odd_modes import on_chat
from ...testing.odd_servers import MODEL, Answer, Json, Reply, chat, error, odd_server, reply

QUESTION = [{"role": "user", "content": "Name an animal."}]
TOP = [
    {"token": "Owl", "logprob": -0.5},
    {"token": "O", "logprob": -2.0},
    {"token": "cat", "logprob": -3.0},
]


def reporting(body: Json) -> Reply:
    """The usual answer with the first tokens, as many as were asked for."""
    top = TOP[: body.get("top_logprobs", 0)]
    place = {"token": "Owl", "logprob": -0.5, "top_logprobs": top}
    choice = {**chat(body)["choices"][0], "logprobs": {"content": [place]}}
    return reply(200, chat(body, choices=[choice]))


def scored(
    answer: Answer, home: Path, monkeypatch: pytest.MonkeyPatch, request: ContinuationRequest
) -> list[LogProbability]:
    with odd_server(answer) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-0123456789")
        backend = OpenAIBackend(home, deadline=5, longest_wait=0.05)
        scorer = backend.capabilities.continuations
        assert scorer is not None
        (found,) = scorer.log_probabilities(MODEL, [request])
    return list(found)


def asked(*continuations: str, **settings: object) -> ContinuationRequest:
    return ContinuationRequest(messages=QUESTION, continuations=continuations, **settings)  # type: ignore[arg-type]


def test_a_first_token_is_exact_and_all_else_a_bound(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """One token is exact; a text that begins with one, or with none that is known, is bounded."""
    found = scored(on_chat(reporting), tmp_path, monkeypatch, asked("Owl", "Owls", "Otter", "wolf"))
    assert [(f.nats, f.exact) for f in found] == [
        (-0.5, True), (-0.5, False), (-2.0, False), (-3.0, False),
    ]  # fmt: skip


def test_an_answer_that_must_end_is_a_bound(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whether the answer ends after the token is not reported."""
    (found,) = scored(on_chat(reporting), tmp_path, monkeypatch, asked("Owl", whole=True))
    assert not found.exact


@pytest.mark.parametrize("says", ["top_logprobs must be at most 2", "no"])
def test_fewer_tokens_are_asked_for_after_a_refusal(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, says: str
) -> None:
    """The number in a refusal is taken, else five."""

    def bounded(body: Json) -> Reply | None:
        most = 2 if "2" in says else 5
        return error(400, says) if body.get("top_logprobs", 0) > most else reporting(body)

    (found,) = scored(on_chat(bounded), tmp_path, monkeypatch, asked("cat"))
    assert found.exact is (says == "no")


VOCABULARY = {f"token{n}": -1.0 - n / 100 for n in range(700)} | {"wolf": -9.0}


def of_vocabulary(body: Json) -> Reply:
    """As many of 701 first tokens as were asked for, the most probable first."""
    top = [{"token": t, "logprob": v} for t, v in VOCABULARY.items()][: body["top_logprobs"]]
    place = {**top[0], "top_logprobs": top}
    choice = {**chat(body)["choices"][0], "logprobs": {"content": [place]}}
    return reply(200, chat(body, choices=[choice]))


def test_a_rare_first_token_is_exact_where_a_server_reports_as_many_as_are_asked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Ten times as many are asked for until the word is among them; a bound where it never is."""
    counts: list[int] = []

    def answer(body: Json) -> Reply | None:
        if "top_logprobs" not in body:
            return None
        counts.append(body["top_logprobs"])
        return of_vocabulary(body)

    found = scored(on_chat(answer), tmp_path, monkeypatch, asked("wolf", "wolves"))
    assert [(f.nats, f.exact) for f in found] == [(-9.0, True), (-9.0, False)]
    assert counts == [20, 200, 2000]


@pytest.mark.parametrize("status", [400, 500])
def test_a_server_that_reports_twenty_first_tokens_is_asked_for_more_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, status: int
) -> None:
    """Its refusal, or its failure, costs a request, and nothing but the exactness of that word."""
    monkeypatch.setattr("limen.backends.openai.continuation_calls.OUTAGE", 0.2)
    counts: list[int] = []

    def answer(body: Json) -> Reply | None:
        if "top_logprobs" not in body:
            return None
        counts.append(body["top_logprobs"])
        if counts[-1] > 20:
            return error(status, "top_logprobs must be at most 20")
        return of_vocabulary(body)

    one, other = scored(on_chat(answer), tmp_path, monkeypatch, asked("token3", "wolf"))
    assert (one.exact, other.exact) == (True, False)
    assert other.nats == VOCABULARY["token19"]
    assert counts == [20, 200]


def test_the_number_of_first_tokens_can_be_set(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As many are asked for as are set; ``none`` asks for none, and says why there are none."""
    monkeypatch.setenv("LIMEN_OPENAI_LOGPROBS", "2")
    (found,) = scored(on_chat(reporting), tmp_path, monkeypatch, asked("cat"))
    assert (found.nats, found.exact) == (-2.0, False)
    monkeypatch.setenv("LIMEN_OPENAI_LOGPROBS", "none")
    with pytest.raises(BackendError, match="limen_openai_logprobs"):
        scored(on_chat(reporting), tmp_path, monkeypatch, asked("cat"))


@pytest.mark.parametrize(
    "respond",
    [
        lambda body: None,
        lambda body: error(400, "logprobs is not supported") if "logprobs" in body else None,
    ],
    ids=["ignored", "refused"],
)
def test_a_server_without_log_probabilities_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, respond: Callable[[Json], Reply | None]
) -> None:
    """One line says that the server reports none."""
    with pytest.raises(BackendError, match="reports no log-probabilities"):
        scored(on_chat(respond), tmp_path, monkeypatch, asked("Owl"))


def test_a_text_without_a_template_is_scored_by_echo(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Tokens of the continuation are summed, one that spans the border among them."""
    reported = {
        "tokens": ["Once", " up", "on a", " time", "."],
        "token_logprobs": [None, -1.0, -2.0, -4.0, -8.0],
        "text_offset": [0, 4, 7, 11, 16],
    }

    def answer(method: str, path: str, body: Json) -> Reply | None:
        if path == "/v1/completions":
            assert body["prompt"] == "Once upon a time"
            return reply(200, {"choices": [{"text": "", "logprobs": reported}]})
        return None

    request = ContinuationRequest(
        messages=[{"role": "user", "content": "Once upo"}], continuations=("n a time",), chat=False
    )
    (found,) = scored(answer, tmp_path, monkeypatch, request)
    assert (found.nats, found.tokens, found.exact) == (-6.0, 2, True)


def test_a_given_beginning_of_a_chat_answer_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """No two servers take it in the same way."""
    with pytest.raises(SpecError, match="cannot give the beginning"):
        scored(on_chat(reporting), tmp_path, monkeypatch, asked("Owl", begin="An "))


@pytest.mark.parametrize("status", [401, 402, 403])
@pytest.mark.parametrize("chats", [True, False], ids=["chat", "text"])
def test_a_key_that_is_refused_is_no_lack_of_log_probabilities(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, status: int, *, chats: bool
) -> None:
    """The error has the server's own words and their remedy."""

    def refusing(body: Json) -> Reply | None:
        return error(status, "not with this key") if "logprobs" in body else None

    with pytest.raises(BackendError, match="not with this key") as caught:
        scored(on_chat(refusing), tmp_path, monkeypatch, asked("Owl", chat=chats))
    assert "log-probabilities" not in str(caught.value)


def test_a_budget_is_settled_at_what_calls_really_cost(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Requests have their usage, and no more than its price is booked, though more was held."""
    file = tmp_path / "prices.toml"
    file.write_text(f'[[model]]\nname = "{MODEL}"\ninput = 100.0\noutput = 1000.0\n')
    with odd_server(on_chat(reporting)) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        terms = ServiceTerms(prices=file, budget=0.1)
        backend = OpenAIBackend(tmp_path / "home", terms, deadline=5, longest_wait=0.05)
        backend.describe(MODEL)
        list(backend.log_probabilities(MODEL, [asked("Owl")]))
        before = backend.budget.spent
        found = list(backend.log_probabilities(MODEL, [asked("Owl") for _ in range(10)]))
    usages = [row[0].usage for row in found]
    costs = [backend.cost(MODEL, usage) or 0.0 for usage in usages if usage is not None]
    assert len(costs) == 10
    assert backend.budget.spent - before == pytest.approx(sum(costs))
    assert backend.budget.reserved == pytest.approx(0)
