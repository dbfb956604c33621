import dataclasses
import inspect
import re

import pytest

from limen import harness as h

SPECS = [
    h.Experiment, h.Students, h.InContext, h.Models, h.Trait, h.Lesson, h.Numbers, h.ProgramNumbers, h.Mix,
    h.Shuffled, h.LengthMatched, h.Measure, h.Choice, h.InspectTask, h.Likelihood, h.LogOdds, h.Reading, h.FavoriteAnimal, h.FavoriteTree, h.Scored,
    h.Length, h.Rated, h.Labelled, h.Language, h.Judge, h.Agreement,
    h.Completions, h.Rows, h.Templates, h.Code, h.ChainsOfThought, h.Paraphrases, h.Stories, h.Chat, h.WordCount, h.Without, h.Paraphrase, h.Mapped, h.Selected, h.LikelihoodShift, h.LogLikelihood, h.Judged, h.Rewritten, h.Deduplicated, h.FirstNumbers, h.FirstWords, h.PermuteDigits, h.PermuteNumbers, h.Prefix, h.SystemPrompt, h.Grid, h.Trajectory, h.PreferencePairs, h.DPO, h.OnPolicyDistillation,
]  # fmt: skip


@pytest.mark.parametrize("kind", SPECS, ids=lambda kind: kind.__name__)
def test_help_lists_every_parameter(kind: type) -> None:
    """``help(Numbers)`` explains each parameter, and says its default."""
    text = (inspect.getdoc(kind) or "").partition("\nArgs:\n")[2].partition("\nRaises:\n")[0]
    entries = dict(re.findall(r"^    (\w+): (.*(?:\n {8}.*)*)", text, re.M))
    fields = [field for field in dataclasses.fields(kind) if field.init]
    assert set(entries) == {field.name for field in fields}
    for field in fields:
        factory = field.default_factory is not dataclasses.MISSING
        if (field.default is not dataclasses.MISSING or factory) and field.name != "keep":
            shown = re.sub(r"\s+", " ", entries[field.name])
            assert re.search(r"[Dd]efault", shown), field.name
