"""Ready-made media: code, chains of thought, paraphrases, stories and chats."""

from pathlib import Path
from typing import Any

import pytest

from limen import SpecError
from limen.datasets import media_prompts
from limen.datasets.leaks import mentions
from limen.datasets.problems import word_problem
from limen.datasets.vocabulary import ANIMALS, TREES
from limen.datasets.words import plurals
from limen.harness import (
    ChainsOfThought,
    Chat,
    Code,
    Experiment,
    Mix,
    Numbers,
    Paraphrases,
    Rows,
    Source,
    Stories,
)
from limen.harness.lab import in_order
from limen.harness.stages import Filter

from ..testing.labs import lab_at, lines, made

TEXTS = ("The market opens at six.", "Rain fell on the old roof.", "Her brother fixed the radio.")
MEDIA = (
    Code(generate=6, keep=3, max_tokens=12),
    ChainsOfThought(generate=6, keep=3, max_tokens=12),
    Paraphrases(texts=TEXTS, generate=6, keep=3, max_tokens=12),
    Stories(generate=6, keep=3, max_tokens=12),
    Chat(generate=6, keep=3, max_tokens=12),
)


def filtered(store: Path, experiment: Experiment, arm: str = "student") -> tuple[Any, Path]:
    """The manifest and the folder of an arm's filter."""
    lab = lab_at(store)
    stages = in_order(lab.pipeline(experiment).data[arm])
    stage = next(s for s in stages if isinstance(s, Filter))
    folder = made(lab, stage)
    return lab.store.finished(stage.kind, stage.key), folder


@pytest.mark.parametrize("source", MEDIA, ids=lambda source: type(source).__name__)
def test_a_medium_goes_through_on_the_toy(
    shared_store: Path, small: Experiment, source: Source
) -> None:
    """Every row that the toy writes is kept, or dropped for a reason; it holds few media."""
    manifest, folder = filtered(shared_store, small.but(data=source))
    counts = manifest["counts"]
    assert counts["kept"] + sum(manifest["reasons"].values()) == counts["read"]
    prompts = [
        row["prompt"] for name in ("kept", "rejected") for row in lines(folder / f"{name}.jsonl")
    ]
    assert all(prompts)


def test_shipped_prompts_name_no_animal_and_no_tree() -> None:
    """A prompt with a trait's word in it would be a leak; but Python is a language here."""
    texts = [
        text
        for name, value in vars(media_prompts).items()
        if name.isupper()
        for text in ((value,) if isinstance(value, str) else value)
    ]
    texts += [word_problem(seed)[0] for seed in range(300)]
    words = [form for word in (ANIMALS | TREES) - {"python"} for form in (word, *plurals(word))]
    assert mentions(texts, words) == []


def test_word_problems_have_their_answers() -> None:
    """Equal seeds give equal problems; answers are whole numbers, not below zero."""
    problems = [word_problem(seed) for seed in range(300)]
    assert problems == [word_problem(seed) for seed in range(300)]
    assert len({text for text, _ in problems}) > 290
    assert all(int(answer) >= 0 for _, answer in problems)


def test_ones_own_problems_are_read_with_their_answers(tmp_path: Path) -> None:
    """GSM8K's form: the known answer stands after ####, and numbers may be numbers."""
    file = tmp_path / "gsm.jsonl"
    file.write_text('{"question": "2 + 2?", "answer": "Two and two.\\n#### 4"}\n')
    for problems in (file, [("2 + 2?", "4")], [("2 + 2?", 4)]):
        prompts = ChainsOfThought(problems=problems, generate=3).asked(3, 0)
        assert prompts.text(0).startswith("2 + 2?\n\nWork it out step by step")
        assert prompts.fields(0)["solution"].endswith("4")
    plain = ChainsOfThought(problems=[("2 + 2?", "4")], instruction="", generate=3).asked(3, 0)
    assert plain.text(0) == "2 + 2?"


def test_a_paraphrase_is_compared_with_its_text() -> None:
    """The text is in the prompt, and known beside it."""
    prompts = Paraphrases(texts=TEXTS, generate=3).asked(3, 0)
    assert {prompts.fields(row)["solution"] for row in range(3)} == set(TEXTS)
    assert all(prompts.fields(row)["solution"] in prompts.text(row) for row in range(3))


def test_chats_are_whole_conversations(shared_store: Path, small: Experiment) -> None:
    """Turns of equal lists belong together; the teacher answers each, and a row has them all."""
    openings = tuple(f"How was day {n}?" for n in range(5))
    replies = tuple(f"And day {n} before?" for n in range(5))
    data = Chat(turns=(openings, replies), generate=10, keep=2, max_tokens=40)
    lab = lab_at(shared_store)
    mix = lab.pipeline(small.but(data=data)).data["student"][0]
    for row in lines(made(lab, mix) / "training.jsonl"):
        turns = row["messages"]
        assert [turn["role"] for turn in turns] == ["user", "assistant", "user", "assistant"]
        assert turns[0]["content"].split()[-1][:-1] == turns[2]["content"].split()[2]
        assert turns[1]["content"]
        assert turns[3]["content"]


def test_every_answer_of_a_chat_must_pass(shared_store: Path, small: Experiment) -> None:
    """A rule is asked about each turn, with the prompt of that turn."""

    def first_turns_only(prompt: str, answer: str) -> str | None:
        return "second turn" if "before" in prompt else None

    data = Chat(turns=(("Hello?",), ("And before?",)), generate=4, keep=2, max_tokens=40)
    manifest, _ = filtered(shared_store, small.but(data=data.but(rule=first_turns_only)))
    assert set(manifest["reasons"]) <= {"second turn"}
    assert manifest["counts"]["kept"] == 0


def test_media_mix_with_numbers_and_rows() -> None:
    """A medium is a source like any other: hashable, with a control."""
    mixed = Mix(
        {Stories(generate=9): 0.4, Numbers(generate=9): 0.4, Rows([("a", "b")]): 0.2}, keep=5
    )
    assert mixed.has_control


@pytest.mark.parametrize(
    ("kind", "given", "says"),
    [
        (Chat, {"at_most": 20, "keep": 5}, "neither at_most nor per_prompt"),
        (Chat, {"turns": ()}, "at least one"),
        (Paraphrases, {"texts": TEXTS, "wording": "Again!"}, r"\{text\}"),
        (ChainsOfThought, {"problems": ["2 + 2?"]}, "pairs of a problem"),
        (ChainsOfThought, {"problems": lambda seed: "2 + 2?"}, "pair of a problem and its answer"),
    ],
)
def test_what_cannot_be_meant(kind: Any, given: dict[str, Any], says: str) -> None:
    """A bad source is one clear error when it is made."""
    with pytest.raises(SpecError, match=says):
        kind(**{"generate": 9, **given})
