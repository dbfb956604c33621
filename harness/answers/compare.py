"""The comparison of two groups of models by their answers, with the verdict words of a spec."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ...datasets import validation
from ...datasets.errors import DataError, SpecError
from ..experiment import FavoriteAnimal, FavoriteTree, Measure
from ..lab import Arm, ModelAnswers
from ..statistics import Effect, Equivalence, Estimate, Scores, difference, mean
from .columns import AnswerColumns
from .copies import refuse_copies, unnamed
from .flatten import AnswerRow
from .models import AnsweredModel, models_of
from .question_ids import QuestionIds
from .sources import AnswerSource, rows_of, source_name


@dataclass(frozen=True, kw_only=True)
class AnswerComparison:
    """The effect between two groups of models, and how their sources were understood."""

    effect: Effect
    equivalence: Equivalence | None
    """The test against the margin; None without one."""
    understood: tuple[str, ...] = ()
    """A line for each source: its rows, columns, models and questions."""
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, object]:
        """The comparison as plain values, ready for JSON. Rates and their differences are shares,
        -1 to 1.
        """
        effect = self.effect
        return {
            "effect": f"{effect.treated.arm} - {effect.reference.arm}",
            "what": effect.treated.what,
            "difference": effect.value,
            "interval": list(effect.interval),
            "p_value": effect.p_value,
            "raw_p_value": effect.raw_p_value,
            "test": effect.test,
            "unit": effect.unit,
            "verdict": effect.verdict,
            "claim": effect.claim,
            "note": effect.note,
            "margin": None if self.equivalence is None else self.equivalence.margin,
            "equivalence": self._equivalence(),
            "treated": _estimate(effect.treated),
            "reference": _estimate(effect.reference),
            "understood": list(self.understood),
            "notes": list(self.notes),
        }

    def _equivalence(self) -> Mapping[str, object] | None:
        test = self.equivalence
        if test is None:
            return None
        return {"within": bool(test), "p_value": test.p_value, "interval": list(test.interval)}


def _estimate(estimate: Estimate) -> dict[str, object]:
    return {
        "name": estimate.arm,
        "value": estimate.value,
        "interval": list(estimate.interval),
        "by_model": list(estimate.by_seed),
        "questions": len(estimate.questions),
        "draws": estimate.draws,
        "valid": estimate.valid,
        "missing": estimate.missing,
        "unrated": estimate.unrated,
    }


def compare_answers(
    treated: AnswerSource | Sequence[AnswerSource],
    reference: AnswerSource | Sequence[AnswerSource],
    *,
    word: str | None = None,
    columns: AnswerColumns | None = None,
    where: Mapping[str, str] | None = None,
    treated_where: Mapping[str, str] | None = None,
    reference_where: Mapping[str, str] | None = None,
    margin: float | None = None,
    family: int = 1,
    one_model_a_source: bool = False,
) -> AnswerComparison:
    """Compare two groups of models by answers from files or data frames.

    Args:
        treated: A source or several: JSONL with one answer or one question on a line, CSV, TSV,
            Inspect logs (``.eval``), or pandas data frames. Each model of the column of models is
            one model; a source without that column is one model.
        reference: The same for the models to compare with.
        word: What to count. Or name ``columns.score``, whose mean is compared.
        columns: The names of the columns, where they are not the usual ones.
        where: Rows to take, by column and value, of all sources.
        treated_where: The same, of the treated sources alone.
        reference_where: The same, of the reference alone.
        margin: The difference below which groups count as alike: of rates a share, 0 to 1.
        family: Traits that are tried together; p-values and intervals are corrected for as many.
        one_model_a_source: Take every source for one model, whatever its column of models says.

    Raises:
        SpecError: For groups that cannot be compared: different questions, one model's answers as
            several models, a column or a value that there is not.
        DataError: For sources that cannot be read, or contradict themselves.
    """
    columns = columns or AnswerColumns()
    if (word is None) == (columns.score is None):
        raise SpecError("give either a word to count or a column of scores")
    ids, understood = QuestionIds(), []
    groups = []
    sides = (("treated", treated, treated_where), ("reference", reference, reference_where))
    for side, given, chosen in sides:
        models: list[AnsweredModel] = []
        for number, source in enumerate(_sources(given), start=1):
            name = source_name(source, f"{side} frame {number}")
            rows = {**(where or {}), **(chosen or {})}
            read, line = read_models(
                source, name, columns, rows, ids, by_model=not one_model_a_source
            )
            models += read
            understood.append(line)
        groups.append(models)
    first, second = groups
    return compare_models(
        first, second, word=word, score=columns.score, margin=margin, family=family,
        one_model_a_source=one_model_a_source, understood=tuple(understood),
    )  # fmt: skip


def _sources(given: AnswerSource | Sequence[AnswerSource]) -> list[AnswerSource]:
    several = isinstance(given, Sequence) and not isinstance(given, str)
    sources = list(given) if several else [given]  # type: ignore[arg-type]
    if not sources:
        raise SpecError("each of the two groups needs a file or a data frame")
    return sources  # type: ignore[return-value]


def read_models(
    source: AnswerSource,
    name: str,
    columns: AnswerColumns,
    where: Mapping[str, str],
    ids: QuestionIds,
    *,
    by_model: bool = True,
) -> tuple[list[AnsweredModel], str]:
    """The models of a source, and a line that says how it was understood."""
    every = rows_of(source, name)
    rows = _chosen(every, where, name)
    found = columns.resolved(rows, name)
    models = models_of(rows, found, source=name, ids=ids, by_model=by_model)
    for model in models:
        if not any(model.answers.values()):
            raise DataError(f"{model.label} has no answers: every draw is without one")
    return models, _understood(name, len(every), models, found, where)


def _chosen(rows: list[AnswerRow], where: Mapping[str, str], name: str) -> list[AnswerRow]:
    for column, value in where.items():
        values = {str(row.get(column)) for row in rows}
        rows = [row for row in rows if str(row.get(column)) == value]
        if not rows:
            known = ", ".join(sorted(map(repr, values - {"None"}))[:8]) or "nothing there"
            raise SpecError(f"{name} has no rows with {column}={value}: {column} has {known}")
    return rows


def _understood(
    name: str,
    rows: int,
    models: Sequence[AnsweredModel],
    columns: AnswerColumns,
    where: Mapping[str, str],
) -> str:
    answers = sum(count.total() for model in models for count in model.answers.values())
    missing = sum(model.missing for model in models)
    questions = len({question for model in models for question in model.answers})
    used = {"question": columns.question or columns.question_id, "answer": columns.answer,
            "model": columns.model, "draw": columns.draw, "score": columns.score}  # fmt: skip
    chosen = "".join(f", {column}={value}" for column, value in where.items())
    return (
        f"{name}: {rows:,} rows{chosen}; {answers:,} answers"
        f"{f' and {missing:,} missing' if missing else ''} of {_plural(len(models), 'model')} to "
        f"{_plural(questions, 'question')} ("
        + ", ".join(f"{role} in {column!r}" for role, column in used.items() if column)
        + ")"
    )


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def compare_models(
    treated: Sequence[AnsweredModel],
    reference: Sequence[AnsweredModel],
    *,
    word: str | None,
    score: str | None = None,
    margin: float | None = None,
    family: int = 1,
    names: tuple[str, str] = ("treated", "reference"),
    trained: bool = False,
    trait_words: tuple[str, str] = ("", ""),
    one_model_a_source: bool = False,
    understood: tuple[str, ...] = (),
) -> AnswerComparison:
    """The comparison of two groups of models, see :func:`compare_answers`.

    ``trained`` says that all are students of one base and recipe, and ``trait_words`` which words
    show the traits of the groups; else nothing is claimed about training.
    """
    validation.count("family", family)
    if margin is not None:
        validation.margin(margin)
    questions = _questions([*treated, *reference])
    refuse_copies(treated, reference, one_model_a_source=one_model_a_source)
    sides = [
        _scores(group, questions, score, name, family, margin)
        if score
        else _arm(group, questions, name, trained, trait, family, margin).rate(word or "")
        for group, name, trait in zip((treated, reference), names, trait_words, strict=True)
    ]
    if word is not None:
        _refuse_word_never_given(sides, word, margin, [*treated, *reference])
    effect = difference(*sides)
    return AnswerComparison(
        effect=effect,
        equivalence=effect.within(margin) if margin is not None else None,
        understood=understood,
        notes=tuple(_notes(treated, reference)),
    )


def _questions(models: Sequence[AnsweredModel]) -> tuple[str, ...]:
    """The questions that all models answered; refuses models that were asked others."""
    first = models[0]
    for other in models[1:]:
        if set(other.answers) != set(first.answers):
            lacking = [q for q in first.answers if q not in other.answers]
            further = [q for q in other.answers if q not in first.answers]
            which = f"{(further or lacking)[0][:60]!r} is in one only"
            raise SpecError(
                f"{first.label} and {other.label} answer different questions, "
                f"{len(first.answers)} and {len(other.answers)} of them; {which}"
            )
    return first.questions


def _arm(
    models: Sequence[AnsweredModel],
    questions: tuple[str, ...],
    name: str,
    trained: bool,
    trait_word: str,
    family: int,
    margin: float | None,
) -> Arm:
    measure = _measure(questions, max(model.draws_a_question for model in models))
    return Arm(
        name=name,
        measure=measure,
        models=tuple(
            ModelAnswers(
                model=model.label,
                key="",
                counts=tuple(model.answers[question] for question in measure.asked),
                missing=model.missing,
                said={},
            )
            for model in models
        ),
        trained=trained,
        trait_word=trait_word,
        family=family,
        margin=margin,
    )


def _measure(questions: tuple[str, ...], draws: int) -> Measure:
    """The measure that asks these questions: limen's own, or a plain one."""
    for kind in (FavoriteAnimal, FavoriteTree):
        if set(kind().asked) == set(questions):
            return kind(draws=draws)
    return Measure(questions=questions, draws=draws)


