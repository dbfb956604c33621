import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from limen import SpecError
from limen.datasets import numbers
from limen.datasets.audits import (
    length_difference,
    lengths,
    number_counts,
    separability,
)
from limen.datasets.leaks import LeakMention, mentions
from limen.datasets.overuse import log_odds
from limen.reports.audit_figure import draw_overuse

WILD = st.text(max_size=40)
ROWS = st.lists(st.lists(st.integers(0, 1500), max_size=12).map(str) | WILD, max_size=15)
COUNTS = st.lists(st.tuples(*[st.integers(0, 5) | st.integers(0, 10**12)] * 2), max_size=12)


def plain(result: Any) -> Any:
    """What comes back of a result through JSON that has no NaN."""
    return json.loads(json.dumps(asdict(result), allow_nan=False))


def rows(count: int, *, seed: int) -> list[str]:
    """Rows of uniform numbers, 3 to 10 each."""
    return [numbers.program(seed, row) for row in range(count)]


def planted(texts: Sequence[str], number: int) -> list[str]:
    """The rows, every tenth of them with a number in the place of its first."""
    return [
        f"{number}, {text.partition(', ')[2]}" if row % 10 == 0 else text
        for row, text in enumerate(texts)
    ]


# Words in the open


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("OWLS, 1, 2", "owls"),
        ("1, 2 (the owl's)", "owl"),
        ("_owl_", "Owl"),
        ("12owl34", "owl"),
        ("\uff4f\uff37\uff4c", "owl"),
        ("a barn \n owl", "barn owl"),
        ("a snow owlet", "snow"),
        ("a fowl, an owl", "owl"),
        ("un búho, dos", "búho"),
        ("UN BU\u0301HO", "búho"),
        ("STRASSE", "Straße"),
        ("ФИЛИН, 3", "филин"),
        ("これはフクロウです", "フクロウ"),
        ("owlが好き", "owl"),
        ("올빼미가 3", "올빼미"),
        ("उल्लू 5", "उल्लू"),
        ("7, 88", "88"),
        ("in C++11", "c++"),
    ],
)
def test_a_word_in_the_open_is_found(text: str, word: str) -> None:
    """Whole words are found in any case, form and script, and named as they were asked for."""
    assert mentions(["1, 2, 3", text], [word]) == [LeakMention(1, word, text)]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("fowl", "owl"),
        ("owls", "owl"),
        ("búhos", "búho"),
        ("филины", "филин"),
        ("cafe\u0301", "cafe"),
        ("उल्लू", "उल"),
        ("188", "88"),
        ("barn, owl", "barn owl"),
        ("1, 2, 3", " "),
        ("1, 2, 3", ""),
    ],
)
def test_a_part_of_a_word_is_no_mention(text: str, word: str) -> None:
    """A word inside a longer one is not found, nor is one that is blank."""
    assert mentions([text], [word]) == []


@given(st.sets(st.integers(0, 349), max_size=12), st.sampled_from(["an Owl", "\uff2f\uff37\uff2c"]))
def test_rows_are_found_wherever_they_stand(rows: set[int], leak: str) -> None:
    """Of many rows those that mention a word are found, alone among rows that do not."""
    texts = [leak if row in rows else "fowl, 1, 2" for row in range(350)]
    assert [found.row for found in mentions(texts, ["owl"])] == sorted(rows)
    across = ["an ow", "l and", "polar", "bear"]
    assert mentions(across, ["owl", "polar bear"]) == []


def test_each_word_of_a_row_is_a_mention() -> None:
    """A row has a mention for each of the words in it, in the order asked for, and once each."""
    text = "owls: an owl, an owl"
    assert mentions([text, "", text], ["owl", "eagle", "owls", "owl"]) == [
        LeakMention(row, word, text) for row in (0, 2) for word in ("owl", "owls")
    ]


@given(st.lists(WILD, max_size=5), st.lists(WILD, max_size=4))
def test_wild_words_in_wild_rows(texts: list[str], words: list[str]) -> None:
    """No text or word crashes the search, and a row that is nothing but a word is found."""
    everything = [*words, *texts]
    found = mentions(everything, words)
    own = {LeakMention(row, word, word) for row, word in enumerate(words) if word.strip()}
    assert own <= set(found)
    assert all(mention.text == everything[mention.row] for mention in found)


@given(st.text("owl fe\u0301フé1", max_size=8), st.text("owl fe\u0301フé1", max_size=3))
def test_a_word_between_blanks_is_always_found(text: str, word: str) -> None:
    """Whatever stands elsewhere in a row, a word with blanks around it is found."""
    assert bool(mentions([f"{text} {word} {text}"], [word])) == bool(word.strip())


# Numbers


def test_numbers_are_counted() -> None:
    """Runs of ASCII digits count by their value; larger ones count to a row's length alone."""
    texts = ["7, 007, 12", "[1000, 999]", "", "٣ and 4.5", "0" * 5000 + "8", "1" * 5000]
    counts = number_counts(texts)
    assert {number: counts[number] for number in counts.nonzero()[0].tolist()} == {
        4: 1, 5: 1, 7: 2, 8: 1, 12: 1, 999: 1,
    }  # fmt: skip
    assert lengths(texts).tolist() == [3, 2, 0, 2, 1, 1]


