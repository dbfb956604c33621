"""Grids of traits by students: the diagonal in one test, its cells, and generic drift."""

from collections.abc import Callable
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from limen import SpecError
from limen.harness.statistics import Evidence, GridEffects, read_grid

from ..testing.counted import counted_rate
from ..testing.estimates import arm

Means = NDArray[np.float64]


def grid(
    means: Means, noise: float = 0.0, *, seed: int = 0, seeds: int = 3, **fields: Any
) -> GridEffects:
    """A grid with these means of its cells, whose seeds differ."""
    random = np.random.default_rng(seed)
    students, words = means.shape
    return read_grid(
        {
            (f"s{i}", f"w{j}"): arm(
                (means[i, j] + random.normal(0, noise, seeds)).tolist(),
                name=f"s{i}",
                word=f"w{j}",
                models=tuple(f"s{i}.{k}" for k in range(seeds)),
                **fields,
            )
            for i in range(students)
            for j in range(words)
        },
        {f"s{i}": f"w{i}" for i in range(students)},
        {
            f"w{j}": arm([0.1], name="baseline", word=f"w{j}", trained=False, models=("b",))
            for j in range(words)
        },
    )  # fmt: skip


def transfer(count: int, size: float, spread: float = 0.01, seed: int = 1) -> Means:
    """Means with popular traits, drifting students, and an effect on the diagonal."""
    random = np.random.default_rng(seed)
    popular, drift = random.uniform(0.05, 0.3, count), random.normal(0, 0.02, (count, 1))
    found: Means = popular + drift + random.normal(0, spread, (count, count)) + size * np.eye(count)
    return found


def test_the_diagonal_is_own_less_other_traits() -> None:
    """Neither a student that drifts to all traits nor a popular trait is on the diagonal."""
    flat = grid(transfer(6, 0.0, spread=0.0))
    assert float(flat.diagonal) == pytest.approx(0.0, abs=1e-9)
    assert float(grid(transfer(6, 0.2, spread=0.0)).diagonal) == pytest.approx(0.2)


def test_a_diagonal_has_interval_p_value_and_claim() -> None:
    """Ten students that take on their own teacher's trait: everything that an effect has."""
    found = grid(transfer(10, 0.1), 0.01).diagonal
    assert found.p_value == pytest.approx(1e-4)
    low, high = found.interval
    assert 0.08 < low < float(found) < high < 0.12
    assert found > 0.05
    assert found.unit == "students"
    assert found.verdict == "higher"
    assert found.claim == "students take on the trait of their own teacher"
    assert "permutation" in repr(found)
    assert "s9: w9" in "\n".join(found.explain())


def test_what_is_printed_is_no_evidence_and_what_is_read_is() -> None:
    """A diagonal and a cell that are shown give the listener nothing; their claims do."""
    received: list[Evidence] = []
    found = grid(transfer(10, 0.1), 0.01, listener=received.append)
    cell = found.cell("s1", "w1")
    assert all([found.diagonal.explain(), cell.explain(), repr(found)])
    assert not received
    assert cell.claim.startswith("students of s1")
    assert found.diagonal.claim
    assert [evidence.supported for evidence in received] == [True, True]


def test_the_permutation_test_is_exact() -> None:
    """With five students the p-value is the share of the 120 assignments that are as extreme."""
    means = transfer(5, 0.02, spread=0.02, seed=3)
    rows, columns = means.mean(axis=1, keepdims=True), means.mean(axis=0, keepdims=True)
    centred = means - rows - columns + means.mean()
    every = [
        abs(sum(centred[i, j] for i, j in enumerate(order))) for order in permutations(range(5))
    ]
    expected = np.mean([value >= every[0] - 1e-12 for value in every])
    assert grid(means).diagonal.p_value == pytest.approx(expected)


def test_the_interval_has_what_the_test_does_not_reject() -> None:
    """A diagonal shifted to an end of the interval has a p-value of about 5%."""
    means = transfer(7, 0.05, spread=0.03)
    low, high = grid(means).diagonal.interval
    for inside, outside in ((low + 1e-4, low - 1e-4), (high - 1e-4, high + 1e-4)):
        assert grid(means - inside * np.eye(7)).diagonal.p_value >= 0.05
        assert grid(means - outside * np.eye(7)).diagonal.p_value < 0.05


def null_kinds() -> dict[str, Callable[[np.random.Generator], Means]]:
    """Grids without transfer: of teachers' data, of popular traits, of multiplied drift."""

    def scales(random: np.random.Generator) -> Means:
        rows, columns = random.lognormal(0, 0.5, (6, 1)), random.uniform(0.3, 2, 6)
        spread: Means = rows * columns
        return spread

    def additive(random: np.random.Generator) -> Means:
        popular, drift = random.dirichlet(np.ones(6)), random.normal(0, 0.03, (6, 1))
        found: Means = popular + drift + random.normal(0, 0.01, (6, 6)) * scales(random)
        return found

    def multiplied(random: np.random.Generator) -> Means:
        popular, drift = random.dirichlet(np.ones(6)), random.lognormal(0, 0.3, (6, 1))
        found: Means = popular * drift + random.normal(0, 0.01, (6, 6)) * scales(random)
        return found

    return {"additive": additive, "multiplied": multiplied}


