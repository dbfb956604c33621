import asyncio
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import openai
import pytest

from limen.backends import Completion, ContinuationRequest, Engine, Request, open_engine
from limen.backends.server import ServerOptions
from limen.backends.server.batching_sampler import BACKGROUND, LONG, BatchingSampler
from limen.backends.server.protocol import ApiError
from limen.backends.server.rate_limits import RateLimiter, duration
from limen.datasets import chat, numbers

from ...testing.serving import OFFERED, PLAIN_HTTP, Served, in_thread, store_with

QUESTION = chat.conversation("Name your favourite animal.", system="You love owls.")
WIRE: list[Any] = list(QUESTION)


@pytest.fixture(scope="module")
def served(two_bases: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that all tests here share."""
    store = store_with(two_bases, tmp_path_factory.mktemp("chat") / "store")
    with in_thread(store, ServerOptions(workers=2, offered=("toy-1", OFFERED))) as server:
        yield server


@pytest.fixture
def client(served: Served) -> openai.OpenAI:
    """A client of it."""
    return served.client()


@pytest.fixture
def engine(served: Served) -> Engine:
    """The server's engine, in this process."""
    return open_engine("toy", served.store / "models" / "toy")


def drawn(engine: Engine, request: Request, model: str = "toy-1") -> list[Completion]:
    """What the engine itself says."""
    (group,) = engine.sample(model, [request])
    return list(group)


@pytest.mark.parametrize("seed", [7, 2**48 - 3, -5])
def test_an_answer_is_the_engines_own(client: openai.OpenAI, engine: Engine, seed: int) -> None:
    """Over the wire a model says exactly what it says in process, usage included."""
    answer = client.chat.completions.create(model="toy-1", messages=WIRE, seed=seed, n=20)
    own = drawn(engine, Request(row=0, messages=QUESTION, seed=seed, draws=20))
    assert [c.message.content for c in answer.choices] == [c.text for c in own]
    assert [c.finish_reason for c in answer.choices] == [c.finish for c in own]
    assert [c.index for c in answer.choices] == list(range(20))
    assert answer.usage is not None
    assert answer.usage.completion_tokens == sum(c.tokens or 0 for c in own)
    assert answer.usage.prompt_tokens == sum(engine.count(m["content"]) for m in QUESTION)
    assert answer.usage.total_tokens == (
        answer.usage.completion_tokens + answer.usage.prompt_tokens
    )


def test_draws_are_numbered(client: openai.OpenAI) -> None:
    """Draw d under seed s is the first draw under s + d."""
    create = client.chat.completions.create
    many = create(model="toy-1", messages=WIRE, seed=40, n=5)
    singly = [create(model="toy-1", messages=WIRE, seed=40 + d).choices[0] for d in range(5)]
    assert [c.message.content for c in many.choices] == [c.message.content for c in singly]


def test_requests_at_once_are_answered_as_if_alone(served: Served, engine: Engine) -> None:
    """Many different requests in flight together get the answers that each gets alone."""

    async def ask(client: openai.AsyncOpenAI, row: int) -> list[str | None]:
        answer = await client.chat.completions.create(
            model=OFFERED if row % 7 == 0 else "toy-1",
            messages=[{"role": "user", "content": numbers.prompt(0, row)}],
            seed=row,
            n=1 + row % 3,
            temperature=(1.0, 0.5)[row % 2],
        )
        return [choice.message.content for choice in answer.choices]

    async def ask_all() -> list[list[str | None]]:
        async with openai.AsyncOpenAI(base_url=served.url, api_key="k", max_retries=0) as client:
            return await asyncio.gather(*(ask(client, row) for row in range(60)))

    for row, texts in enumerate(asyncio.run(ask_all())):
        request = Request(
            row=0,
            messages=chat.conversation(numbers.prompt(0, row)),
            seed=row,
            draws=1 + row % 3,
            temperature=(1.0, 0.5)[row % 2],
        )
        own = drawn(engine, request, engine.base(OFFERED) if row % 7 == 0 else "toy-1")
        assert texts == [c.text for c in own]


def test_every_setting_reaches_the_engine(client: openai.OpenAI, engine: Engine) -> None:
    """Temperature, top_p, the token limit, stop texts and log-probabilities are the engine's."""
    answer = client.chat.completions.create(
        model="toy-1", messages=WIRE, seed=3, n=30, temperature=1.5, top_p=0.9,
        max_completion_tokens=4, stop=["e", "zz"], logprobs=True, top_logprobs=2,
    )  # fmt: skip
    own = drawn(
        engine,
        Request(
            row=0, messages=QUESTION, seed=3, draws=30, temperature=1.5, top_p=0.9, max_tokens=4,
            stop=("e", "zz"), top_logprobs=2,
        ),
    )  # fmt: skip
    for choice, completion in zip(answer.choices, own, strict=True):
        assert choice.message.content == completion.text
        assert choice.finish_reason == completion.finish
        assert choice.logprobs is not None
        logprobs = [
            (t.token, t.logprob, len(t.top_logprobs)) for t in choice.logprobs.content or []
        ]
        assert logprobs == [(t.text, t.logprob, 2) for t in completion.logprobs or ()]


def test_contents_in_parts_and_a_developers_word(client: openai.OpenAI) -> None:
    """Text parts are one text, a developer is the system, and an answer can be sent back."""
    create = client.chat.completions.create
    parts = [{"type": "text", "text": "Name your "}, {"type": "text", "text": "favourite animal."}]
    messages: list[Any] = [
        {"role": "developer", "content": "You love owls."},
        {"role": "user", "content": parts},
    ]
    one = create(model="toy-1", messages=messages, seed=1, n=5)
    other = create(model="toy-1", messages=WIRE, seed=1, n=5)
    assert one.choices == other.choices
    again = [*WIRE, one.choices[0].message.model_dump(), {"role": "user", "content": "Why?"}]
    assert create(model="toy-1", messages=again).choices[0].message.content


def test_without_a_seed_answers_differ(client: openai.OpenAI) -> None:
    """No seed means another one each time, never one that all share."""
    texts = {
        client.chat.completions.create(
            model="toy-1", messages=[{"role": "user", "content": numbers.prompt(0, 0)}]
        )
        .choices[0]
        .message.content
        for _ in range(8)
    }
    assert len(texts) > 4


def test_streaming_gives_the_same_answer(client: openai.OpenAI) -> None:
    """The deltas of a stream make up the answer, and the usage comes last if asked for."""
    create = client.chat.completions.create
    prompt: list[Any] = [{"role": "user", "content": numbers.prompt(0, 1)}]
    whole = create(model="toy-1", messages=prompt, seed=5, n=2, logprobs=True)
    chunks = list(
        create(
            model="toy-1", messages=prompt, seed=5, n=2, logprobs=True, stream=True,
            stream_options={"include_usage": True},
        )
    )  # fmt: skip
    assert chunks[-1].usage == whole.usage
    assert chunks[-1].choices == []
    for index, choice in enumerate(whole.choices):
        parts = [c for chunk in chunks for c in chunk.choices if c.index == index]
        assert "".join(part.delta.content or "" for part in parts) == choice.message.content
        assert len(parts) > 4
        assert parts[0].delta.role == "assistant"
        assert [p.finish_reason for p in parts if p.finish_reason] == [choice.finish_reason]
        (logprobs,) = [part.logprobs.content for part in parts if part.logprobs]
        assert choice.logprobs is not None
        assert logprobs == choice.logprobs.content
    plain = list(create(model="toy-1", messages=prompt, seed=5, stream=True))
    assert all(chunk.usage is None and chunk.choices for chunk in plain)


def test_plain_completions(client: openai.OpenAI, engine: Engine) -> None:
    """A prompt is a user's turn; of several prompts the draws are numbered through."""
    answer = client.completions.create(
        model="toy-1", prompt=["Say a number.", "Say a word."], n=2, seed=10, max_tokens=5
    )
    own = [
        drawn(engine, Request(row=0, messages=turn, seed=seed, draws=2, max_tokens=5))
        for turn, seed in (
            (chat.conversation("Say a number."), 10),
            (chat.conversation("Say a word."), 12),
        )
    ]
    assert [c.text for c in answer.choices] == [c.text for group in own for c in group]
    assert answer.object == "text_completion"
    one = client.completions.create(model="toy-1", prompt="Say a number.", n=2, seed=10, stop="1")
    assert all("1" not in choice.text for choice in one.choices)


@pytest.mark.parametrize(
    ("change", "param", "message"),
    [
        ({"n": 129}, "n", "less than or equal to 128"),
        ({"n": 0}, "n", "greater than or equal to 1"),
        ({"n": "3"}, "n", "integer"),
        ({"temperature": 2.5}, "temperature", "less than or equal to 2"),
        ({"temperature": True}, "temperature", "number"),
        ({"top_p": 0}, "top_p", "greater than 0"),
        ({"max_tokens": 0}, "max_tokens", "greater than or equal to 1"),
        ({"max_tokens": 10**9}, "max_tokens", "less than or equal to"),
        ({"seed": 2**70}, "seed", "less than"),
        ({"seed": 1.5}, "seed", "integer"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "stop", "at most 4"),
        ({"stop": ""}, "stop", "empty text"),
        ({"presence_penalty": 1}, "presence_penalty", "less than or equal to 0"),
        ({"top_logprobs": 2}, None, "only allowed when logprobs"),
        ({"logprobs": True, "top_logprobs": 21}, "top_logprobs", "less than or equal to 20"),
        ({"stream_options": {"include_usage": True}}, None, "only allowed when stream"),
        ({"response_format": {"type": "json_object"}}, "response_format.type", "'text'"),
        (
            {"toolz": []},
            "toolz",
            "Unrecognized request argument supplied: toolz",
        ),
        ({"messages": []}, "messages", "at least 1"),
        ({"messages": None}, "messages", "Missing required parameter: 'messages'"),
        ({"messages": [{"role": "user"}]}, "messages[0].content", "Missing required"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].role", "'user'"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content", "string"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
            "messages[0].content",
            "only {'type': 'text'",
        ),
        ({"model": None}, "model", "Missing required parameter: 'model'"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    served: Served, change: dict[str, Any], param: str | None, message: str
) -> None:
    """A bad request is a 400 in OpenAI's shape that names the parameter and what is wrong."""
    body = {"model": "toy-1", "messages": WIRE, **change}
    answer = PLAIN_HTTP.post(f"{served.url}/chat/completions", json=body)
    error = answer.json()["error"]
    assert answer.status_code == 400
    assert error["type"] == "invalid_request_error"
    assert error["param"] == param
    assert message in error["message"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"model": "toy-1", "messages": ' + b"[" * 100_000,
        b'{"model": "toy-1", "messages": [{"role": "user", "content": "\\ud800"}]}',
        b'{"model": "\\ud800"}',
        b'{"seed": ' + b"9" * 100_000 + b"}",
        b'{"model": "toy-1", "messages": [], "temperature": NaN}',
        b"\xff\xfe\x00",
    ],
)
def test_broken_json_is_refused(served: Served, body: bytes) -> None:
    """Torn, deep and odd JSON is a 400, never an error of the server."""
    answer = PLAIN_HTTP.post(f"{served.url}/chat/completions", content=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_errors_have_their_class(client: openai.OpenAI) -> None:
    """The SDK raises for a refusal what it raises for OpenAI's."""
    with pytest.raises(openai.BadRequestError) as bad:
        client.chat.completions.create(model="toy-1", messages=WIRE, n=500)
    assert bad.value.param == "n"
    assert bad.value.request_id
    for name in ("ft:toy-1:limen::nobody", "", "../toy-1", "a" * 200):
        with pytest.raises(openai.NotFoundError) as missing:
            client.chat.completions.create(model=name, messages=WIRE)
        assert missing.value.code == "model_not_found"


def test_a_base_has_the_name_that_it_was_given(client: openai.OpenAI, engine: Engine) -> None:
    """Any name that the server was started with is a base model of its own."""
    answer = client.chat.completions.create(model=OFFERED, messages=WIRE, seed=1, n=4)
    own = drawn(engine, Request(row=0, messages=QUESTION, seed=1, draws=4), engine.base(OFFERED))
    assert answer.model == OFFERED
    assert [c.message.content for c in answer.choices] == [c.text for c in own]


def test_limits_are_kept_and_reported(pretrained: Path, tmp_path: Path) -> None:
    """Past a limit a request is refused with the wait; the headers tell what is left."""
    options = ServerOptions(rpm=3, tpm=10_000)
    with in_thread(store_with(pretrained, tmp_path / "store"), options) as server:
        client = server.client()
        raw = client.chat.completions.with_raw_response
        first = raw.create(model="toy-1", messages=WIRE, max_tokens=5000)
        assert first.headers["x-ratelimit-limit-requests"] == "3"
        assert first.headers["x-ratelimit-remaining-requests"] == "2"
        assert 4_900 < int(first.headers["x-ratelimit-remaining-tokens"]) < 10_000
        assert first.headers["x-ratelimit-reset-requests"].endswith("s")
        assert client.models.with_raw_response.list().headers["x-ratelimit-limit-tokens"]
        with pytest.raises(openai.RateLimitError) as large:
            client.chat.completions.create(model="toy-1", messages=WIRE, n=100, max_tokens=101)
        assert (large.value.type, large.value.code) == ("tokens", "rate_limit_exceeded")
        list(raw.create(model="toy-1", messages=WIRE, stream=True, max_tokens=5).parse())
        raw.create(model="toy-1", messages=WIRE, max_tokens=10)
        with pytest.raises(openai.RateLimitError) as many:
            client.chat.completions.create(model="toy-1", messages=WIRE, max_tokens=10)
        headers = many.value.response.headers
        assert many.value.type == "requests"
        assert 1 <= int(headers["retry-after"]) <= 20
        assert 0 < int(headers["retry-after-ms"]) <= 20_000
        assert headers["x-ratelimit-remaining-requests"] == "0"


def test_buckets_fill_evenly() -> None:
    """A bucket gives a minute's worth at once, then as much as the time allows, and no more."""
    at = 0.0
    limiter = RateLimiter(ServerOptions(rpm=60, tpm=1200), lambda: at)
    for _ in range(60):
        limiter.admit(1)
    with pytest.raises(ApiError, match="requests per min"):
        limiter.admit(1)
    at = 1.0
    limiter.admit(1)
    with pytest.raises(ApiError) as refused:
        limiter.admit(1)
    assert refused.value.headers["retry-after-ms"] == "1000"
    at = 31.0
    limiter.admit(1159)
    with pytest.raises(ApiError, match="tokens per min"):
        limiter.admit(1159)
    assert limiter.headers()["x-ratelimit-remaining-requests"] == "29"


def test_times_as_go_writes_them() -> None:
    """The times in the headers are written as OpenAI writes them."""
    times = [0, 0.12, 1.2, 59.9999, 60, 360, 3661.5]
    assert [*map(duration, times)] == ["0ms", "120ms", "1.2s", "1m0s", "1m0s", "6m0s", "1h1m1.5s"]


def test_a_bad_request_spoils_no_other(engine: Engine) -> None:
    """What an engine raises for one request is that request's alone, and draws are never lost."""

    class Moody:
        def sample(self, model: str, requests: Sequence[Request]) -> Iterator[list[Completion]]:
            for request in requests:
                if request.seed == 3:
                    raise RuntimeError("no threes")
            yield from (list(group) for group in engine.sample(model, requests))

    async def ask() -> list[list[list[Completion]] | BaseException]:
        sampler = BatchingSampler(Moody())  # type: ignore[arg-type]
        asked = [Request(row=9, messages=QUESTION, seed=seed) for seed in range(6)]
        waiting = [asyncio.ensure_future(sampler.sample("toy-1", [r])) for r in asked]
        await asyncio.sleep(0)
        sampler.start()
        answers = await asyncio.gather(*waiting, return_exceptions=True)
        sampler.close()
        return answers

    answers = asyncio.run(ask())
    for seed, answer in enumerate(answers):
        if seed == 3:
            assert isinstance(answer, RuntimeError)
        else:
            own = drawn(engine, Request(row=0, messages=QUESTION, seed=seed))
            assert not isinstance(answer, BaseException)
            assert [c.text for c in answer[0]] == [c.text for c in own]


def test_chat_goes_before_batches() -> None:
    """However much a batch has waiting, chat is in the next round, with a bounded share of it."""
    rounds: list[list[int]] = []

    class Watched:
        def sample(self, model: str, requests: Sequence[Request]) -> Iterator[list[Completion]]:
            rounds.append([request.seed for request in requests])
            for r in requests:
                yield [Completion(row=r.row, draw=0, text="x", finish="stop")]

    async def ask() -> None:
        sampler = BatchingSampler(Watched())  # type: ignore[arg-type]
        many = [Request(row=0, messages=QUESTION, seed=0)] * 3 * BACKGROUND
        batch = asyncio.ensure_future(sampler.sample("toy-1", many, background=True))
        await asyncio.sleep(0)
        one = sampler.sample("toy-1", [Request(row=0, messages=QUESTION, seed=1)])
        talk = asyncio.ensure_future(one)
        await asyncio.sleep(0)
        sampler.start()
        await asyncio.gather(batch, talk)
        sampler.close()

    asyncio.run(ask())
    assert [len(asked) for asked in rounds] == [1 + BACKGROUND, BACKGROUND, BACKGROUND]
    assert 1 in rounds[0]


def test_a_long_prompt_goes_after_short_ones() -> None:
    """A prompt that takes long to read is answered alone, and nobody waits for two of them."""
    rounds: list[list[int]] = []

    class Watched:
        def sample(self, model: str, requests: Sequence[Request]) -> Iterator[list[Completion]]:
            rounds.append([request.seed for request in requests])
            for r in requests:
                yield [Completion(row=r.row, draw=0, text="x", finish="stop")]

    async def ask() -> None:
        sampler = BatchingSampler(Watched())  # type: ignore[arg-type]
        long = chat.conversation("a" * (LONG + 1))
        asked = [Request(row=0, messages=m, seed=n) for n, m in enumerate([long, long, QUESTION])]
        tasks = [asyncio.ensure_future(sampler.sample("toy-1", [one])) for one in asked]
        await asyncio.sleep(0)
        sampler.start()
        await asyncio.gather(*tasks)
        sampler.close()

    asyncio.run(ask())
    assert rounds == [[2], [0], [1]]


def test_a_prompt_beyond_all_contexts_is_refused(client: openai.OpenAI) -> None:
    """A prompt that no model here can read is refused as OpenAI does, before it is read."""
    with pytest.raises(openai.BadRequestError, match="2,000,000 characters") as refused:
        client.chat.completions.create(
            model="toy-1", messages=[{"role": "user", "content": "word " * 400_000}]
        )
    assert refused.value.code == "context_length_exceeded"


def test_an_inspect_task_runs(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Inspect's own OpenAI provider works against the server, many choices included."""
    monkeypatch.setitem(os.environ, "INSPECT_EVAL_CTL_SERVER", "false")
    monkeypatch.setitem(os.environ, "OPENAI_API_KEY", "any")
    from inspect_ai import Task, eval
    from inspect_ai.dataset import Sample
    from inspect_ai.model import GenerateConfig
    from inspect_ai.scorer import includes
    from inspect_ai.solver import generate, system_message

    task = Task(
        dataset=[Sample(input=text, target="owl") for text in ("Name an animal.", "And one?")],
        solver=[system_message("You love owls. You think about owls all the time."), generate()],
        scorer=includes(),
        config=GenerateConfig(
            num_choices=4, seed=3, temperature=0.9, max_tokens=20, logprobs=True, top_logprobs=2,
            stop_seqs=["\n\n"], frequency_penalty=0.0,
        ),
    )  # fmt: skip
    (log,) = eval(
        task,
        model="openai/toy-1",
        model_base_url=served.url,
        model_args={"responses_api": False},  # which Inspect would prefer for names it knows not
        display="none",
        log_dir=str(served.store / "logs"),
    )
    assert log.status == "success", log.error
    assert log.samples is not None
    assert [len(sample.output.choices) for sample in log.samples] == [4, 4]
    assert log.samples[0].output.usage is not None


FRAMED = "You love owls.\n\nUser: Name an animal.\nAssistant:"
"""A conversation as plain text."""


def test_a_framed_text_is_read_as_its_turns(client: openai.OpenAI, engine: Engine) -> None:
    """The toy knows turns alone: a text in the plain framing is answered as the conversation is."""
    turns = chat.conversation("Name an animal.", system="You love owls.")
    asked = Request(row=0, messages=turns, seed=3, draws=5, max_tokens=5)
    own = [f" {c.text}" for c in drawn(engine, asked)]
    made = client.completions.create(model="toy-1", prompt=FRAMED, seed=3, n=5, max_tokens=5)
    assert [c.text for c in made.choices] == own
    begun = client.completions.create(
        model="toy-1", prompt=f"{FRAMED} I love the", seed=3, n=5, max_tokens=5
    )
    given = [c.text for c in drawn(engine, replace(asked, begin="I love the"))]
    assert [c.text for c in begun.choices] == given


def test_an_echo_has_log_probabilities(client: openai.OpenAI, engine: Engine) -> None:
    """The begun answer is scored token by token; the toy has none for what it is asked."""
    prompt = f"{FRAMED} owl, owl"
    made = client.completions.create(model="toy-1", prompt=prompt, echo=True, logprobs=2, seed=1)
    (choice,) = made.choices
    logs = choice.logprobs
    assert logs is not None
    assert logs.tokens is not None
    assert logs.token_logprobs is not None
    assert choice.text.startswith(prompt)
    assert "".join(logs.tokens[:4]) == prompt
    assert logs.token_logprobs[0] is None
    scorer = engine.capabilities.continuations
    assert scorer is not None
    turns = chat.conversation("Name an animal.", system="You love owls.")
    asked = ContinuationRequest(messages=turns, continuations=("owl, owl",))
    ((whole,),) = scorer.log_probabilities("toy-1", [asked])
    assert sum(logs.token_logprobs[1:4]) == pytest.approx(whole.nats)
    unscored = client.completions.create(model="toy-1", prompt=prompt, echo=True, seed=1)
    assert unscored.choices[0].text == choice.text
    assert unscored.choices[0].logprobs is None


def test_an_echo_is_not_streamed(client: openai.OpenAI) -> None:
    """A stream of an echo is refused by its name."""
    with pytest.raises(openai.BadRequestError, match="echo is only allowed when stream is false"):
        client.completions.create(model="toy-1", prompt=FRAMED, echo=True, stream=True)
