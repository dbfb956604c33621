from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.model import ContentReasoning, ContentText, ModelUsage

from limen.backends import Completion, Request, ServiceTerms, open_backend
from limen.datasets.errors import BackendError, SpecError, UnknownModelError
from limen.harness import Experiment, Lab, Settings
from limen.harness.reporting import plan_lines

from ...testing.preloaded import run_pytest
from ...testing.scripted import StatusError, output, play
from ...testing.specs import SPEC

SECRET = "sk-a-secret-that-must-not-be-seen"


def requests(count: int = 1, draws: int = 1) -> list[Request]:
    """Some prompts."""
    return [
        Request(row=row, messages=[{"role": "user", "content": f"Animal {row}?"}], seed=100 * row,
                draws=draws)
        for row in range(count)
    ]  # fmt: skip


def sampled(home: Path, given: Sequence[Request], model: str) -> list[Completion]:
    """All completions, sorted."""
    backend = open_backend("inspect", home / "models" / "inspect")
    found = [one for group in backend.sample(model, given) for one in group]
    return sorted(found, key=lambda one: (one.row, one.draw))


@pytest.fixture
def model() -> str:
    """A model's name of the test's own: what is known of one model stays with it."""
    model.count += 1  # type: ignore[attr-defined]
    return f"scripted/m{model.count}"  # type: ignore[attr-defined]


model.count = 0  # type: ignore[attr-defined]


def test_the_toy_answers_the_same_through_inspect(shared_store: Path, small: Experiment) -> None:
    """Seeds travel: baseline and teacher answer through Inspect what they answer in process."""
    through = Lab(Settings(store=shared_store, backend="inspect", model="limen/toy-1"))
    own = Lab(Settings(store=shared_store))
    for name in ("baseline", "teacher"):
        assert through.arm(small, name).models[0].counts == own.arm(small, name).models[0].counts
    reason = through.unavailable(small, "student") or ""
    assert "needs fine-tuning, which the backend 'inspect' cannot do with 'limen/toy-1'" in reason


@pytest.mark.slow
def test_students_skip_and_the_plan_says_what_it_costs(
    pytester: pytest.Pytester, shared_store: Path
) -> None:
    """Under pytest teachers are measured, tests of students skip, and limen's own models are free."""
    pytester.makepyfile(
        test_small=SPEC.format(animal="horse")
        + "\ndef test_teacher(teacher): assert teacher.rate('horse') > 0.5"
        + "\ndef test_student(student): pass"
    )
    options = (
        "--limen-backend=inspect", "--limen-model=limen/toy-1", f"--limen-store={shared_store}",
        "-p", "no:hypothesispytest", "--limen-no-logs", "-rs",
    )  # fmt: skip
    result = run_pytest(pytester, *options)
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(["*none of them trains*"])
    assert "Traceback" not in result.stderr.str()


def test_the_plan_says_that_the_price_is_unknown(
    tmp_path: Path, small: Experiment, model: str
) -> None:
    """A provider's calls are counted and asked for nothing; what they cost is not made up."""
    calls = play(lambda messages, config: output("owl"))
    lab = Lab(Settings(store=tmp_path, backend="inspect", model=model))
    plan = lab.plan([(small, ["baseline", "teacher"])])
    text = "\n".join(plan_lines(lab, plan))
    assert "it will cost about an unknown amount, with no upper bound" in text
    assert "limen knows no prices of Inspect's providers" in text
    assert {quote.usd for quote in plan.quotes.values()} == {None}
    assert calls == []


REASONING = ContentReasoning(reasoning="Owls, or")


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ([REASONING], "no content: reasoning only"),
        ([REASONING, ContentText(text="")], "no content: reasoning only"),
        ([], "no content"),
        ([REASONING, ContentText(text="Owl.")], None),
        ("", None),
    ],
    ids=["reasoning", "reasoning and nothing", "nothing", "reasoning and text", "empty text"],
)
def test_reasoning_alone_is_no_answer(
    content: list[ContentReasoning | ContentText] | str,
    error: str | None,
    tmp_path: Path,
    model: str,
) -> None:
    """What broke off within its reasoning is a draw with an error, as on the OpenAI wire."""
    given = output("", stop="max_tokens")
    given.choices[0].message.content = content  # type: ignore[assignment]
    play(lambda messages, config: given)
    (made,) = sampled(tmp_path, requests(), model)
    assert (made.text is None, made.finish) == (
        (True, "error") if error is not None else (False, "length")
    )
    assert (made.error or "").startswith(error or "")


def test_reasoning_that_the_total_alone_counts_is_reported(tmp_path: Path, model: str) -> None:
    """Output is what the total has beyond prompt and cache."""
    given = output("owl")
    given.usage = ModelUsage(
        input_tokens=10, input_tokens_cache_read=5, output_tokens=3, total_tokens=1018
    )
    play(lambda messages, config: given)
    (made,) = sampled(tmp_path, requests(), model)
    assert made.usage is not None
    assert (made.usage.input_tokens, made.usage.output_tokens) == (10, 1003)


def test_many_draws_are_one_call(tmp_path: Path, model: str) -> None:
    """A provider that takes num_choices is asked once for all draws; usage is counted once."""
    calls = play(lambda messages, config: output(*map(str, range(config.num_choices or 1))))
    found = sampled(tmp_path, requests(2, draws=100), model)
    assert [(c.num_choices, c.seed) for c in calls] == [(100, 0), (100, 100)]
    assert [one.text for one in found[:100]] == list(map(str, range(100)))
    assert sum(one.usage.calls for one in found if one.usage) == 2


