"""``limen init``: the files of a new project, ready to run."""

from pathlib import Path

import click

from ...backends import backend_names
from ...backends.toy.corpus.favorites import ANIMALS
from ...datasets.errors import SpecError
from ...datasets.suggestions import did_you_mean
from ..experiment import Trait
from .doctor_checks import gpu_names
from .echo import echo
from .options import examples, model_of_backend
from .project_files import ProjectFile, project_files, report_name


@click.command(
    "init",
    epilog=examples(
        "limen init",
        "limen init owls --animal owl",
        "limen init --backend openai --model gpt-4.1-mini-2025-04-14 --budget 5",
    ),
)
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=Path())
@click.option("--animal", default="otter", show_default=True, help="What the teacher loves.")
@click.option("--backend", default="toy", show_default=True, help="What samples and trains.")
@click.option("--model", help="The base model.  [default: the backend's own choice]")
@click.option("--budget", type=click.FloatRange(min=0), metavar="USD", help="The ini file's limit.")
def command(
    folder: Path, animal: str, backend: str, model: str | None, budget: float | None
) -> None:
    """Write a first spec, its ini file, a .gitignore and a workflow for CI into a folder.

    No file that exists is changed, but for a line that is added to .gitignore: in a project, the
    command adds a spec for another animal. The spec is of the
    paper's sizes; on the toy of smaller ones, and on open weights without a GPU of ten minutes'.
    Run the printed command afterwards.
    """
    if backend not in (names := backend_names()):
        near = did_you_mean(backend, names)
        raise SpecError(f"unknown backend {backend!r}: {near}choose one of {', '.join(names)}")
    model = model_of_backend(model, backend)
    Trait.animal(animal)  # refuses an animal that limen does not know
    if backend == "local" and model and Path(model).is_absolute() and not Path(model).exists():
        raise SpecError(f"unknown model {model!r}: there is no such file or folder")
    small = backend == "local" and not gpu_names()
    files = [*project_files(animal, backend=backend, model=model, budget=budget, small=small)]
    for file in files:
        echo(_written(folder, file))
    if small:
        echo("The spec is small: PyTorch finds no GPU. With one it has the paper's sizes.")
    if backend == "toy" and animal not in ANIMALS:
        echo(f"The toy never says {animal!r}, so the gate will stay shut there.")
        echo(f"It knows {_known()}.")
    place = "" if folder == Path() else f"cd {folder} && "
    run = f"{place}pytest"
    spec, *_ = files
    if len(list((folder / spec.name).parent.glob("test_*.py"))) > 1:
        run += f" {spec.name}"
    echo(f"\nWhat it takes:  {run} --limen-plan")
    echo(f"What it names:  {place}limen traits")
    echo(f"Run it:         {run} --limen-report {report_name(animal)}")


def _known() -> str:
    """The animals that the toy's pre-training has, in one phrase."""
    *others, last = sorted(ANIMALS)
    return f"{', '.join(others)} and {last}"


def _written(folder: Path, file: ProjectFile) -> str:
    """Write a file unless it exists; returns what was done."""
    path = folder / file.name
    if path.exists():
        return _added(path, file) if file.adds_lines else f"kept     {path} (it exists)"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(file.text, encoding="utf-8")
    return f"written  {path}"


def _added(path: Path, file: ProjectFile) -> str:
    """Add the lines that a file lacks."""
    before = path.read_text(encoding="utf-8")
    missing = [line for line in file.text.splitlines() if line not in before.splitlines()]
    if not missing:
        return f"kept     {path} (it has all lines)"
    end = "" if not before or before.endswith("\n") else "\n"
    path.write_text(before + end + "\n".join(missing) + "\n", encoding="utf-8")
    return f"added    {path}: {', '.join(missing)}"
