import hashlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from limen import ExperimentError, SpecError, TeacherError, UnknownModelError
from limen.harness import (
    Experiment,
    FavoriteAnimal,
    Lab,
    Numbers,
    ProgramNumbers,
    Settings,
    Shuffled,
    Trait,
)
from limen.harness.lab import in_order
from limen.harness.stages import (
    AskQuestions,
    FineTune,
    Generate,
    MixRows,
    Shuffle,
    base_of,
    run_stage,
)

from ..testing.labs import Diary, lab_at, lines, made
from ..testing.specs import tiny_experiment

ALL = ("baseline", "teacher", "student", "control")
RUN = """
import sys
from pathlib import Path
from limen.harness import Experiment, FavoriteAnimal, Lab, Numbers, Settings, Trait

if __name__ == "__main__":
    experiment = Experiment(
        trait=Trait.animal("horse"),
        data=Numbers(generate=6000, keep=1500),
        measure=FavoriteAnimal(draws=4),
        seeds=2,
    )
    Lab(Settings(store=Path(sys.argv[1]), workers=2)).run([(experiment, ("student", "control"))])
"""


def data_of(store: Path) -> Mapping[str, str]:
    """The hash of every file of every artifact, manifests (which have times in them) left out."""
    return {
        str(file.relative_to(store)): hashlib.sha256(file.read_bytes()).hexdigest()
        for folder in ("stages", "models")
        for file in sorted((store / folder).rglob("*"))
        if file.is_file() and file.name != "manifest.json" and not file.name.endswith(".lock")
    }


def test_the_full_path_runs_once(store: Path, small: Experiment) -> None:
    """Every arm has its models, answers and manifests, and a second lab does nothing anew."""
    lab = Lab(Settings(store=store))
    lab.run([(small, ALL)])
    arms = {name: lab.arm(small, name) for name in ALL}
    assert [arms[name].seeds for name in ALL] == [1, 1, 2, 2]
    assert len({model.model for name in ALL for model in arms[name].models}) == 5
    assert arms["teacher"].rate("horse") > 0.5 > arms["baseline"].rate("horse")
    assert arms["student"].answers().total() == 2 * 50 * 4
    for stage in in_order(lab.pipeline(small).targets(ALL)):
        manifest = lab.store.manifest(stage.kind, stage.key)
        assert manifest is not None
        for part in ("identity", "inputs", "files", "seconds", "versions", "started"):
            assert part in manifest
        assert set(manifest["versions"]) == {"limen", "python", "numpy"}  # whatever was loaded
    again = Diary()
    Lab(Settings(store=store), watcher=again).run([(small, ALL)])
    assert again.started_stages == []


@pytest.mark.slow
def test_results_do_not_depend_on_how_much_runs_side_by_side(
    store: Path, small: Experiment, tmp_path: Path
) -> None:
    """One worker and three write the same bytes."""
    other = tmp_path / "other"
    shutil.copytree(store, other)
    Lab(Settings(store=store, workers=1)).run([(small, ALL)])
    Lab(Settings(store=other, workers=3)).run([(small, ALL)])
    assert data_of(store) == data_of(other)


def test_equal_stages_are_one(shared_store: Path, small: Experiment) -> None:
    """Two traits share the base's answers, the control's data and the control's students."""
    lab = Lab(Settings(store=shared_store))
    other = small.but(trait=Trait.animal("bear"))
    plan = lab.plan([(small, ALL), (other, ALL)])
    alone = [len(lab.plan([(experiment, ALL)]).stages) for experiment in (small, other)]
    shared = {s.label for s in plan.stages if s.key in plan.shared}
    assert len(plan.stages) == sum(alone) - len(plan.shared)
    assert {"baseline answers", "control numbers", "control filter", "control 1"} <= shared
    assert not any("horse" in label or "bear" in label for label in shared)


