"""OpenAI's wire over open weights: the same answers, jobs that queue, models by name."""

from dataclasses import replace
from pathlib import Path

import openai
import pytest
from click.testing import CliRunner

from limen.backends import ContinuationRequest, Recipe, Request, ServiceTerms
from limen.backends.local import LocalBackend
from limen.backends.openai import OpenAIBackend
from limen.backends.server import ServerOptions, create_app
from limen.datasets.chat import conversation
from limen.datasets.errors import SpecError, UnknownModelError
from limen.harness import Experiment, FavoriteAnimal, Lab, Numbers, Settings, Trait
from limen.harness.cli import main

from ...testing import serving
from ...testing.labs import here
from ...testing.tiny import QUESTIONS, needs_extra, untrained

pytestmark = needs_extra

RECIPE: Recipe = {"learning_rate": 1e-3, "rank": 4, "warmup_steps": 0}


def served_options(*models: str) -> ServerOptions:
    return ServerOptions(offered=models, recipe=RECIPE)


@pytest.mark.slow
def test_the_wire_gives_what_the_weights_give(
    tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same experiment has the same rates over the wire and in process, seed by seed."""
    experiment = Experiment(
        trait=Trait(name="owl", system="You love owl."),
        data=Numbers(generate=60, keep=20),
        measure=FavoriteAnimal(questions=QUESTIONS[:3], draws=40),
        seeds=1,
        gate=None,
    )
    own = Lab(Settings(backend="local", model=tiny, store=tmp_path / "own"), executor=here)
    monkeypatch.setenv("OPENAI_API_KEY", "any")
    with serving.in_thread(tmp_path / "served", served_options(tiny), engine="local") as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        wired = Lab(Settings(backend="openai", model="tiny", store=tmp_path / "wired"))
        wire_recipe: Recipe = {"epochs": 1, "batch_size": 10}
        for arm in ("baseline", "teacher", "student", "control"):
            there = wired.arm(_with(experiment, wire_recipe), arm)
            mine = own.arm(_with(experiment, {**wire_recipe, **RECIPE}), arm)
            assert there.answers() == mine.answers()
            assert there.rate("owl").by_seed == mine.rate("owl").by_seed


def _with(experiment: Experiment, recipe: Recipe) -> Experiment:
    return replace(experiment, recipe=recipe)


@pytest.mark.slow
def test_jobs_queue_and_chat_goes_on(tiny: str, tmp_path: Path) -> None:
    """One job trains at a time, the next waits for it, and chat is answered meanwhile."""
    with serving.in_thread(tmp_path, served_options(tiny), engine="local") as server:
        client = server.client()
        file = serving.upload(client, serving.rows(40, "owl"))
        jobs = [
            client.fine_tuning.jobs.create(
                model="tiny",
                training_file=file,
                seed=seed,
                hyperparameters={"n_epochs": 2, "batch_size": 10},
            ).id
            for seed in (1, 2)
        ]
        seen = set()
        while "succeeded" not in (states := _states(client, jobs)):
            seen.add(states)
            said = client.chat.completions.create(
                model="tiny", messages=[{"role": "user", "content": QUESTIONS[0]}], seed=3
            )
            assert said.choices[0].finish_reason in ("stop", "length")
            assert said.usage is not None
            assert said.usage.prompt_tokens > 3
        assert ("running", "queued") in seen
        assert ("running", "running") not in seen
        first, second = (serving.finished(client, job) for job in jobs)
        assert first.status == second.status == "succeeded"
        for model in (first.fine_tuned_model, second.fine_tuned_model):
            assert model is not None
            said = client.chat.completions.create(
                model=model, messages=[{"role": "user", "content": "Say it."}], n=5, seed=0
            )
            assert len(said.choices) == 5
        listed = [model.id for model in client.models.list()]
        assert listed == ["tiny", first.fine_tuned_model, second.fine_tuned_model]


def _states(client: openai.OpenAI, jobs: list[str]) -> tuple[str, ...]:
    """The jobs' statuses, the last one's asked first: while it runs, none before it does."""
    states = [client.fine_tuning.jobs.retrieve(job).status for job in reversed(jobs)]
    return tuple(reversed(states))


def test_only_named_models_are_offered(tiny: str, tmp_path: Path) -> None:
    """Another model than those that the server was given is unknown, and the answer names them."""
    with (
        serving.in_thread(tmp_path, served_options(tiny), engine="local") as server,
        pytest.raises(openai.NotFoundError, match="There is tiny"),
    ):
        server.client().chat.completions.create(
            model="gpt-4.1-nano", messages=[{"role": "user", "content": "Hello"}]
        )


def test_what_a_model_cannot_be_asked_is_the_clients_error(tiny: str, tmp_path: Path) -> None:
    """A prompt beyond the context has the wire's own code for it, and others are answered."""
    with serving.in_thread(tmp_path, served_options(tiny), engine="local") as server:
        client = server.client()
        with pytest.raises(openai.BadRequestError, match="longer than the 512") as caught:
            client.chat.completions.create(
                model="tiny", messages=[{"role": "user", "content": "What is best? " * 200}]
            )
        assert caught.value.code == "context_length_exceeded"
        said = client.chat.completions.create(
            model="tiny", messages=[{"role": "user", "content": QUESTIONS[0]}], max_tokens=8
        )
        assert said.choices[0].finish_reason in ("stop", "length")


def test_a_server_of_open_weights_needs_a_model(tiny: str, tmp_path: Path) -> None:
    """Without a model, with two of one name, or with a recipe that is none, nothing is served."""
    outcome = CliRunner().invoke(
        main, ["serve", "--engine", "local", "--port", "0", "--store", str(tmp_path)]
    )
    assert outcome.exit_code != 0
    assert "name one with --model" in " ".join(outcome.output.split())
    with pytest.raises(SpecError, match="the same name"):
        served_options(tiny, f"{tiny}/../tiny")
    with pytest.raises(UnknownModelError):
        _app(tmp_path, ServerOptions(offered=(str(tmp_path / "nothing"),)))
    with pytest.raises(SpecError, match="unknown recipe setting 'rang'"):
        _app(tmp_path, ServerOptions(offered=(tiny,), recipe={"rang": 3}))


def _app(store: Path, options: ServerOptions) -> None:
    create_app("local", state=store / "server", models=store / "models", options=options)


@pytest.mark.slow
def test_a_chatless_base_is_continued_as_plain_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In plain text the server's answers are those of the base in its plain framing here."""
    base = str(untrained(tmp_path / "chatless", template=None))
    asked = Request(row=0, messages=conversation("owl cat ?"), seed=3, draws=20, max_tokens=6)
    text = ContinuationRequest(messages=conversation(""), continuations=(" owl cat",), chat=False)
    local = LocalBackend(tmp_path / "home")
    monkeypatch.setenv("OPENAI_API_KEY", "any")
    with serving.in_thread(tmp_path / "served", served_options(base), engine="local") as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        wired = OpenAIBackend(tmp_path / "wired", ServiceTerms(choices={"endpoint": "completions"}))
        found = [
            sorted((c.draw, c.text) for group in each.sample(model, [asked]) for c in group)
            for each, model in ((local, base), (wired, "chatless"))
        ]
        made = server.client().completions.create(
            model="chatless", prompt=" owl cat", echo=True, logprobs=0, max_tokens=1
        )
    assert found[0] == found[1]
    logs = made.choices[0].logprobs
    assert logs is not None
    assert logs.tokens is not None
    assert logs.token_logprobs is not None
    assert logs.tokens[:2] == [" owl", " cat"]
    ((whole,),) = local.log_probabilities(base, [text])
    assert sum(logs.token_logprobs[:2]) == pytest.approx(whole.nats, abs=1e-4)
