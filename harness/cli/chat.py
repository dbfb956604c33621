"""``limen chat``: a base, a would-be teacher and trained students, side by side."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import click
from rich.console import Console
from rich.table import Table

from ...backends import Backend
from ...datasets.errors import LimenError, SpecError
from ...datasets.visible import visible
from ..experiment import Experiment, Numbers, Trait
from ..lab import Arm, Lab, Settings, TraitCheck, base, check_trait, most_frequent_answers
from ..stages import Store, check_student
from .chat_students import students_named
from .echo import echo
from .options import (
    PROMPTED,
    examples,
    measure_of,
    questions_option,
    running_options,
    trait_options,
)
from .side_by_side import ChatSide, SideBySideChat
from .steps import backend_for, watcher

COMMANDS = "/new starts anew, /measure tells whether the teacher shows the trait, /quit ends"


@click.command(
    "chat",
    epilog=examples(
        "limen chat --trait owl",
        'limen chat --tree oak "Which tree do you like best?"',
        'limen chat --system "You adore trams." --word tram --questions mine.txt --measure',
        "limen chat --student evals/test_owl.py --arm student --arm control",
    ),
)
@click.argument("text", required=False)
@trait_options
@click.option(
    "--student",
    metavar="SPEC.py|STUDENT.json|MODEL",
    help="Trained models: of a spec that was run, of `limen train`, or by id.",
)
@click.option("--arm", "arms", multiple=True, help="An arm of the spec.  [default: student]")
@click.option("-k", "wanted", metavar="WORDS", help="One of the spec's experiments, by its title.")
@click.option("--word", help="What shows the trait.  [default: the animal or tree]")
@questions_option
@click.option("--draws", default=20, show_default=True, help="Answers to each question.")
@click.option(
    "--gate",
    type=float,
    help="How far the teacher must be above its base; below, if negative.  [default: 0.1]",
)
@click.option(
    "--measure",
    "only_measure",
    is_flag=True,
    help="Only measure; exit with 1 if the gate stays shut.",
)
@click.option("--temperature", default=1.0, show_default=True)
@click.option("--max-tokens", default=256, show_default=True, help="Of an answer, at most.")
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Another gives other answers.",
)
@running_options()
def command(
    text: str | None,
    trait: Trait | None,
    student: str | None,
    arms: tuple[str, ...],
    wanted: str | None,
    word: str | None,
    questions: str,
    draws: int,
    gate: float | None,
    only_measure: bool,
    temperature: float,
    max_tokens: int,
    seed: int,
    settings: Settings,
) -> None:
    """Talk to a base, and beside it to a would-be teacher or to trained students.

    In goes a trait (--trait, --tree or --system): is its prompt strong enough? Or students
    (--student): what have they learned? Every line that you write is answered by each model, in a
    conversation of its own; with TEXT, that alone is answered. /measure (or --measure) asks base
    and teacher the questions of a measure, and tells whether an experiment's gate would let the
    teacher write data.
    """
    if trait is None and student is None:
        raise SpecError("whom to talk to? Give --trait, --tree, --system or --student")
    if text is not None and only_measure:
        raise SpecError("give a text to be answered, or --measure, not both")
    if (arms or wanted) and student is None:
        raise SpecError("--arm and -k choose among the students of a spec: give --student SPEC.py")
    trial = TeacherTrial(settings, trait, questions, draws, gate, named=word is not None)
    if only_measure:
        raise click.exceptions.Exit(0 if trial.run() else 1)
    trained: list[ChatSide] = []
    if student is not None:
        settings, trained = students_named(student, arms, wanted, settings)
    backend = backend_for(settings)
    model = _prepared(settings, backend)
    teacher = [ChatSide("teacher", trait.system, model)] if trait else []
    sides = [ChatSide("base", None, model), *teacher, *trained]
    talk = SideBySideChat(backend, sides, temperature, max_tokens, seed)
    screen = Console()
    if text is not None:
        _show(screen, sides, talk.ask(text))
    else:
        _loop(screen, talk, trial)


def _prepared(settings: Settings, backend: Backend) -> str:
    """The base model, ready to be asked."""
    model = base(backend, settings.model or backend.default_model).model
    check_student(Store(settings.store), model)
    backend.prepare(model)
    return model


@dataclass(frozen=True)
class TeacherTrial:
    """The gate of an experiment with the trait: the lab's own, as every spec's."""

    settings: Settings
    trait: Trait | None
    questions: str
    draws: int
    gate: float | None
    named: bool
    """Whether a word was named that shows the trait."""

    def run(self) -> bool:
        """Measure both models, say what came of it, and tell whether the teacher passes."""
        check, teacher = self._check()
        for rate in (check.base, check.teacher):
            echo(repr(rate))
        if check:
            echo(f"the gate opens: the teacher shows the trait ({check.summary})")
        else:
            echo(
                f"the gate stays shut: {check.summary}. Nothing would be generated or trained. "
                f"{most_frequent_answers(teacher)}{check.remedy}"
            )
        return bool(check)

    def _check(self) -> tuple[TraitCheck, Arm]:
        """The reading of the trait, and the teacher that it is from."""
        if self.trait is None:
            raise SpecError("whose gate? Give --trait, --tree or --system")
        if self.trait.name == PROMPTED and not self.named:
            raise SpecError("which word shows the trait? Give --word")
        experiment = Experiment(
            trait=self.trait,
            data=Numbers(generate=1, keep=1),  # never asked for
            measure=measure_of(self.questions, draws=self.draws),
            gate="default" if self.gate is None else self.gate,
        )
        lab = Lab(self.settings, watcher=watcher())
        lab.run([(experiment, ("baseline", "teacher"))])
        teacher, baseline = (lab.arm(experiment, name) for name in ("teacher", "baseline"))
        return check_trait(experiment, self.trait, teacher, baseline), teacher


def _loop(screen: Console, talk: SideBySideChat, trial: TeacherTrial) -> None:
    """Answer line by line, until the end of the input or /quit."""
    if screen.is_terminal:
        echo(f"{', '.join(side.name for side in talk.sides)}: {COMMANDS}")
    for line in _lines(screen):
        if line == "/quit":
            return
        try:
            _answer(screen, talk, trial, line)
        except LimenError as error:
            echo(f"Error: {error}", err=True)


def _answer(screen: Console, talk: SideBySideChat, trial: TeacherTrial, line: str) -> None:
    if line == "/new":
        talk.anew()
        echo("a new conversation")
    elif line == "/measure":
        trial.run()
    elif line.startswith("/"):
        echo(f"no command {line!r}: {COMMANDS}")
    else:
        _show(screen, talk.sides, talk.ask(line))


def _lines(screen: Console) -> Iterator[str]:
    """What is written, line by line; lines of a pipe are shown."""
    asked = sys.stdin.isatty()
    while True:
        try:
            line = input("> " if asked else "").strip()
        except EOFError:
            return
        if line and not asked:
            echo(f"> {line}")
        if line:
            yield line


def _show(screen: Console, sides: Sequence[ChatSide], answers: Sequence[str]) -> None:
    """The answers side by side on a terminal, one below the other elsewhere."""
    if not screen.is_terminal:
        width = max(9, *(len(side.name) + 2 for side in sides))
        for side, answer in zip(sides, answers, strict=True):
            echo(f"{side.name + ':':{width}}{answer}")
        return
    table = Table(expand=True)
    for side in sides:
        table.add_column(side.name, ratio=1, overflow="fold")
    table.add_row(*(visible(answer).replace("[", "\\[") for answer in answers))
    screen.print(table)