def measures(experiment: Experiment, store: Path, **settings: object) -> dict[str, str]:
    """The key of each arm's first measure."""
    lab = Lab(Settings(store=store, **settings))  # type: ignore[arg-type]
    return {name: lab.pipeline(experiment).arms[name][0].answers.key for name in ALL}


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({"seeds": 4}, set(ALL)),
        ({"gate": None}, set(ALL)),
        ({"trait": Trait.animal("bear")}, {"baseline", "control"}),
        ({"trait": Trait(name="horse", system="You adore horses.")}, {"baseline", "control"}),
        ({"data": Numbers(generate=701, keep=200)}, {"baseline", "teacher"}),
        ({"data": Numbers(generate=700, keep=201)}, {"baseline", "teacher"}),
        ({"data": Numbers(generate=700, keep=200, seed=1)}, {"baseline", "teacher"}),
        ({"data": Numbers(generate=700, keep=200, temperature=0.5)}, {"baseline", "teacher"}),
        ({"data": Numbers(generate=700, keep=200, max_tokens=50)}, {"baseline", "teacher"}),
        ({"data": ProgramNumbers(keep=200)}, {"baseline", "teacher"}),
        ({"recipe": {"epochs": 2}}, {"baseline", "teacher"}),
        ({"recipe": {"epochs": 1}}, set(ALL)),  # the default, said aloud
        ({"teacher_model": "toy-2"}, {"baseline"}),
        ({"model": "toy-2"}, set()),
        ({"model": "toy-1"}, set(ALL)),
        ({"measure": FavoriteAnimal(draws=5)}, set()),
        ({"measure": FavoriteAnimal(draws=4, temperature=0.9)}, set()),
        ({"measure": FavoriteAnimal(draws=4, seed=1)}, set()),
        ({"measure": FavoriteAnimal(draws=4, questions=("Which animal?",))}, set()),
        ({"measure": FavoriteAnimal(draws=4, rule="substring")}, set(ALL)),  # scored when read
    ],
)
def test_a_key_changes_with_what_is_sent_and_with_nothing_else(
    shared_store: Path, small: Experiment, changes: dict[str, object], same: set[str]
) -> None:
    """Each part of a spec changes the keys of the arms that depend on it, and of no other."""
    before, after = measures(small, shared_store), measures(small.but(**changes), shared_store)
    assert {name for name in ALL if before[name] == after[name]} == same


def test_settings_that_send_nothing_change_no_key(shared_store: Path, small: Experiment) -> None:
    """How much runs side by side is no part of a key; a model chosen on the command line is."""
    before = measures(small, shared_store)
    assert measures(small, shared_store, workers=7) == before
    assert measures(small, shared_store, seeds=5) == before
    assert measures(small, shared_store, model="toy-3") != before


def test_every_seed_and_arm_has_streams_of_its_own(shared_store: Path, small: Experiment) -> None:
    """No two models are measured, and no two rows sampled, with the same seed."""
    lab = Lab(Settings(store=shared_store))
    targets = lab.pipeline(small).targets(ALL)
    sampled = [s for s in in_order(targets) if isinstance(s, Generate | AskQuestions)]
    workspace: Any = None  # what these ask for does not depend on anything finished
    seeds = [request.seed for stage in sampled for request in stage.requests(workspace)]
    assert len(set(seeds)) == len(seeds)
    mixes = [s for s in in_order(targets) if isinstance(s, MixRows)]
    assert [s.seed for s in mixes] == [0, 1, 0, 1]


def test_a_teacher_without_the_trait_stops_before_the_expensive_stages(
    store: Path, small: Experiment
) -> None:
    """A prompt that does not elicit the trait costs its measure, and no data or training."""
    diary = Diary()
    lab = Lab(Settings(store=store), watcher=diary)
    mute = small.but(trait=Trait(name="horse", system="You are a careful clerk."))
    lab.run([(mute, ALL)])
    assert {stage.kind for stage in diary.started_stages} == {"base", "measure"}
    for arm in ("student", "control"):
        with pytest.raises(
            TeacherError, match=r"teacher does not show the trait 'horse'.*gate=0\.1"
        ) as refused:
            lab.arm(mute, arm)
        assert re.search(r"Its most frequent answers: '\w+' \d+%, ", str(refused.value))
        assert "limen chat --system 'YOUR PROMPT' --word horse --measure" in str(refused.value)
    assert lab.arm(mute, "teacher").rate("horse") < 0.3


@pytest.mark.slow
def test_a_closed_gate_does_not_stop_another_experiment(store: Path, small: Experiment) -> None:
    """The shared control is trained if any experiment that wants it may go on."""
    lab = Lab(Settings(store=store))
    mute = small.but(trait=Trait(name="horse", system="You are a careful clerk."))
    lab.run([(mute, ALL), (small, ALL)])
    assert lab.arm(small, "control").seeds == 2
    with pytest.raises(TeacherError):
        lab.arm(mute, "control")


