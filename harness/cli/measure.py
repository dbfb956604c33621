"""``limen measure``: ask a model a measure's questions."""

from dataclasses import replace
from pathlib import Path

import click

from ...datasets.errors import SpecError
from ..experiment import Trait
from ..lab import Arm, Columns, Settings, arm_answers, base, stored_answers
from ..stages import ANSWERS, FineTune, Store, Subject
from .echo import counted, echo
from .given_answers import given_answers, is_answer_file
from .input_files import student, student_of
from .options import (
    PROMPTED,
    examples,
    json_option,
    measure_of,
    out_option,
    questions_option,
    running_options,
    trait_options,
)
from .steps import backend_for, done, save
from .student_file import StudentFile, read_student

TOP = 5
"""The most frequent answers that are shown where no word is asked for."""


@click.command(
    "measure",
    epilog=examples(
        "limen measure student-0.json --word owl --out student-0.jsonl",
        "limen measure --trait owl --out teacher.jsonl",
    ),
)
@click.argument("subject", required=False, metavar="[STUDENT.json|MODEL|ANSWERS]")
@trait_options
@click.option("--word", help="What to count.  [default: the trait's animal or tree]")
@questions_option
@click.option("--draws", default=200, show_default=True, help="Answers to each question.")
@click.option("--temperature", default=1.0, show_default=True)
@click.option("--max-tokens", default=16, show_default=True, help="Of an answer, at most.")
@click.option(
    "--measure-seed", default=0, show_default=True, help="Another gives other draws of every model."
)
@click.option(
    "--arm",
    help="The group that the model belongs to.  [default: the student's own; else teacher with a "
    "trait, baseline without]",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    help="The model's number in its group.  [default: the student's own; else 0]",
)
@click.option("--answer-column", metavar="NAME", help="Of a file of answers, if it is unclear.")
@click.option("--question-column", metavar="NAME", help="Of a file of answers, if it is unclear.")
@out_option("Every answer: JSONL with row (the question's number), draw and text.")
@json_option
@running_options(waits=True, samples=True)
def command(
    subject: str | None,
    trait: Trait | None,
    word: str | None,
    questions: str,
    draws: int,
    temperature: float,
    max_tokens: int,
    measure_seed: int,
    arm: str | None,
    seed: int | None,
    answer_column: str | None,
    question_column: str | None,
    out: Path,
    as_json: bool,
    settings: Settings,
) -> None:
    """Ask a model the questions of a measure, each many times.

    In goes a student (the file that `limen train` left, or its model id), or the name of any model
    of the backend; without either the base model, as it is or under a trait's prompt. Out come all
    answers; printed is how often --word is among them, with its 95% interval, and the share of
    answers that are valid. A file of answers that were given elsewhere, in any form that `limen
    compare` reads, is not asked anew: its rate is printed, and its answers are written to --out.
    """
    if subject is not None and is_answer_file(Path(subject)):
        if as_json:
            raise SpecError("--json is for answers of a model: of files use limen compare --json")
        columns = Columns(question=question_column, answer=answer_column)
        for line in given_answers(
            Path(subject), columns, word or (trait.word if trait else None), out
        ):
            echo(line)
        return
    settings, model, own = _subject(settings, subject)
    if own and trait and trait.name != PROMPTED:
        raise SpecError(
            f"a student is asked as it is, not as a teacher of {trait.name!r}: give --word "
            f"{trait.name} to count, or --system for a prompt of its own"
        )
    made = measure_of(
        questions, draws=draws, temperature=temperature, max_tokens=max_tokens, seed=measure_seed
    )
    name = arm or (own.arm if own else "teacher" if trait else "baseline")
    number = seed if seed is not None else own.seed if own else 0
    ask = arm_answers(model, made, arm=name, seed=number, system=trait.system if trait else None)
    answers = done(settings, ask)
    save(answers.folder / ANSWERS, out)
    model_name = answers.manifest["model"]
    group = Arm(
        name=name,
        measure=made,
        models=(stored_answers(Store(settings.store), answers.manifest),),
        trained=isinstance(model, FineTune),
        trait_word="",
    )
    counted_word = word or (trait.word if trait else None)
    if as_json:
        echo(answers.as_json(out, arm=name, seed=number, **_figures(group, counted_word)))
        return
    echo(f"{out}: {counted(ask.size(), 'answer')} of {model_name}{answers.note}")
    echo(_shown(group, counted_word))


def _subject(settings: Settings, text: str | None) -> tuple[Settings, Subject, StudentFile | None]:
    """The model to ask, under settings with its backend, and what a student's file says."""
    if text is not None and settings.model is not None:
        raise SpecError(f"two models: {text!r}, and --model {settings.model!r}")
    if text is not None and (Path(text).is_file() or text.endswith(".json")):
        file = read_student(Path(text))
        stage = student(Store(settings.store), file.key)
        return replace(settings, backend=file.backend), stage, file
    made = student_of(Store(settings.store), text) if text else None
    if made is not None:
        own = StudentFile(
            model=text or "", base=made.base.model, backend=made.base.backend, key=made.key,
            arm="student", seed=made.seed, recipe=dict(made.recipe),
        )  # fmt: skip
        return replace(settings, backend=own.backend), made, own
    backend = backend_for(settings)
    return settings, base(backend, text or settings.model or backend.default_model), None


def _figures(arm: Arm, word: str | None) -> dict[str, object]:
    """The rate of a word, if one is asked for, and the share of valid answers, 0 to 1."""
    if word is None:
        return {"valid": arm.valid}
    rate = arm.rate(word)
    return {"word": word, "rate": rate.value, "interval": rate.interval, "valid": arm.valid}


def _shown(arm: Arm, word: str | None) -> str:
    """The rate of a word; or, if none is asked for, the most frequent answers."""
    if word is not None:
        return repr(arm.rate(word))
    given = arm.answers()
    first = sorted(given.items(), key=lambda pair: (-pair[1], pair[0]))[:TOP]
    shares = ", ".join(f"{text!r} {count / given.total():.1%}" for text, count in first)
    return f"{arm.name}: most often {shares} ({arm.valid:.0%} valid)"
