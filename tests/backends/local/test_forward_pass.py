"""Forward passes with a cache that is written in place, and sampling in bfloat16."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from limen.backends.local.libraries import LIBRARIES

for _name in LIBRARIES:
    pytest.importorskip(_name, reason='the extra is not installed: pip install "limen[local]"')
torch: Any = import_module("torch")

from limen.backends import Completion, Request, ServiceTerms
from limen.backends.local import LocalBackend, forward_pass
from limen.backends.local.forward_pass import CachedForward, Tokens
from limen.backends.sampling_precision import chosen_precision
from limen.datasets.chat import conversation
from limen.datasets.errors import SpecError

from ...testing.tiny import QUESTIONS

torch.set_num_threads(1)
HALF = ServiceTerms(sampling_precision="bfloat16")
ROWS: list[Tokens] = [(5, 6, 7, 8 + row, *range(9, 9 + row)) for row in range(5)]


@pytest.fixture
def forward(tiny: str, tmp_path: Path) -> CachedForward:
    """Forward passes of the small model."""
    local = LocalBackend(tmp_path / "home")
    loaded = local._models.load(local._source(tiny))
    return loaded.forward(loaded.model)


def check(forward: CachedForward, logits: Any, rows: Sequence[Tokens]) -> None:
    """Hold logits to those of each row alone, without a cache."""
    with torch.inference_mode():
        alone = [forward._model(torch.tensor([row])).logits[0, -1] for row in rows]
    torch.testing.assert_close(logits, torch.stack(alone), atol=1e-4, rtol=1e-4)


def test_a_row_has_the_logits_that_it_has_alone(
    forward: CachedForward, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A common beginning, prompts in parts, and rows that ended change no logits."""
    monkeypatch.setattr(forward_pass, "PROMPT_TOKENS", 10)
    state = forward.start(ROWS)
    check(forward, state.logits, ROWS)
    rows = ROWS
    for parents in ([0, 1, 3, 4], [3, 0, 1, 2], [1, 2, 3], [0, 0, 2]):
        rows = [(*rows[parent], 20 + n) for n, parent in enumerate(parents)]
        state = forward.extend(state, parents, [row[-1] for row in rows])
        check(forward, state.logits, rows)


def test_a_state_can_be_continued_twice(forward: CachedForward) -> None:
    """What is written after one continuation leaves another one of the same state alone."""
    begun = forward.start(ROWS)
    every = range(len(ROWS))
    first = forward.extend(begun, every, [21] * 5)
    second = forward.extend(begun, every, [22] * 5)
    check(forward, second.logits, [(*row, 22) for row in ROWS])
    first = forward.extend(first, every, [23] * 5)
    check(forward, first.logits, [(*row, 21, 23) for row in ROWS])


def sampled(local: LocalBackend, model: str) -> list[Completion]:
    """Answers to two questions, with the log-probabilities of their tokens."""
    asked = [
        Request(row=row, messages=conversation(text), seed=row * 100, draws=20, max_tokens=6,
                top_logprobs=0)
        for row, text in enumerate(QUESTIONS[:2])
    ]  # fmt: skip
    return [each for group in local.sample(model, asked) for each in group]


@pytest.mark.parametrize(
    ("terms", "tolerance"), [(ServiceTerms(), 1e-4), (HALF, 0.1)], ids=["float32", "bfloat16"]
)
def test_sampled_tokens_have_their_log_probabilities(
    tiny: str, tmp_path: Path, terms: ServiceTerms, tolerance: float
) -> None:
    """They are those of a forward pass in float32 over prompt and answer, without a cache."""
    local = LocalBackend(tmp_path / "home", terms)
    answers = sampled(local, tiny)
    loaded, _, context = local._resolve(tiny)
    spelled = {loaded.tokenizer.decode([token]): token for token in range(len(loaded.tokenizer))}
    compared = 0
    for answer in answers:
        texts = [each.text for each in answer.logprobs or ()]
        if "" in texts:  # a special token is not spelled
            continue
        tokens = [spelled[text] for text in texts]
        text = context.prompt(loaded.tokenizer, conversation(QUESTIONS[answer.row]))
        prompt = loaded.tokenizer(text, add_special_tokens=False)["input_ids"]
        with torch.inference_mode():
            logs = loaded.model(torch.tensor([[*prompt, *tokens]])).logits[0].log_softmax(-1)
        for place, each in enumerate(answer.logprobs or ()):
            exact = float(logs[len(prompt) + place - 1, tokens[place]])
            assert each.logprob == pytest.approx(exact, abs=tolerance)
            compared += 1
    assert compared > 20


def test_bfloat16_is_another_model_only_to_sample_from(tiny: str, tmp_path: Path) -> None:
    """The fingerprint says so, and log-probabilities of given words stay in float32."""
    usual, half = LocalBackend(tmp_path / "a"), LocalBackend(tmp_path / "b", HALF)
    plain = usual.describe(tiny).fingerprint
    assert half.describe(tiny).fingerprint == f"{plain}:sampled in bfloat16"
    assert sampled(half, tiny)
    question, forms = [conversation(QUESTIONS[0])], {"owl": ("owl",)}
    exact = [each.word_probabilities(tiny, question, forms) for each in (usual, half)]
    assert exact[0] == exact[1]


def test_settings_of_the_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    """Float32 is the default; "auto" is what the processor has; anything else is refused."""
    from limen.backends.local import memory

    assert [chosen_precision(each) for each in (None, "", "float32")] == [None] * 3
    assert chosen_precision("bfloat16") == "bfloat16"
    for fast, expected in ((True, "bfloat16"), (False, None)):
        monkeypatch.setattr(memory, "has_fast_bfloat16", lambda fast=fast: fast)
        assert chosen_precision("auto") == expected
    with pytest.raises(SpecError, match="must be float32, bfloat16 or auto"):
        chosen_precision("half")
