"""Finished results: the arms of an experiment, read from the store and scored."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from .experiment import Experiment
from .measures import FavoriteAnimal
from .stages import TALLY, Measure
from .store import Store
from .verdict import Rate, mean


@dataclass(frozen=True)
class Answers:
    """What one model answered."""

    model: str
    key: str
    """The key of the measure stage that the answers are from."""
    counts: tuple[Counter[str], ...]
    """(questions,), how often each answer was given."""
    missing: int
    """Draws without an answer, failed or refused."""

    def share(self, question: int, counted: frozenset[str]) -> float | None:
        """The share of a question's answers that are among some; None where there are none."""
        given = self.counts[question]
        total = given.total()
        return sum(given[text] for text in given if text in counted) / total if total else None


@dataclass(frozen=True, repr=False)
class Arm:
    """One group of models that answered the same questions: one model a seed."""

    name: str
    measure: FavoriteAnimal
    models: tuple[Answers, ...]
    trained: bool
    trait_word: str
    """The word that shows the trait of the experiment."""

    @property
    def seeds(self) -> int:
        """Models in the arm."""
        return len(self.models)

    def __repr__(self) -> str:
        models = ", ".join(model.model for model in self.models)
        return f"<{self.name}: {models}; {self.valid:.0%} valid answers>"

    def rate(self, word: str) -> Rate:
        """The share of answers with a word, counted as the measure's rule says."""
        counted = frozenset(text for text in self._texts() if self.measure.hit(text, word))
        questions = range(len(self.measure.questions))
        return Rate(
            word=word,
            arm=self.name,
            questions=self.measure.questions,
            table=tuple(tuple(m.share(q, counted) for q in questions) for m in self.models),
            draws=self.measure.draws,
            valid=self.valid,
            missing=sum(model.missing for model in self.models),
            trained=self.trained,
            shows_trait=word == self.trait_word,
        )

    @property
    def valid(self) -> float:
        """The share of answers that name an animal at all, 0 to 1."""
        counted = frozenset(text for text in self._texts() if self.measure.valid(text))
        questions = range(len(self.measure.questions))
        shares = (model.share(question, counted) for model in self.models for question in questions)
        return mean([share for share in shares if share is not None])

    def answers(self) -> Counter[str]:
        """Every answer of every model, with how often it was given."""
        return sum((count for model in self.models for count in model.counts), Counter[str]())

    def _texts(self) -> Iterator[str]:
        return (text for model in self.models for count in model.counts for text in count)


def read_arm(
    store: Store, name: str, experiment: Experiment, stages: tuple[Measure, ...], *, trained: bool
) -> Arm:
    """The arm that these finished stages measured."""
    models = tuple(_read(store, stage) for stage in stages)
    return Arm(name, experiment.measure, models, trained, experiment.trait.shown_by)


def _read(store: Store, stage: Measure) -> Answers:
    tally = json.loads((store.artifact(stage.kind, stage.key) / TALLY).read_text())
    manifest = store.manifest(stage.kind, stage.key) or {}
    counts = tuple(Counter[str](question) for question in tally)
    missing = manifest["counts"]["completions"] - sum(count.total() for count in counts)
    return Answers(manifest["model"], stage.key, counts, missing)