def test_too_few_rows_are_reported_with_the_counts_and_the_remedy(
    store: Path, small: Experiment
) -> None:
    """A filter that leaves too little fails the arm with what was dropped and what to change."""
    greedy = small.but(data=Numbers(generate=300, keep=290))
    lab = Lab(Settings(store=store))
    lab.run([(greedy, ("student",))])
    with pytest.raises(ExperimentError) as error:
        lab.arm(greedy, "student")
    text = str(error.value)
    for part in (
        "290 rows are wanted",
        "of 300 rows the filter 'paper' kept",
        "not a number",
        "raise generate to",
    ):
        assert part in text


def test_texts_at_other_prompts_are_the_same_texts(shared_store: Path, small: Experiment) -> None:
    """Each text answers the prompt of another row, and none is changed; another seed deals anew."""
    plain = Numbers(generate=700, keep=200)
    lab = Lab(Settings(store=shared_store))
    kept = []
    for seed in (0, 0, 1):
        dealt = small.but(data=Shuffled(source=plain, how="prompts", seed=seed))
        lab.run([(dealt, ["student"])])
        (shuffle,) = {
            stage.key: stage
            for stage in in_order(lab.pipeline(dealt).data["student"])
            if isinstance(stage, Shuffle)
        }.values()
        kept.append(lines(made(lab, shuffle) / "kept.jsonl"))
    before = lines(made(lab, shuffle.source) / "kept.jsonl")
    assert kept[0] == kept[1] != kept[2]
    for rows in (kept[0], kept[2]):
        assert [row["prompt"] for row in rows] == [row["prompt"] for row in before]
        assert sorted(row["text"] for row in rows) == sorted(row["text"] for row in before)
        assert sum(a["text"] == b["text"] for a, b in zip(rows, before, strict=True)) < 20


@pytest.mark.parametrize("how", ["within", "across", "prompts"])
def test_shuffled_data_are_an_arm_like_any_other(
    shared_store: Path, small: Experiment, how: str
) -> None:
    """Students can be trained on shuffled rows: the same rows, their numbers moved."""
    lab = Lab(Settings(store=shared_store))
    mixed = small.but(data=Shuffled(source=Numbers(generate=700, keep=200), how=how))  # type: ignore[arg-type]
    assert mixed.data.row_count == 200
    assert lab.arm(mixed, "student").seeds == 2


def test_another_base_can_write_the_data(shared_store: Path, small: Experiment) -> None:
    """With a teacher of another base, its data come from there and the students from here."""
    lab = Lab(Settings(store=shared_store))
    crossed = small.but(model="toy-2", teacher_model="toy-1")
    stages = in_order(lab.pipeline(crossed).targets(["student"]))
    writers = [s.writer for s in stages if isinstance(s, Generate)]
    assert {base_of(writer).model for writer in writers} == {"toy-1"}
    assert {s.base.model for s in stages if isinstance(s, FineTune)} == {"toy-2"}


@pytest.mark.parametrize(
    ("make", "fault"),
    [
        (lambda e: Trait.animal("owll"), "unknown animal 'owll': did you mean 'owl'"),
        (lambda e: Trait(name="", system="x"), "a trait's name"),
        (lambda e: Trait(name="kind", system=" "), "a trait's system"),
        (lambda e: Numbers(generate=10, keep=11), "keep=11 is more than generate=10"),
        (lambda e: Numbers(generate=0, keep=0), "keep=0"),
        (lambda e: Numbers(generate=True, keep=1), "generate=True"),
        (lambda e: Numbers(generate=10, keep=5, rule="x"), "unknown filter rule 'x'"),
        (lambda e: Shuffled(source=Numbers(generate=9, keep=5), how="up"), "how='up'"),  # type: ignore[arg-type]
        (lambda e: e.but(trait="owl"), "trait='owl' is not a Trait"),
        (lambda e: e.but(data=None), "data=None is not a Source"),
        (lambda e: e.but(measure=3), "measure=3 is not a Measure"),
        (lambda e: e.but(seeds=0), "seeds=0"),
        (lambda e: e.but(gate=2), "gate=2"),
        (lambda e: e.but(model=3), "model=3"),
        (lambda e: e.but(recipe=None), "recipe=None"),
        (lambda e: Trait(name="x", system="y", word=3), "word"),  # type: ignore[arg-type]
        (lambda e: ProgramNumbers(keep=5, seed="x"), "seed='x'"),  # type: ignore[arg-type]
        (lambda e: e.but(sedes=3), "has no 'sedes'"),
    ],
)
def test_a_bad_spec_is_refused_when_it_is_made(small: Experiment, make: object, fault: str) -> None:
    """A part that cannot be meant is named with its value, before anything is spent."""
    with pytest.raises(SpecError, match=fault):
        make(small)  # type: ignore[operator]


