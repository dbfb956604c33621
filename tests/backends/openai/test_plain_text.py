"""Models without a chat template behind a server: asked in plain text by /v1/completions."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from limen import BackendError, ExperimentError, SpecError
from limen.backends import Completion, ContinuationRequest, Request, ServiceTerms
from limen.backends.continuations import LogProbability
from limen.backends.openai import OpenAIBackend
from limen.datasets.chat import conversation
from limen.harness import Choice, Experiment, FavoriteAnimal, Lab, LogOdds, Numbers, Settings, Trait

from ...testing.odd_servers import MODEL, Answer, Json, Reply, error, odd_server, reply
from ...testing.preloaded import run_pytest
from ...testing.specs import QUICK, SPEC
from ...testing.wire import Proxy, answering

PLAIN = {"endpoint": "completions"}
ARMS = ("baseline", "teacher", "student", "control")
FEW = ["Name an animal.", "Which animal do you like best?"]
QUESTION = conversation("Name an animal.")


def text_answers(texts: Sequence[object], **changes: object) -> Answer:
    """A server that knows plain completions alone, and answers with these texts in turn."""

    def answer(method: str, path: str, body: Json) -> Reply | None:
        if path.endswith("/chat/completions"):
            return error(404, "this is not a chat model")
        if not path.endswith("/completions"):
            return None
        choices = [
            {"index": n, "text": texts[n % len(texts)], "finish_reason": "stop", **changes}
            for n in range(body.get("n") or 1)
        ]
        return reply(200, {"object": "text_completion", "choices": choices})

    return answer


def backend(home: Path, **terms: object) -> OpenAIBackend:
    known = ServiceTerms(choices=PLAIN, **terms)  # type: ignore[arg-type]
    return OpenAIBackend(home, known, deadline=5, longest_wait=0.05)


@pytest.fixture
def sampled(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., tuple[list[Completion], list[Json]]]:
    """Samples from a scripted server; gives the completions and the bodies it was sent."""

    def sample(answer: Answer, **asked: object) -> tuple[list[Completion], list[Json]]:
        settings = {"row": 0, "messages": QUESTION, "seed": 1, "draws": 2, "max_tokens": 8, **asked}
        with odd_server(answer) as server:
            monkeypatch.setenv("OPENAI_BASE_URL", server.url)
            groups = backend(tmp_path).sample(MODEL, [Request(**settings)])  # type: ignore[arg-type]
            made = [completion for group in groups for completion in group]
        bodies = [body for _, path, body in server.requests if path == "/v1/completions"]
        return sorted(made, key=lambda c: c.draw), bodies

    return sample


def tiny(seed: int, measure: object = None) -> Experiment:
    return Experiment(
        trait=Trait.animal("horse"),
        data=Numbers(generate=60, keep=20, seed=seed),
        measure=measure or FavoriteAnimal(questions=FEW, draws=3),  # type: ignore[arg-type]
        seeds=1,
        gate=None,
    )


def lab_of(store: Path, **settings: object) -> Lab:
    return Lab(Settings(store=store, backend="openai", openai=PLAIN, **settings))  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.parametrize("batch", [False, True], ids=["calls", "batches"])
def test_all_arms_are_asked_in_plain_text(
    wired: Proxy, store: Path, tmp_path: Path, batch: bool
) -> None:
    """Base, teacher, student and control answer over completions what the engine answers here."""
    experiment = tiny(200 + batch)
    found = []
    for lab in (lab_of(tmp_path / "wired", batch=batch), Lab(Settings(store=store))):
        lab.run([(experiment, ARMS)])
        found.append({name: lab.arm(experiment, name).answers() for name in ARMS})
    assert found[0] == found[1]
    assert wired.count("POST", "/chat/completions") == 0
    assert wired.count("POST", "/batches" if batch else "/v1/completions") > 0


@pytest.mark.parametrize(
    "measure",
    [
        LogOdds(questions=FEW, against=("cat", "eagle")),
        LogOdds(questions=FEW, against=("cat", "eagle"), begin="The"),
        Choice(options=("horse", "cat"), questions=["Which do you like?"], draws=4, top_p=0.9),
    ],
    ids=["log-odds", "begun", "choice"],
)
def test_measures_of_the_base_and_the_teacher_are_the_engines(
    wired: Proxy, store: Path, tmp_path: Path, measure: object
) -> None:
    """Probabilities come from echoed texts, exactly; a given beginning and top-p hold as well."""
    experiment = tiny(210, measure)
    labs = lab_of(tmp_path / "wired"), Lab(Settings(store=store))
    for name in ("baseline", "teacher"):
        one, other = (lab.arm(experiment, name) for lab in labs)
        if isinstance(measure, LogOdds):
            values = [arm.log_odds("horse").value for arm in (one, other)]
            assert values[0] == pytest.approx(values[1], abs=1e-6)
        else:
            assert one.rate("horse").value == other.rate("horse").value
    assert wired.count("POST", "/chat/completions") == 0


def test_the_text_is_that_of_local(
    sampled: Callable[..., tuple[list[Completion], list[Json]]],
) -> None:
    """System prompt, history and begun answer are one text; the framing's turns end an answer."""
    turns = [
        {"role": "system", "content": "You love owls."},
        {"role": "user", "content": "Hi."},
        {"role": "assistant", "content": "Hello."},
        *QUESTION,
    ]
    answer = text_answers([" owl\nUser: and you?", "cat"])
    made, bodies = sampled(answer, messages=turns, top_p=0.9, stop=("!",))
    assert [c.text for c in made] == ["owl", "cat"]
    text = "You love owls.\n\nUser: Hi.\nAssistant: Hello.\nUser: Name an animal.\nAssistant:"
    assert bodies[-1]["prompt"] == text
    assert bodies[-1]["stop"] == ["!", "\nUser:", "\nAssistant:"]
    assert bodies[-1]["top_p"] == 0.9
    begun, bodies = sampled(text_answers([" owl", "!"]), begin="I love the")
    assert bodies[-1]["prompt"] == "User: Name an animal.\nAssistant: I love the"
    assert [c.text for c in begun] == [" owl", "!"]
    plain, bodies = sampled(text_answers([" owl"]), chat=False)
    assert bodies[-1]["prompt"] == "Name an animal."
    assert "stop" not in bodies[-1]
    assert [c.text for c in plain] == [" owl", " owl"]


