"""Arms made by hand: models that gave known replies, and judges that said known things of them."""

from collections import Counter
from collections.abc import Mapping, Sequence

from limen.harness import Arm, Measure
from limen.harness.lab import ModelAnswers

Replies = Sequence[Mapping[str, int]]
"""How often each reply was given, by question."""


def arm(
    measure: Measure, *models: Replies, said: Mapping[str, Mapping[str, str | None]] | None = None
) -> Arm:
    """An arm whose models gave these replies.

    ``said`` has what each judge says of each reply, the same to whatever question.
    """
    return Arm(
        name="student",
        measure=measure,
        models=tuple(
            ModelAnswers(
                model="m",
                key="k",
                counts=tuple(Counter(question) for question in model),
                missing=0,
                said={
                    judge: tuple({reply: says[reply] for reply in question} for question in model)
                    for judge, says in (said or {}).items()
                },
            )
            for model in models
        ),
        trained=True,
        trait_word="owl",
    )
