"""Sessions of other people's clients with the server; each runs where its client is installed."""

import asyncio
import json
import os
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from limen.backends.server import ServerOptions

from ...testing.serving import (
    PLAIN_HTTP,
    Served,
    finished,
    finished_batch,
    in_thread,
    jsonl,
    rows,
    store_with,
)

QUESTION = "Name your favourite animal."
MESSAGES: Any = [{"role": "user", "content": QUESTION}]
REQUEST = {"model": "toy-1", "messages": MESSAGES, "max_tokens": 4}


@pytest.fixture(scope="module")
def served(pretrained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server without a key."""
    store = store_with(pretrained, tmp_path_factory.mktemp("clients") / "store")
    with in_thread(store, ServerOptions(workers=1)) as server:
        yield server


def test_the_sdks_helpers_work(served: Served, tmp_path: Path) -> None:
    """What the SDK builds of several calls works: streams, parsed answers, uploads in parts."""
    client = served.client()
    with client.chat.completions.stream(model="toy-1", messages=MESSAGES) as stream:
        assert stream.get_final_completion().choices[0].message.content
    with client.responses.stream(model="toy-1", input=QUESTION) as events:
        assert events.get_final_response().output_text
    assert client.responses.parse(model="toy-1", input=QUESTION).output_text
    file = tmp_path / "rows.jsonl"
    file.write_bytes(jsonl(rows(40)))
    upload = client.uploads.upload_file_chunked(
        file=file, mime_type="text/jsonl", purpose="fine-tune", part_size=700
    )
    assert upload.file is not None
    assert client.files.wait_for_processing(upload.file.id).bytes == file.stat().st_size


def test_older_completions_stream(served: Served) -> None:
    """The chunks of an older completion add up to the text of the whole one."""
    client = served.client()
    asked: Any = {"model": "toy-1", "prompt": [QUESTION, "Hello."], "seed": 5, "n": 2, "best_of": 2}
    whole = client.completions.create(**asked, logprobs=1)
    options: Any = {"include_usage": True}
    chunks = list(client.completions.create(**asked, stream=True, stream_options=options))
    texts = [""] * 4
    for chunk in chunks:
        for choice in chunk.choices:
            texts[choice.index] += choice.text
    assert texts == [choice.text for choice in whole.choices]
    assert chunks[-1].usage == whole.usage


@pytest.mark.parametrize(
    ("path", "change", "param"),
    [
        ("chat/completions", {"tools": [{"type": "function"}]}, "tools"),
        ("chat/completions", {"logit_bias": {"5": 1}}, "logit_bias"),
        ("chat/completions", {"audio": {}}, "audio"),
        ("completions", {"best_of": 5}, "best_of"),
        ("responses", {"tools": [{"type": "web_search"}]}, "tools"),
        ("responses", {"include": ["message.output_text.logprobs"]}, "include[0]"),
        ("responses", {"input": [{"role": "user", "content": [{"type": "input_image"}]}]},
         "input[0].content"),
    ],
)  # fmt: skip
def test_what_is_not_supported_is_named(
    served: Served, path: str, change: dict[str, Any], param: str
) -> None:
    """A parameter that would change the answer, and cannot be had, is refused by its name."""
    body = {"chat/completions": {"messages": MESSAGES}, "completions": {"prompt": "x"}}
    given = {"model": "toy-1", **body.get(path, {"input": "x"}), **change}
    error = PLAIN_HTTP.post(f"{served.url}/{path}", json=given).json()["error"]
    assert error["param"] == param


PROMPTFOO: dict[str, dict[str, Any]] = {
    "chat/completions": {
        "messages": MESSAGES, "max_tokens": 1024, "temperature": 0, "top_p": 1,
        "presence_penalty": 0, "frequency_penalty": 0,
    },
    "completions": {
        "prompt": QUESTION, "max_tokens": 1024, "temperature": 0, "top_p": 1,
        "presence_penalty": 0, "frequency_penalty": 0, "best_of": 1,
    },
    "responses": {
        "input": QUESTION, "max_output_tokens": 1024, "temperature": 0,
        "text": {"format": {"type": "text"}},
    },
}  # fmt: skip
"""Bodies as promptfoo's OpenAI providers send them, by endpoint."""


@pytest.mark.parametrize("path", PROMPTFOO)
def test_promptfoos_requests_are_answered(served: Served, path: str) -> None:
    """The default requests of promptfoo's three providers of text are taken as they are."""
    headers = {"authorization": "Bearer any", "x-promptfoo-silent": "true"}
    body = {"model": "toy-1", **PROMPTFOO[path]}
    response = PLAIN_HTTP.post(f"{served.url}/{path}", json=body, headers=headers)
    assert response.status_code == 200


@pytest.mark.slow
def test_a_promptfoo_session(served: Served, tmp_path: Path) -> None:
    """Promptfoo's three providers of text answer, and nothing of its assertions fails.

    ``LIMEN_TEST_PROMPTFOO`` is the command that starts promptfoo, such as ``npx promptfoo``.
    """
    command = shlex.split(os.environ.get("LIMEN_TEST_PROMPTFOO", ""))
    if not command:
        pytest.skip("LIMEN_TEST_PROMPTFOO does not say how promptfoo is started")
    here = {"apiBaseUrl": served.url, "apiKey": "any", "max_tokens": 16, "max_output_tokens": 16}
    providers = [
        {"id": f"openai:{kind}:toy-1", "config": here}
        for kind in ("chat", "completion", "responses")
    ]
    check = {"type": "javascript", "value": "output.length > 0"}
    tests = [{"vars": {"q": text}, "assert": [check]} for text in (QUESTION, "Hello.")]
    config = {"prompts": ["{{q}}"], "providers": providers, "tests": tests}
    (tmp_path / "config.json").write_text(json.dumps(config))
    quiet = {f"PROMPTFOO_DISABLE_{name}": "1" for name in ("TELEMETRY", "UPDATE")}
    subprocess.run(
        [*command, "eval", "-c", "config.json", "--no-cache", "--no-write", "-o", "found.json"],
        cwd=tmp_path,
        env={**os.environ, **quiet, "PROMPTFOO_CONFIG_DIR": str(tmp_path / "promptfoo")},
        check=True,
        timeout=300,
    )
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["results"]["stats"]["successes"] == 6


@pytest.mark.slow
def test_a_litellm_session(served: Served) -> None:
    """LiteLLM chats, streams, asks for responses, fine-tunes and runs a batch."""
    litellm = pytest.importorskip("litellm")
    here = {"api_base": served.url, "api_key": "any"}
    asked = {"model": "openai/toy-1", "messages": MESSAGES, **here}
    made = litellm.completion(**asked, n=2, seed=3, temperature=0.5, max_tokens=5, stop=["\n"])
    assert len(made.choices) == 2
    options = {"include_usage": True}
    chunks = list(litellm.completion(**asked, stream=True, stream_options=options))
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert any(getattr(c, "usage", None) for c in chunks)
    assert (
        litellm.text_completion(
            model="text-completion-openai/toy-1", prompt="x", max_tokens=4, **here
        )
        .choices[0]
        .text
    )
    made = litellm.responses(model="openai/toy-1", input=QUESTION, **here)
    assert made.output[0].content[0].text
    with pytest.raises(litellm.NotFoundError):
        litellm.embedding(model="openai/toy-1", input=["x"], **here)
    with pytest.raises(litellm.BadRequestError, match="tools"):
        litellm.completion(**asked, tools=[{"type": "function", "function": {"name": "f"}}])
    with pytest.raises(litellm.NotFoundError, match="does not exist"):
        litellm.completion(**{**asked, "model": "openai/other"})
    there = {**here, "custom_llm_provider": "openai"}
    file = litellm.create_file(file=("rows.jsonl", jsonl(rows(12))), purpose="fine-tune", **there)
    job = litellm.create_fine_tuning_job(model="toy-1", training_file=file.id, **there)
    tuned = finished(served.client(), job.id).fine_tuned_model
    assert litellm.completion(**{**asked, "model": f"openai/{tuned}"}).choices[0].message.content
    lines = [{"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": REQUEST}]
    file = litellm.create_file(file=("b.jsonl", jsonl(lines)), purpose="batch", **there)
    batch = litellm.create_batch(
        completion_window="24h", endpoint="/v1/chat/completions", input_file_id=file.id, **there
    )
    assert finished_batch(served.client(), batch.id).status == "completed"


@pytest.mark.slow
def test_a_langchain_session(served: Served) -> None:
    """LangChain's chat model, its older model and its responses work; embeddings are refused."""
    langchain = pytest.importorskip("langchain_openai")
    here = {"base_url": served.url, "api_key": "any", "max_retries": 0}
    named = {**here, "model": "toy-1"}
    chat = langchain.ChatOpenAI(**named)
    first = chat.invoke(QUESTION)
    assert chat.invoke([("system", "You love owls."), ("user", "Hi."), first, ("user", "Why?")])
    assert "".join(part.content for part in chat.stream(QUESTION))
    assert [answer.content != "" for answer in chat.batch(["a", "b"])] == [True, True]
    options = {"n": 2, "temperature": 0.3, "max_tokens": 5, "logprobs": True, "stop": ["\n"]}
    human = pytest.importorskip("langchain_core.messages").HumanMessage(QUESTION)
    drawn = langchain.ChatOpenAI(**named, **options).generate([[human]])
    assert len(drawn.generations[0]) == 2
    older = langchain.OpenAI(**named, max_tokens=6, n=2, best_of=2)
    assert len(older.generate(["a", "b"]).generations[1]) == 2
    assert "".join(langchain.OpenAI(**named, max_tokens=6).stream("hi"))
    settings = {"include": ["reasoning.encrypted_content"], "store": False, "verbosity": "low"}
    responses = langchain.ChatOpenAI(**named, use_responses_api=True, **settings)
    answer = responses.invoke(QUESTION)
    assert responses.invoke([("user", QUESTION), answer, ("user", "Why?")]).text
    with pytest.raises(openai.BadRequestError, match="tools"):
        chat.bind_tools([{"type": "function", "function": {"name": "f"}}]).invoke("hi")
    with pytest.raises(openai.NotFoundError):
        langchain.OpenAIEmbeddings(**here, check_embedding_ctx_length=False).embed_query("hi")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("openai/toy-1", {}),
        ("openai/toy-1", {"responses_api": True}),
        ("openai-api/limen/toy-1", {}),
        ("openai-api/limen/toy-1", {"responses_api": True}),
    ],
)
def test_an_inspect_session(
    served: Served, monkeypatch: pytest.MonkeyPatch, name: str, options: dict[str, Any]
) -> None:
    """Inspect's provider of OpenAI, and that of servers like it, answer through either endpoint."""
    from inspect_ai.model import GenerateConfig, get_model

    for prefix in ("OPENAI", "LIMEN"):
        monkeypatch.setenv(f"{prefix}_BASE_URL", served.url)
        monkeypatch.setenv(f"{prefix}_API_KEY", "any")
    model = get_model(name, memoize=False, **options)
    config = GenerateConfig(max_tokens=16, temperature=0.5)
    output = asyncio.run(model.generate(QUESTION, config=config))
    assert output.completion
    assert output.usage is not None
    assert output.usage.total_tokens > 0