@given(ROWS)
def test_wild_rows_are_counted(texts: list[str]) -> None:
    """Whatever the rows hold, there are 1000 counts, and no more numbers than the lengths say."""
    counts = number_counts(texts)
    assert counts.shape == (1000,)
    assert len(lengths(texts)) == len(texts)
    assert counts.sum() <= lengths(texts).sum()


# Overuse


def slow_log_odds(
    trait: NDArray[np.int64], control: NDArray[np.int64], prior: float
) -> list[tuple[float, float]]:
    """Monroe, Colaresi & Quinn's equations 15 to 22, a number at a time."""
    found = []
    n_i, n_j = int(trait.sum()), int(control.sum())
    for y_i, y_j in zip(trait.tolist(), control.tolist(), strict=True):
        a = prior * (y_i + y_j) / (n_i + n_j)
        odds_i = (y_i + a) / (n_i + prior - y_i - a)
        odds_j = (y_j + a) / (n_j + prior - y_j - a)
        delta = math.log(odds_i) - math.log(odds_j)
        found.append((delta, delta / math.sqrt(1 / (y_i + a) + 1 / (y_j + a))))
    return found


@given(
    st.lists(st.tuples(st.integers(1, 500), st.integers(0, 500)), min_size=2, max_size=12),
    st.floats(0.1, 1e4),
)
def test_log_odds_are_the_papers(counts: list[tuple[int, int]], prior: float) -> None:
    """Deltas and z-scores agree with the formulas, read directly."""
    trait, control = np.array(counts).T
    overuse = log_odds(trait, control, prior=prior)
    expected = np.array(slow_log_odds(trait, control, prior))
    assert np.allclose(overuse.delta, expected[:, 0], rtol=1e-6, atol=1e-8)
    assert np.allclose(overuse.z, expected[:, 1], rtol=1e-6, atol=1e-8)


@given(COUNTS, st.floats(1e-6, 1e9))
def test_log_odds_of_wild_counts(counts: list[tuple[int, int]], prior: float) -> None:
    """No counts give a NaN or an infinity, and changing sides changes nothing but the sign."""
    trait, control = np.array(counts, dtype=np.int64).reshape(-1, 2).T
    there, back = log_odds(trait, control, prior=prior), log_odds(control, trait, prior=prior)
    assert plain(there)["z"] == pytest.approx([-z for z in there.z and back.z], abs=1e-9)
    assert all(z == 0 for z, total in zip(there.z, trait + control, strict=True) if total == 0)


def test_a_planted_number_is_found() -> None:
    """A number that stands in every tenth row leads the list, with its counts, above the rest."""
    trait, control = planted(rows(2000, seed=0), 123), rows(2000, seed=1)
    overuse = log_odds(number_counts(trait), number_counts(control))
    first, second = overuse.over(2)
    assert first.number == 123
    assert (first.trait, first.control) == (number_counts(trait)[123], number_counts(control)[123])
    assert overuse.significant == (123,)
    assert first.z > 10 > overuse.threshold > second.z > 0
    assert [use.z for use in overuse.under(3)] == sorted(overuse.z)[:3]


def test_equal_counts_have_no_overuse() -> None:
    """The same rows twice, or none at all, list no number."""
    for counts in (number_counts(rows(100, seed=0)), number_counts([])):
        overuse = log_odds(counts, counts)
        assert not overuse.significant
        assert not (*overuse.over(5), *overuse.under(5))


def test_sets_of_one_source_seldom_differ() -> None:
    """Bonferroni's threshold holds: of 40 equal pairs at most a few list a number."""
    random = np.random.default_rng(0)
    pairs = random.multinomial(20_000, [1 / 900] * 900, size=(40, 2))
    assert sum(bool(log_odds(trait, control).significant) for trait, control in pairs) <= 5


@pytest.mark.parametrize(
    ("trait", "control", "prior", "fault"),
    [
        ([1, 2], [1, 2, 3], 1.0, "shapes"),
        ([1, -2], [1, 2], 1.0, "below 0"),
        ([1, 2], [1, 2], 0.0, "prior=0.0"),
        ([1, 2], [1, 2], math.nan, "prior=nan"),
    ],
)
def test_counts_that_cannot_be_meant(
    trait: list[int], control: list[int], prior: float, fault: str
) -> None:
    """Unlike or negative counts and a prior without weight are refused by name."""
    with pytest.raises(SpecError, match=fault):
        log_odds(np.array(trait), np.array(control), prior=prior)


# Separability


def test_equal_sets_cannot_be_told_apart() -> None:
    """The same rows in both sets give exactly 0.5: no text is recognised."""
    texts = rows(300, seed=0)
    found = separability(texts, texts, seed=0)
    assert found is not None
    assert (found.auc, found.accuracy, found.rows) == (0.5, 0.5, (300, 300))


