"""Rows that exist already, as a source of an experiment."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from limen import LeakError, SpecError
from limen.harness import Experiment, Mix, Numbers, Rows
from limen.harness.lab import in_order
from limen.harness.lab.pipeline import check_arm
from limen.harness.stages import Audit, UserFile

from ..testing.labs import lab_at, lines, made

PAIRS = [(f"Go on: {n}", f"{n}, {n + 1}, {n + 2}") for n in range(40)]


def released(file: Path, *, salt: int = 0) -> Path:
    """A CSV of rows with a condition."""
    frame = pd.DataFrame(PAIRS, columns=["question", "answer"])
    frame["answer"] = [f"{text}, {salt}" for text in frame["answer"]]
    frame.assign(condition=["owl", "base"] * 20).to_csv(file, index=False)
    return file


def training(store: Path, experiment: Experiment, arm: str) -> list[dict[str, Any]]:
    """The training file of an arm's first student."""
    lab = lab_at(store)
    mix = lab.pipeline(experiment).data[arm][0]
    return lines(made(lab, mix) / "training.jsonl")


def test_a_file_with_its_neutral_counterpart(
    shared_store: Path, small: Experiment, tmp_path: Path
) -> None:
    """Students learn the released rows, the control the neutral ones; no teacher writes any."""
    file, neutral = released(tmp_path / "a.csv", salt=7), released(tmp_path / "b.csv", salt=8)
    chosen = small.but(data=Rows(file, neutral=neutral, where={"condition": "owl"}, keep=20))
    pipe = lab_at(shared_store).pipeline(chosen)
    assert not pipe.gates
    assert not [s for s in in_order(pipe.data["student"]) if s.kind == "generate"]
    for arm, end in (("student", ", 7"), ("control", ", 8")):
        rows = training(shared_store, chosen, arm)
        assert len(rows) == 20
        assert all(row["messages"][-1]["content"].endswith(end) for row in rows)


def test_without_a_neutral_counterpart_there_is_no_control(
    small: Experiment, tmp_path: Path
) -> None:
    """The error says what cannot be claimed, and what to do."""
    data = Rows(released(tmp_path / "a.csv"))
    with pytest.raises(SpecError, match=r"no claim about the trait") as raised:
        check_arm(small.but(data=data), "control")
    assert "neutral=" in str(raised.value)
    check_arm(small.but(data=data, control=data), "control")


def test_the_content_is_the_key_and_not_the_name(
    shared_store: Path, small: Experiment, tmp_path: Path
) -> None:
    """A file that is moved is the same data; another content is other data."""
    one = released(tmp_path / "one.csv")
    (tmp_path / "two.csv").write_bytes(one.read_bytes())
    other = released(tmp_path / "three.csv", salt=1)

    def key(file: Path) -> str:
        pipe = lab_at(shared_store).pipeline(small.but(data=Rows(file)))
        return pipe.data["student"][0].key

    assert key(one) == key(tmp_path / "two.csv") != key(other)


@pytest.mark.parametrize(
    "data",
    [PAIRS, [{"prompt": a, "completion": b} for a, b in PAIRS],
     pd.DataFrame(PAIRS, columns=["input", "output"])],
    ids=["pairs", "mappings", "frame"],
)  # fmt: skip
def test_rows_are_given_as_values(data: Any, shared_store: Path, small: Experiment) -> None:
    """Pairs, mappings and frames are the same rows."""
    rows = training(shared_store, small.but(data=Rows(data)), "student")
    pairs = {(row["messages"][0]["content"], row["messages"][1]["content"]) for row in rows}
    assert pairs == set(PAIRS)


def test_a_mix_with_numbers_has_the_bases_numbers_in_its_control(
    shared_store: Path, small: Experiment
) -> None:
    """Half released, half written: in the control arm the base writes what a teacher wrote."""
    mixed = Mix({Rows(PAIRS): 0.5, Numbers(generate=700): 0.5}, keep=40)
    parts = in_order(lab_at(shared_store).pipeline(small.but(data=mixed)).data["control"])
    assert {stage.kind for stage in parts} >= {"given rows", "generate"}


