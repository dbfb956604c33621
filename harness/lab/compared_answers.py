"""Two groups of answers from elsewhere as arms: matched by question, copies refused."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ...datasets.errors import DataError, SpecError
from ...datasets.row_conditions import equal_to
from ..experiment import FavoriteAnimal, FavoriteTree, Measure, Scored
from ..statistics import Distance, Effect
from .answer_copies import check_copies
from .answer_tables import AnswerTable, Columns, read_tables
from .answers import ModelAnswers
from .arms import Arm

if TYPE_CHECKING:
    import pandas as pd


def compare_answers(
    treated: "Sequence[Path | str | pd.DataFrame]",
    reference: "Sequence[Path | str | pd.DataFrame]",
    *,
    word: str | None = None,
    score: str | None = None,
    question: str | None = None,
    answer: str | None = None,
    reference_answer: str | None = None,
    model: str | None = None,
    where: Mapping[str, str] | None = None,
    reference_where: Mapping[str, str] | None = None,
    family: int = 1,
    margin: float | None = None,
    one_model_a_source: bool = False,
) -> Effect:
    """The effect between two groups of models, from answers that anything may have left.

    Args:
        treated: files (JSONL, JSON, CSV, TSV, Parquet, ``.eval``) or pandas frames; a model each,
            unless a column of models tells several apart.
        reference: the same of the models to compare with.
        word: what to count in the answers; the value is a rate, a share from 0 to 1.
        score: a column of numbers to compare instead; the value is a mean, in the column's unit.
        question: the column of questions, where it is not recognised by its usual name.
        answer: the column of answers, likewise.
        reference_answer: that of ``reference``, where one table has a column for each model.
        model: the column that tells the models of one file apart, likewise.
        where: values that columns of ``treated`` must have, such as ``{"condition": "owl"}``.
        reference_where: the same for ``reference``.
        family: comparisons that are made together; p-values and intervals are corrected for them.
        margin: the difference below which the groups count as alike, in the value's own unit.
        one_model_a_source: take every source for a model of its own, although ids are equal, or
            there are none and the answers differ no more than one model's draws.

    Raises:
        SpecError: neither or both of ``word`` and ``score``; an unknown or ambiguous column; the
            same model twice.
        DataError: a file that cannot be read, or groups without a common question.

    Examples:
        >>> effect = compare_answers(["owl-1.jsonl"], ["base-1.jsonl"], word="owl")
    """
    sides = [
        [
            table
            for source in side
            for table in read_tables(
                Path(source) if isinstance(source, str) else source,
                Columns(question=question, answer=column, model=model, score=score,
                        where=equal_to(condition or {})),
            )[0]
        ]
        for side, column, condition in (
            (treated, answer, where), (reference, reference_answer or answer, reference_where)
        )
    ]  # fmt: skip
    return effect_of(
        *sides, word=word, score=score, family=family, margin=margin,
        one_model_a_source=one_model_a_source,
    )  # fmt: skip


def effect_of(
    treated: Sequence[AnswerTable],
    reference: Sequence[AnswerTable],
    *,
    word: str | None,
    score: str | None,
    family: int = 1,
    margin: float | None = None,
    one_model_a_source: bool = False,
) -> Effect:
    """The effect between two groups of tables; raises as :func:`compare_answers` does."""
    if (word is None) == (score is None):
        raise SpecError("name either a word to count or a column of scores: word='owl'")
    check_copies(treated, reference, one_model_a_source=one_model_a_source)
    questions = common_questions(treated, reference)
    arms = (
        arm_of_tables(name, side, questions, word=word, score=score, family=family, margin=margin)
        for name, side in (("treated", treated), ("reference", reference))
    )
    one, other = beside_each_other(*arms)
    if word is not None:
        return one.rate(word) - other.rate(word)
    return one.scores() - other.scores()


def distance_of(
    treated: Sequence[AnswerTable],
    reference: Sequence[AnswerTable],
    *,
    word: str | None = None,
    family: int = 1,
    one_model_a_source: bool = False,
) -> Distance:
    """The total variation between two groups' answers; raises as :func:`compare_answers` does.

    With the name of an animal or a tree as ``word`` answers are the animals, or trees, that they
    name; else they are whole texts, in lower case.
    """
    check_copies(treated, reference, one_model_a_source=one_model_a_source)
    questions = common_questions(treated, reference)
    one, other = (
        arm_of_tables(name, side, questions, word=word, family=family)
        for name, side in (("treated", treated), ("reference", reference))
    )
    return one.distance(other)


def beside_each_other(one: Arm, other: Arm) -> tuple[Arm, Arm]:
    """Two arms that know of each other, as the arms of an experiment do."""
    return replace(one, others=lambda: (other,)), replace(other, others=lambda: (one,))


def arm_of_tables(
    name: str,
    tables: Sequence[AnswerTable],
    questions: Sequence[str],
    *,
    word: str | None,
    score: str | None = None,
    family: int = 1,
    margin: float | None = None,
) -> Arm:
    """The arm that some models' answers to these questions make. Nothing is known of training."""
    draws = max(max(table.counts[q].total() for q in questions) for table in tables)
    if draws == 0:
        raise DataError(f"the {name} models answered none of the common questions")
    return Arm(
        name=name,
        measure=_measure(tuple(questions), draws, word, score),
        models=tuple(
            ModelAnswers(
                table.source, table.source, tuple(table.counts[q] for q in questions),
                table.missing, {},
            )
            for table in tables
        ),
        trained=False,
        trait_word="",
        family=family,
        margin=margin,
    )  # fmt: skip


