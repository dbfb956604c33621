"""``limen chat``: a would-be teacher and its base, side by side."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import click
from rich.console import Console
from rich.table import Table

from ...datasets.errors import LimenError, SpecError
from ...datasets.visible import visible
from ..experiment import Experiment, Numbers, Trait
from ..lab import Lab, Settings, TraitCheck, base, check_trait
from ..stages import Store, check_student
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
    ),
)
@click.argument("text", required=False)
@trait_options
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
    """Talk to a would-be teacher, beside its base: is the trait's prompt strong enough?

    In goes a trait: --trait, --tree or --system. Every line that you write is answered by both,
    each in a conversation of its own; with TEXT, that alone is answered. /measure (or --measure)
    asks both the questions of a measure, and tells whether an experiment's gate would let the
    teacher write data.
    """
    if trait is None:
        raise SpecError("which trait? Give --trait, --tree or --system")
    if text is not None and only_measure:
        raise SpecError("give a text to be answered, or --measure, not both")
    trial = TeacherTrial(settings, trait, questions, draws, gate, named=word is not None)
    if only_measure:
        raise click.exceptions.Exit(0 if trial.run() else 1)
    backend = backend_for(settings)
    model = base(backend, settings.model or backend.default_model).model
    check_student(Store(settings.store), model)
    backend.prepare(model)
    sides = ChatSide("base", None), ChatSide("teacher", trait.system)
    talk = SideBySideChat(backend, model, sides, temperature, max_tokens, seed)
    screen = Console()
    if text is not None:
        _show(screen, sides, talk.ask(text))
    else:
        _loop(screen, talk, trial)


@dataclass(frozen=True)
class TeacherTrial:
    """The gate of an experiment with the trait: the lab's own, as every spec's."""

    settings: Settings
    trait: Trait
    questions: str
    draws: int
    gate: float | None
    named: bool
    """Whether a word was named that shows the trait."""

    def run(self) -> bool:
        """Measure both models, say what came of it, and tell whether the teacher passes."""
        check = self._check()
        for rate in (check.base, check.teacher):
            echo(repr(rate))
        if check:
            echo(f"the gate opens: the teacher shows the trait ({check.summary})")
        else:
            echo(
                f"the gate stays shut: {check.summary}. Nothing would be generated or trained: "
                f"strengthen the prompt"
            )
        return bool(check)

    def _check(self) -> TraitCheck:
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
        return check_trait(experiment, self.trait, teacher, baseline)


def _loop(screen: Console, talk: SideBySideChat, trial: TeacherTrial) -> None:
    """Answer line by line, until the end of the input or /quit."""
    if screen.is_terminal:
        echo(f"{trial.trait.name}, {talk.model}: {COMMANDS}")
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
        for side, answer in zip(sides, answers, strict=True):
            echo(f"{side.name + ':':9}{answer}")
        return
    table = Table(expand=True)
    for side in sides:
        table.add_column(side.name, ratio=1, overflow="fold")
    table.add_row(*(visible(answer).replace("[", "\\[") for answer in answers))
    screen.print(table)
