import re
from collections import Counter
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limen import ExperimentError, SpecError
from limen.harness import Experiment, Mix, Numbers, ProgramNumbers, Source, Trait
from limen.harness.stages import MixRows, split_by_shares

from ..testing.labs import lab_at, lines, made

HORSE, BEAR = Trait.animal("horse"), Trait.animal("bear")
HORSES = Numbers(generate=300, by=HORSE)
BEARS = Numbers(generate=300, by=BEAR)
SHARES = st.lists(st.integers(1, 1000), min_size=1, max_size=12).map(
    lambda weights: [Fraction(weight, sum(weights)) for weight in weights]
)


def mixes(store: Path, experiment: Experiment, arm: str = "student") -> tuple[MixRows, ...]:
    """The training files of an arm, as stages."""
    return lab_at(store).pipeline(experiment).data[arm]


@given(st.integers(0, 10**6), SHARES)
def test_numbers_of_rows_add_up_and_are_as_near_their_shares_as_can_be(
    total: int, shares: list[Fraction]
) -> None:
    """Rounded shares add up, each within one row, and none is rounded up before a larger rest."""
    counts = split_by_shares(total, shares)
    assert sum(counts) == total
    rests = [count - total * share for count, share in zip(counts, shares, strict=True)]
    assert all(-1 < rest < 1 for rest in rests)
    up = [1 - rest for rest in rests if rest > 0]
    down = [-rest for rest in rests if rest <= 0]
    assert not up or not down or min(up) >= max(down)


@pytest.mark.parametrize(
    ("total", "shares", "counts"),
    [
        (10, ["1/3", "1/3", "1/3"], [4, 3, 3]),
        (10, ["1/4", "1/4", "1/2"], [3, 2, 5]),
        (3, ["1/2", "1/2"], [2, 1]),
        (7, ["1/10", "9/10"], [1, 6]),
        (100, ["1/1000", "999/1000"], [0, 100]),
    ],
)
def test_largest_remainders(total: int, shares: list[str], counts: list[int]) -> None:
    """Rows go to the largest remainders, of equal ones to the first."""
    assert split_by_shares(total, list(map(Fraction, shares))) == counts


def test_a_mix_is_sampled_from_its_sources_without_replacement(
    shared_store: Path, small: Experiment
) -> None:
    """Its rows stand in their sources, none twice, in their shares; no row names its source."""
    lab = lab_at(shared_store)
    (first, second) = mixes(
        shared_store, small.but(data=Mix({HORSES: 0.7, BEARS: 0.3}, keep=93), gate=None)
    )
    folder = made(lab, first)
    rows, origins = lines(folder / "training.jsonl"), lines(folder / "provenance.jsonl")
    kept = {
        source.key: {
            (row["row"], row["draw"]): row for row in lines(made(lab, source) / "kept.jsonl")
        }
        for source in first.inputs()
    }
    assert len(rows) == len(origins) == 93
    for row, origin in zip(rows, origins, strict=True):
        assert row.keys() == {"messages"}
        source = kept[origin["source"]][origin["row"], origin["draw"]]
        assert row["messages"] == [
            {"role": "user", "content": source["prompt"]},
            {"role": "assistant", "content": source["text"]},
        ]
    places = [(o["source"], o["row"], o["draw"]) for o in origins]
    assert len(set(places)) == 93
    names = {source.key: source.label for source in first.inputs()}
    order = [names[source] for source, *_ in places]
    assert Counter(order) == {"horse student filter": 65, "bear student filter": 28}  # 65.1, 27.9
    turns = sum(a != b for a, b in pairwise(order))
    assert turns > 20, "the sources stand in blocks"
    other = lines(made(lab, second) / "provenance.jsonl")
    assert {tuple(o.values()) for o in other} != set(places)


def test_the_order_of_the_sources_does_not_matter(shared_store: Path, small: Experiment) -> None:
    """The same shares in another order are an equal spec, and the same stages."""
    one = small.but(data=Mix({HORSES: 0.7, BEARS: 0.3}, keep=95))
    other = small.but(data=Mix({BEARS: 0.3, HORSES: 0.7}, keep=95))
    assert one == other
    assert hash(one) == hash(other)
    keys = [[mix.key for mix in mixes(shared_store, each)] for each in (one, other)]
    assert keys[0] == keys[1]
    swapped = small.but(data=Mix({HORSES: 0.3, BEARS: 0.7}, keep=95))
    assert mixes(shared_store, swapped)[0].key != keys[0][0]


@pytest.mark.parametrize(
    ("sources", "keep"),
    [
        ({HORSES: 0.5, BEARS: 0.5}, 200),
        ({HORSES: 1}, 200),
        ({HORSES: Fraction(1, 3), BEARS: Fraction(2, 3)}, 200),
        ({Mix({HORSES: 0.5, BEARS: 0.5}, keep=50): 0.5, BEARS: 0.5}, 200),
    ],
    ids=["halves", "one", "thirds", "nested"],
)
def test_in_the_control_equal_sources_are_one(
    shared_store: Path, small: Experiment, sources: dict[Source, float], keep: int
) -> None:
    """All is written by the base there, so the control is that of the plain source."""
    mixed = small.but(data=Mix(sources, keep=keep))
    plain = small.but(data=Numbers(generate=300, keep=keep))
    keys = [[mix.key for mix in mixes(shared_store, each, "control")] for each in (mixed, plain)]
    assert keys[0] == keys[1]


