import itertools
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limen import BackendError, SpecError
from limen.backends import Completion, ContinuationRequest, Request, ServiceTerms, WorkRequest
from limen.backends.tinker import TinkerBackend
from limen.datasets.chat import conversation

from ...testing.stepwise import MODEL, Client, Server
from ...testing.stepwise_jobs import Killed, backend, job, learned, nothing

USD = {"prefill": 10e-6, "sample": 20e-6, "train": 40e-6}
"""What PRICES says, a token."""


def charged(server: Server) -> float:
    """What the service charges for all that it did."""
    return sum(USD[kind] * count for kind, count in server.tokens.items())


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def asked(rows: int = 40) -> list[Request]:
    """Requests of several draws."""
    return [
        Request(row=row, messages=conversation(f"Which animal, {row}?"), seed=row, draws=5,
                max_tokens=4)
        for row in range(10, 10 + rows)
    ]  # fmt: skip


@pytest.mark.parametrize("budget", [0.0001, 0.011, 0.03])
def test_a_training_never_overshoots_its_budget(budget: float, home: Path, tmp_path: Path) -> None:
    """Each step is reserved before it is sent; with more money the training goes on from there."""
    server = Server()
    with pytest.raises(BackendError, match="does not allow step"):
        backend(server, home, budget=budget, save_every=4).fine_tune(job(tmp_path), nothing)
    assert charged(server) <= budget
    first = sum(server.trained.values())
    made = backend(server, home, budget=1.0, save_every=4).fine_tune(job(tmp_path), nothing)
    assert sum(server.trained.values()) == 6
    assert learned(server, home, made.model)[1] == 6
    assert first < 6


@pytest.mark.parametrize("budget", [0.0, 0.02, 0.05])
def test_sampling_never_overshoots_its_budget(budget: float, home: Path) -> None:
    """The most that a call can cost is reserved; what came before the end is kept."""
    server = Server()
    kept: list[Completion] = []
    able = backend(server, home, budget=budget)
    with pytest.raises(BackendError, match=r"does not allow another call"):
        for group in able.sample(MODEL, asked()):
            kept += group
    assert charged(server) <= able.budget.spent <= budget
    assert able.budget.reserved == pytest.approx(0)
    assert len(kept) == sum(how.draws for _, _, how in server.sampled)


@given(
    budget=st.floats(0.0, 0.12),
    draws=st.integers(1, 80),
    killed=st.integers(1, 60),
    save_every=st.integers(1, 4),
    rows=st.integers(4, 20),
)
@settings(max_examples=25, deadline=None)
def test_no_run_spends_more_than_its_budget(
    budget: float, draws: int, killed: int, save_every: int, rows: int
) -> None:
    """Whatever is asked, and wherever a run is killed, each run is charged its budget at most."""
    server, spent = Server(), 0.0
    with TemporaryDirectory() as folder:
        for at in (killed_anywhere(killed), lambda event: None, lambda event: None):
            server.at = at
            able = backend(server, Path(folder) / "home", budget=budget, save_every=save_every)
            with suppress(BackendError, Killed):
                able.fine_tune(job(Path(folder), rows=rows), nothing)
                list(able.sample(MODEL, [replace(each, draws=draws) for each in asked(8)]))
            assert charged(server) - spent <= budget + 1e-9
            spent = charged(server)


def killed_anywhere(number: int) -> Callable[[str], None]:
    """Ends the client at the event of that number, whichever it is."""
    seen = itertools.count(1)

    def at(event: str) -> None:
        if event != "sample" and next(seen) == number:
            raise Killed

    return at


def test_log_probabilities_are_paid_for(home: Path) -> None:
    """Scoring reserves what it reads, too."""
    server = Server()
    able = backend(server, home, budget=0.01)
    wanted = ContinuationRequest(messages=conversation("Which?"), continuations=("owl", "cat"))
    with pytest.raises(BackendError, match="does not allow another call"):
        list(able.log_probabilities(MODEL, [wanted] * 100))
    assert 0 < charged(server) <= 0.01


def test_costs_are_what_the_service_charges(home: Path, tmp_path: Path) -> None:
    """The reported cost of a training is exact; that of answers counts a prompt once a draw."""
    server = Server()
    able = backend(server, home)
    completions = [c for group in able.sample(MODEL, asked(4)) for c in group]
    used = [c.usage for c in completions if c.usage]
    reported = sum(able.cost(MODEL, usage) or 0.0 for usage in used)
    assert charged(server) <= reported
    once = [replace(usage, input_tokens=usage.input_tokens // 5) for usage in used]
    assert sum(able.cost(MODEL, u) or 0.0 for u in once) == pytest.approx(charged(server))


def test_an_unknown_price_forbids_a_budget(tmp_path: Path) -> None:
    """A budget for a model of unknown price is refused before anything is sent."""
    server = Server()
    able = TinkerBackend(tmp_path / "home", ServiceTerms(budget=1.0), service=Client(server))
    with pytest.raises(SpecError, match="--limen-prices"):
        able.describe(MODEL)
    with pytest.raises(SpecError, match="--limen-prices"):
        able.quote(WorkRequest(model=MODEL, completions=10, max_tokens=4))
    assert not server.tokens


def test_a_table_for_openai_s_api_is_read_too(tmp_path: Path) -> None:
    """input, output and training are other words for prefill, sample and train."""
    file = tmp_path / "prices.toml"
    file.write_text(f'[[model]]\nname = "{MODEL}"\ninput = 1.0\noutput = 2.0\ntraining = 3.0\n')
    terms = ServiceTerms(prices=file)
    able = TinkerBackend(tmp_path / "home", terms, service=Client(Server()))
    quote = able.quote(WorkRequest(model=MODEL, rows=1000, max_tokens=100, recipe={"epochs": 2}))
    assert quote.usd_at_most is not None
    assert quote.usd_at_most >= 3.0 * 2 * 1000 * 100 / 1e6


@pytest.mark.parametrize("text", ["prefill = -1.0\nsample = 1.0", "prefill = 1.0", "prefill ="])
def test_a_broken_table_is_refused(text: str, tmp_path: Path) -> None:
    """A table that cannot be read names its file and the form that it needs."""
    file = tmp_path / "prices.toml"
    file.write_text(f'[[model]]\nname = "x"\n{text}\n')
    with pytest.raises(SpecError, match=r"prices\.toml is no table of prices"):
        TinkerBackend(tmp_path / "home", ServiceTerms(prices=file), service=Client(Server()))


def test_the_shipped_prices_are_dated(tmp_path: Path) -> None:
    """What limen says about a price has the day on which it was noted."""
    able = TinkerBackend(tmp_path / "home", service=Client(Server()))
    assert "noted 2026-01" in able.conditions("Qwen/Qwen3-8B")
    assert "no price is known" in able.conditions(MODEL)


def test_a_server_of_one_s_own_is_free(tmp_path: Path) -> None:
    """On one's own machine nothing is charged, and any budget holds."""
    service = Client(Server(), is_free=True)
    able = TinkerBackend(tmp_path / "home", ServiceTerms(budget=0.01), service=service)
    assert able.quote(WorkRequest(model=MODEL, completions=9, max_tokens=4)).usd_at_most == 0.0
    assert "nothing is charged" in able.conditions(MODEL)
    assert able.describe(MODEL).can_fine_tune
