"""A stage in which the server refuses every row, or most, is an error and leaves nothing behind."""

import json
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from limen import BackendError
from limen.backends import Completion, Request
from limen.backends.openai import OpenAIBackend

from ...testing.commands import limen
from ...testing.odd_servers import MODEL, Json, Reply, error, odd_server

SHORT = (
    "This model's maximum context length is 512 tokens. However, you requested {} tokens "
    "(18 in the messages, {} in the completion). Please reduce the length of the messages."
)
FILTERED = error(400, "The response was filtered by our content policy", code="content_filter")
Refuses = Callable[[Json], Reply | None]


def answering(refuses: Refuses) -> Callable[[str, str, Json], Reply | None]:
    """A server that refuses some chat requests."""
    return lambda method, path, body: refuses(body) if path.endswith("/completions") else None


def short_context(body: Json) -> Reply | None:
    limit = body["max_tokens"]
    return error(400, SHORT.format(18 + limit, limit)) if limit > 494 else None


def row_of(body: Json) -> int:
    """The number of the row that a request asks; that of the small sample is below zero."""
    digits = "".join(c for c in body["messages"][-1]["content"] if c.isdigit())
    return int(digits) if digits else -1


def every(number: int, given: Reply) -> Refuses:
    """Refuse the rows that are a multiple of a number."""
    return lambda body: given if row_of(body) >= 0 and row_of(body) % number == 0 else None


def generate(folder: Path, out: Path, *, code: int = 0) -> str:
    return limen("generate", "--plain", "--count", "30", "--max-tokens", "1000", "--store", folder,
                 "--backend", "openai", "--model", MODEL, "--out", out, code=code)  # fmt: skip


def sampled(url: str, home: Path, monkeypatch: pytest.MonkeyPatch, count: int) -> list[Completion]:
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    asked = [
        Request(row=row, messages=[{"role": "user", "content": f"Question {row}?"}], seed=row)
        for row in range(count)
    ]
    made = OpenAIBackend(home, deadline=5, longest_wait=0.05, outage=1)
    return [c for group in made.sample(MODEL, asked) for c in group]


@pytest.mark.parametrize(
    ("refuses", "says"),
    [(short_context, "maximum context length"), (every(1, FILTERED), "content policy")],
    ids=["context", "filter"],
)
def test_a_stage_without_an_answer_is_asked_again(
    refuses: Refuses, says: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It ends with what the server said; once the server answers, the same command has all rows."""
    opened: list[bool] = []
    out = tmp_path / "rows.jsonl"

    def until_opened(body: Json) -> Reply | None:
        return None if opened else refuses(body)

    with odd_server(answering(until_opened)) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        assert says in generate(tmp_path / "store", out, code=1)
        assert not out.exists()
        opened.append(True)
        generate(tmp_path / "store", out)
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert Counter(row["finish"] for row in rows) == {"stop": 30}


def test_most_rows_too_long_end_the_stage(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A context that is too short for more than half of the rows is the server's fault."""
    too_long = error(400, SHORT.format(600, 9), code="context_length_exceeded")

    def refuses(body: Json) -> Reply | None:
        return too_long if row_of(body) % 4 and row_of(body) >= 0 else None

    with (
        odd_server(answering(refuses)) as server,
        pytest.raises(BackendError, match=r"requests failed; the last: .*maximum context length"),
    ):
        sampled(server.url, tmp_path, monkeypatch, 200)
    assert len(server.chats) < 150


@pytest.mark.parametrize("count", [3, 60])
def test_rows_that_are_too_long_are_recorded_beside_others(
    count: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A third of the rows fails by itself, with the reason."""
    too_long = error(400, SHORT.format(600, 9), code="context_length_exceeded")
    with odd_server(answering(every(3, too_long))) as server:
        made = sampled(server.url, tmp_path, monkeypatch, count)
    assert Counter(c.finish for c in made) == {"stop": count * 2 // 3, "error": count // 3}
    assert all("context length" in str(c.error) for c in made if c.finish == "error")


def test_refusals_are_quicker_than_answers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A third of the rows is too long and refused at once, while each answer takes a while."""
    too_long = error(400, SHORT.format(600, 9), code="context_length_exceeded")

    def slow(body: Json) -> Reply | None:
        if row_of(body) >= 0:
            if row_of(body) % 3 == 0:
                return too_long
            time.sleep(0.3)
        return None

    with odd_server(answering(slow)) as server:
        made = sampled(server.url, tmp_path, monkeypatch, 60)
    assert Counter(c.finish for c in made) == {"stop": 40, "error": 20}


def test_what_a_filter_withholds_is_a_row_of_its_own_however_much_it_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Of 60 rows all but six are filtered: these are recorded, and the stage goes on."""

    def refuses(body: Json) -> Reply | None:
        return FILTERED if row_of(body) % 10 and row_of(body) >= 0 else None

    with odd_server(answering(refuses)) as server:
        made = sampled(server.url, tmp_path, monkeypatch, 60)
    assert Counter(c.finish for c in made) == {"stop": 6, "error": 54}
