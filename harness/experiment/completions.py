"""Answers to any prompts as a source: text of every kind."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union

from ...datasets.errors import DataError, LimenError, SpecError
from ...datasets.record_files import Record, records_of_frame
from ...datasets.row_forms import prompts_of_records, read_prompts
from ..stages import FilledPrompts, ListedPrompts, Prompts, WrittenPrompts, hashed_function
from .given_files import spec_path
from .written_source import GivenRule, WrittenSource

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Templates:
    """Prompts made of templates, whose fields are filled by even draws, each for itself.

    ``Templates("Tell a {kind} story about {thing}.", {"kind": ("short", "sad"), "thing": THINGS})``

    Args:
        texts: One template, or several, of which one is drawn for each prompt.
        fields: By the field's name, what may stand in its place. Default: no fields.

    Raises:
        SpecError: no template, or a field that stands in none of them.

    Examples:
        >>> prompts = Templates("Write about {thing}.", {"thing": ("rain", "snow")})
    """

    texts: str | tuple[str, ...]
    fields: Mapping[str, Sequence[str]] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        texts = (self.texts,) if isinstance(self.texts, str) else tuple(self.texts)
        if not texts or not all(isinstance(text, str) and text.strip() for text in texts):
            raise SpecError(f"texts={self.texts!r} must be a template, or several")
        values = {name: tuple(given) for name, given in self.fields.items()}
        for name, given in values.items():
            if not given or not all(isinstance(text, str) for text in given):
                raise SpecError(f"the field {name!r} must have texts, at least one: {given!r}")
            if not any(f"{{{name}}}" in text for text in texts):
                raise SpecError(f"no template has {{{name}}} in it")
        object.__setattr__(self, "texts", texts)
        object.__setattr__(self, "fields", values)

    @property
    def prompts(self) -> FilledPrompts:
        """The templates as prompts."""
        texts = (self.texts,) if isinstance(self.texts, str) else self.texts
        return FilledPrompts(
            templates=texts, values=tuple((n, tuple(v)) for n, v in self.fields.items())
        )


GivenPrompts = Union[Prompts, Templates, Path, Sequence[str], Callable[[int], Any], "pd.DataFrame"]


@dataclass(frozen=True, kw_only=True)
class Completions(WrittenSource):
    """Answers to any prompts, written by the teacher (for the control: by its base), and filtered.

    The control's prompts are the same. What its rule lets through in the open is the trait's as
    well as the medium's: the audits search prompts and answers for the trait's words.

    Args:
        prompts: What is asked: texts; a ``Path`` to a file with one on each line or in any form of
            rows; a frame; ``Templates``; or a function of a seed (a whole number, another for each
            prompt) that gives a text, or a pair of a text and its known answer, for the rule
            ``"right"``. Given prompts are asked in turn, equally often, in an order by the seed.
        generate: Completions to sample.
        keep: Rows in a student's training set, sampled anew for each seed. Default: None, which
            only a source within a ``Mix`` may have.
        at_most: If the filter keeps fewer than ``keep`` rows, go on generating until it keeps
            enough, up to this many completions. Default: None, ``generate`` is all.
        by: Who writes: "teacher" (the experiment's), "base" (without any prompt), or the teacher
            of a ``Trait``. In the control arm always the base. Default: "teacher".
        model: The writer's base model. Default: the experiment's ``teacher_model`` or ``model``.
        per_prompt: Completions of each prompt in a row. Default: 1.
        rule: The filter: a function of the answer, or of prompt and answer, that returns why a row
            is dropped, or None to keep it; a ready rule (``Finished()``, ``WordCount(...)``,
            ``Without(...)``, ``PythonCode()``, ``RightAnswer()``, ``Paraphrase(...)``) or its name
            ("finished", "code", "right", "paraphrase", "paper", "long", "any"); or a tuple of
            several, of which the first reason counts. Default: "finished", which drops what is
            empty or was cut off.
        temperature: Of the sampling, 0 (greedy) to 2. Default: 1.
        top_p: The share of probability that is sampled from, above 0 and at most 1. Default: 1.
        max_tokens: The longest completion, in tokens. Default: 256.
        seed: Another seed gives other prompts, or another order, and other completions. Default: 0.

    Raises:
        SpecError: prompts that are none, a file that cannot be read, or an unknown rule.

    Examples:
        >>> data = Completions(prompts=["Name a colour.", "Name a river."], generate=200, keep=100)
    """

    prompts: GivenPrompts = field(hash=False, repr=False)
    rule: GivenRule = "finished"

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "prompts", prompts_of(self.prompts))

    def __hash__(self) -> int:
        return hash((type(self), self._prompts, self.generate, self.keep, self.by, self.seed))

    @property
    def _prompts(self) -> Prompts:
        return prompts_of(self.prompts)

    @property
    def medium(self) -> str:
        return "completions"

    def asked(self, count: int, seed: int) -> Prompts:
        return replace(self._prompts, count=count, seed=seed)


def prompts_of(given: object) -> Prompts:
    """Prompts as a value that stages hold; raises :class:`~limen.SpecError` for what is none."""
    if isinstance(given, Prompts):
        return given
    if isinstance(given, Templates):
        return given.prompts
    if isinstance(given, Path):
        return ListedPrompts(listed=texts_in("prompts", given))
    if isinstance(given, str):
        raise SpecError(
            f"prompts={given!r} must be a tuple of texts; for a file write Path({given!r})"
        )
    if callable(given):
        made = WrittenPrompts(by=hashed_function("prompts", given))
        made.text(0)  # raises for a function that gives no text
        return made
    return ListedPrompts(listed=_listed(given))


def texts_in(what: str, given: Path) -> tuple[str, ...]:
    """The texts of a file: those of its column of prompts, or else one a line.

    Empty lines and ``#`` lines are left out.
    """
    path = spec_path(what, given)
    try:
        if path.is_dir() or path.suffix.lower() not in ("", ".txt", ".md"):
            return read_prompts(path)
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (DataError, OSError, UnicodeDecodeError) as error:
        problem = str(error) if isinstance(error, LimenError) else f"cannot read {path}: {error}"
        raise SpecError(f"{what}: {problem}") from None
    texts = tuple(line.strip() for line in lines if line.strip() and not line.startswith("#"))
    if not texts:
        raise SpecError(f"{what}: the file {path} has no prompts; write one on each line")
    return texts


def _listed(given: object) -> tuple[str, ...]:
    if not isinstance(given, Sequence):
        try:
            return prompts_of_records("prompts", records_of_frame(given))
        except DataError as error:
            raise SpecError(str(error)) from None
    if given and all(isinstance(row, Mapping) for row in given):
        records = [Record(f"row {place}", row) for place, row in enumerate(given, start=1)]
        return prompts_of_records("prompts", records)
    if not given or not all(isinstance(text, str) and text.strip() for text in given):
        raise SpecError("prompts must be texts that are not empty, at least one")
    return tuple(given)