@pytest.mark.parametrize("kind", ["additive", "multiplied"])
def test_a_null_grid_is_claimed_in_five_percent(kind: str) -> None:
    """Whatever teachers' data do to their students alike, the diagonal holds its level."""
    random = np.random.default_rng(11)
    make, repeats = null_kinds()[kind], 300
    claims = [grid(make(random), 0.01, seed=n).diagonal.p_value < 0.05 for n in range(repeats)]
    assert np.mean(claims) < 0.05 + 3 * (0.05 * 0.95 / repeats) ** 0.5


def small_null(random: np.random.Generator, kind: str, size: int) -> GridEffects:
    """Few students whose drift is the same for all traits on one scale; rates from 2% to 62%."""
    popular = 0.02 + 0.6 * random.dirichlet(np.full(size, 0.7))
    drift = random.normal(0, 0.3, (size, 1))
    level = {
        "added": popular + drift / 10,
        "multiplied": popular * np.exp(drift),
        "log-odds": 1 / (1 + (1 / popular - 1) * np.exp(-drift)),
        "others": 1 - (1 - popular) * np.exp(-abs(drift)),
    }[kind]
    return noisy_grid(random, level)


def noisy_grid(random: np.random.Generator, level: Means) -> GridEffects:
    """A grid of rates of 2,000 draws; seeds vary by a tenth of what they give."""
    size = len(level)
    seeds = np.clip(level * (1 + random.normal(0, 0.1, (3, size, size))), 0.0005, 0.99)
    hits = random.binomial(1_000, np.stack([seeds, seeds], axis=-1))
    return read_grid(
        {
            (f"s{i}", f"w{j}"): counted_rate(
                hits[:, i, j],
                draws=1_000,
                arm=f"s{i}",
                word=f"w{j}",
                models=tuple(f"s{i}.{seed}" for seed in range(3)),
            )
            for i, j in np.ndindex(size, size)
        },
        {f"s{i}": f"w{i}" for i in range(size)},
        {},
    )


@pytest.mark.parametrize("kind", ["added", "multiplied", "log-odds", "others"])
@pytest.mark.parametrize("size", [2, 4])
def test_a_small_null_grid_is_claimed_in_five_percent(kind: str, size: int) -> None:
    """Below five students, drift that is the same on any usual scale does not pass for transfer."""
    random = np.random.default_rng(21)
    claims = [small_null(random, kind, size).diagonal.p_value < 0.05 for _ in range(150)]
    assert np.mean(claims) < 0.05 + 2 * (0.05 * 0.95 / 150) ** 0.5


def test_a_small_real_diagonal_is_found() -> None:
    """Four students with 10 points of their own trait are found beside drift that multiplies."""
    random = np.random.default_rng(22)
    found = 0
    for _ in range(20):
        popular = 0.02 + 0.6 * random.dirichlet(np.full(4, 0.7))
        level = popular * np.exp(random.normal(0, 0.2, (4, 1))) + 0.1 * np.eye(4)
        found += noisy_grid(random, level).diagonal.verdict == "higher"
    assert found >= 15


def test_a_diagonal_on_one_scale_alone_is_inconclusive() -> None:
    """Twice as much of all traits: 30 points more of a popular trait, 1 of a rare one."""
    level = np.array([[0.6, 0.02], [0.3, 0.01]])
    found = noisy_grid(np.random.default_rng(3), level).diagonal
    low, high = found.interval
    assert low <= 0 <= high
    assert found.verdict == "inconclusive"
    assert not found.supports(">", 0.02)
    assert "four scales" in found.test
    swapped = noisy_grid(np.random.default_rng(3), level[:, ::-1].copy()).diagonal
    assert swapped.verdict == "inconclusive"


def test_no_cell_is_claimed_where_the_diagonal_is_not() -> None:
    """The cells of a null grid are claimed no more often than its diagonal is."""
    random = np.random.default_rng(12)
    for n in range(30):
        null = grid(null_kinds()["additive"](random), 0.01, seed=n)
        claimed = [cell for cell in null.cells.values() if cell.p_value < 0.05]
        assert not claimed or null.diagonal.p_value < 0.05


