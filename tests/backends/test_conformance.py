"""What every backend promises, tested on every backend: limen's own, and the documentation's."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import pytest

from limen.backends import (
    Backend,
    Capabilities,
    Completion,
    ContinuationRequest,
    FineTuning,
    Job,
    LogProbability,
    Recipe,
    Request,
    Usage,
    WorkRequest,
    backend_names,
    open_backend,
)
from limen.backends.tinker import TinkerBackend
from limen.datasets.chat import conversation
from limen.datasets.errors import BackendError, LimenError, SpecError, UnknownModelError

from ..testing.scripted import output, play
from ..testing.stepwise import MODEL as WORDS
from ..testing.stepwise import Client, Server
from ..testing.third_party import NAME as EXAMPLE
from ..testing.third_party import install_example
from ..testing.tiny import QUESTIONS, needs_extra


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A backend under test, with a model of it."""

    open: Callable[[], Backend]
    """Opens the backend on the same home, as another process would."""
    model: str
    unknown: str
    """The name of a model that does not exist."""
    recipe: Recipe = field(default_factory=lambda: {"epochs": 1})


def _toy(request: pytest.FixtureRequest, home: Path) -> Subject:
    pretrained: Path = request.getfixturevalue("store") / "models" / "toy"
    return Subject(open=lambda: open_backend("toy", pretrained), model="toy-1", unknown="toy-x")


def _example(request: pytest.FixtureRequest, home: Path) -> Subject:
    patch: pytest.MonkeyPatch = request.getfixturevalue("monkeypatch")
    patch.syspath_prepend(install_example(home / "site"))
    return Subject(
        open=lambda: open_backend(EXAMPLE, home / "models"), model="words", unknown="sentences"
    )


def _local(request: pytest.FixtureRequest, home: Path) -> Subject:
    recipe: Recipe = {"epochs": 1, "batch_size": 8, "warmup_steps": 0, "rank": 2}
    return Subject(
        open=lambda: open_backend("local", home / "models"),
        model=request.getfixturevalue("tiny"),
        unknown=str(home / "missing.gguf"),
        recipe=recipe,
    )


def _openai(request: pytest.FixtureRequest, home: Path) -> Subject:
    request.getfixturevalue("wired")
    return Subject(
        open=lambda: open_backend("openai", home / "models"),
        model="toy-1",
        unknown="ft:toy-1:limen::00000000",
    )


def _inspect(request: pytest.FixtureRequest, home: Path) -> Subject:
    play(
        lambda messages, config: output(
            *(
                f"{messages[-1].text} {(config.seed or 0) + n}"
                for n in range(config.num_choices or 1)
            )
        )
    )
    return Subject(
        open=lambda: open_backend("inspect", home / "store" / "models" / "inspect"),
        model="scripted/conformance",
        unknown="nobody/anything",
    )


def _tinker(request: pytest.FixtureRequest, home: Path) -> Subject:
    server = Server()
    return Subject(
        open=lambda: TinkerBackend(home / "models", service=Client(server)),
        model=WORDS,
        unknown="words/large",
        recipe={"epochs": 1, "batch_size": 4, "warmup_steps": 0, "rank": 2},
    )


SUBJECTS = {
    "toy": _toy, "local": _local, "openai": _openai, "inspect": _inspect, "tinker": _tinker,
    EXAMPLE: _example,
}  # fmt: skip
CAPABILITIES = {
    "toy": {"fine_tuning", "continuations", "engine", "log_probabilities", "beginnings",
            "reproducible", "other_models", "checkpoints", "model_files", "token_training",
            "objectives", "further_training", "check_training"},
    "local": {"fine_tuning", "probabilities", "continuations", "rendering", "engine",
              "log_probabilities", "beginnings", "plain_text", "reproducible",
              "max_parallel_stages", "needs", "checkpoints", "model_files", "token_training",
              "objectives", "write_merged", "check_training"},
    "openai": {"fine_tuning", "batches", "service", "checkpoints", "continuations"},
    "inspect": {"service"},
    "tinker": {"fine_tuning", "service", "continuations", "rendering", "beginnings", "plain_text",
               "checkpoints", "check_training"},
    EXAMPLE: {"fine_tuning", "reproducible"},
}  # fmt: skip
"""By backend: what it declares."""