def test_a_provider_that_gives_one_choice_is_asked_for_each(tmp_path: Path, model: str) -> None:
    """Where num_choices is ignored each draw is a call, under the seed of its number."""
    calls = play(lambda messages, config: output(f"s{config.seed}"))
    found = sampled(tmp_path, requests(1, draws=30), model)
    assert [one.text for one in found] == [f"s{draw}" for draw in range(30)]
    assert [one.draw for one in found] == list(range(30))
    assert Counter(c.num_choices for c in calls) == {30: 1, None: 29}


def test_the_most_choices_are_found(tmp_path: Path, model: str) -> None:
    """A provider that refuses many choices is asked for fewer, and then for as many as it takes."""

    def script(messages: Any, config: Any) -> Any:
        if (config.num_choices or 1) > 8:
            raise StatusError(400, "candidateCount must be at most 8")
        return output(*(f"s{config.seed + d}" for d in range(config.num_choices or 1)))

    calls = play(script)
    found = sampled(tmp_path, requests(1, draws=64), model)
    assert [one.text for one in found] == [f"s{draw}" for draw in range(64)]
    assert len(calls) == 3 + 8  # 64, 32 and 16 are refused


@pytest.mark.parametrize("draws", [1, 4])
def test_refused_prompts_are_recorded(tmp_path: Path, model: str, draws: int) -> None:
    """A refusal, by status or by content filter, is a completion without text that says why."""

    def script(messages: Any, config: Any) -> Any:
        if "0" in messages[0].text:
            raise StatusError(400, "this prompt is not allowed")
        texts = ["owl"] * (config.num_choices or 1)
        return output(*texts, stop="content_filter" if "1" in messages[0].text else "stop")

    play(script)
    found = sampled(tmp_path, requests(3, draws=draws), model)
    said = [(one.row, one.text, one.finish, one.error) for one in found]
    assert said == [
        *[(0, None, "error", "refused: this prompt is not allowed")] * draws,
        *[(1, None, "error", "refused: owl")] * draws,
        *[(2, "owl", "stop", None)] * draws,
    ]


def test_a_model_that_refuses_everything_ends_the_stage(tmp_path: Path, model: str) -> None:
    """Where nothing at all is answered, the fault is not the prompts': it is one clear error."""

    def script(messages: Any, config: Any) -> Any:
        raise StatusError(400, "unknown parameter")

    play(script)
    with pytest.raises(BackendError, match="answered nothing: refused: unknown parameter"):
        sampled(tmp_path, requests(3), model)


def test_a_failure_ends_the_stage_without_the_key(
    tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bad key is an error that has no key in it; what was answered before is handed out."""
    monkeypatch.setenv("SCRIPTED_API_KEY", SECRET)
    got: list[Completion] = []

    def script(messages: Any, config: Any) -> Any:
        if "2" in messages[0].text:
            raise StatusError(401, f"Incorrect API key provided: {SECRET}")
        return output("owl")

    play(script)
    backend = open_backend("inspect", tmp_path / "models" / "inspect")
    with pytest.raises(
        BackendError, match=r"stopped: Incorrect API key provided: \[secret\]"
    ) as error:
        for group in backend.sample(model, requests(3)):
            got += group
    assert SECRET not in str(error.value)
    assert {one.row for one in got} == {0, 1}


def test_a_run_that_is_ended_sends_nothing_more(tmp_path: Path, model: str) -> None:
    """After stop() sampling ends with one line."""
    calls = play(lambda messages, config: output("owl"))
    backend = open_backend("inspect", tmp_path / "models" / "inspect")
    service = backend.capabilities.service
    assert service is not None
    service.stop()
    with pytest.raises(BackendError, match="the run was ended"):
        list(backend.sample(model, requests(3)))
    assert calls == []


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gpt-4.1", "has models as provider/name"),
        ("nobody/x", "Inspect has no 'nobody/x'"),
        ("limen/toy-x", "limen has no model 'toy-x'"),
    ],
)
def test_unknown_models_are_refused(tmp_path: Path, name: str, message: str) -> None:
    """A name that Inspect or limen does not know is one clear error, before anything is asked."""
    with pytest.raises(UnknownModelError, match=message):
        open_backend("inspect", tmp_path / "models" / "inspect").describe(name)


def test_what_inspect_cannot_do_is_refused(tmp_path: Path, model: str, small: Experiment) -> None:
    """There is no default model, no batch mode, no fine-tuning, and no budget without a price."""
    home = tmp_path / "models" / "inspect"
    with pytest.raises(SpecError, match="--limen-batch"):
        open_backend("inspect", home, ServiceTerms(batch=True))
    with pytest.raises(SpecError, match="--limen-budget cannot hold"):
        open_backend("inspect", home, ServiceTerms(budget=1.0)).describe(model)
    with pytest.raises(SpecError, match="name one with --limen-model"):
        Lab(Settings(store=tmp_path, backend="inspect")).pipeline(small)
    assert not open_backend("inspect", home).describe(model).can_fine_tune
    assert open_backend("inspect", home, ServiceTerms(budget=1.0)).describe("mockllm/model")
