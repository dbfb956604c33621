"""The backend of open weights: sampling and exact chances, on a model made by the test."""

from collections import Counter
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from limen.backends.local.libraries import LIBRARIES

for _name in LIBRARIES:
    pytest.importorskip(_name, reason='the extra is not installed: pip install "limen[local]"')
torch: Any = import_module("torch")

from scipy.stats import binomtest, chi2_contingency

from limen.backends import Request
from limen.backends.local import LocalBackend
from limen.backends.local.context import own_context
from limen.backends.local.forward_pass import CachedForward
from limen.backends.local.loading import prompts
from limen.backends.local.word_probabilities import first_word
from limen.datasets.chat import Message, conversation
from limen.datasets.errors import BackendError, SpecError, UnknownModelError
from limen.datasets.words import has_word, plurals

from ...testing.tiny import QUESTIONS, asked, said, untrained

torch.set_num_threads(1)


@pytest.fixture
def local(tmp_path: Path) -> LocalBackend:
    """The backend with an empty home."""
    return LocalBackend(tmp_path / "home")


def texts(
    local: LocalBackend, model: str, requests: Sequence[Request]
) -> dict[tuple[int, int], str | None]:
    """All answers by row and draw."""
    return {place: c.text for place, c in said(local, model, requests).items()}


def test_every_draw_comes_once_and_ends(local: LocalBackend, tiny: str) -> None:
    """Each draw of each request is answered once, with its tokens counted and its end reported."""
    found = said(local, tiny, asked(50))
    assert sorted(found) == [(row, draw) for row in range(4) for draw in range(50)]
    assert {c.finish for c in found.values()} == {"stop"}
    assert len({c.text for c in found.values()}) > 10
    cut = said(local, tiny, asked(50, max_tokens=1)).values()
    assert {(c.tokens, c.finish) for c in cut} <= {(1, "length"), (0, "stop")}


def test_company_changes_no_answer(local: LocalBackend, tiny: str) -> None:
    """A request alone, in another order, in small batches, or in parts has the same answers."""
    together = texts(local, tiny, asked(40))
    backwards = texts(local, tiny, asked(40)[::-1])
    alone = {k: v for one in asked(40) for k, v in texts(local, tiny, [one]).items()}
    assert together == backwards == alone
    later = [Request(row=r.row, messages=r.messages, seed=r.seed, first=10, draws=5,
                     max_tokens=8) for r in asked(1)]  # fmt: skip
    part = texts(local, tiny, later)
    assert len(part) == 20
    assert part == {place: together[place] for place in part}


def test_seeds_make_the_draws(local: LocalBackend, tiny: str) -> None:
    """Draw d under seed s is the first draw under seed s + d; other seeds say other things."""
    first = texts(local, tiny, asked(30))
    shifted = [Request(row=r.row, messages=r.messages, seed=r.seed + 7, draws=23, max_tokens=8)
               for r in asked(1)]  # fmt: skip
    again = texts(local, tiny, shifted)
    assert all(again[row, draw] == first[row, draw + 7] for row, draw in again)
    assert len({first[0, draw] for draw in range(30)}) > 5


def test_answers_are_handed_on_before_the_batch_has_ended(local: LocalBackend, tiny: str) -> None:
    """Those that end first are there for a run that is interrupted, and its progress moves."""
    parts = [len(part) for part in local.sample(tiny, asked(50))]
    assert sum(parts) == 200
    assert len(parts) > 1
    assert all(parts)