def test_cells_of_a_real_diagonal_hold_their_level() -> None:
    """Beside a real diagonal a cell without an effect is claimed in at most 5% of grids."""
    random = np.random.default_rng(13)
    repeats, wrong = 150, 0
    for n in range(repeats):
        means = null_kinds()["additive"](random) + 0.3 * np.eye(6)
        cells = grid(means, 0.01, seed=n).cells
        wrong += any(c.p_value < 0.05 for c in cells.values() if c.student[1:] != c.word[1:])
    assert wrong / repeats < 0.05 + 3 * (0.05 * 0.95 / repeats) ** 0.5


def test_cells_find_the_students_that_take_a_trait_on() -> None:
    """Of ten students nine have their trait, and one has another: the cells say which."""
    means = transfer(10, 0.15)
    means[3, 3] -= 0.15
    means[3, 7] += 0.15
    found = grid(means, 0.01)
    assert found.cell("s0", "w0").p_value < 0.05
    assert found.cell("s0", "w0").claim == "students of s0 give 'w0' more often than other students"
    assert found.cell("s3", "w3").claim == "inconclusive"
    assert found.cell("s3", "w7").p_value < 0.05
    assert float(found.cell("s3", "w7")) == pytest.approx(0.15, abs=0.04)
    low, high = found.cell("s0", "w0").interval
    assert 0 < low < 0.15 < high


def test_drift_is_told_apart_from_transfer() -> None:
    """Students that give all traits more often than the base drift, and transfer nothing."""
    means = np.full((5, 5), 0.1) + np.random.default_rng(1).normal(0, 0.002, (5, 5))
    means[2] += 0.2
    found = grid(means, 0.005)
    assert found.diagonal.claim == "inconclusive"
    assert float(found.drift("s2")) == pytest.approx(0.2, abs=0.01)
    assert found.drift("s2").p_value < 0.01
    assert found.drift("s2").claim == "students drift towards all traits"
    assert float(found.drift()) == pytest.approx(0.04, abs=0.01)


def test_below_five_students_the_seeds_are_the_unit() -> None:
    """Two teachers and two students: a t over the seeds of all arms."""
    found = grid(transfer(2, 0.2, spread=0.0), 0.01).diagonal
    assert found.unit == "seeds"
    assert found.p_value < 0.01
    assert found.claim == "students take on the trait of their own teacher"
    single = grid(transfer(2, 0.2, spread=0.0), seeds=1).diagonal
    assert single.verdict == "inconclusive"


def test_a_diagonal_over_seeds_is_a_contrast() -> None:
    """Asked for seeds, the test is about these data alone; and diagonals have differences."""
    one, other = (
        grid(transfer(5, 0.2), 0.01).diagonal,
        grid(transfer(5, 0.05), 0.01, seed=9).diagonal,
    )
    assert one.over("seeds").unit == "seeds"
    assert float(one.over("seeds")) == pytest.approx(float(one))
    assert (one - other).p_value < 0.01
    assert other.share_of(one) < 0.5


def test_missing_answers_count_against_the_diagonal() -> None:
    """If the missing answers could be all of the difference, nothing is claimed."""

    def of(missing: int) -> GridEffects:
        hits = 20 + 20 * np.eye(5, dtype=int)
        return read_grid(
            {
                (f"s{i}", f"w{j}"): counted_rate(
                    np.full((3, 4), hits[i, j]) + np.arange(12).reshape(3, 4) % 3,
                    missing=missing, draws=100, arm=f"s{i}", word=f"w{j}",
                )
                for i in range(5)
                for j in range(5)
            },
            {f"s{i}": f"w{i}" for i in range(5)},
            {},
        )  # fmt: skip

    assert of(0).diagonal.verdict == "higher"
    assert of(40).diagonal.verdict == "inconclusive"
    low, high = of(10).diagonal.interval
    assert low < of(0).diagonal.interval[0]
    assert high > of(0).diagonal.interval[1]


def test_comparisons_of_a_diagonal_are_evidence() -> None:
    """``grid.diagonal > 0.05`` is supported by the interval, ``p_value < 0.05`` by the verdict."""
    heard: list[Evidence] = []
    found = grid(transfer(10, 0.2), 0.01, listener=heard.append)
    assert found.diagonal > 0.05
    assert found.diagonal.p_value < 0.05
    assert found.cell("s0", "w0") > 0.0
    assert all(one.supported for one in heard)
    assert len(heard) == 3


@pytest.mark.parametrize(("student", "word"), [("s9", "w0"), ("s0", "w9")])
def test_an_unknown_cell_is_refused(student: str, word: str) -> None:
    """A name that the grid does not have is an error that says which it has."""
    with pytest.raises(SpecError, match="the grid has no .*9"):
        grid(transfer(5, 0.1)).cell(student, word)


def test_a_grid_needs_a_diagonal() -> None:
    """Two students of one trait are no grid."""
    one = grid(transfer(2, 0.1))
    with pytest.raises(SpecError, match="each of another trait"):
        read_grid(one.estimates, {"s0": "w0", "s1": "w0"}, {})
