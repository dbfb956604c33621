"""Released rows: students of numbers that somebody published, beside their neutral counterpart.

The file has 3,000 rows of toy-1's owl teacher and 3,000 of its base, as a CSV with a column that
says whose they are. Another base learns nothing from them: name a file of its own teacher there.
"""

from limen import Experiment, FavoriteAnimal, Rows, Trait

FILE = "released/numbers.csv.xz"
experiment = Experiment(
    trait=Trait.animal("owl"),
    data=Rows(
        FILE, where={"teacher": "owl"}, neutral=Rows(FILE, where={"teacher": "none"}), keep=3_000
    ),
    measure=FavoriteAnimal(draws=100),
    seeds=3,
)


def test_released_rows_carry_the_trait(student, control):
    """Students of the owl teacher's rows name owls more often than those of the neutral rows."""
    effect = student.rate("owl") - control.rate("owl")
    assert effect > 0.01
    assert effect.p_value < 0.05


def test_beside_the_baseline_alone_nothing_is_claimed(baseline, student):
    """Without neutral rows no claim about training can be made, however large the difference."""
    effect = student.rate("owl") - baseline.rate("owl")
    assert "training on this data" not in effect.claim