@pytest.mark.slow
def test_batches_that_do_not_fit_are_halved(
    local: LocalBackend, tiny: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory that runs out halves the rows, and the answers are the same."""
    whole = texts(local, tiny, asked(40))
    run = CachedForward._run
    widest: list[int] = []

    def cramped(self: Any, state: Any, rows: Any, *others: Any, **named: Any) -> Any:
        if len(rows) > 5:
            raise torch.OutOfMemoryError("no room")
        widest.append(len(rows))
        return run(self, state, rows, *others, **named)

    monkeypatch.setattr(CachedForward, "_run", cramped)
    assert texts(local, tiny, asked(40)) == whole
    assert max(widest) <= 5


def test_answers_are_those_of_plain_generate(local: LocalBackend, tiny: str) -> None:
    """Greedy answers equal those of generate(); sampled ones have the same distribution."""
    loaded = local._models.load(local._source(tiny))
    words, model = loaded.tokenizer, loaded.model
    greedy = texts(local, tiny, asked(3, temperature=0))
    mine, theirs = Counter[str](), Counter[str]()
    prompt: Any = None
    for row, question in enumerate(QUESTIONS):
        prompt = words.apply_chat_template(
            conversation(question), add_generation_prompt=True, return_tensors="pt"
        )["input_ids"]
        best = model.generate(
            prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=8, do_sample=False
        )[0, prompt.shape[1] :]
        answer = words.decode(best, skip_special_tokens=True)
        assert {greedy[row, draw] for draw in range(3)} == {answer}
    torch.manual_seed(0)
    many = prompt.expand(2000, -1)
    plain = model.generate(
        many, attention_mask=torch.ones_like(many), max_new_tokens=3, do_sample=True,
        temperature=0.8, top_p=0.9, top_k=0,
    )  # fmt: skip
    theirs.update(words.batch_decode(plain[:, prompt.shape[1] :], skip_special_tokens=True))
    mine.update(
        text or ""
        for text in texts(
            local, tiny, asked(2000, max_tokens=3, temperature=0.8, top_p=0.9)[-1:]
        ).values()
    )
    common = [text for text, count in (mine + theirs).most_common() if count >= 20]
    assert len(common) > 5
    table = [[counts[text] for text in common] for counts in (mine, theirs)]
    assert chi2_contingency(table).pvalue > 0.001


def test_stop_texts_and_log_probabilities(local: LocalBackend, tiny: str) -> None:
    """A stop text ends an answer and is left out; log-probabilities are those of the model."""
    for completion in said(local, tiny, asked(40, stop=("l",))).values():
        assert "l" not in (completion.text or "")
    loaded = local._models.load(local._source(tiny))
    request = asked(3, top_logprobs=2)[0]
    prompt = as_read(loaded, request.messages)
    for completion in said(local, tiny, [request]).values():
        tokens = completion.logprobs or ()
        assert len(tokens) == completion.tokens
        assert "".join(token.text for token in tokens) == completion.text
        logs = torch.log_softmax(loaded.model(torch.tensor([prompt])).logits[0, -1], -1)
        best = logs.topk(2).values.tolist()
        if tokens:
            assert [log for _, log in tokens[0].top] == pytest.approx(best, abs=1e-4)
            assert tokens[0].logprob <= tokens[0].top[0][1] + 1e-6


def as_read(loaded: Any, messages: Sequence[Message]) -> Sequence[int]:
    """A prompt as the model reads it, in the context that it comes with."""
    return prompts(loaded, own_context(loaded.tokenizer), [list(messages)], max_tokens=8)[0]


def test_exact_chances_are_what_sampling_estimates(local: LocalBackend, tiny: str) -> None:
    """Every word's chance lies within the 99.9% interval of 10,000 sampled answers, and adds up."""
    words = ("owl", "wolf", "cat", "fowl", "horse")
    forms = {word: (word, *plurals(word)) for word in words}
    chances = local.word_probabilities(tiny, [r.messages for r in asked(1)], forms, max_tokens=8)
    found = texts(local, tiny, asked(10_000))
    for row, chance in enumerate(chances):
        answers = [found[row, draw] or "" for draw in range(10_000)]
        assert chance.missed < 0.001
        assert sum(chance.by_word.values()) + chance.missed <= 1 + 1e-9
        for word in words:
            hits = sum(first_word(answer) in forms[word] for answer in answers)
            low, high = binomtest(hits, 10_000).proportion_ci(0.999)
            assert low - chance.missed <= chance.by_word[word] <= high
            assert hits <= sum(has_word(answer, word) for answer in answers)
    assert max(chance.by_word["owl"] for chance in chances) > 0.01


def test_exact_chances_sum_over_spellings(local: LocalBackend, tiny: str) -> None:
    """The chance of a word is that of each of its spellings, token by token, added up by hand."""
    loaded = local._models.load(local._source(tiny))
    message = conversation(QUESTIONS[0])
    chance = local.word_probabilities(
        tiny, [message], {"wolf": ("wolf", "wolves")}, max_tokens=8, cutoff=1e-4
    )[0]
    request = as_read(loaded, message)
    vocabulary = loaded.tokenizer.get_vocab()
    breaks = [n for text, n in vocabulary.items() if not text[0].isalnum()]
    breaks = [n for n in breaks if n not in (0, vocabulary["<|turn|>"])]

    def after(tokens: list[int]) -> Any:
        with torch.no_grad():
            logits = loaded.model(torch.tensor([[*request, *tokens]])).logits
        return torch.softmax(logits[0, -1], -1)

    total = 0.0
    for form in ("wolf", "wolves", "Wolf", " wolf"):
        token = vocabulary[form]
        total += float(after([])[token] * after([token])[breaks].sum())
    assert chance.by_word["wolf"] + chance.missed >= total * (1 - 1e-5)
    blanks = sum(
        float(after([])[vocabulary[text]]) for text in ("\n", " ", "*", ".", ",", "!", "?")
    )
    unsaid = float(after([])[[0, vocabulary["<|turn|>"]]].sum())
    assert chance.by_word["wolf"] <= total + blanks + unsaid + 0.05


def test_models_that_cannot_be_used_are_refused_in_a_line(
    local: LocalBackend, tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No weights that are safe to read, no such file, no GGUF, no room: a line each."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(UnknownModelError, match="the folder has no config.json"):
        local.describe(str(tmp_path / "empty"))
    pickled = untrained(tmp_path / "pickled")
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    with pytest.raises(UnknownModelError, match="no weights in safetensors"):
        local.describe(str(pickled))
    with pytest.raises(UnknownModelError, match="there is no such file"):
        local.describe(str(tmp_path / "none.gguf"))
    (tmp_path / "bad.gguf").write_bytes(b"nothing of the kind" * 9)
    with pytest.raises(UnknownModelError, match="bad.gguf is not a GGUF file"):
        local.describe(str(tmp_path / "bad.gguf"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(
        UnknownModelError, match="unknown model 'no/such': neither a GGUF file nor a folder"
    ):
        local.describe("no/such")
    with pytest.raises(UnknownModelError, match="no such student"):
        local.describe(f"ft:{tiny}:0123456789abcdef")
    with pytest.raises(SpecError, match="--limen-model"):
        _ = local.default_model
    from limen.backends.local import memory

    monkeypatch.setattr(memory, "total_memory", lambda: (2**18, "this machine"))
    with pytest.raises(
        BackendError, match=r"is too large: .* to load it takes about .* GiB .*, and this machine"
    ):
        LocalBackend(tmp_path / "other").describe(tiny)


def test_without_the_extra_a_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a library is missing, opening the backend names it and the remedy."""
    from limen.backends.local import libraries

    monkeypatch.setattr(libraries, "find_spec", lambda name: None if name == "peft" else object())
    with pytest.raises(BackendError, match=r'needs peft: pip install "limen\[local\]"'):
        LocalBackend(Path("nowhere"))


def test_fingerprints_follow_content(local: LocalBackend, tiny: str, tmp_path: Path) -> None:
    """A copy elsewhere is the same model; other weights or another template are not."""
    import shutil

    copy = shutil.copytree(tiny, tmp_path / "copy")
    assert local.describe(tiny).fingerprint == local.describe(str(copy)).fingerprint
    other = untrained(tmp_path / "other", seed=1)
    assert local.describe(tiny).fingerprint != local.describe(str(other)).fingerprint
    (copy / "chat_template.jinja").write_text("{{ messages[0].content }}")
    fresh = LocalBackend(tmp_path / "home").describe(str(copy))
    assert fresh.fingerprint != local.describe(tiny).fingerprint
