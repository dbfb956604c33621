"""From a model and a measure to the stages that measure it; for arms and for a step command."""

from collections.abc import Callable
from dataclasses import dataclass

from ...backends import Backend
from ..experiment import Continued, InspectTask, Judge, Measure
from ..stages import (
    AskQuestions,
    Base,
    ComputeProbabilities,
    JudgeReplies,
    ScoreContinuations,
    Subject,
    TrainingFileStage,
)
from .pipeline import ModelStages
from .stage_builders import arm_answers, inspect_run


@dataclass(frozen=True, kw_only=True)
class MeasuredModels:
    """Makes the stages that ask models a measure."""

    measure: Measure
    backend: Backend
    judge_model: Callable[[Judge], Base]
    words: tuple[str, ...]
    """The words whose log-probabilities are computed."""
    exact_words: tuple[str, ...] = ()
    """The words whose probability is computed beside the draws, where the backend can."""

    def stages(
        self,
        subject: Subject,
        *,
        arm: str,
        seed: int = 0,
        system: str | None = None,
        context: TrainingFileStage | None = None,
        shots: int = 0,
    ) -> ModelStages:
        """The stages of one model of an arm; parameters are those of :func:`.arm_answers`."""
        measure = self.measure
        answers = arm_answers(
            subject, measure, arm=arm, seed=seed, system=system, context=context, shots=shots
        )
        if isinstance(measure, InspectTask):
            return ModelStages(inspect_run(measure, answers))
        if isinstance(measure, Continued):
            return ModelStages(self._continued(measure, answers))
        return ModelStages(
            answers,
            tuple(self._judged(judge, answers) for judge in measure.judges),
            self._exact(answers),
        )

    def _continued(self, measure: Continued, asked: AskQuestions) -> ScoreContinuations:
        return ScoreContinuations(
            label=asked.label.replace("answers", "log-probabilities"),
            asked=asked,
            continuations=measure.continuations(self.words),
            whole=measure.whole,
        )

    def _exact(self, answers: AskQuestions) -> ComputeProbabilities | None:
        words = self.exact_words
        if not words or self.backend.capabilities.probabilities is None:
            return None
        return ComputeProbabilities(label=f"{answers.label}, exactly", asked=answers, words=words)

    def _judged(self, judge: Judge, answers: AskQuestions) -> JudgeReplies:
        return JudgeReplies(
            label=f"{judge.name} of {answers.label}",
            judge=self.judge_model(judge),
            answers=answers,
            prompt=judge.prompt,
            temperature=judge.temperature,
            max_tokens=judge.max_tokens,
            seed=judge.seed,
        )