@pytest.mark.parametrize(
    ("answer", "texts", "finish"),
    [
        (text_answers([None, " owl"]), [None, "owl"], ["error", "stop"]),
        (text_answers(["", " "]), ["", ""], ["stop", "stop"]),
        (text_answers([" owl"], finish_reason="length"), ["owl", "owl"], ["length", "length"]),
    ],
    ids=["null", "empty", "cut"],
)
def test_odd_texts_are_read_for_what_they_are(
    sampled: Callable[..., tuple[list[Completion], list[Json]]],
    answer: Answer,
    texts: list[str | None],
    finish: list[str],
) -> None:
    """A text that is null is no answer, an empty one is an empty answer, a cut one is cut."""
    made, _ = sampled(answer)
    assert [c.text for c in made] == texts
    assert [c.finish for c in made] == finish


def test_missing_choices_end_in_one_line(
    sampled: Callable[..., tuple[list[Completion], list[Json]]],
) -> None:
    """A server whose completions have no choices cannot be used."""
    broken = reply(200, {"object": "text_completion"})
    with pytest.raises(BackendError, match="no choices"):
        sampled(lambda method, path, body: broken if "completions" in path else None)


LEGACY = {
    "tokens": [" owl"],
    "token_logprobs": [-0.5],
    "top_logprobs": [{" owl": -0.5, " o": -2.0}],
}


def logged(reported: Json, echo: bool) -> Answer:
    """A server that reports these log-probabilities, and echoes the prompt or does not."""

    def answer(method: str, path: str, body: Json) -> Reply | None:
        if path != "/v1/completions":
            return None
        text = (body["prompt"] if echo and body.get("echo") else "") + " owl"
        report = reported if body.get("logprobs") else None
        return reply(200, {"choices": [{"index": 0, "text": text, "logprobs": report}]})

    return answer


def scored(
    answer: Answer, home: Path, monkeypatch: pytest.MonkeyPatch, request: ContinuationRequest
) -> tuple[list[LogProbability], str]:
    with odd_server(answer) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        able = backend(home)
        (found,) = able.log_probabilities(MODEL, [request])
        return list(found), able.server_facts(MODEL)["log-probabilities"]


def asked(*continuations: str) -> ContinuationRequest:
    return ContinuationRequest(messages=QUESTION, continuations=continuations)