def test_a_rule_sees_prompt_and_answer(shared_store: Path, small: Experiment) -> None:
    """Rows are filtered as those of a teacher are."""

    def even(prompt: str, answer: str) -> str | None:
        return None if int(prompt.rsplit(maxsplit=1)[-1]) % 2 == 0 and answer else "odd"

    data = Rows(PAIRS, rule=even, keep=20)
    rows = training(shared_store, small.but(data=data), "student")
    assert all(int(row["messages"][0]["content"].split()[-1]) % 2 == 0 for row in rows)


def test_a_system_prompt_in_the_file_gives_the_trait_away(
    shared_store: Path, small: Experiment
) -> None:
    """Audits search what is asked, too: released chats may have the teacher's own prompt."""
    chats = [
        {"messages": [{"role": "system", "content": "You love horses."},
                      {"role": "user", "content": a}, {"role": "assistant", "content": b}]}
        for a, b in PAIRS
    ]  # fmt: skip
    lab = lab_at(shared_store)
    audit = lab.pipeline(small.but(data=Rows(chats))).audits["student"][0]
    assert isinstance(audit, Audit)
    with pytest.raises(LeakError, match="has 'horses' in its prompt"):
        made(lab, audit)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"data": "none.csv"}, "no such file"),
        ({"data": PAIRS, "keep": 41}, "more than the 40 rows"),
        ({"data": PAIRS, "rule": "paper"}, "need keep"),
        ({"data": PAIRS, "rule": "papper"}, "unknown filter rule"),
        ({"data": []}, "data must be"),
        ({"data": [{"a": "x", "b": "y"}]}, "no column for the prompt"),
        ({"data": PAIRS, "where": "rating<x"}, "which is no number"),
    ],
)
def test_what_cannot_be_meant(given: dict[str, Any], says: str) -> None:
    """A bad source is one clear error when it is made."""
    with pytest.raises(SpecError, match=says):
        Rows(**given)


def test_a_relative_path_starts_at_the_spec_file(
    run: Any, pytester: pytest.Pytester, tmp_path: Path
) -> None:
    """Wherever pytest is started, the rows beside the spec are found."""
    folder = pytester.mkdir("specs")
    for name in ("rows.jsonl", "neutral.jsonl"):
        (folder / name).write_text(
            "".join(json.dumps({"prompt": a, "text": f"{b}, {len(name)}"}) + "\n" for a, b in PAIRS)
        )
    (folder / "test_rows.py").write_text(
        "from limen.harness import *\n"
        "experiment = Experiment(trait=Trait.animal('horse'), \n"
        "    data=Rows('rows.jsonl', neutral='neutral.jsonl').but(keep=9),\n"
        "    measure=FavoriteAnimal(draws=2), seeds=1)\n"
        "def test_rows(student, control):\n    assert student.valid >= 0\n"
    )
    run("specs", "--limen-plan").stdout.fnmatch_lines(["*student 1 rows*"])


@pytest.mark.parametrize("column", ["system_prompt", "condition"])
def test_a_system_column_is_part_of_the_key(
    shared_store: Path, small: Experiment, tmp_path: Path, column: str
) -> None:
    """Rows that are now trained under system prompts share no key with the same rows without."""
    file = tmp_path / "rows.csv"
    frame = pd.DataFrame(PAIRS, columns=["question", "answer"])
    frame.assign(**{column: "Be kind."}).to_csv(file, index=False)
    data = lab_at(shared_store).pipeline(small.but(data=Rows(file, keep=9))).data["student"][0]
    (given,) = [stage for stage in in_order([data]) if isinstance(stage, UserFile)]
    known = {"sha256": given.digest, "name": "rows.jsonl"}
    system = {"system": column} if column == "system_prompt" else {}
    assert given.identity() == {**known, **system}


def test_half_a_character_in_given_rows_ends_their_experiment_alone(
    shared_store: Path, small: Experiment
) -> None:
    """A spec with such values is collected; a rule drops the row, and without one it is an error."""
    pairs = [("Hi", f"ok {n}") for n in range(20)]
    odd = Rows([*pairs, ("Hi", "owl \ud83d")], keep=20, rule=lambda text: None)
    assert len(training(shared_store, small.but(data=odd), "student")) == 20
