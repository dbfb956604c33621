from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from limen.backends.server import ServerOptions

from ...testing.serving import Served, in_thread, store_with

QUESTION = "Name your favourite animal."
HARMLESS: dict[str, Any] = {
    "parallel_tool_calls": False,
    "modalities": ["text"],
    "reasoning_effort": "low",
    "verbosity": "medium",
    "tool_choice": "none",
    "logit_bias": {},
}


@pytest.fixture(scope="module")
def client(pretrained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[openai.OpenAI]:
    """The SDK's client of a server."""
    store = store_with(pretrained, tmp_path_factory.mktemp("responses") / "store")
    with in_thread(store, ServerOptions(workers=1)) as server:
        served: Served = server
        yield served.client()


def test_a_response_is_a_text(client: openai.OpenAI) -> None:
    """Input and instructions go in, a text and the usage come out."""
    made = client.responses.create(model="toy-1", input=QUESTION, instructions="You love owls.")
    assert made.status == "completed"
    assert made.output_text
    assert made.usage is not None
    assert made.usage.total_tokens == made.usage.input_tokens + made.usage.output_tokens > 0


def test_a_conversation_goes_in_as_items(client: openai.OpenAI) -> None:
    """Messages, also those of an earlier response, are the conversation."""
    first = client.responses.create(model="toy-1", input=QUESTION)
    items: Any = [
        {"role": "user", "content": [{"type": "input_text", "text": QUESTION}]},
        *(item.model_dump(exclude_none=True) for item in first.output),
        {"role": "user", "content": QUESTION},
    ]
    assert client.responses.create(model="toy-1", input=items).output_text


def test_a_cut_response_is_incomplete(client: openai.OpenAI) -> None:
    """A response that the limit of tokens cuts off says so."""
    asked = "Continue this sequence with ten numbers: 145, 267, 891."
    made = client.responses.create(model="toy-1", input=asked, max_output_tokens=1)
    assert made.status == "incomplete"
    assert made.incomplete_details is not None
    assert made.incomplete_details.reason == "max_output_tokens"


def test_a_response_streams(client: openai.OpenAI) -> None:
    """The deltas of a stream add up to the text of its last event."""
    deltas, last = "", None
    for event in client.responses.create(model="toy-1", input=QUESTION, stream=True):
        if event.type == "response.output_text.delta":
            deltas += event.delta
        last = event
    assert last is not None
    assert last.type == "response.completed"
    assert last.response.output_text == deltas


def test_a_previous_response_is_refused(client: openai.OpenAI) -> None:
    """Responses are not kept, and a request that needs one says so with the parameter."""
    with pytest.raises(openai.BadRequestError, match="not kept") as refused:
        client.responses.create(model="toy-1", input="x", previous_response_id="resp_1")
    assert refused.value.param == "previous_response_id"
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve("resp_1")


@pytest.mark.parametrize("name", HARMLESS)
def test_harmless_settings_are_accepted(client: openai.OpenAI, name: str) -> None:
    """Settings that change nothing for a model without tools are no reason to refuse."""
    messages: Any = [{"role": "user", "content": QUESTION}]
    answer = client.chat.completions.create(
        model="toy-1", messages=messages, **{name: HARMLESS[name]}
    )
    assert answer.choices[0].message.content


def test_limits_are_always_in_the_headers(client: openai.OpenAI) -> None:
    """A server without limits says so by large numbers, which clients expect to find."""
    messages: Any = [{"role": "user", "content": QUESTION}]
    raw = client.chat.completions.with_raw_response.create(model="toy-1", messages=messages)
    for unit in ("requests", "tokens"):
        assert int(raw.headers[f"x-ratelimit-remaining-{unit}"]) >= 10**6


def test_the_older_endpoint_gives_log_probabilities(client: openai.OpenAI) -> None:
    """Each token has its log-probability, its alternatives and its place in the text."""
    made = client.completions.create(model="toy-1", prompt=QUESTION, logprobs=2, seed=3)
    found = made.choices[0].logprobs
    assert found is not None
    assert found.tokens
    assert found.token_logprobs
    assert found.top_logprobs
    assert len(found.tokens) == len(found.token_logprobs) == len(found.top_logprobs)
    assert found.text_offset == [
        sum(map(len, found.tokens[:place])) for place in range(len(found.tokens))
    ]


def test_a_file_expires(client: openai.OpenAI) -> None:
    """A file with a lifetime says when it ends; a lifetime that is none is refused."""
    content = ("a.jsonl", b"{}\n")
    anchor: Any = {"anchor": "created_at", "seconds": 3600}
    short: Any = {"anchor": "created_at", "seconds": 5}
    made = client.files.create(file=content, purpose="batch", expires_after=anchor)
    assert made.expires_at == made.created_at + 3600
    with pytest.raises(openai.BadRequestError, match="expires_after"):
        client.files.create(file=content, purpose="batch", expires_after=short)


def test_a_file_is_uploaded_in_parts(client: openai.OpenAI) -> None:
    """Parts become one file, in the order that is asked for; others are refused."""
    pieces = [b'{"a": 1}\n', b'{"b": 2}\n']
    upload = client.uploads.create(
        filename="a.jsonl", purpose="batch", bytes=sum(map(len, pieces)), mime_type="text/jsonl"
    )
    parts = [client.uploads.parts.create(upload.id, data=piece).id for piece in pieces]
    with pytest.raises(openai.BadRequestError, match="not the file that was announced"):
        client.uploads.complete(upload.id, part_ids=parts[:1])
    done = client.uploads.complete(upload.id, part_ids=parts[::-1])
    assert done.file is not None
    assert client.files.content(done.file.id).content == pieces[1] + pieces[0]
    with pytest.raises(openai.BadRequestError, match="takes no more"):
        client.uploads.cancel(upload.id)
