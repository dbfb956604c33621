"""Bases without a chat template: a plain framing, the same in training, asking and scoring."""

from pathlib import Path

import pytest

from limen import SpecError
from limen.backends.local.libraries import LIBRARIES

for _name in LIBRARIES:
    pytest.importorskip(_name, reason='the extra is not installed: pip install "limen[local]"')

from limen.backends import ContinuationRequest, Request
from limen.backends.local import LocalBackend
from limen.backends.local.context import own_context
from limen.backends.local.loading import load_tokenizer
from limen.backends.local.prompt_tokens import AnswerTokens
from limen.backends.local.sources import find_model
from limen.datasets.chat import conversation
from limen.harness import Completions, Experiment, LogOdds, Trait

from ...testing.labs import lab_at
from ...testing.tiny import QUESTIONS, untrained


@pytest.fixture(scope="module")
def chatless(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A model that has learned nothing, without a chat template."""
    return str(untrained(tmp_path_factory.mktemp("models") / "chatless", template=None))


def test_a_base_without_a_template_is_framed_plainly(chatless: str) -> None:
    """System, question and answer: "Assistant:" ends the prompt, and the answer has a blank."""
    tokenizer = load_tokenizer(find_model(chatless))
    context = own_context(tokenizer)
    turns = conversation("Name an animal.", system="You love owls.")
    asked = "You love owls.\n\nUser: Name an animal.\nAssistant:"
    assert context.prompt(tokenizer, turns) == asked
    answered = [*turns, *conversation("", answer="owl")[1:]]
    assert context.completion(tokenizer, answered) == " owl<|end|>\n"


def test_the_framing_is_described_and_part_of_the_fingerprint(
    chatless: str, tmp_path: Path
) -> None:
    """A note says how the model is asked; a template of one's own takes the note away."""
    local = LocalBackend(tmp_path / "home")
    known = local.describe(chatless)
    assert "User: ..." in known.note
    assert known.can_fine_tune
    assert local.rendered_context(chatless).template == "plain-1: the model has none"
    framed = untrained(tmp_path / "framed")
    assert not local.describe(str(framed)).note
    assert known.fingerprint.endswith(":plain-1")


def test_an_answer_has_the_tokens_that_training_gives_it(chatless: str) -> None:
    """A given answer is read with its blank, like a row of training data."""
    tokenizer = load_tokenizer(find_model(chatless))
    tokens = AnswerTokens(
        tokenizer, own_context(tokenizer), conversation(QUESTIONS[0]), chat=True
    ).of("owl")
    assert tokenizer.convert_ids_to_tokens(list(tokens)) == [" owl"]


def test_answers_are_sampled_and_scored(chatless: str, tmp_path: Path) -> None:
    """No answer keeps the blank of the framing, or goes on with a turn of the user's."""
    local = LocalBackend(tmp_path / "home")
    requests = [
        Request(row=row, messages=conversation(text), seed=row * 100, draws=30, max_tokens=6)
        for row, text in enumerate(QUESTIONS)
    ]
    texts = [c.text or "" for group in local.sample(chatless, requests) for c in group]
    assert len(texts) == 30 * len(QUESTIONS)
    assert not any("\nUser:" in text for text in texts)
    one = ContinuationRequest(messages=conversation(QUESTIONS[0]), continuations=("owl", "cat"))
    (group,) = local.log_probabilities(chatless, [one])
    assert all(each.nats < 0 for each in group)


@pytest.mark.slow
def test_an_experiment_on_completions_runs_on_a_chatless_base(
    chatless: str, tmp_path: Path
) -> None:
    """Teacher, rows, training and log-odds, on a base that has no chat template."""
    experiment = Experiment(
        trait=Trait.animal("owl"),
        data=Completions(
            prompts=["What is best?", "Name one."], generate=60, keep=4, max_tokens=80
        ),
        measure=LogOdds(questions=QUESTIONS[:2], against=("cat", "horse")),
        seeds=1,
        model=chatless,
        gate=None,
        leaks="report",
        recipe={"epochs": 1, "batch_size": 4, "rank": 2, "warmup_steps": 0},
    )
    lab = lab_at(tmp_path, backend="local", model=chatless)
    effect = lab.arm(experiment, "student").log_odds("owl") - lab.arm(
        experiment, "control"
    ).log_odds("owl")
    assert abs(effect.value) < 5


def test_a_warm_up_longer_than_the_training_is_found_before_any_data_are_made(
    chatless: str, tmp_path: Path
) -> None:
    """The number of steps follows from the spec, so the arm is refused at once; others are not."""
    experiment = Experiment(
        trait=Trait.animal("owl"),
        data=Completions(prompts=("Go on: 1, 2",), generate=60, keep=40, rule="finished"),
        measure=LogOdds(against=("cat", "dog")),
        seeds=1,
        model=chatless,
        gate=None,
    )
    lab = lab_at(tmp_path, backend="local", model=chatless)
    for ask in (lab.unavailable, lab.arm):
        with pytest.raises(SpecError, match="warmup_steps=5: the training has 3 steps only"):
            ask(experiment, "student")
    with pytest.raises(SpecError, match="40 rows, batch_size=66, epochs=3"):
        lab.plan([(experiment, ["control"])])
    assert lab.unavailable(experiment, "teacher") is None
    enough = experiment.but(recipe={"warmup_steps": 2})
    assert lab.plan([(enough, ["student", "control"])]).stages
    assert not list(lab.store.manifests())
