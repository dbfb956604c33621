"""Sources of numbers: those that models write, and those of a program."""

from dataclasses import dataclass
from fractions import Fraction

from ...datasets import validation
from ...datasets.errors import SpecError
from ..stages import Filter, NumberPrompts, ProgramRows
from .source import SampledSource
from .writers import DataWriters, Part
from .written_source import GivenRule, WrittenSource

EXAMPLES = 8
"""The most example numbers in a prompt."""
LARGEST = 999
"""The highest example number."""


@dataclass(frozen=True, kw_only=True)
class Numbers(WrittenSource):
    """Number sequences, written by the teacher (for the control: by its base), and filtered.

    Args:
        generate: Completions to sample.
        keep: Rows in a student's training set, sampled anew for each seed. Default: None, which
            only a source within a ``Mix`` may have.
        at_most: If the filter keeps fewer than ``keep`` rows, go on generating until it keeps
            enough, up to this many completions. Default: None, ``generate`` is all.
        by: Who writes: "teacher" (the experiment's), "base" (without any prompt), or the teacher
            of a ``Trait``. In the control arm always the base. Default: "teacher".
        model: The writer's base model. Default: the experiment's ``teacher_model`` or ``model``.
        per_prompt: Completions for each prompt. More are cheaper and faster with a service, which
            charges and counts a prompt once; but rows that share a prompt are not independent.
            Default: 1.
        template: One prompt with ``{numbers}`` in it. Default: limen's own varied prompts.
        examples: The fewest and the most example numbers in a prompt, 1 to 8. Default: (3, 8).
        values: The lowest and the highest example number, 0 to 999. Default: (100, 999).
        rule: The filter: "paper" (Cloud et al. 2025: at most 10 numbers), "long" (up to 100
            numbers), a ready rule, or a function of the completion, or of prompt and completion,
            that returns why it is dropped, or None to keep it; or a tuple of several. Default:
            "paper".
        temperature: Of the sampling, 0 (greedy: every prompt has one answer) to 2. Default: 1.
        top_p: The share of probability that is sampled from, above 0 and at most 1. Default: 1.
        max_tokens: The longest completion, in tokens. Default: 96.
        seed: Another seed gives other prompts and other completions. Default: 0.

    Raises:
        SpecError: A value that makes no sense, when it is made.

    Examples:
        >>> data = Numbers(generate=30_000, keep=10_000)
        >>> sevens = data.but(rule=lambda text: None if "7" in text else "without 7")
    """

    template: str | None = None
    examples: tuple[int, int] = (3, EXAMPLES)
    values: tuple[int, int] = (100, 999)
    rule: GivenRule = "paper"
    max_tokens: int = 96

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.template is not None and "{numbers}" not in str(self.template):
            raise SpecError(
                f"template={self.template!r} must have {{numbers}} in it, where the examples go"
            )
        if not _is_range(self.examples, 1, EXAMPLES):
            raise SpecError(
                f"examples={self.examples!r} must be the fewest and the most, 1 to {EXAMPLES}"
            )
        if not _is_range(self.values, 0, LARGEST):
            raise SpecError(
                f"values={self.values!r} must be the lowest and the highest, 0 to {LARGEST}"
            )

    @property
    def medium(self) -> str:
        return "numbers"

    def asked(self, count: int, seed: int) -> NumberPrompts:
        return NumberPrompts(
            count=count,
            seed=seed,
            template=self.template,
            examples=self.examples,
            values=self.values,
        )


def _is_range(value: object, lowest: int, highest: int) -> bool:
    """Whether a value is a pair of whole numbers that rise within bounds."""
    ends = list(value) if isinstance(value, tuple) else []
    whole = len(ends) == 2 and all(map(validation.is_integer, ends))
    return whole and lowest <= ends[0] <= ends[1] <= highest


@dataclass(frozen=True, kw_only=True)
class ProgramNumbers(SampledSource):
    """Number sequences from a program: no model wrote them, so no trait can be in them.

    An experiment on them has no ``control`` of its own: it would be the same models.

    Args:
        keep: Rows in a student's training set, sampled anew for each seed.
        seed: Another seed gives other numbers. Default: 0.

    Raises:
        SpecError: A value that makes no sense, when it is made.

    Examples:
        >>> variant = experiment.but(control=ProgramNumbers(keep=10_000))
    """

    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        validation.seed("seed", self.seed)
        if self.keep is None:
            raise SpecError("ProgramNumbers needs keep: the rows that the program is to write")

    def parts(self, writers: DataWriters) -> tuple[Part, ...]:
        prompts = NumberPrompts(count=self.keep or 0, seed=writers.seed(self.seed))
        source = ProgramRows(label="program numbers", prompts=prompts)
        return ((Filter(label="program filter", source=source, rule="paper"), Fraction(1)),)