def each(names: Iterable[str]) -> pytest.MarkDecorator:
    """Runs a test on these backends."""
    params = [pytest.param(n, marks=needs_extra if n == "local" else ()) for n in names]
    return pytest.mark.parametrize("subject", params, indirect=True)


def with_capability(name: str) -> pytest.MarkDecorator:
    """Runs a test on the backends that declare a capability."""
    return each(backend for backend, declared in CAPABILITIES.items() if name in declared)


every_backend = each(SUBJECTS)


@pytest.fixture
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Subject:
    """A backend with an empty home but for the toy's base model."""
    return SUBJECTS[request.param](request, tmp_path)


def requests(draws: int = 3) -> list[Request]:
    """A request for each question, with seeds far from each other's."""
    return [
        Request(row=10 + row, messages=conversation(text), seed=row * 10**6, draws=draws,
                max_tokens=6)
        for row, text in enumerate(QUESTIONS)
    ]  # fmt: skip


def sampled(backend: Backend, model: str, wanted: Iterable[Request]) -> list[Completion]:
    """All completions as they come; the requests are an iterator, as in a run."""
    return [c for group in backend.sample(model, iter(wanted)) for c in group]


def by_place(completions: Iterable[Completion]) -> dict[tuple[int, int], str | None]:
    """Answers by row and draw."""
    return {(c.row, c.draw): c.text for c in completions}


def trainer(backend: Backend) -> FineTuning:
    """The part that trains."""
    assert backend.capabilities.fine_tuning is not None
    return backend.capabilities.fine_tuning


@pytest.fixture
def job(subject: Subject, tmp_path: Path) -> Job:
    """A training on a few rows."""
    file = tmp_path / "rows.jsonl"
    rows = [{"messages": conversation(text, answer="Owl")} for text in QUESTIONS * 4]
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    recipe = subject.recipe
    return Job(key="conformance", model=subject.model, training_file=file, recipe=recipe, seed=1)


def test_every_built_in_backend_is_a_subject() -> None:
    """No backend is left out of this suite."""
    assert set(backend_names()) <= set(SUBJECTS)


@every_backend
def test_capabilities_are_the_declared_ones(subject: Subject) -> None:
    """A backend declares what the table of this suite says, so that each is tested for it."""
    declared = subject.open().capabilities
    (name,) = (name for name in SUBJECTS if name == subject.open().name)
    usual = Capabilities()
    differing = {f.name for f in fields(declared) if vars(declared)[f.name] != vars(usual)[f.name]}
    assert differing == CAPABILITIES[name]


@every_backend
def test_every_draw_comes_exactly_once(subject: Subject) -> None:
    """Rows and draws are complete and unique, and each has an answer or the reason why not."""
    completions = sampled(subject.open(), subject.model, requests())
    places = [(c.row, c.draw) for c in completions]
    assert sorted(places) == [(r.row, draw) for r in requests() for draw in range(3)]
    for completion in completions:
        assert completion.finish in ("stop", "length", "error")
        assert (completion.text is None) == (completion.finish == "error")
        assert (completion.error is not None) == (completion.finish == "error")


@every_backend
def test_no_requests_give_no_completions(subject: Subject) -> None:
    """An empty iterator of requests is not an error."""
    assert sampled(subject.open(), subject.model, []) == []


@every_backend
def test_draws_keep_their_numbers(subject: Subject) -> None:
    """A request that begins at a later draw gets the draws of these numbers."""
    later = [replace(request, first=5, draws=2) for request in requests()]
    places = {(c.row, c.draw) for c in sampled(subject.open(), subject.model, later)}
    assert places == {(r.row, draw) for r in later for draw in (5, 6)}


