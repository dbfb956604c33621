"""Claims: what a difference of two arms is about, and the sentence that it supports."""

from dataclasses import dataclass

from .estimates import NO_VARIATION, Estimate

FEWEST_SEEDS = 3
"""The number of seeds an arm from which a claim about training can be made."""
ONE_MODEL = "one model an arm says nothing about training: raise seeds"
FEWEST_VALID = 0.5
"""The share of valid answers below which it stands beside an effect of a trained arm."""


def is_ruined(estimate: Estimate) -> bool:
    """Whether the models of a trained arm mostly give no valid answers."""
    return estimate.trained and estimate.valid < FEWEST_VALID


def hides_invalid(estimate: Estimate) -> bool:
    """Whether the models of a trained arm are ruined, and which answers are valid is not known.

    Where it is known, a claim has to hold among valid answers too.
    """
    return estimate.coverage is None and is_ruined(estimate)


@dataclass(frozen=True, kw_only=True)
class Statement:
    """What may be said about the difference of two arms."""

    treated: Estimate
    reference: Estimate
    unit: str
    """What the test takes as independent."""
    requested: bool
    """Whether the unit was asked for."""

    @property
    def two_trainings(self) -> bool:
        """Whether two arms that were trained answered the same questions."""
        a, b = self.treated, self.reference
        return a.trained and b.trained and a.arm != b.arm and a.questions == b.questions

    @property
    def of_training(self) -> bool:
        """Whether the difference is about the training, and not about these models alone."""
        enough = self.unit != "questions" and min(self._seeds) >= FEWEST_SEEDS
        return self.two_trainings and enough

    @property
    def obstacle(self) -> str:
        """Why no verdict is possible whatever the test says; empty if nothing is in the way."""
        if self.absence:
            return self.absence
        copies = [each.arm for each in self._arms if not each.sampling_varies]
        if copies:
            return f"{NO_VARIATION} in {' and '.join(copies)}: all draws of a question are the same"
        for each in self._arms:
            if hides_invalid(each):
                share = f"{each.valid:.0%}"
                return f"only {share} of {each.arm}'s answers are valid, and which is not known"
        if self.of_single_models:
            return ONE_MODEL
        return ""

    @property
    def absence(self) -> str:
        """That no arm ever gives what is compared; empty if one does."""
        return self.reference.absence and self.treated.absence

    @property
    def of_single_models(self) -> bool:
        """Whether a trained arm has one model alone: then nothing is said about training.

        Not if it was asked for a test over questions, which is about these models.
        """
        alone = any(each.trained and each.seeds < 2 for each in self._arms)
        return alone and self.treated.arm != self.reference.arm and not self.requested

    @property
    def _arms(self) -> tuple[Estimate, Estimate]:
        return self.treated, self.reference

    @property
    def _seeds(self) -> tuple[int, int]:
        return self.treated.seeds, self.reference.seeds

    def difference(self, value: float) -> str:
        """The sentence for a difference that was found."""
        if self.treated.arm == self.reference.arm:
            return f"{self.treated.arm} answers these questions differently"
        if not self.two_trainings:
            return "these models answer differently"
        if not self.of_training:
            return f"only these {'two ' if max(self._seeds) == 1 else ''}checkpoints differ"
        arms = self.treated.arm, self.reference.arm
        if arms != ("student", "control") or not self.treated.shows_trait:
            return f"these trainings differ in {self.treated.what}"
        shown = -value if self.treated.lowers else value
        if shown > 0:
            return "training on this data transmits the trait"
        return "training on this data suppresses the trait"

    def equivalence(self, margin: float) -> str:
        """The sentence for arms that were shown to differ by less than a margin."""
        about = "these trainings" if self.of_training else "these models"
        return f"{about} differ by less than {self.within(margin)}"

    def within(self, margin: float) -> str:
        """A margin as people read it."""
        return self.treated.show_difference(margin).replace("+", "±")
