"""Texts scored by a service: what was answered is kept and counted, and one bad text harms itself."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from limen import BackendError
from limen.backends import ServiceTerms
from limen.datasets.record_files import content_digest
from limen.datasets.store_layout import KEPT, SCORES, VALUES
from limen.harness.stages import (
    AskQuestions,
    Base,
    PromptedModel,
    ScoreByLikelihood,
    ScoreContinuations,
    Stage,
    Store,
    UserFile,
    forget_backends,
    run_stage,
)
from limen.harness.stages.repair import set_aside_damage
from limen.harness.stages.transfer import StoredArtifact

from ..testing.odd_servers import MODEL, Json, Reply, chat, error, odd_server, reply

COUNT = 40
QUESTIONS = tuple(f"Question {n}?" for n in range(COUNT))
BASE = Base(label="base", backend="openai", model=MODEL, fingerprint="1")
PRICES = f'[[model]]\nname = "{MODEL}"\ninput = 100.0\noutput = 1000.0\n'
USAGE = {"prompt_tokens": 9, "completion_tokens": 1}
ECHOED = {"endpoint": "completions"}


@dataclass
class Scorer:
    """A server that scores texts: by the first tokens of chats, or by an echo."""

    answers_left: int | None = None
    """Calls that it answers before it refuses the key."""
    bad: str = "none"
    """Texts with this in them are refused."""
    says: str = "This model's maximum context length is exceeded"
    answered: Counter[str] = field(default_factory=Counter)
    """By the whole text of a call, how often it was answered."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, method: str, path: str, body: Json) -> Reply | None:
        """The response to a call for log-probabilities; the usual one to others."""
        if "logprobs" not in body:
            sample = {"choices": [{"index": 0, "text": " owl", "finish_reason": "stop"}]}
            return reply(200, sample) if "prompt" in body else None
        text = body.get("prompt") or json.dumps(body["messages"])
        with self.lock:
            if self.answers_left == 0:
                return error(401, "this key has ended")
            if self.bad in text:
                return error(400, self.says)
            self.answers_left = None if self.answers_left is None else self.answers_left - 1
            self.answered[text] += 1
        return echoing(text) if "prompt" in body else first_tokens(body, text)


def nats(text: str) -> float:
    """The log-probability of a text's last token: another one for each text."""
    return -1.0 - sum(map(ord, text)) % 97 / 100


def first_tokens(body: Json, text: str) -> Reply:
    """The first tokens of an answer to a chat."""
    place = {"token": "Owl", "logprob": nats(text)}
    top = [place, {"token": "Cat", "logprob": -2.0}]
    choice = {**chat(body)["choices"][0], "logprobs": {"content": [{**place, "top_logprobs": top}]}}
    return reply(200, chat(body, choices=[choice], usage=USAGE))


def echoing(text: str) -> Reply:
    """A text word by word, with the log-probability of each."""
    head, blank, last = text.rpartition(" ")
    reported = {"tokens": [head, blank + last], "token_logprobs": [None, nats(text)],
                "text_offset": [0, len(head)]}  # fmt: skip
    return reply(200, {"choices": [{"text": text, "logprobs": reported}], "usage": USAGE})


