"""Answers to any prompts, as a source of an experiment."""

from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from limen import SpecError
from limen.harness import (
    Completions,
    Experiment,
    Finished,
    Templates,
    Without,
    WordCount,
)
from limen.harness.lab import in_order
from limen.harness.stages import Filter, Generate, GenerateEnough

from ..testing.labs import lab_at, lines, made

TALK = ("How was your day?", "What did you do yesterday?", "Tell me about your garden.")


def asked(row: int) -> str:
    """A prompt of a seed."""
    return f"How was day {row % 1000}?"


def pair(seed: int) -> tuple[str, str]:
    """A problem of a seed, and its known answer."""
    return f"How much is {seed % 50} + 1?", str(seed % 50 + 1)


def stage(store: Path, experiment: Experiment, kind: type, arm: str = "student") -> Any:
    """The first stage of a kind among those that an arm's data need."""
    data = lab_at(store).pipeline(experiment).data[arm]
    return next(s for s in in_order(data) if isinstance(s, kind))


def kept(store: Path, experiment: Experiment, arm: str = "student") -> list[dict[str, Any]]:
    """The rows that the filter of an arm's data keeps."""
    return lines(made(lab_at(store), stage(store, experiment, Filter, arm)) / "kept.jsonl")


def test_students_learn_small_talk(shared_store: Path, small: Experiment) -> None:
    """Rows of text, with the prompts that were asked, equally often, in both arms."""
    chosen = small.but(data=Completions(prompts=TALK, generate=30, keep=5, max_tokens=40))
    teacher, control = kept(shared_store, chosen), kept(shared_store, chosen, "control")
    rows = lines(made(lab_at(shared_store), stage(shared_store, chosen, Generate)) / "rows.jsonl")
    assert set(Counter(row["prompt"] for row in rows).values()) == {10}
    assert {row["prompt"] for row in teacher} <= set(TALK)
    assert [row["text"] for row in teacher] != [row["text"] for row in control]
    assert all(row["finish"] == "stop" for row in teacher)


def test_prompts_come_from_everywhere(tmp_path: Path) -> None:
    """Texts, files of lines, files of rows, frames: the same prompts, and the same key."""
    (tmp_path / "talk.txt").write_text("# small talk\n" + "\n".join(TALK) + "\n")
    pd.DataFrame({"question": TALK}).to_csv(tmp_path / "talk.csv", index=False)
    frame = pd.DataFrame({"prompt": TALK, "id": range(3)})
    given: list[Any] = [TALK, list(TALK), tmp_path / "talk.txt", tmp_path / "talk.csv", frame]
    digests = {Completions(prompts=p, generate=9).asked(9, 0).digest for p in given}
    assert len(digests) == 1


def test_templates_are_filled_evenly() -> None:
    """Every value of a field stands in some prompt, whatever the others are."""
    made_of = Templates(
        "Write a {kind} line about {thing}.", {"kind": ["new", "old"], "thing": ["tea", "rain"]}
    )
    prompts = Completions(prompts=made_of, generate=200).asked(200, 3)
    counts = Counter(prompts.texts())
    assert len(counts) == 4
    assert min(counts.values()) > 25
    assert prompts.text(7) == Completions(prompts=made_of, generate=9).asked(9, 3).text(7)


def test_a_function_of_a_seed_gives_prompts_and_known_answers() -> None:
    """Each row has a seed of its own; what is known of the answer is recorded beside it."""
    prompts = Completions(prompts=pair, generate=20).asked(20, 0)
    assert len(set(prompts.texts())) > 10
    text = prompts.text(4)
    assert int(prompts.fields(4)["solution"]) == int(text.split()[3]) + 1
    assert Completions(prompts=asked, generate=5).asked(5, 0).fields(1) == {}


def test_a_rule_sees_prompt_and_answer(shared_store: Path, small: Experiment) -> None:
    """Of several rules the first reason counts; a function may take the prompt as well."""

    def of_gardens(prompt: str, answer: str) -> str | None:
        return None if "garden" in prompt else "no garden"

    data = Completions(
        prompts=TALK, generate=30, keep=2, max_tokens=40,
        rule=(of_gardens, WordCount(least=2), Without("zebra")),
    )  # fmt: skip
    rows = kept(shared_store, small.but(data=data))
    assert rows
    assert {row["prompt"] for row in rows} == {TALK[2]}
    manifest = lab_at(shared_store).store.finished(
        "filter", stage(shared_store, small.but(data=data), Filter).key
    )
    assert manifest["reasons"]["no garden"] == 20


def test_generation_goes_on_until_enough_are_kept(shared_store: Path, small: Experiment) -> None:
    """``at_most`` works with any rule."""
    data = Completions(prompts=TALK, generate=8, keep=12, at_most=90, max_tokens=40)
    found = made(lab_at(shared_store), stage(shared_store, small.but(data=data), GenerateEnough))
    assert len(lines(found / "rows.jsonl")) >= 12


def test_settings_of_sampling_are_part_of_the_key(shared_store: Path, small: Experiment) -> None:
    """Another top-p, rule or prompt is other data; the default top-p adds nothing to a key."""
    data = Completions(prompts=TALK, generate=9, keep=3)
    variants = [data, data.but(top_p=0.9), data.but(rule=Finished()), data.but(prompts=TALK[:2])]
    keys = {stage(shared_store, small.but(data=d), Filter).key for d in variants}
    assert len(keys) == 4
    assert "top_p" not in stage(shared_store, small.but(data=data), Generate).identity()


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"prompts": "talk.txt"}, r"Path\('talk.txt'\)"),
        ({"prompts": ()}, "at least one"),
        ({"prompts": Path("none.txt")}, "no such file"),
        ({"prompts": lambda seed: seed}, "it must return a prompt, or a pair"),
        ({"prompts": TALK, "rule": "strict"}, "unknown filter rule"),
        ({"prompts": TALK, "rule": lambda a, b, c: None}, "takes 3 arguments"),
        ({"prompts": TALK, "top_p": 0}, "top_p=0"),
        ({"prompts": TALK, "keep": 99}, "more than generate"),
    ],
)
def test_what_cannot_be_meant(given: dict[str, Any], says: str) -> None:
    """A bad source is one clear error when it is made."""
    with pytest.raises(SpecError, match=says):
        Completions(**{"generate": 9, **given})