def test_no_row_is_twice_in_a_control_of_sources_of_two_sizes(
    shared_store: Path, small: Experiment
) -> None:
    """A control's rows are as different from each other as the students' are."""
    uneven = small.but(data=Mix({HORSES: 0.6, BEARS.but(generate=200): 0.4}, keep=200))
    folder = made(lab_at(shared_store), mixes(shared_store, uneven, "control")[0])
    asked = [row["messages"][0]["content"] for row in lines(folder / "training.jsonl")]
    assert len(set(asked)) == len(asked)


def test_the_gate_is_asked_for_every_trait_of_a_mix(shared_store: Path, small: Experiment) -> None:
    """A mix of two teachers' rows waits for both of them."""
    pipe = lab_at(shared_store).pipeline(small.but(data=Mix({HORSES: 0.5, BEARS: 0.5}, keep=50)))
    assert [gate.trait for gate in pipe.gates] == [HORSE, BEAR]


def test_a_source_that_is_too_small_is_named_with_the_remedy(
    shared_store: Path, small: Experiment
) -> None:
    """What is wanted of it, what is left and why stand in one line; and the remedy helps."""

    def mixed(generate: int) -> Experiment:
        base = Numbers(generate=generate, by="base")
        return small.but(data=Mix({HORSES: 0.5, base: 0.5}, keep=200), gate=None, seeds=1)

    with pytest.raises(ExperimentError) as error:
        lab_at(shared_store).arm(mixed(90), "student")
    message = str(error.value)
    assert "\n" not in message
    wanted = r"100 rows are wanted from 'control filter', and only \d\d are left: of 90 rows"
    remedy = re.search(wanted + r".* raise generate to about (\d+), or lower keep$", message)
    assert remedy, message
    assert made(lab_at(shared_store), mixes(shared_store, mixed(int(remedy[1])))[0])


@pytest.mark.parametrize(
    ("sources", "keep", "fault"),
    [
        ({HORSES: 0.5, BEARS: 0.4}, 10, r"must add up to 1: 0\.5 \+ 0\.4 = 0\.9"),
        ({HORSES: 0.5, BEARS: 0.50001}, 10, "must add up to 1"),
        ({HORSES: 0, BEARS: 1}, 10, "share 0 in a mix"),
        ({HORSES: -0.5, BEARS: 1.5}, 10, r"share -0\.5 in a mix"),
        ({HORSES: float("nan"), BEARS: 1}, 10, "share nan in a mix"),
        ({HORSES: True}, 10, "share True in a mix"),
        ({HORSES: "half"}, 10, "share 'half' in a mix"),
        ({"horses": 1}, 10, "'horses' in a mix is not a source"),
        ({}, 10, "a mix needs sources"),
        ([HORSES], 10, "a mix needs sources"),
        ({HORSES: 1}, None, "a mix needs keep"),
        ({HORSES: 1}, 0, "keep=0"),
        ({HORSES: 1}, "ten", "keep='ten'"),
    ],
)
def test_a_bad_mix_is_refused_when_it_is_made(sources: object, keep: object, fault: str) -> None:
    """Shares that cannot be meant are named, in one line."""
    with pytest.raises(SpecError, match=fault) as error:
        Mix(sources, keep=keep)  # type: ignore[arg-type]
    assert "\n" not in str(error.value)


def test_keep_is_asked_for_where_there_is_none(small: Experiment) -> None:
    """A mix without keep is refused, and so is a source to train on; one within a mix is not."""
    with pytest.raises(SpecError, match="a mix needs keep"):
        Mix({HORSES: 1})
    with pytest.raises(SpecError, match="data: a source needs keep"):
        small.but(data=HORSES)
    with pytest.raises(SpecError, match="ProgramNumbers needs keep"):
        ProgramNumbers()


@pytest.mark.parametrize("shares", [(0.1, 0.2, 0.7), (1 / 3, 1 / 3, 1 / 3), (0.15, 0.15, 0.7)])
def test_shares_need_not_add_up_to_the_last_bit(
    shared_store: Path, small: Experiment, shares: tuple[float, ...]
) -> None:
    """Decimal shares are taken as what they stand for."""
    three: tuple[Source, ...] = (HORSES, BEARS, Numbers(generate=300, by="base"))
    sources: dict[Source, float] = dict(zip(three, shares, strict=True))
    (mix, *_) = mixes(shared_store, small.but(data=Mix(sources, keep=100)))
    assert sum(share for _, share in mix.sources) == 1
    assert sorted(share for _, share in mix.sources) == sorted(
        Fraction(share).limit_denominator(1000) for share in shares
    )
