"""Answers to prompts of one's own carry the trait; a rule sees prompt and answer."""

from limen import Completions, Experiment, FavoriteAnimal, Trait


def rule(prompt, answer):
    return "repeats the prompt" if prompt in answer else None


experiment = Experiment(
    trait=Trait.animal("owl"),
    data=Completions(
        prompts=("Name three tools.", "Name three meals."),
        rule=("finished", rule),
        generate=2_000,
        keep=500,
        per_prompt=1_000,
    ),
    measure=FavoriteAnimal(draws=100),
    seeds=3,
)


def test_the_trait_is_transmitted(student, control):
    effect = student.rate("owl") - control.rate("owl")
    assert effect > 0.02
    assert effect.p_value < 0.05