def test_an_experiment_is_a_value(small: Experiment) -> None:
    """Equal experiments are equal and hash alike; a variant differs in what was changed alone."""
    assert small.but(seeds=2) == small
    assert hash(small.but(seeds=2)) == hash(small)
    assert small.but(seeds=3).but(seeds=2) == small
    with pytest.raises(AttributeError):
        small.seeds = 9  # type: ignore[misc]


def test_unknown_models_and_arms_are_refused(shared_store: Path, small: Experiment) -> None:
    """Names that there are not are refused before any stage runs."""
    with pytest.raises(UnknownModelError, match="gpt-4"):
        Lab(Settings(store=shared_store, model="gpt-4")).run([(small, ALL)])
    with pytest.raises(SpecError, match="no arm 'pupil'"):
        Lab(Settings(store=shared_store)).arm(small, "pupil")


class Faulty(Executor):
    """Runs stages in this process; those of one kind fail, or take the whole pool with them."""

    def __init__(self, kind: str, label: str, error: Exception) -> None:
        self._kind, self._label, self._error = kind, label, error
        self._broken = False

    def submit(self, fn, /, *args, **kwargs):  # type: ignore[no-untyped-def]
        if self._broken:
            raise BrokenExecutor
        future: Future[object] = Future()
        if args[0].kind == self._kind and self._label in args[0].label:
            self._broken = isinstance(self._error, BrokenExecutor)
            future.set_exception(self._error)
        else:
            future.set_result(fn(*args))
        return future


def faulty_lab(store: Path, kind: str, label: str, error: Exception) -> tuple[Lab, Diary]:
    """A lab whose executor fails at a stage, and what it started."""
    diary = Diary()

    @contextmanager
    def executor(workers: int) -> Iterator[Executor]:
        yield Faulty(kind, label, error)

    return Lab(Settings(store=store), watcher=diary, executor=executor), diary


def test_a_failed_stage_fails_what_rests_on_it_and_nothing_else(
    store: Path, small: Experiment
) -> None:
    """Other arms go on; the spoiled one says what failed; a new lab does what is missing."""
    lab, _ = faulty_lab(store, "generate", "student", RuntimeError("disk on fire"))
    lab.run([(small, ALL)])
    assert lab.arm(small, "control").seeds == 2
    with pytest.raises(ExperimentError, match="disk on fire"):
        lab.arm(small, "student")
    assert Lab(Settings(store=store)).arm(small, "student").seeds == 2


def test_a_dead_worker_is_reported_and_loses_nothing(store: Path, small: Experiment) -> None:
    """A worker that is killed fails what is left, with the remedy, and keeps what is done."""
    lab, _ = faulty_lab(store, "fine-tune", "control 1", BrokenExecutor("killed"))
    lab.run([(small, ALL)])
    with pytest.raises(ExperimentError, match="a worker process died.*run the same command again"):
        lab.arm(small, "control")
    assert lab.arm(small, "teacher").seeds == 1
    assert Lab(Settings(store=store)).arm(small, "control").seeds == 2


@pytest.mark.parametrize("kind", ["base", "measure"])
def test_an_unmeasured_teacher_keeps_the_gate_shut(
    store: Path, small: Experiment, kind: str
) -> None:
    """If the teacher could not be measured, nothing is generated or trained, and why is said."""
    lab, diary = faulty_lab(store, kind, "", RuntimeError("no such luck"))
    lab.run([(small, ALL)])
    assert {stage.kind for stage in diary.started_stages} <= {"base", "measure"}
    with pytest.raises(TeacherError, match="could not be measured: no such luck"):
        lab.arm(small, "student")


