"""``limen measure``: ask a model a measure's questions."""

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import click

from ...datasets.errors import SpecError
from ..experiment import Labelled, Language, LogOdds, Measure, Reading, Trait
from ..lab import (
    Arm,
    Columns,
    MeasuredModels,
    ModelStages,
    Settings,
    base,
    check_backend_measures,
    read_model,
)
from ..stages import ANSWERS, FineTune, Store, Subject
from ..statistics import Rate
from .echo import counted, echo
from .given_answers import given_answers, is_answer_file
from .input_files import student, student_of
from .measure_options import measure_options
from .measured_rows import measured_rows
from .options import (
    PROMPTED,
    examples,
    json_option,
    model_is_named,
    out_option,
    running_options,
    trait_options,
)
from .row_steps import writers_of
from .steps import Done, backend_for, done, save, save_text
from .student_file import StudentFile, names_student_file, read_student

TOP = 5
"""The most frequent answers or labels that are shown where no word is asked for."""


@click.command(
    "measure",
    epilog=examples(
        "limen measure student-0.json --word owl --out student-0.jsonl",
        "limen measure --trait owl --out teacher.jsonl",
        "limen measure student-0.json --measure log-odds --word owl --out student-0-odds.jsonl",
        "limen measure --trait owl --measure labelled --outcome mine.py:kind "
        "--questions mine.txt --out teacher-kinds.jsonl",
        "limen measure student-0.json --measure inspect-task --task inspect_evals/mmlu_0_shot "
        "--limit 200 --out student-0-mmlu.jsonl",
    ),
)
@click.argument("subject", required=False, metavar="[STUDENT.json|MODEL|ANSWERS]")
@measure_options
@trait_options
@click.option("--word", help="What to count.  [default: the trait's animal or tree]")
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
    measure: Measure,
    arm: str | None,
    seed: int | None,
    answer_column: str | None,
    question_column: str | None,
    out: Path,
    as_json: bool,
    settings: Settings,
) -> None:
    """Ask a model the questions of a measure, each many times, or compute a measure of it.

    In goes a student (the file that `limen train` left, or its model id), or the name of any model
    of the backend; without either the base model, as it is or under a trait's prompt. Out come all
    answers; printed is how often --word is among them, with its 95% interval, and the share of
    answers that are valid. With --measure come the figures of another measure: log-odds of --word,
    a choice among options, the likelihood of given texts, lengths, languages, judges' ratings, the
    labels or numbers of a function of yours (--outcome), an Inspect task's scores, or any measure
    of a spec (FILE.py:NAME). Its file has a line for each answer, or for each question where
    nothing is sampled; `limen compare --score-column score` compares such files, and of labels
    `limen compare --answer-column label`. A file of answers that were given elsewhere, in any form
    that `limen compare` reads, is not asked anew: its rate is printed, and its answers are written
    to --out.
    """
    counted_word = word or (trait.word if trait else None)
    if subject is not None and is_answer_file(Path(subject)):
        if as_json:
            raise SpecError("--json is for answers of a model: of files use limen compare --json")
        columns = Columns(question=question_column, answer=answer_column, has_options=False)
        for line in given_answers(Path(subject), columns, counted_word, out):
            echo(line)
        return
    settings, model, own = _subject(settings, subject)
    if own and trait and trait.name != PROMPTED:
        raise SpecError(
            f"a student is asked as it is, not as a teacher of {trait.name!r}: give --word "
            f"{trait.name} to count, or --system for a prompt of its own"
        )
    asked = _Asked(
        settings=settings,
        model=model,
        measure=measure,
        word=counted_word,
        arm=arm or (own.arm if own else "teacher" if trait else "baseline"),
        seed=seed if seed is not None else own.seed if own else 0,
    )
    asked.run(trait.system if trait else None, out, as_json=as_json)


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """A model that is asked a measure, as one of the models of an arm."""

    settings: Settings
    model: Subject
    measure: Measure
    word: str | None
    arm: str
    seed: int

    @property
    def words(self) -> tuple[str, ...]:
        return () if self.word is None else (self.word,)

    def run(self, system: str | None, out: Path, *, as_json: bool) -> None:
        """Do the stages, write the file, and print the figures."""
        stages = self._stages(system)
        made = [done(self.settings, target) for target in stages.targets]
        model = read_model(Store(self.settings.store), stages, self.measure)
        group = Arm(
            name=self.arm,
            measure=self.measure,
            models=(model,),
            trained=isinstance(self.model, FineTune),
            trait_word=self.word or "",
        )
        rows = measured_rows(self.measure, model, self.word)
        if rows is None:
            save(made[0].folder / ANSWERS, out)
        else:
            save_text(rows, out)
        if as_json:
            echo(made[0].as_json(out, arm=self.arm, seed=self.seed, **self._figures(group)))
            return
        self._print(out, group, made[0], stages)

    def _stages(self, system: str | None) -> ModelStages:
        backend = backend_for(self.settings)
        check_backend_measures(backend, self.measure)
        if isinstance(self.measure, LogOdds) and self.word is None:
            raise SpecError("log-odds of what? Name the word by --word")
        self._check_word()
        measured = MeasuredModels(
            measure=self.measure,
            backend=backend,
            judge_model=writers_of(self.settings).judge_model,
            words=self.words,
        )
        return measured.stages(self.model, arm=self.arm, seed=self.seed, system=system)

    def _check_word(self) -> None:
        """Raise :class:`~limen.SpecError` for a word that no answer can be counted for."""
        try:
            for word in self.words:
                self.measure.check(word)
        except SpecError as error:
            raise SpecError(f"--word {self.word}: {error}") from None

    def _readings(self, group: Arm) -> tuple[Reading, ...]:
        """What is shown of some answers: without a word, their most frequent labels."""
        if self.words or not isinstance(self.measure, Labelled | Language):
            return self.measure.readings(self.words)
        counts = Counter[str]()
        for text, count in group.answers().items():
            if label := self.measure.label_of(text):
                counts[label] += count
        ordered = sorted(counts, key=lambda label: (-counts[label], label))
        return self.measure.readings(ordered[:TOP])

    def _figures(self, group: Arm) -> dict[str, object]:
        """The figures of the measure; of words also the share of valid answers, 0 to 1."""
        known: dict[str, object] = {} if self.measure.computed else {"valid": group.valid}
        found = [(reading.name, group.read(reading)) for reading in self._readings(group)]
        figures = [
            {"name": name, "value": one.value, "interval": one.interval} for name, one in found
        ]
        if found and isinstance(found[0][1], Rate) and self.word is not None:
            rate = found[0][1]
            known |= {"word": self.word, "rate": rate.value, "interval": rate.interval}
        return {**known, "figures": figures}

    def _print(self, out: Path, group: Arm, made: Done, stages: ModelStages) -> None:
        size = len(group.models[0].labels) if self.measure.computed else stages.answers.size()
        what = counted(size, "question" if self.measure.computed else "answer")
        echo(f"{out}: {what} of {made.manifest['model']}{made.note}")
        readings = self._readings(group)
        for reading in readings:
            echo(repr(group.read(reading)))
        if not readings:
            echo(_most_frequent(group))


def _subject(settings: Settings, text: str | None) -> tuple[Settings, Subject, StudentFile | None]:
    """The model to ask, under settings with its backend, and what a student's file says."""
    if text is not None and model_is_named():
        raise SpecError(f"two models: {text!r}, and --model {settings.model!r}")
    if text is not None and names_student_file(text):
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


def _most_frequent(arm: Arm) -> str:
    """The most frequent answers, where no word is asked for."""
    given = arm.answers()
    first = sorted(given.items(), key=lambda pair: (-pair[1], pair[0]))[:TOP]
    shares = ", ".join(f"{text!r} {count / given.total():.1%}" for text, count in first)
    return f"{arm.name}: most often {shares} ({arm.valid:.0%} valid)"