@contextmanager
def serving(scorer: Scorer, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The server, asked by backends that are opened anew."""
    with odd_server(scorer.answer) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-0123456789")
        forget_backends()
        yield
    forget_backends()


def asking(questions: tuple[str, ...], *, chat: bool = True) -> ScoreContinuations:
    """A measure by log-probability of some questions."""
    asked = AskQuestions(label="answers", subject=BASE, system=None, questions=questions, draws=1,
                         temperature=1.0, max_tokens=16, stream=("answers",), chat=chat)  # fmt: skip
    return ScoreContinuations(
        label="values", asked=asked, continuations=(("Owl", "Cat") if chat else (" owl",),)
    )


def likelihoods(folder: Path, prompts: tuple[str, ...]) -> ScoreByLikelihood:
    """The scores of rows under a teacher, against its base."""
    file = folder / "rows.jsonl"
    rows = [json.dumps({"prompt": each, "text": "owl"}) for each in prompts]
    file.write_text("\n".join(rows) + "\n")
    source = UserFile(
        label="rows", file=file, digest=content_digest(file), name=KEPT, lines=len(rows)
    )
    teacher, base = (PromptedModel(subject=BASE, system=s) for s in ("You love owls.", None))
    return ScoreByLikelihood(
        label="shift", source=source, model=teacher, against=base, per_token=False
    )


def done(root: Path, stage: Stage, **choices: str) -> StoredArtifact:
    """The finished artifact of a stage, which is made with what it rests on."""
    (root.parent / "prices.toml").write_text(PRICES)
    terms = ServiceTerms(prices=root.parent / "prices.toml", budget=10.0, choices=choices)
    store = Store(root)
    store.open()
    for each in (*stage.inputs(), stage):
        assert run_stage(each, root, terms)
    return StoredArtifact(store, store.finished(stage.kind, stage.key))


def figures(made: StoredArtifact, name: str) -> object:
    """What a stage left; no other file is part of it."""
    assert {file.name for file in made.folder.iterdir()} == {name, "manifest.json"}
    return json.loads((made.folder / name).read_text())


@pytest.mark.parametrize("kind", ["measure", "likelihood"])
def test_what_was_answered_before_a_fault_is_not_asked_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str
) -> None:
    """A key that ends half-way costs no answered call; the results are those of a run without it."""
    rows = kind == "likelihood"
    stage = likelihoods(tmp_path, QUESTIONS) if rows else asking(QUESTIONS)
    choices, name = (ECHOED, SCORES) if rows else ({}, VALUES)
    scorer, total = Scorer(answers_left=COUNT // 2), COUNT * (1 + rows)
    with serving(scorer, monkeypatch):
        with pytest.raises(BackendError, match=r"this key has ended.*OPENAI_API_KEY"):
            done(tmp_path / "store", stage, **choices)
        assert scorer.answered.total() == COUNT // 2
        scorer.answers_left = None
        made = done(tmp_path / "store", stage, **choices)
    assert set(scorer.answered.values()) == {1}
    assert scorer.answered.total() == total
    with serving(Scorer(), monkeypatch):
        whole = done(tmp_path / "whole", stage, **choices)
    assert figures(made, name) == figures(whole, name)
    assert made.paid
    assert made.manifest["cost"]["calls"] == total
    assert made.usd == pytest.approx(total * (9 * 100 + 1000) / 1e6)


@pytest.mark.parametrize("says", [Scorer.says, "Bad Request"])
@pytest.mark.parametrize("bad", [0, 10])
@pytest.mark.parametrize("chats", [True, False], ids=["chat", "text"])
def test_a_refused_text_is_its_own_rows_failure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, says: str, bad: int, *, chats: bool
) -> None:
    """One of twenty texts is refused, in known words or in others: all others have their values."""
    questions = tuple(f"Question {n} {'is bad' if n == bad else ''}" for n in range(20))
    with serving(Scorer(bad="is bad", says=says), monkeypatch):
        made = done(tmp_path / "store", asking(questions, chat=chats))
    exact = [all(exact for _, _, exact in row.values()) for row in values_of(made)]
    assert exact == [n != bad for n in range(20)]
    assert list(made.manifest["refused"]) == [str(bad + 1)]
    assert says in made.manifest["refused"][str(bad + 1)]


def values_of(made: StoredArtifact) -> list[dict[str, tuple[float, int, bool]]]:
    """The log-probabilities of each question."""
    values: list[dict[str, tuple[float, int, bool]]] = json.loads(
        (made.folder / VALUES).read_text()
    )
    return values


def test_many_refused_texts_end_the_stage(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Once more than half of the requests are refused, the error says how many, and why."""
    with (
        serving(Scorer(bad="Question"), monkeypatch),
        pytest.raises(BackendError, match=r"6 of 6 requests failed.*context length"),
    ):
        done(tmp_path / "store", asking(QUESTIONS))


def test_a_stage_without_any_scored_text_is_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Few texts, all refused, are no measure; another run asks for them again."""
    scorer, stage = Scorer(bad="Question"), asking(QUESTIONS[:3])
    with serving(scorer, monkeypatch):
        with pytest.raises(BackendError, match=r"refuses each of 3 texts.*context length"):
            done(tmp_path / "store", stage)
        scorer.bad = "none"
        assert len(values_of(done(tmp_path / "store", stage))) == 3


def test_a_refused_row_of_a_selection_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A row without a score can be neither selected nor left out: the error names its text."""
    stage = likelihoods(tmp_path, tuple(f"{n} {'is bad' if n == 3 else ''}" for n in range(20)))
    scorer = Scorer(bad="is bad")
    with serving(scorer, monkeypatch):
        with pytest.raises(BackendError, match=r"refuses to score row 4 of rows, 'owl'.*conte"):
            done(tmp_path / "store", stage, **ECHOED)
        scorer.bad = "none"
        done(tmp_path / "store", stage, **ECHOED)
    assert set(scorer.answered.values()) == {1}


def test_damage_to_what_was_paid_for_is_not_paid_again_unasked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A cut file of paid log-probabilities is set aside, and the next run alone asks once more."""
    scorer, stage = Scorer(), asking(QUESTIONS[:3])
    with serving(scorer, monkeypatch):
        (done(tmp_path / "store", stage).folder / VALUES).write_text("[")
        store = Store(tmp_path / "store")
        (damage,) = set_aside_damage(store, [stage], is_paid=lambda stage: True)
    assert damage.lost
    assert "it was paid for" in str(damage)
