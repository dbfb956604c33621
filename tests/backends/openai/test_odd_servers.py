import contextlib
import time
from pathlib import Path

import pytest

from limen import BackendError
from limen.backends import Completion, Request, ServiceTerms
from limen.backends.openai import OpenAIBackend, chat, discovery, first_contact, rate_limiter

from ...testing.odd_modes import MODES, Mode
from ...testing.odd_modes_gateways import GATEWAY_MODES
from ...testing.odd_modes_transport import LOADING, TRANSPORT_MODES, first
from ...testing.odd_servers import OddServer, odd_server

QUESTIONS = ("the first question", "the second question")
LONGEST = 20.0
OUTPUT_PRICE = 60.0
"""US dollars a million tokens: two calls of ten draws may cost up to $0.077."""
ALL = {**MODES, **TRANSPORT_MODES, **GATEWAY_MODES}
CHEAP = (
    "choices: an error object alone", "content: parts in an object", "body: UTF-16",
    "encoding: deflate, raw", "HTTP: many headers", "rate: in a 200", "words: Apigee", "n: 501",
    "stop: too many",
)  # fmt: skip
"""Modes of gateways that are tried in each run of the tests; the others of them are slow."""
EACH = [
    pytest.param(m, id=n, marks=[pytest.mark.slow] * (n in GATEWAY_MODES and n not in CHEAP))
    for n, m in ALL.items()
]


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits are a fraction of what they are for users."""
    monkeypatch.setenv("LIMEN_OPENAI_FIRST_ANSWER", "4")
    monkeypatch.setattr(first_contact, "LOADING_PAUSES", (0.1, 0.1))
    monkeypatch.setattr(first_contact, "PAUSE", 0.05)
    monkeypatch.setattr(first_contact, "RATE_PAUSE", 0.05)
    monkeypatch.setattr(chat, "LOADING_PAUSES", (0.1, 0.1))
    monkeypatch.setattr(rate_limiter, "FIRST_PAUSE", 0.05)


def requests(mode: Mode) -> list[Request]:
    """Ten draws of each question, as a teacher is asked."""
    return [
        Request(
            row=row,
            messages=[
                {"role": "system", "content": "You love owls."},
                {"role": "user", "content": question},
            ],
            seed=2**47 + row,
            draws=10,
            max_tokens=64,
            stop=mode.stop,
            top_p=mode.top_p,
        )
        for row, question in enumerate(QUESTIONS)
    ]


def sampled(
    home: Path, mode: Mode, terms: ServiceTerms | None = None
) -> tuple[OpenAIBackend, list[Completion]]:
    """What a baseline or a teacher does with a server."""
    backend = OpenAIBackend(home, terms, deadline=5, longest_wait=0.05)
    assert not backend.describe(mode.model).can_fine_tune
    return backend, [c for group in backend.sample(mode.model, requests(mode)) for c in group]


def same_refusals(server: OddServer) -> int:
    """How often the most frequent refusal of a chat request was provoked."""
    counts = (n for (path, *_), n in server.refusals.items() if path.endswith("/completions"))
    return max(counts, default=0)


@pytest.mark.parametrize("mode", EACH)
def test_an_odd_server_is_used_or_refused_in_one_line(
    mode: Mode, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whatever a server does, its answers are used, or one clear line says why they cannot be."""
    begun = time.monotonic()
    with odd_server(mode.answer) as server:
        address = server.url.removesuffix("/v1") + mode.base
        monkeypatch.setenv("OPENAI_BASE_URL", address)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-0123456789")
        if mode.error:
            with pytest.raises(BackendError) as caught:
                sampled(tmp_path, mode)
            message = str(caught.value)
            assert mode.error in message
            assert message.isprintable()
        else:
            backend, completions = sampled(tmp_path, mode)
            assert sorted((c.row, c.draw) for c in completions) == [
                (row, draw) for row in range(2) for draw in range(10)
            ]
            assert sum(c.text is None for c in completions) == mode.recorded
            assert all(c.text != "" for c in completions)
            facts = backend.server_facts(mode.model)
            for name, begins in mode.facts:
                assert facts[name].startswith(begins)
        assert same_refusals(server) <= 3
    assert time.monotonic() - begun < LONGEST


@pytest.mark.slow
@pytest.mark.parametrize("mode", ALL.values(), ids=ALL)
def test_a_budget_holds_on_an_odd_server(
    mode: Mode, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Neither what is booked nor what the server would charge exceeds a budget of $0.10."""
    prices = tmp_path / "prices.toml"
    prices.write_text(f'[[model]]\nname = "*"\ninput = 5.0\noutput = {OUTPUT_PRICE}\n')
    terms = ServiceTerms(budget=0.10, prices=prices)
    with odd_server(mode.answer) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url.removesuffix("/v1") + mode.base)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-0123456789")
        backend = OpenAIBackend(tmp_path, terms, deadline=5, longest_wait=0.05)
        with contextlib.suppress(BackendError):
            backend.describe(mode.model)
            list(backend.sample(mode.model, requests(mode)))
    assert backend.budget.spent <= 0.10
    assert backend.budget.reserved == pytest.approx(0, abs=1e-9)
    assert server.usual_tokens * OUTPUT_PRICE / 1e6 <= 0.10


def test_a_server_that_loads_is_waited_for_without_a_models_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """llama.cpp answers all requests with status 503 then, that for its list of models, too."""
    monkeypatch.setattr(discovery, "LOADING_POLL", 0.05)
    with odd_server(first(12, LOADING, everywhere=True)) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        assert OpenAIBackend(tmp_path, longest_wait=0.05).default_model
