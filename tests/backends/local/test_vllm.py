"""Open weights sampled by vLLM: the same prompts, adapters and ends, and the same distribution.

By vLLM itself where it is installed, else by a stand-in for it.
"""

from collections import Counter
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from limen.backends.local.libraries import LIBRARIES

for _name in LIBRARIES:
    pytest.importorskip(_name, reason='the extra is not installed: pip install "limen[local]"')

from scipy.stats import chi2_contingency

from limen.backends import Job, Request, ServiceTerms
from limen.backends.continuations import ContinuationRequest
from limen.backends.local import LocalBackend
from limen.datasets import chat
from limen.datasets.chat import conversation
from limen.datasets.errors import BackendError, SpecError
from limen.harness import Settings

from ...testing import scripted_vllm
from ...testing.tiny import QUESTIONS, asked, said, tiny_model

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A model whose heads are as wide as vLLM wants them."""
    return str(tiny_model(tmp_path_factory.mktemp("wide"), heads=2))


IS_STAND_IN = find_spec("vllm") is None


@pytest.fixture(scope="module", autouse=True)
def vllm() -> Iterator[None]:
    """Something to import by that name."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        if IS_STAND_IN:
            scripted_vllm.install(monkeypatch)
        yield


@pytest.fixture(scope="module")
def by_vllm(vllm: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalBackend]:
    """The backend that samples by vLLM."""
    backend = LocalBackend(tmp_path_factory.mktemp("home"), ServiceTerms(sampling_engine="vllm"))
    yield backend
    backend._stop_vllm()


def test_greedy_answers_are_those_of_limens_own_sampler(
    by_vllm: LocalBackend, model: str, tmp_path: Path
) -> None:
    """The same prompts are read, and answers end and are counted alike."""
    own = said(LocalBackend(tmp_path), model, asked(2, temperature=0))
    assert said(by_vllm, model, asked(2, temperature=0)) == own


def test_sampled_answers_have_the_distribution_of_limens_own_sampler(
    by_vllm: LocalBackend, model: str, tmp_path: Path
) -> None:
    """Counts of answers differ by no more than chance."""
    settings: dict[str, Any] = {"temperature": 0.8, "top_p": 0.9, "max_tokens": 3}
    counts = [
        Counter(c.text for c in said(backend, model, asked(1000, **settings)[-1:]).values())
        for backend in (by_vllm, LocalBackend(tmp_path))
    ]
    common = [text for text, count in (counts[0] + counts[1]).most_common() if count >= 20]
    assert len(common) > 5
    assert chi2_contingency([[count[text] for text in common] for count in counts]).pvalue > 0.001


def test_seeds_make_the_draws_and_texts_end_them(by_vllm: LocalBackend, model: str) -> None:
    """Draw 3 under a seed is draw 0 under the seed after the next two; a stop is left out."""
    first = said(by_vllm, model, asked(6)[:1])
    later = Request(row=0, messages=conversation(QUESTIONS[0]), seed=3, draws=3, max_tokens=8)
    again = said(by_vllm, model, [later])
    assert [again[0, n].text for n in range(3)] == [first[0, n].text for n in range(3, 6)]
    assert len({c.text for c in said(by_vllm, model, asked(30)[:1]).values()}) > 3
    for completion in said(by_vllm, model, asked(20, stop=("l",))).values():
        assert "l" not in (completion.text or "")


def test_log_probabilities_are_the_models_own(
    by_vllm: LocalBackend, model: str, tmp_path: Path
) -> None:
    """Each token's, and the most probable ones, at temperature 1."""
    request = asked(1, top_logprobs=2, temperature=0)[0]
    mine = said(LocalBackend(tmp_path), model, [request])[0, 0].logprobs
    theirs = said(by_vllm, model, [request])[0, 0].logprobs
    assert mine is not None
    assert theirs is not None
    assert [t.text for t in theirs] == [t.text for t in mine]
    assert [t.logprob for t in theirs] == pytest.approx([t.logprob for t in mine], abs=1e-3)
    assert [log for _, log in theirs[0].top] == pytest.approx(
        [log for _, log in mine[0].top], abs=1e-3
    )


def test_a_student_is_sampled_and_scored_in_turn(
    by_vllm: LocalBackend, model: str, tmp_path: Path
) -> None:
    """An adapter is given by request; vLLM ends before a model is loaded here, and comes back."""
    file = tmp_path / "rows.jsonl"
    chat.write(file, (conversation(text, answer="wolf") for text in QUESTIONS * 20))
    recipe = by_vllm.recipe({"batch_size": 8, "epochs": 3, "learning_rate": 0.01})
    job = Job(key="wolf", model=model, training_file=file, recipe=recipe, seed=1)
    student = by_vllm.fine_tune(job, lambda done, total: None).model
    rates = [
        sum("wolf" in (c.text or "").lower() for c in said(by_vllm, name, asked(50)).values()) / 200
        for name in (student, model)
    ]
    assert rates[0] > rates[1] + 0.3
    if IS_STAND_IN:
        assert len(scripted_vllm.LLM.running) == 1
    scored = ContinuationRequest(messages=conversation(QUESTIONS[0]), continuations=("wolf",))
    ((value,),) = by_vllm.log_probabilities(student, [scored])
    assert value.exact
    if IS_STAND_IN:
        assert not scripted_vllm.LLM.running
    assert said(by_vllm, student, asked(1))


def test_the_engine_is_part_of_a_models_fingerprint(model: str, tmp_path: Path) -> None:
    """Stages that were sampled by limen are not taken for vLLM's."""
    engines = [ServiceTerms(), ServiceTerms(sampling_engine="vllm")]
    prints = {LocalBackend(tmp_path, terms).describe(model).fingerprint for terms in engines}
    assert len(prints) == 2


def test_an_engine_that_ends_is_one_error_and_starts_again(
    by_vllm: LocalBackend, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever vLLM raises is a line with the way to do without it."""
    said(by_vllm, model, asked(1))
    engine = by_vllm._vllm._engine if by_vllm._vllm else None
    assert engine is not None

    def end(*_: object, **__: object) -> None:
        raise RuntimeError("EngineCore encountered an issue\nsee above")

    with monkeypatch.context() as patch:
        patch.setattr(engine._engine, "generate", end)
        with pytest.raises(BackendError, match=r"issue see above.*--limen-sampling-engine limen"):
            said(by_vllm, model, asked(1))
    assert len(said(by_vllm, model, asked(1))) == 4


def test_adapters_that_vllm_cannot_use_are_refused(
    by_vllm: LocalBackend, model: str, tmp_path: Path
) -> None:
    """DoRA is one error that names the remedy."""
    file = tmp_path / "rows.jsonl"
    chat.write(file, (conversation(text, answer="wolf") for text in QUESTIONS * 4))
    recipe = by_vllm.recipe({"batch_size": 2, "epochs": 1, "dora": True})
    job = Job(key="dora", model=model, training_file=file, recipe=recipe, seed=1)
    student = by_vllm.fine_tune(job, lambda done, total: None).model
    with pytest.raises(BackendError, match="DoRA.*--limen-sampling-engine limen"):
        said(by_vllm, student, asked(1))


@pytest.mark.parametrize("given", ["vLLM", "own"])
def test_an_engine_that_there_is_not_is_refused(given: str) -> None:
    """The error names the engines."""
    with pytest.raises(SpecError, match="limen, vllm or auto"):
        _ = Settings(sampling_engine=given).terms
