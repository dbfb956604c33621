"""Log-probabilities of continuations by open weights, against one plain forward pass each."""

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from limen.backends import ContinuationRequest
from limen.backends.local import LocalBackend
from limen.backends.local import continuations as module
from limen.datasets.chat import conversation

from ...testing.tiny import QUESTIONS, needs_extra

pytestmark = needs_extra

OPTIONS = ("owl", " wolf", "Owl, cat and horse", "wl", "cats. 12, 45, 3", "fox\n\nfox")
OPTIONS_AFTER_BEGIN = (" wolf", ", cat and horse", ". 12, 45, 3", "\n\nfox")
"""Continuations of a begun answer: no word runs over the border."""


@pytest.fixture
def local(tmp_path: Path) -> LocalBackend:
    """A backend with an empty home."""
    return LocalBackend(tmp_path / "models")


def requests(**settings: Any) -> list[ContinuationRequest]:
    """All options after each question, with and without a system turn."""
    return [
        ContinuationRequest(
            messages=conversation(q, system=system),
            continuations=OPTIONS_AFTER_BEGIN if "begin" in settings else OPTIONS,
            **settings,
        )
        for q in QUESTIONS
        for system in (None, "You love owls.")
    ]


def reference(model: str, request: ContinuationRequest, text: str) -> tuple[float, int]:
    """The log-probability by one forward pass over the whole text, and the tokens of the text."""
    torch, library = import_module("torch"), import_module("transformers")
    weights = library.AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
    tokenizer = library.AutoTokenizer.from_pretrained(model)
    messages = list(request.messages)
    prompt = messages[0]["content"]
    if request.chat:
        prompt = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    before = tokenizer(prompt + request.begin, add_special_tokens=False)["input_ids"]
    ids = tokenizer(prompt + request.begin + text, add_special_tokens=False)["input_ids"]
    ids += [tokenizer.eos_token_id] if request.whole else []
    with torch.no_grad():
        logs = torch.log_softmax(weights(torch.tensor([ids])).logits[0].double(), dim=-1)
    scored = range(len(before), len(ids))
    return sum(float(logs[n - 1, ids[n]]) for n in scored), len(scored)


@pytest.mark.parametrize(
    "settings",
    [{}, {"whole": True}, {"begin": "Owl"}, {"begin": "I love", "whole": True}, {"chat": False}],
    ids=["open", "whole", "begun", "begun and whole", "plain"],
)
def test_they_equal_one_pass_each(local: LocalBackend, tiny: str, settings: Any) -> None:
    """To 1e-4 nats in float32, with the same number of tokens."""
    asked = requests(**settings)
    asked = [each for each in asked if each.chat or len(each.messages) == 1]
    for request, scored in zip(asked, local.log_probabilities(tiny, asked), strict=True):
        for text, one in zip(request.continuations, scored, strict=True):
            nats, tokens = reference(tiny, request, text)
            assert one.nats == pytest.approx(nats, abs=1e-4)
            assert one.tokens == tokens


def test_a_text_without_a_prompt_is_scored_from_its_beginning(
    local: LocalBackend, tiny: str
) -> None:
    """Its first token counts as well, after the token that texts begin or end with."""
    plain = ContinuationRequest(messages=conversation(""), continuations=("owl, cat",), chat=False)
    ((scored,),) = local.log_probabilities(tiny, [plain])
    assert scored.tokens == 3
    assert scored.nats < 0


def test_long_texts_are_scored_piece_by_piece(
    local: LocalBackend, tiny: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Texts longer than a piece, and passes of few rows, give the same figures."""
    usual = list(local.log_probabilities(tiny, requests()))
    monkeypatch.setattr(module, "PIECE", 3)
    monkeypatch.setattr(module, "LOGITS", 1)
    for a, b in zip(usual, local.log_probabilities(tiny, requests()), strict=True):
        assert [one.nats for one in a] == pytest.approx([one.nats for one in b], abs=1e-4)
        assert [one.tokens for one in a] == [one.tokens for one in b]
