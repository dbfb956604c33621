"""A row that is too long fails by itself: the requests after it have their limit of tokens still."""

from collections import Counter
from pathlib import Path

import pytest

from limen.backends import Completion, Request
from limen.backends.openai import OpenAIBackend
from limen.datasets.chat import conversation

from ...testing.odd_servers import MODEL, Answer, Json, OddServer, Reply, error, odd_server

LONG = "Long question?"
LIMITS = ("max_tokens", "max_completion_tokens")
WORDS = {
    "vLLM": error(
        400,
        "'max_tokens' or 'max_completion_tokens' is too large: 1000. This model's maximum context "
        "length is 4096 tokens and your request has 3500 input tokens (1000 > 4096 - 3500).",
        type="BadRequestError",
        code=400,
    ),
    "vLLM, a parameter named": error(
        400,
        "max_completion_tokens is too large: 1000. This model's maximum context length is 4096 "
        "tokens and your request has 3500 input tokens.",
        param="max_completion_tokens",
    ),
    "SGLang": error(
        400,
        "Requested token count exceeds the model's maximum context length of 4096 tokens. You "
        "requested a total of 4500 tokens: 3500 tokens from the input messages and 1000 tokens "
        "for the completion. Please reduce the number of tokens in max_tokens.",
    ),
    "no word of the context": error(
        400, "'max_tokens' or 'max_completion_tokens' must be below 596 for this request"
    ),
}


def answering(refusal: Reply) -> Answer:
    """A server that refuses the long question, as long as it is sent with a limit of tokens."""

    def answer(method: str, path: str, body: Json) -> Reply | None:
        if not path.endswith("/completions") or body["messages"][-1]["content"] != LONG:
            return None
        return refusal if any(name in body for name in LIMITS) else None

    return answer


def sampled(
    server: OddServer, home: Path, monkeypatch: pytest.MonkeyPatch, texts: list[str]
) -> list[Completion]:
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    system = {LONG: "You love owls."}
    asked = [
        Request(row=row, messages=conversation(text, system=system.get(text)), seed=row,
                max_tokens=1000)
        for row, text in enumerate(texts)
    ]  # fmt: skip
    made = OpenAIBackend(home, deadline=5, longest_wait=0.05, outage=1)
    return [c for group in made.sample(MODEL, asked) for c in group]


@pytest.mark.parametrize("place", [0, 2], ids=["first", "after answers"])
@pytest.mark.parametrize("refusal", WORDS.values(), ids=WORDS)
def test_every_request_has_its_limit_whatever_one_row_is_refused_for(
    refusal: Reply, place: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The long row is recorded with the server's words, the others are answered within limits."""
    texts = ["Short?"] * 6
    texts[place] = LONG
    with odd_server(answering(refusal)) as server:
        made = sampled(server, tmp_path, monkeypatch, texts)
    assert Counter(c.finish for c in made) == {"stop": 5, "error": 1}
    assert all(any(name in body for name in LIMITS) for body in server.chats)


def test_a_server_without_limits_is_used_where_a_person_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`LIMEN_OPENAI_TOKEN_LIMIT=none` sends none at all."""
    monkeypatch.setenv("LIMEN_OPENAI_TOKEN_LIMIT", "none")
    with odd_server(answering(WORDS["vLLM"])) as server:
        made = sampled(server, tmp_path, monkeypatch, ["Short?", LONG])
    assert Counter(c.finish for c in made) == {"stop": 2}
    assert not any(name in body for body in server.chats for name in LIMITS)
