from pathlib import Path

import pytest

from limen import BackendError, SpecError
from limen.backends import Request, ServiceTerms, Usage, WorkRequest
from limen.backends.openai import OpenAIBackend
from limen.backends.openai.quotes import Limits
from limen.datasets.chat import Conversation

from ...testing.odd_modes import MODES
from ...testing.odd_servers import MODEL, chat, odd_server, reply

PRICES = '[[model]]\nname = "some-model"\ninput = 50.0\noutput = 200.0\n'
BUDGET = 0.10
BILLED = ("usage: enormous", "usage: negative", "usage: null", "usage: texts", "n: ignored",
          "seed: int32", "finish: made up", "body: one question's is broken", "index: null",
          "max_tokens: without a word", "content: null")  # fmt: skip


def priced(tmp_path: Path, text: str = PRICES, budget: float | None = BUDGET) -> OpenAIBackend:
    """A backend with prices of its own, and a budget."""
    file = tmp_path / "prices.toml"
    file.write_text(text)
    return OpenAIBackend(
        tmp_path / "home", ServiceTerms(budget=budget, prices=file), deadline=5, longest_wait=0.02
    )


@pytest.mark.parametrize("name", BILLED)
def test_the_budget_holds_whatever_a_server_says(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What is booked never exceeds the budget, and is never less than nothing."""
    with odd_server(MODES[name].answer) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        backend = priced(tmp_path)
        asked = [
            Request(row=row, messages=[{"role": "user", "content": f"second {row}"}], seed=2**47,
                    draws=4, max_tokens=20)
            for row in range(30)
        ]  # fmt: skip
        try:
            completions = [c for group in backend.sample(MODEL, asked) for c in group]
        except BackendError:
            completions = []
    booked = sum(backend.cost(MODEL, c.usage) or 0 for c in completions if c.usage)
    assert 0 <= backend.budget.spent <= BUDGET
    assert 0 <= booked <= BUDGET + 1e-9
    assert backend.budget.reserved == pytest.approx(0)


@pytest.mark.parametrize("value", ["-1.0", "nan", "inf"])
def test_prices_that_are_none_are_refused(
    value: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A negative or infinite price is refused, naming the file."""
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    with pytest.raises(SpecError, match=r"prices\.toml is no table of prices"):
        priced(tmp_path, f'[[model]]\nname = "x"\ninput = {value}\noutput = 1.0\n')


def test_prices_ship_with_the_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An estimate needs no key and no network: known models have a dated price, others none."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "AZURE_OPENAI_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    backend = OpenAIBackend(tmp_path, ServiceTerms(estimate_only=True))
    work = WorkRequest(
        model="gpt-4.1",
        completions=1000,
        prompts=(({"role": "user", "content": "three words here"},),),
        max_tokens=100,
    )
    assert backend.describe("gpt-4o-mini").name == "gpt-4o-mini"
    assert backend.server_facts("gpt-4o-mini")["fine-tuning"].endswith("(assumed)")
    assert (backend.quote(work).usd_at_most or 0) > (backend.quote(work).usd or 0) > 0
    assert backend.cost("gpt-4.1-mini", Usage(input_tokens=10**6)) == pytest.approx(0.4)
    assert "noted" in backend.conditions("gpt-4.1-mini")
    assert backend.cost("some-model", Usage(input_tokens=10**6)) is None
    assert "no price is known" in backend.conditions("some-model")


def test_an_estimate_needs_no_network_where_there_is_a_key(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """OpenAI's models are then described from tables, as without a key."""
    for name in ("OPENAI_BASE_URL", "AZURE_OPENAI_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-x")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    backend = OpenAIBackend(tmp_path, ServiceTerms(estimate_only=True))
    assert backend.describe("gpt-4.1-mini").can_fine_tune
    assert (
        backend.quote(WorkRequest(model="gpt-4.1-mini", completions=1000, max_tokens=10)).usd or 0
    ) > 0
    with pytest.raises(BackendError, match="connection failed"):
        OpenAIBackend(tmp_path, outage=0.1).describe("gpt-4.1-mini")


def test_limits_are_assumed_of_openai_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Of another server the plan has no time until it reports a limit; one limit alone is enough."""
    work = WorkRequest(model="gpt-4.1-mini", completions=1000, max_tokens=10)
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "AZURE_OPENAI_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    backend = OpenAIBackend(tmp_path, ServiceTerms(estimate_only=True))
    assert backend.quote(work).minutes == pytest.approx(2.0)
    said = backend.conditions("gpt-4.1-mini")
    assert "500 requests and 200,000 tokens a minute (not reported yet; assumed" in said
    assert "(--limen-batch): within 24 h" in said
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    own = OpenAIBackend(tmp_path)
    assert (own.quote(work).minutes, own.quote(work).binding) == (0.0, "")
    said = own.conditions("gpt-4.1-mini")
    assert "the server has reported no limits" in said
    assert "this server may charge others" in said
    assert "batch" not in said
    Limits(tmp_path / "limits", own.account.url).note("gpt-4.1-mini", {"requests": 100.0})
    assert (own.quote(work).minutes, own.quote(work).binding) == (10.0, "requests")
    said = own.conditions("gpt-4.1-mini")
    assert "; 100 requests a minute (as reported by the server)" in said
    assert "tokens a minute" not in said


@pytest.mark.parametrize(
    ("usage", "output"),
    [
        ({"prompt_tokens": 12, "completion_tokens": 9, "total_tokens": 1021}, 1009),
        ({"prompt_tokens": 12, "total_tokens": 1021}, 1009),
        ({"prompt_tokens": 12, "completion_tokens": 9, "total_tokens": 0}, 9),
        ({"prompt_tokens": 12, "completion_tokens": 9, "total_tokens": "many"}, 9),
        ({"prompt_tokens": 12, "completion_tokens": 9, "total_tokens": 10**9}, 2000),
    ],
    ids=["xAI, Gemini", "no count of its own", "zero", "text", "enormous"],
)
def test_reasoning_beside_the_answer_is_booked(
    usage: dict[str, object], output: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Output is what the total has beyond the prompt, within what was asked for."""
    with odd_server(
        lambda method, path, body: (
            reply(200, chat(body, usage=usage)) if path.endswith("/completions") else None
        )
    ) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        made = priced(tmp_path, budget=10.0)
        turns: Conversation = [{"role": "user", "content": "Which animal?"}]
        asked = Request(row=0, messages=turns, seed=1, max_tokens=2000)
        (answer,) = [c for group in made.sample(MODEL, [asked]) for c in group]
    assert answer.usage is not None
    assert answer.usage.output_tokens == output
    assert made.budget.spent >= (12 * 50 + output * 200) / 1e6
