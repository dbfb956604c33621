"""How many draws a call asks for: what is remembered of it, and what makes it fewer or more."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from limen import BackendError
from limen.backends import Request, ServiceTerms
from limen.backends.openai import OpenAIBackend

from ...testing.odd_servers import MODEL, Json, Reply, chat, odd_server, reply

SILENCE = Reply(0, b"")
Gives = Callable[[int], int | None]
"""The draws that a server gives of those that a call asks for; None for no answer in time."""


@dataclass
class Server:
    """Answers chat requests with as many draws as it gives."""

    gives: Gives = lambda n: n
    url: str = ""
    calls: list[int] = field(default_factory=list)
    """The draws that each call asked for."""

    def __call__(self, method: str, path: str, body: Json) -> Reply | None:
        if not path.endswith("/completions"):
            return None
        number = body.get("n") or 1
        self.calls.append(number)
        given = self.gives(number)
        return SILENCE if given is None else reply(200, chat({**body, "n": given}))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server that gives all draws, for now."""
    made = Server()
    with odd_server(made) as listening:
        monkeypatch.setenv("OPENAI_BASE_URL", listening.url)
        yield made


def asked(
    server: Server, home: Path, *, draws: int = 200, rows: int = 1, by_hand: str = ""
) -> list[int]:
    """The draws that each call of a new run asks for, without the small sample's."""
    wanted = [
        Request(row=row, messages=[{"role": "user", "content": "Hi"}], seed=1, draws=draws)
        for row in range(rows)
    ]
    server.calls.clear()
    terms = ServiceTerms(choices={"n": by_hand})
    backend = OpenAIBackend(home, terms, deadline=1, longest_wait=0.05, outage=1)
    came = [(c.row, c.draw) for group in backend.sample(MODEL, wanted) for c in group]
    assert sorted(came) == [(row, draw) for row in range(rows) for draw in range(draws)]
    return server.calls[1:]


def test_a_number_set_by_hand_is_not_remembered(server: Server, tmp_path: Path) -> None:
    """The next run without it asks for as many as the server gives."""
    assert len(asked(server, tmp_path, by_hand="2")) == 100
    assert sorted(asked(server, tmp_path)) == [72, 128]


def test_one_short_reply_is_no_limit(server: Server, tmp_path: Path) -> None:
    """What it left out is asked for again; neither this run nor the next one asks for fewer."""
    replies = iter([1, 1])  # the small sample, and one draw of 128
    server.gives = lambda n: next(replies, n)
    assert sorted(asked(server, tmp_path, rows=3)) == [72, 72, 72, 127, 128, 128, 128]
    assert sorted(asked(server, tmp_path)) == [72, 128]


def test_short_replies_in_a_row_are_a_limit(server: Server, tmp_path: Path) -> None:
    """A server that gives eight at most is soon asked for eight, and in later runs at once."""
    server.gives = lambda n: min(n, 8)
    first = asked(server, tmp_path)
    assert 2 <= sum(n > 8 for n in first) < 8
    assert set(asked(server, tmp_path)) == {8}


def test_a_slow_server_is_asked_for_fewer(server: Server, tmp_path: Path) -> None:
    """Halved until answers come in time; what is slow today is no limit of later runs."""
    server.gives = lambda n: n if n <= 30 else None
    numbers = asked(server, tmp_path, draws=100)
    assert numbers[:3] == [100, 50, 25]
    assert max(numbers[3:]) == 25
    server.gives = lambda n: n
    assert asked(server, tmp_path, draws=100) == [100]


def test_a_slow_server_with_a_number_set_by_hand_is_an_error_that_names_it(
    server: Server, tmp_path: Path
) -> None:
    """What a person set is not changed; the error says what could be."""
    server.gives = lambda n: n if n <= 30 else None
    with pytest.raises(BackendError, match=r"no answer in time .*LIMEN_OPENAI_N=1"):
        asked(server, tmp_path, draws=100, by_hand="100")