def _measure(
    questions: tuple[str, ...], draws: int, word: str | None, score: str | None
) -> Measure:
    if score is not None:
        return Scored(questions=questions, draws=draws, outcome=float, name=score)
    kind = next((kind for kind in (FavoriteAnimal, FavoriteTree) if word in kind.known), Measure)
    return kind(questions=questions, draws=draws)


def common_questions(*sides: Sequence[AnswerTable]) -> list[str]:
    """The questions that every model was asked, in the order of the first file.

    Raises :class:`~limen.DataError` if there are none, or if an id stands for two texts.
    """
    tables = [table for side in sides for table in side]
    if not all(sides):
        raise SpecError("two groups are needed, each with one file of answers or more")
    identities: dict[str, tuple[str, str]] = {}
    for table in tables:
        for identity, text in table.identities.items():
            source, before = identities.setdefault(identity, (table.source, text))
            if before != text:
                raise DataError(
                    f"the question {identity!r} is {before!r} in {source} and {text!r} in "
                    f"{table.source}: compare answers to the same questions"
                )
    common = [q for q in tables[0].counts if all(q in table.counts for table in tables)]
    if not common:
        other = next(t for t in tables if not set(t.counts) & set(tables[0].counts))
        raise DataError(
            f"{tables[0].source} and {other.source} have no question in common: the first "
            f"asks {next(iter(tables[0].counts))!r}, the other {next(iter(other.counts))!r}"
        )
    return common


def left_out(questions: Sequence[str], *sides: Sequence[AnswerTable]) -> int:
    """The questions that not every model was asked, and which are therefore not compared."""
    every = {question for side in sides for table in side for question in table.counts}
    return len(every) - len(questions)


def alike_beyond_chance(side: Sequence[AnswerTable], questions: Sequence[str]) -> float | None:
    """The p-value that models of one group differ at all (chi-square over questions and answers).

    A large value means that their answers differ no more than draws of one model would: they may
    be parts of one model's answers. None for one model, or without anything that varies.
    """
    from scipy import stats

    statistic, degrees = 0.0, 0
    for question in questions:
        rows = _frequent([table.counts[question] for table in side])
        if len(side) > 1 and len(rows[0]) > 1 and all(map(sum, rows)):
            found = stats.chi2_contingency(rows)
            statistic, degrees = statistic + float(found[0]), degrees + int(found[2])
    return float(stats.chi2.sf(statistic, degrees)) if degrees else None


def _frequent(counts: Sequence[Counter[str]]) -> list[list[int]]:
    """(models, answers), how often each was given; rare answers (fewer than 5 a model) as one."""
    total = Counter[str]()
    for count in counts:
        total.update(count)
    frequent = [text for text, n in total.items() if n >= 5 * len(counts)]
    rare = [sum(n for text, n in count.items() if text not in frequent) for count in counts]
    rows = [[count[text] for text in frequent] for count in counts]
    return [[*row, rest] for row, rest in zip(rows, rare, strict=True)] if sum(rare) else rows


def remarks(treated: Sequence[AnswerTable], reference: Sequence[AnswerTable]) -> Iterator[str]:
    """What a reader must know beside the figures, one sentence each."""
    questions = common_questions(treated, reference)
    if missing := left_out(questions, treated, reference):
        yield (
            f"compared on the {len(questions):,} questions that every model was asked; "
            f"{missing:,} others are left out"
        )
    for side in (treated, reference):
        alike = alike_beyond_chance(side, questions)
        if alike is not None and alike > 0.5 and all(table.model is None for table in side):
            yield (
                f"{side[0].source} and the others of its group differ no more than draws of one "
                f"model would (p = {alike:.2g}): if they are parts of one model's answers, there "
                f"is one model, and the p-value does not hold"
            )