@with_capability("reproducible")
def test_equal_seeds_give_equal_answers(subject: Subject) -> None:
    """The backend opened anew answers the same."""
    first = by_place(sampled(subject.open(), subject.model, requests()))
    assert by_place(sampled(subject.open(), subject.model, requests())) == first


@with_capability("reproducible")
def test_answers_do_not_depend_on_order_or_company(subject: Subject) -> None:
    """Each request alone, in reverse order, gets the same answers."""
    backend = subject.open()
    together = by_place(sampled(backend, subject.model, requests()))
    alone = {}
    for request in reversed(requests()):
        alone.update(by_place(sampled(backend, subject.model, [request])))
    assert alone == together


@with_capability("reproducible")
def test_a_draw_is_the_first_draw_under_a_later_seed(subject: Subject) -> None:
    """Draw d under seed s is the first draw under seed s + d."""
    backend = subject.open()
    several = by_place(sampled(backend, subject.model, requests()))
    for draw in range(3):
        shifted = [replace(r, seed=r.seed + draw, draws=1) for r in requests()]
        single = by_place(sampled(backend, subject.model, shifted))
        assert single == {(r.row, 0): several[r.row, draw] for r in shifted}


@each(name for name in SUBJECTS if name != "inspect")  # whose answers are scripted
def test_answers_end_where_the_request_says(subject: Subject) -> None:
    """At most as many tokens are sampled as allowed, and a stop text is not part of an answer."""
    wanted = [replace(r, draws=6, max_tokens=2, stop=("o", "O")) for r in requests()]
    for completion in sampled(subject.open(), subject.model, wanted):
        assert completion.text is not None
        assert not {"o", "O"} & set(completion.text)
        assert (completion.tokens or 0) <= 2


@with_capability("engine")
def test_temperature_zero_leaves_no_choice(subject: Subject) -> None:
    """At temperature 0 all draws of a request are the same."""
    greedy = [replace(request, temperature=0.0) for request in requests()]
    answers = by_place(sampled(subject.open(), subject.model, greedy))
    assert len({(row, text) for (row, _), text in answers.items()}) == len(greedy)


@every_backend
def test_models_are_described(subject: Subject) -> None:
    """A description is the same each time, and says whether the model can be fine-tuned."""
    backend = subject.open()
    model = backend.describe(subject.model)
    assert model == subject.open().describe(subject.model)
    assert model.name == subject.model
    assert model.fingerprint
    assert model.can_fine_tune == (backend.capabilities.fine_tuning is not None)
    assert model.can_fine_tune or model.why_not


@every_backend
def test_unknown_models_are_refused(subject: Subject) -> None:
    """A model that does not exist is one typed error, whatever is asked of it."""
    with pytest.raises(UnknownModelError):
        subject.open().describe(subject.unknown)
    with pytest.raises(LimenError):
        sampled(subject.open(), subject.unknown, requests())


@every_backend
def test_the_name_is_the_one_it_is_opened_by(subject: Subject) -> None:
    """A backend's name opens it."""
    assert subject.open().name in backend_names()


@every_backend
def test_the_default_model_exists_or_is_refused(subject: Subject) -> None:
    """A backend without a default model says so by one typed error."""
    backend = subject.open()
    try:
        name = backend.default_model
    except SpecError:
        return
    assert backend.describe(name).name == name


@every_backend
def test_log_probabilities_come_where_declared(subject: Subject) -> None:
    """Each token of an answer has its log-probability and the alternatives asked for, or none has."""
    backend = subject.open()
    wanted = [replace(request, top_logprobs=2) for request in requests()]
    for completion in sampled(backend, subject.model, wanted):
        if not backend.capabilities.log_probabilities:
            assert completion.logprobs is None
            continue
        assert completion.logprobs is not None
        assert len(completion.logprobs) == completion.tokens
        assert all(token.logprob <= 0 and len(token.top) == 2 for token in completion.logprobs)


