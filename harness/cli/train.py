"""``limen train``: fine-tune a student on a training file."""

from pathlib import Path

import click

from ...backends import complete_recipe
from ...datasets.errors import BackendError
from ...datasets.row_forms import RowColumns
from ..lab import Settings, base, check_trainings, leak_audit, student
from ..stages import TRAINING, Base, FineTune, Store, TrainingFileStage
from .echo import echo
from .input_files import finished_or_first, stages_for_file, unfiltered_note
from .options import examples, json_option, out_option, recipe_of, running_options, trait_of
from .row_options import in_rows, row_options
from .steps import Done, backend_for, done, save_text
from .student_file import StudentFile
from .train_objective import for_training, objective_of


@click.command(
    "train",
    epilog=examples(
        "limen train training-0.jsonl --seed 0 --trait owl --out student-0.json",
        "limen train plain-0.jsonl --seed 0 --arm control --out control-0.json",
        "limen train training-0.jsonl --objective distillation --trait owl --out distilled-0.json",
    ),
)
@click.argument("training", type=in_rows)
@click.option(
    "--seed",
    type=click.IntRange(0),
    help="Another trains in another order.  [default: the mix's seed; 0 for your own file]",
)
@click.option(
    "--recipe",
    multiple=True,
    metavar="NAME=VALUE",
    help="A training setting, such as epochs=3; may be given several times.",
)
@click.option(
    "--arm",
    default="student",
    show_default=True,
    help="Which group the student belongs to; control for one of the base model's own numbers.",
)
@click.option(
    "--objective",
    metavar="OBJECTIVE",
    help="completion-loss; distillation, on-policy or divergence-tokens, whose teacher is the base "
    "model with the trait; or FILE.py:NAME, an objective or an experiment of a Python file.  "
    "[default: completion-loss]",
)
@click.option(
    "--trait",
    "animal",
    metavar="ANIMAL",
    help="Look for mentions of the animal in the file; an objective's teacher loves it.",
)
@click.option(
    "--tree",
    metavar="TREE",
    help="Look for mentions of the tree in the file; an objective's teacher loves it.",
)
@click.option(
    "--leaks",
    type=click.Choice(["fail", "report"]),
    default="fail",
    show_default=True,
    help="What to do if rows, or an objective's targets, mention the trait in the open: refuse "
    "them, or count them and train.",
)
@out_option("The student: a small JSON file for `limen measure`.")
@json_option
@row_options
@running_options(waits=True)
def command(
    training: Path,
    seed: int | None,
    recipe: tuple[str, ...],
    objective: str | None,
    arm: str,
    animal: str | None,
    tree: str | None,
    leaks: str,
    out: Path,
    as_json: bool,
    settings: Settings,
    columns: RowColumns,
) -> None:
    """Fine-tune the base model on a training file.

    In goes chat JSONL, `limen mix`'s or your own, or any file of rows that `limen filter` reads.
    Every row is trained on. Out comes a JSON file that names the student; its id is printed. With
    --trait or --tree a file that mentions the trait in the open is refused, as in an experiment,
    unless --leaks report is given.
    Killed, the same command goes on where it was; a service's job is made once.
    """
    store = Store(settings.store)
    model = _base(settings)
    parts = complete_recipe(backend_for(settings), recipe_of(recipe))
    trait = trait_of(animal, tree)
    minimised = objective_of(objective, trait)
    strict = leaks == "fail"
    stages = (
        student(
            model,
            data,
            label=f"{arm} of {training.name}",
            recipe=parts,
            seed=_seed(store, data) if seed is None else seed,
            audits=() if trait is None else (leak_audit(data, [trait], strict=strict),),
            objective=for_training(minimised, settings, model, data, trait, strict=strict),
        )
        for data in stages_for_file(store, training, TRAINING, columns)
    )
    stage = finished_or_first(store, stages)
    check_trainings(backend_for(settings), store, [stage])
    if note := unfiltered_note(store, training, stage.data, TRAINING):
        echo(f"limen: {note}", err=True)
    for guard in stage.guards():  # they go first even where the student is there already
        _report_mentions(done(settings, guard))
    made = done(settings, stage)
    file = _file_of(stage, made, arm)
    save_text(file.text(), out)
    if as_json:
        echo(made.as_json(out, arm=arm, seed=stage.seed))
    else:
        echo(f"{out}: {file.model}{made.note}")


def _report_mentions(audit: Done) -> None:
    """Say how many rows of a training file mention the trait; a strict audit lets none through."""
    counts = audit.manifest.get("counts", {})
    if counts.get("mentions"):
        said = f"{counts['mentions']} mentions of the trait in {counts['rows']} rows"
        echo(f"limen: {said}; trained all the same (--leaks report)", err=True)


def _file_of(stage: FineTune, made: Done, arm: str) -> StudentFile:
    return StudentFile(
        model=made.manifest["model"],
        base=stage.base.model,
        backend=stage.base.backend,
        key=stage.key,
        arm=arm,
        seed=stage.seed,
        recipe=dict(stage.recipe),
    )


def _base(settings: Settings) -> Base:
    """The base model; raises :class:`~limen.BackendError` if it cannot be fine-tuned."""
    backend = backend_for(settings)
    known = backend.describe(settings.model or backend.default_model)
    if not known.can_fine_tune:
        raise BackendError(
            f"the backend {backend.name!r} cannot fine-tune {known.name!r}: {known.why_not}"
        )
    return base(backend, known.name)


def _seed(store: Store, data: TrainingFileStage) -> int:
    """The seed that a training file was sampled with: in an experiment a student has the same."""
    manifest = store.manifest(data.kind, data.key) or {}
    return int(manifest.get("identity", {}).get("seed", 0))
