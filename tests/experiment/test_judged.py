"""A judge as a filter, rewriting by a model, rows without repetitions, and matched lengths."""

from pathlib import Path
from typing import Any

import pytest

from limen import ExperimentError, SpecError
from limen.datasets.matching import matched
from limen.harness import (
    Deduplicated,
    Experiment,
    Judge,
    Judged,
    LengthMatched,
    Mapped,
    Numbers,
    Rewritten,
    questions,
)
from limen.harness.lab import in_order
from limen.harness.reporting import result_of
from limen.harness.stages import AskAboutRows, Deduplicate, KeepJudged, RewordRows, RowsStage

from ..testing.labs import lab_at, lines, made

numbers = Numbers(generate=300, keep=40)
rating = Judge(prompt=questions.FORMALITY_JUDGE, name="formality")
label = Judge(prompt="Is this fine? {reply}", name="fine", scale=None)


def rows_of(
    store: Path, experiment: Experiment, kind: type[RowsStage]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
    """The rows before a stage, those that it keeps, and those that it drops."""
    lab = lab_at(store)
    stages = in_order(lab.pipeline(experiment).data["student"])
    stage = next(stage for stage in stages if isinstance(stage, kind))
    folder = made(lab, stage)
    before = next(given for given in stage.inputs() if isinstance(given, RowsStage))
    return (
        lines(made(lab, before) / "kept.jsonl"),
        lines(folder / "kept.jsonl"),
        lines(folder / "rejected.jsonl"),
    )


def first_word(prompt: str, completion: str) -> str:
    """A completion of one digit, so that many rows are equal."""
    return completion.strip("([ ")[:1]


def test_a_threshold_keeps_ratings(shared_store: Path, small: Experiment) -> None:
    """Every row is kept or dropped by its rating, and replies that are none are counted."""
    data = Judged(numbers, judge=rating, at_least=5)
    before, kept, dropped = rows_of(shared_store, small.but(data=data), KeepJudged)
    assert len(kept) + len(dropped) == len(before)
    for row in kept:
        assert (rating.rating(row["judged"]) or 0) >= 5
    for row in dropped:
        found = rating.rating(row["judged"])
        assert row["reason"] == ("no rating" if found is None else "rated below 5")


def test_another_threshold_asks_nothing_again(store: Path, small: Experiment) -> None:
    """The replies are a stage of their own, which both thresholds share."""
    lab = lab_at(store)
    asked = {
        stage.key
        for threshold in (3, 7)
        for stage in in_order(
            lab.pipeline(small.but(data=Judged(numbers, judge=rating, at_least=threshold))).data[
                "student"
            ]
        )
        if isinstance(stage, AskAboutRows)
    }
    assert len(asked) == 1


def test_each_distinct_row_is_judged_once(shared_store: Path, small: Experiment) -> None:
    """Equal rows have one reply; the budget leaves further ones unjudged, and says so."""
    digits = Mapped(numbers, by=first_word)
    data = Judged(digits, judge=label, keep=lambda reply: None, budget=3)
    _, kept, dropped = rows_of(shared_store, small.but(data=data), KeepJudged)
    assert len({row["text"] for row in kept}) == 3
    assert {row["reason"] for row in dropped} == {"not judged: the budget was reached"}


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("Yes", None),
        ("**yes**, because it is", None),
        ("yes - it is fine", None),
        ("No.", "labelled 'no'"),
        ("yes and no", "labelled 'yes and no'"),
        ("yesterday", "labelled 'yesterday'"),
        ("", "no label"),
        ("It is hard to say whether this is fine or not", "no label"),
    ],
)
def test_a_label_begins_the_reply(reply: str, reason: str | None) -> None:
    """With marks around it, or reasons after it; a longer word is another one."""
    assert Judged(numbers, judge=label, keep="yes")._rule(reply) == reason


def test_several_labels_are_kept() -> None:
    """Any of them."""
    rule = Judged(numbers, judge=label, keep=("formal", "very formal"))._rule
    assert (rule("formal"), rule("Very formal."), rule("casual")) == (
        None,
        None,
        "labelled 'casual'",
    )


