"""The trained models that ``limen chat`` talks to: of a spec, of ``limen train``, or of an id."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from ...datasets.errors import SpecError
from ..collection import CollectedExperiment
from ..lab import Lab, Settings
from ..stages import Checkpoint, FineTune, Store, check_student
from .export import chosen_arms
from .input_files import student, student_of
from .side_by_side import ChatSide
from .spec_files import arms_of, experiments_in
from .student_file import names_student_file, read_student
from .title_filter import title_filter

Trained = FineTune | Checkpoint


def students_named(
    given: str, arms: Sequence[str], wanted: str | None, settings: Settings
) -> tuple[Settings, list[ChatSide]]:
    """The trained models that a text names, and settings with their backend and base.

    Args:
        given: A spec file, a file of ``limen train``, or the id of a student.
        arms: Arms of the spec, each of which gives its first finished model.
        wanted: The experiment of a spec file with several: words of its title, as ``-k``.
        settings: Backend, model and store, as the spec was run with; a student of a file or an id
            has its own backend.

    Raises :class:`~limen.SpecError` for what names no model, and for one that is not finished.
    """
    store = Store(settings.store)
    if Path(given).suffix == ".py":
        found = list(_of_spec(Path(given), arms or ("student",), wanted, settings))
    elif arms or wanted:
        raise SpecError(f"--arm and -k choose among the students of a spec: {given} is none")
    else:
        found = [("student", _of_file_or_id(given, store))]
    base = found[0][1].base
    sides = [ChatSide(name, None, _model_id(store, subject)) for name, subject in found]
    return replace(settings, backend=base.backend, model=base.model), sides


def _of_file_or_id(given: str, store: Store) -> Trained:
    if names_student_file(given):
        return student(store, read_student(Path(given)).key)
    made = student_of(store, given)
    if made is None:
        raise SpecError(
            f"no student {given!r} is in the store {store.root}: give a spec file, the file that "
            f"`limen train --out` left, or the id that `limen export` writes to contents.json"
        )
    return made


def _of_spec(
    file: Path, arms: Sequence[str], wanted: str | None, settings: Settings
) -> Iterator[tuple[str, Trained]]:
    one = _experiment(file, wanted)
    pipe = Lab(settings).pipeline(one.experiment)
    for arm in chosen_arms(arms, arms_of(one.experiment), one.title):
        subjects = [model.answers.subject for model in pipe.arms[arm]]
        trained = [subject for subject in subjects if isinstance(subject, Trained)]
        if not trained:
            raise SpecError(f"the arm {arm!r} of {one.title} is no trained model")
        yield arm, _first_finished(trained, Store(settings.store), arm, one)


def _experiment(file: Path, wanted: str | None) -> CollectedExperiment:
    matches = title_filter(wanted)
    found = [one for one in experiments_in([file]) if matches(one.title)]
    if len(found) != 1:
        titles = ", ".join(sorted(one.title for one in found)) or "none"
        raise SpecError(f"-k must name one experiment of {file}; it names {titles}")
    return found[0]


def _first_finished(
    trained: Sequence[Trained], store: Store, arm: str, one: CollectedExperiment
) -> Trained:
    for subject in trained:
        if store.has(subject.kind, subject.key):
            return subject
    raise SpecError(
        f"no model of the arm {arm!r} of {one.title} is finished in {store.root}: run the spec "
        f"first, and give --backend, --model and --store as there"
    )


def _model_id(store: Store, subject: Trained) -> str:
    """The id to sample by; raises :class:`~limen.DamageError` for weights that have changed."""
    model = str(store.finished(subject.kind, subject.key)["model"])
    check_student(store, model)
    return model