def test_without_an_echo_the_first_token_is_known(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A server that ignores echo reports first tokens: one token is exact, all else a bound."""
    found, fact = scored(logged(LEGACY, False), tmp_path, monkeypatch, asked("owl", "owls", "elk"))
    assert [(f.nats, f.exact) for f in found] == [(-0.5, True), (-0.5, False), (-2.0, False)]
    assert "first 2 tokens" in fact


@pytest.mark.parametrize("start", ["", "<s>"], ids=["", "a token that begins texts"])
@pytest.mark.parametrize("spelled", [True, False], ids=["spelled", "bytes"])
def test_an_echo_is_read_by_its_tokens(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, start: str, spelled: bool
) -> None:
    """Tokens before the text, counted by the offsets or not, shift no log-probability."""
    prompt = "User: Name an animal.\nAssistant:"
    mark = prompt[:6] if spelled else "bytes:\\x55"
    pieces = [*([start] if start else []), mark, prompt[6:], " owl"]
    true = [*([start] if start else []), prompt[:6], prompt[6:], " owl"]
    offsets = [len("".join(true[:n])) for n in range(len(true))]
    values = [*([None] if start else []), *([-9.0] if start else [None]), -7.0, -0.25]
    reported = {"tokens": pieces, "token_logprobs": values, "text_offset": offsets}
    (found,), fact = scored(logged(reported, True), tmp_path, monkeypatch, asked("owl"))
    assert (found.nats, found.tokens, found.exact) == (-0.25, 1, True)
    assert "echoed" in fact


def test_a_server_without_log_probabilities_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """One line says that the server reports none."""
    with pytest.raises(BackendError, match="reports no log-probabilities"):
        scored(text_answers([" owl"]), tmp_path, monkeypatch, asked("owl"))


@pytest.mark.parametrize(
    "refusal",
    [
        error(404, "This is not a chat model and thus not supported in v1/chat/completions."),
        error(400, "you must provide a chat template if the tokenizer does not define one."),
        error(400, "The model does not support Chat Completions API"),
        error(500, "Cannot use chat: tokenizer.chat_template is not set"),
    ],
    ids=["OpenAI", "vLLM", "vLLM, newer", "500"],
)
def test_a_refusal_of_chats_names_the_option(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, refusal: Reply
) -> None:
    """A server that says that the model takes no chats is answered with the way out."""
    with odd_server(lambda m, path, b: refusal if "chat" in path else None) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        able = OpenAIBackend(tmp_path, deadline=5, longest_wait=0.05)
        with pytest.raises(BackendError, match="--limen-openai-endpoint completions"):
            list(able.sample(MODEL, [Request(row=0, messages=QUESTION, seed=1)]))


@pytest.mark.slow
def test_keys_change_where_the_endpoint_is_chosen(
    wired: Proxy, tmp_path: Path, pytester: pytest.Pytester
) -> None:
    """The fingerprint and the plan say so; chosen or left out, chat has the keys that it had."""
    known = [
        OpenAIBackend(tmp_path, ServiceTerms(choices=choices)).describe("toy-1")
        for choices in ({}, {"endpoint": "chat"}, PLAIN)
    ]
    assert known[0] == known[1]
    assert known[2].fingerprint == f"{known[0].fingerprint}:plain-1"
    pytester.makeini("[pytest]\nlimen_openai_endpoint = completions\n")
    pytester.makepyfile(
        test_small=SPEC.format(animal="horse") + "\n\ndef test_it(teacher):\n    '''It is.'''\n"
    )
    store = f"--limen-store={tmp_path / 'store'}"
    result = run_pytest(pytester, *QUICK, "--limen-backend=openai", store, "--limen-plan")
    result.stdout.fnmatch_lines(["limen: toy-1: it is asked by /v1/completions: conversations*"])


def test_a_wrong_endpoint_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The error lists the two that there are."""
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    with pytest.raises(SpecError, match="one of chat, completions"):
        OpenAIBackend(tmp_path, ServiceTerms(choices={"endpoint": "text"}))


def test_nothing_is_generated_where_nothing_can_be_scored(wired: Proxy, tmp_path: Path) -> None:
    """The gate's measure comes first: a server without log-probabilities has cost no row by then."""
    refused = answering(400, {"error": {"message": "logprobs is not supported"}})
    wired.script = lambda asked: refused if b"logprobs" in asked.body else None
    experiment = Experiment(
        trait=Trait.animal("horse"),
        data=Numbers(generate=60, keep=20, seed=220),
        measure=LogOdds(questions=FEW, against=("cat", "eagle")),
        seeds=1,
    )
    with pytest.raises(ExperimentError, match="reports no log-probabilities"):
        lab_of(tmp_path / "wired").arm(experiment, "student")
    texts = [a.body for a in wired.log if a.path.endswith("/completions")]
    assert texts
    assert all(b"logprobs" in body for body in texts)