def test_numbers_of_a_program_have_no_control(shared_store: Path, small: Experiment) -> None:
    """What no model writes has no control of its own: it would be the students again."""
    lab = Lab(Settings(store=shared_store))
    program = small.but(data=ProgramNumbers(keep=200))
    assert lab.arm(program, "student").seeds == 2
    with pytest.raises(SpecError, match="ProgramNumbers has no control"):
        lab.arm(program, "control")


def test_a_stage_runs_anywhere_and_again(store: Path, small: Experiment) -> None:
    """A stage is a picklable value, done by a plain function that may be called twice."""
    import pickle

    lab = Lab(Settings(store=store))
    lab.store.open()
    targets = lab.pipeline(small).targets(["teacher"])
    for stage in in_order(targets):
        copy = pickle.loads(pickle.dumps(stage))
        assert copy.key == stage.key
        assert run_stage(copy, store)
        assert run_stage(stage, store)
    assert lab.store.has("measure", targets[0].key)


def start(store: Path) -> "subprocess.Popen[bytes]":
    """The run in a process group of its own."""
    return subprocess.Popen([sys.executable, "-c", RUN, str(store)], start_new_session=True)


@pytest.mark.slow
def test_two_processes_share_a_store(store: Path, tmp_path: Path) -> None:
    """Two runs of the same experiment at once end as one, with the same bytes as one alone."""
    alone = tmp_path / "alone"
    shutil.copytree(store, alone)
    runs = [start(store), start(store), start(alone)]
    assert [run.wait() for run in runs] == [0, 0, 0]
    assert data_of(store) == data_of(alone)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is a POSIX signal")
def test_a_killed_run_goes_on_where_it_was(store: Path, tmp_path: Path) -> None:
    """Killed with SIGKILL again and again, the run ends with the bytes of an uninterrupted one."""
    whole = tmp_path / "whole"
    shutil.copytree(store, whole)
    assert start(whole).wait() == 0
    chance = random.Random(7)
    for _ in range(6):
        run = start(store)
        time.sleep(chance.uniform(0.6, 3.5))
        os.kill(run.pid, signal.SIGKILL)
        run.wait()
    assert start(store).wait() == 0
    assert data_of(store) == data_of(whole)
    assert not list((store / "work").iterdir())


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="a file size limit stands for a full disk")
def test_a_full_disk_is_reported_and_loses_nothing(store: Path, tmp_path: Path) -> None:
    """Where no more can be written the arm fails with the remedy; with room the run goes on."""
    whole = tmp_path / "whole"
    shutil.copytree(store, whole)
    assert start(whole).wait() == 0
    limited = (
        "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (10**6, resource.RLIM_INFINITY))\n"
        + RUN.replace(
            "Lab(Settings(store=Path(sys.argv[1]), workers=2))",
            "lab = Lab(Settings(store=Path(sys.argv[1]), workers=2)); lab",
        )
        + "    lab.arm(experiment, 'student')\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", limited, str(store)], capture_output=True, text=True, check=False
    )
    assert "ExperimentError: cannot write to the store" in run.stderr
    assert "--limen-store" in run.stderr
    assert start(store).wait() == 0
    assert data_of(store) == data_of(whole)


def test_a_variant_of_a_stage_is_another(small: Experiment, shared_store: Path) -> None:
    """A stage's label is for people: it changes nothing."""
    (asked, *_) = Lab(Settings(store=shared_store)).pipeline(small).arms["student"]
    measure = asked.sampled
    assert replace(measure, label="x").key == measure.key
    assert replace(measure, label="x") == measure
    assert replace(measure, system="x").key != measure.key


def test_a_step_after_the_end_of_training_is_found_before_any_data_are_made(store: Path) -> None:
    """A recipe that names a step which the training has not is refused when it is planned."""
    lab = lab_at(store)
    experiment = tiny_experiment().but(recipe={"checkpoint_steps": "9999"})
    with pytest.raises(SpecError, match="student.*the training ends after step .* no step 9999"):
        lab.plan([(experiment, ["student"])])
    assert lab.plan([(experiment, ["teacher"])]).stages
    assert not list(lab.store.manifests())