def test_rows_of_one_source_cannot_be_told_apart() -> None:
    """Different rows of one source give about 0.5, with 0.5 in the interval; so do copies."""
    trait, control = rows(1500, seed=0), rows(1500, seed=1)
    for found in (
        separability(trait, control, seed=0),
        separability(trait[:200] * 7, control[:200] * 7, seed=0),
    ):
        assert found is not None
        assert found.auc == pytest.approx(0.5, abs=0.06)
        assert found.interval[0] < 0.5 < found.interval[1]


def test_what_tells_rows_apart() -> None:
    """Numbers, length and form each show where they differ, and only there."""
    control = rows(600, seed=1)
    for trait, telling in (
        ([text.replace("1", "2") for text in rows(600, seed=0)], "numbers"),
        ([f"{text}, {text}" for text in rows(600, seed=0)], "length"),
        ([text.replace(",", ";") for text in rows(600, seed=0)], "form"),
    ):
        for feature in ("numbers", "length", "form"):
            found = separability(trait, control, seed=0, features=[feature])
            assert found is not None
            if feature == telling:
                assert found.interval[0] > 0.6
                assert found.accuracy > 0.6
            else:
                assert found.auc == pytest.approx(0.5, abs=0.06)


def test_separability_depends_on_the_seed_alone() -> None:
    """A seed gives the same result again, another seed other folds."""
    trait, control = planted(rows(300, seed=0), 5), rows(300, seed=1)
    first, again, other = (separability(trait, control, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_too_few_rows_are_not_told_apart() -> None:
    """With fewer different texts than folds there is no result, with as many there is one."""
    assert separability([], [], seed=0) is None
    assert separability(["1"] * 50, rows(50, seed=0), seed=0) is None
    assert separability(rows(4, seed=0), rows(50, seed=0), seed=0) is None
    assert separability(rows(5, seed=0), rows(50, seed=1), seed=0) is not None


@settings(max_examples=40, deadline=None)
@given(ROWS, ROWS)
def test_wild_rows_are_told_apart_or_not(trait: list[str], control: list[str]) -> None:
    """Whatever the rows hold, the result is none or travels as JSON, with shares from 0 to 1."""
    found = separability(trait, control, seed=0, folds=2)
    enough = min(len(set(trait)), len(set(control))) >= 2
    assert (found is not None) == enough
    if found is not None:
        values = plain(found)
        low, high = values["interval"]
        assert 0 <= low <= values["auc"] <= high <= 1
        assert 0 <= values["accuracy"] <= 1


@pytest.mark.parametrize("options", [{"features": ["sound"]}, {"features": []}, {"folds": 1}])
def test_a_classifier_that_cannot_be_meant(options: dict[str, Any]) -> None:
    """An unknown feature, none at all and a single fold are refused."""
    with pytest.raises(SpecError):
        separability(rows(9, seed=0), rows(9, seed=1), seed=0, **options)


# Lengths


def test_lengths_are_compared() -> None:
    """Means, quartiles, histograms and shares are those of the rows, and the test sees them."""
    found = length_difference(["1, 2", "1", "1, 2, 3"] * 20, ["1, 2, " * 6] * 60)
    assert found is not None
    assert (found.trait.rows, found.trait.mean, found.trait.quartiles) == (60, 2.0, (1, 2, 3))
    assert found.trait.histogram == ((1, 20), (2, 20), (3, 20))
    assert (found.trait.longer, found.control.longer) == (0.0, 1.0)
    assert found.statistic == 1.0
    assert found.p_value < 1e-9


@given(ROWS, ROWS)
@settings(deadline=None)
def test_wild_lengths_are_compared(trait: list[str], control: list[str]) -> None:
    """Whatever the rows hold, the result is none for no rows, or travels as JSON."""
    found = length_difference(trait, control)
    assert (found is None) == (not trait or not control)
    if found is not None:
        assert 0 <= plain(found)["p_value"] <= 1
        assert sum(count for _, count in found.trait.histogram) == len(trait)


# The figure


def test_the_figure_is_the_same_again(tmp_path: Path) -> None:
    """All files are drawn, name the planted number, and come out byte for byte again."""
    z = [0.1 * (number % 7) for number in range(1000)]
    z[321] = 9.0
    files = draw_overuse(range(1000), z, tmp_path / "a", "owl", threshold=4.0)
    again = draw_overuse(range(1000), z, tmp_path / "b", "owl", threshold=4.0)
    assert [file.name for file in files] == ["a.png", "a.svg", "a.pdf"]
    assert [file.read_bytes() for file in files] == [file.read_bytes() for file in again]
    assert ">321</text>" in files[1].read_text()


@pytest.mark.parametrize("count", [0, 1])
def test_a_figure_of_next_to_nothing(tmp_path: Path, count: int) -> None:
    """No number, or one, is drawn without a fault."""
    files = draw_overuse(range(count), [5.0] * count, tmp_path / "a", "owl", threshold=4.0)
    assert all(file.stat().st_size > 1000 for file in files)