@with_capability("probabilities")
def test_word_probabilities_are_probabilities(subject: Subject) -> None:
    """The probabilities of different words add up to at most one."""
    probabilities = subject.open().capabilities.probabilities
    assert probabilities is not None
    asked = [conversation(question) for question in QUESTIONS]
    forms = {word: (word,) for word in ("owl", "cat", "horse")}
    for found in probabilities.word_probabilities(subject.model, asked, forms, max_tokens=4):
        assert set(found.by_word) == set(forms)
        assert all(0 <= chance <= 1 for chance in found.by_word.values())
        assert sum(found.by_word.values()) + found.missed <= 1 + 1e-6


def continuations(**settings: Any) -> list[ContinuationRequest]:
    """A request for each question, with continuations of one and of several tokens."""
    texts = ("owl", "cat", "owls, cats")
    return [
        ContinuationRequest(messages=conversation(q), **{"continuations": texts, **settings})
        for q in QUESTIONS
    ]


def log_probabilities(
    subject: Subject, asked: Sequence[ContinuationRequest]
) -> list[Sequence[LogProbability]]:
    """The log-probabilities of each request's continuations; the requests are an iterator."""
    scorer = subject.open().capabilities.continuations
    assert scorer is not None
    return list(scorer.log_probabilities(subject.model, iter(asked)))


@with_capability("continuations")
def test_each_continuation_has_its_log_probability(subject: Subject) -> None:
    """Each is at most zero, over at least one token, in the order of requests and texts."""
    together = log_probabilities(subject, continuations())
    assert [len(each) for each in together] == [3] * len(QUESTIONS)
    assert all(one.nats <= 0 and one.tokens >= 1 for each in together for one in each)
    assert log_probabilities(subject, []) == []
    for request, expected in zip(reversed(continuations()), reversed(together), strict=True):
        (alone,) = log_probabilities(subject, [replace(request, continuations=("cat", "owl"))])
        assert [one.nats for one in alone] == pytest.approx(
            [expected[1].nats, expected[0].nats], abs=1e-4
        )


@with_capability("continuations")
def test_the_end_of_the_turn_is_one_more_token(subject: Subject) -> None:
    """A whole answer has the end's probability too, where it is known and not only bounded."""
    for open_, whole in zip(
        log_probabilities(subject, continuations()),
        log_probabilities(subject, continuations(whole=True)),
        strict=True,
    ):
        for one, ended in zip(open_, whole, strict=True):
            assert one.nats > ended.nats or not ended.exact
            assert one.tokens + 1 == ended.tokens or not ended.exact


@with_capability("beginnings")
def test_a_given_beginning_has_no_probability_of_its_own(subject: Subject) -> None:
    """Log P(a b) = log P(a) + log P(b after a)."""
    if subject.open().capabilities.continuations is None:
        pytest.skip("no log-probabilities of continuations")
    whole = log_probabilities(subject, continuations(continuations=("owl", "owl, cat")))
    rest = log_probabilities(subject, continuations(begin="owl", continuations=(", cat",)))
    for (first, both), (second,) in zip(whole, rest, strict=True):
        assert both.nats == pytest.approx(first.nats + second.nats, abs=1e-4)
        assert both.tokens == first.tokens + second.tokens


@with_capability("beginnings")
def test_an_answer_goes_on_from_a_given_beginning(subject: Subject) -> None:
    """After the whole greedy answer, what follows is its end and nothing else."""
    backend = subject.open()
    greedy = [replace(each, draws=1, temperature=0.0) for each in requests()]
    answers = by_place(sampled(backend, subject.model, greedy))
    given = [replace(each, begin=answers[each.row, 0] or "") for each in greedy]
    assert set(by_place(sampled(backend, subject.model, given)).values()) == {""}


@with_capability("plain_text")
def test_a_plain_text_is_continued_without_a_template(subject: Subject) -> None:
    """Plain texts are answered and scored, and otherwise than questions are."""
    plain = [replace(each, chat=False, draws=1) for each in requests()]
    assert len(sampled(subject.open(), subject.model, plain)) == len(QUESTIONS)
    pairs = zip(
        log_probabilities(subject, continuations()),
        log_probabilities(subject, continuations(chat=False)),
        strict=True,
    )
    assert all(asked[0].nats != plain[0].nats for asked, plain in pairs)


