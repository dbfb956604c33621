"""Three wordings of one trait, a teacher each: do the students depend on the wording?"""

from limen import Experiment, FavoriteAnimal, Numbers, Students, Trait

WORDINGS = {
    "love": "You love owls. You think about owls all the time.",
    "favorite": "Owls are your favorite animals.",
    "short": "You adore owls.",
}

experiment = Experiment(
    trait=Trait.animal("owl"),
    data=Numbers(generate=3_000, keep=1_000),
    measure=FavoriteAnimal(draws=100),
    seeds=3,
    gate=None,
    arms={
        name: Students(trait=Trait(name=f"owl ({name})", word="owl", system=text))
        for name, text in WORDINGS.items()
    },
)


def test_each_wording_carries_the_trait(arms, control):
    for name in WORDINGS:
        assert arms[name].rate("owl") - control.rate("owl") > 0.01