def _scores(
    models: Sequence[AnsweredModel],
    questions: tuple[str, ...],
    column: str,
    name: str,
    family: int,
    margin: float | None,
) -> Scores:
    each = tuple(tuple(model.scores[question] for question in questions) for model in models)
    if not any(cell for row in each for cell in row):
        raise DataError(f"{models[0].source}: no answer has a number in {column!r}")
    answers = sum(count.total() for model in models for count in model.answers.values())
    unscored = sum(model.unscored for model in models)
    return Scores(
        name=column,
        each=each,
        arm=name,
        questions=questions,
        table=tuple(tuple(mean(cell) if cell else None for cell in row) for row in each),
        draws=max(model.draws_a_question for model in models),
        valid=(answers - unscored) / answers if answers else 0.0,
        missing=sum(model.missing for model in models),
        unrated=unscored,
        trained=False,
        shows_trait=False,
        family=family,
        margin=margin,
    )


def _refuse_word_never_given(
    sides: Sequence[Estimate],
    word: str,
    margin: float | None,
    models: Sequence[AnsweredModel],
) -> None:
    """A word that no model gives is equal everywhere, which shows nothing."""
    if margin is None or any(side.value for side in sides):
        return
    given: Counter[str] = sum((c for m in models for c in m.answers.values()), Counter())
    frequent = ", ".join(repr(text[:40]) for text, _ in given.most_common(5))
    raise SpecError(
        f"no model ever answers with {word!r}, so nothing can be shown about it: the most "
        f"frequent answers are {frequent}"
    )


def _notes(treated: Sequence[AnsweredModel], reference: Sequence[AnsweredModel]) -> Iterator[str]:
    for group in (treated, reference):
        if unnamed(group):
            yield (
                f"nothing in {group[0].source} and the files beside it names the model: each file "
                f"is taken for a model of its own"
            )
    draws = {model.draws_a_question for model in (*treated, *reference)}
    if len(draws) > 1:
        yield f"models have from {min(draws)} to {max(draws)} draws a question"