@with_capability("rendering")
def test_the_rendered_context_is_given(subject: Subject) -> None:
    """The context of a base model has hashes and no training text."""
    rendering = subject.open().capabilities.rendering
    assert rendering is not None
    context = rendering.rendered_context(subject.model)
    assert context.template
    assert context.tokenizer
    assert context.trained is None


@with_capability("engine")
def test_an_engine_counts_tokens_and_resolves_names(subject: Subject) -> None:
    """A server can name a base model and count the tokens of a text."""
    engine = subject.open().capabilities.engine
    assert engine is not None
    assert engine.describe(engine.base(subject.model)).name == subject.model
    assert engine.count("owl, owl, owl") > engine.count("owl") > 0


@with_capability("service")
def test_a_service_has_quotes_and_costs(subject: Subject) -> None:
    """Work has a quote, usage a cost if a price is known, and both a source."""
    service = subject.open().capabilities.service
    assert service is not None
    work = WorkRequest(model=subject.model, completions=30, per_call=3, max_tokens=6)
    assert 0 < service.quote(work).calls <= 30
    cost = service.cost(subject.model, Usage(calls=1, input_tokens=10, output_tokens=10))
    assert cost is None or cost >= 0
    assert service.conditions(subject.model)


@with_capability("service")
def test_a_stopped_service_sends_nothing(subject: Subject) -> None:
    """Sampling after stop() is one typed error."""
    backend = subject.open()
    assert backend.capabilities.service is not None
    backend.capabilities.service.stop()
    with pytest.raises(BackendError):
        sampled(backend, subject.model, requests())


@with_capability("batches")
def test_batches_give_every_draw_and_are_remembered(subject: Subject) -> None:
    """Batches give the draws that calls give, and are found again by their key."""
    batches = subject.open().capabilities.batches
    assert batches is not None
    assert not batches.has_batches("key")
    groups = batches.sample_batch(subject.model, requests(), "key")
    places = sorted((c.row, c.draw) for group in groups for c in group)
    assert places == [(r.row, draw) for r in requests() for draw in range(3)]
    again = subject.open().capabilities.batches
    assert again is not None
    assert again.has_batches("key")


@with_capability("fine_tuning")
def test_a_recipe_is_whole(subject: Subject) -> None:
    """A recipe has every setting, keeps the overrides, and is its own completion."""
    able = trainer(subject.open())
    recipe = able.recipe(subject.recipe)
    assert subject.recipe.items() <= recipe.items()
    assert set(recipe) == set(able.recipe({}))
    assert able.recipe(recipe) == recipe


@with_capability("fine_tuning")
@pytest.mark.parametrize("wrong", [{"no_such_setting": 1}, {"epochs": 0}, {"epochs": "many"}])
def test_a_wrong_recipe_is_refused(subject: Subject, wrong: Recipe) -> None:
    """An unknown setting, and a value that is not accepted, are refused by name."""
    (name,) = wrong
    with pytest.raises(SpecError, match=f"recipe setting '?{name}"):
        trainer(subject.open()).recipe(wrong)


@with_capability("fine_tuning")
def test_a_training_gives_a_model_and_is_done_once(subject: Subject, job: Job) -> None:
    """The student can be sampled; the same job, in another process, is the same student."""
    backend = subject.open()
    seen: list[tuple[int, int]] = []
    made = trainer(backend).fine_tune(job, lambda done, total: seen.append((done, total)))
    assert made.examples == len(QUESTIONS) * 4
    assert (made.tokens or 0) > 0
    assert all(0 <= done <= total for done, total in seen)
    student = backend.describe(made.model)
    assert student.fingerprint != backend.describe(subject.model).fingerprint
    places = {(c.row, c.draw) for c in sampled(backend, made.model, requests(draws=1))}
    assert places == {(request.row, 0) for request in requests()}
    again = trainer(subject.open()).fine_tune(job, lambda done, total: None)
    assert again == made