def test_ratings_have_two_ends() -> None:
    """From the lowest to the highest that is kept, both included."""
    rule = Judged(numbers, judge=rating, at_least=3, at_most=6)._rule
    assert [rule(reply) for reply in ("2", "3", "6", "7", "many")] == [
        "rated below 3", None, None, "rated above 6", "no rating",
    ]  # fmt: skip


def test_too_few_rows_say_what_the_judge_dropped(shared_store: Path, small: Experiment) -> None:
    """With the judge's rule and its reasons."""
    data = Judged(numbers, judge=label, keep="a label that nobody gives")
    with pytest.raises(
        ExperimentError, match="fine: a label that nobody gives.*kept 0.*other reasons"
    ):
        lab_at(shared_store).arm(small.but(data=data), "student")


def test_the_report_has_the_judges_reasons(shared_store: Path, small: Experiment) -> None:
    """A line in the table of data, for students and for the control."""
    lab = lab_at(shared_store)
    digits = Mapped(numbers, by=first_word)
    chosen = small.but(data=Judged(digits, judge=label, keep=lambda reply: None, budget=3, rows=3))
    lab.run([(chosen, ["student", "control"])])
    rows = result_of(lab, "judged", chosen, ["student", "control"]).data
    assert sum("kept by fine" in row.label for row in rows) == 2


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"keep": "yes", "at_least": 3},
        {"at_least": 11},
        {"at_least": 5, "at_most": 4},
        {"keep": ""},
        {"keep": "yes", "budget": 0},
        {"judge": "somebody", "keep": "yes"},
        {"judge": label, "at_least": 3},
    ],
)
def test_bad_settings_of_judging_are_refused(settings: dict[str, Any]) -> None:
    """When the source is made."""
    with pytest.raises(SpecError):
        Judged(numbers, **{"judge": rating, **settings})


def test_a_model_rewrites_each_row(shared_store: Path, small: Experiment) -> None:
    """Its answer takes the completion's place; what the rule drops is counted."""
    data = Rewritten(numbers, prompt="Say this in other words: {completion}", rule="paper", keep=1)
    before, kept, dropped = rows_of(shared_store, small.but(data=data), RewordRows)
    assert len(kept) + len(dropped) == len(before)
    assert kept != before
    with pytest.raises(SpecError, match="must have {completion}"):
        Rewritten(numbers, prompt="Say this in other words")
    with pytest.raises(SpecError, match="unknown filter rule"):
        Rewritten(numbers, prompt="{completion}", rule="papers")


@pytest.mark.parametrize("by", ["completion", "prompt and completion"])
def test_repetitions_are_dropped(shared_store: Path, small: Experiment, by: Any) -> None:
    """The first of equal rows stays, and the others are counted."""
    data = Deduplicated(Mapped(numbers, by=first_word), by=by, keep=5)
    before, kept, dropped = rows_of(shared_store, small.but(data=data), Deduplicate)
    names = ("text",) if by == "completion" else ("prompt", "text")
    distinct = {tuple(row[name] for name in names) for row in before}
    assert len(kept) == len(distinct)
    assert len(kept) + len(dropped) == len(before)


def test_texts_are_matched_in_words_and_characters() -> None:
    """The shortest text that is as long is cut to the length; too short ones are counted."""
    texts = ["a b c d e", "one two", "x y z"]
    found, short = matched(texts, ["p q", "p q r", "p q r s t u"], 0, unit="words")
    assert [text for _, text in found] == ["one two", "x y z", "a b c d e"]
    assert short == 1
    found, short = matched(texts, ["1234", "12"], 0, unit="characters")
    assert [len(text) for _, text in found] == [4, 2]
    assert short == 0


def test_length_matching_has_a_unit(small: Experiment) -> None:
    """Characters are another stage than numbers, and other units are refused."""
    plain = LengthMatched(source=numbers.but(by="base"), like=numbers)
    assert plain.but(unit="characters") != plain
    with pytest.raises(SpecError, match="unit="):
        plain.but(unit="lines")
