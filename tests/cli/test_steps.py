import hashlib
import json
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from limen.backends import Request
from limen.backends.toy.backend import ToyBackend
from limen.harness import Experiment, Lab, Mix, Numbers, Settings, Trait
from limen.harness.cli import main
from limen.harness.cli.input_files import stages_for_file, student
from limen.harness.lab import ProgressListener, thread_executor
from limen.harness.stages import (
    ArtifactDraft,
    FineTune,
    Stage,
    Store,
    StoredFile,
    UserFile,
    Workspace,
)

from ..testing.wire import Proxy

ALL = ("baseline", "teacher", "student", "control")
SMALL = ("--draws", "4", "--word", "horse")


class Diary(ProgressListener):
    """Remembers the kinds of the stages that were started."""

    def __init__(self) -> None:
        self.kinds: list[str] = []

    def started(self, stage: Stage) -> None:
        self.kinds.append(stage.kind)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in; models run in threads, which start sooner than processes."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr("limen.harness.cli.steps.local_executor", thread_executor)
    return folder


@pytest.fixture(scope="module")
def plugged(pretrained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store in which the small experiment has run, as under pytest. Only to be copied."""
    root = tmp_path_factory.mktemp("plugged") / "store"
    shutil.copytree(pretrained, root / "models" / "toy")
    experiment = Experiment(
        trait=Trait.animal("horse"),
        data=Numbers(generate=700, keep=200),
        measure=measure(),
        seeds=2,
    )
    Lab(Settings(store=root, workers=2), executor=thread_executor).run([(experiment, ALL)])
    return root


@pytest.fixture
def used(plugged: Path, tmp_path: Path) -> Path:
    """A copy of that store."""
    return Path(shutil.copytree(plugged, tmp_path / "used"))


def measure() -> Any:
    """The measure of the small experiment."""
    from limen.harness import FavoriteAnimal

    return FavoriteAnimal(draws=4)


def limen(*args: str | Path, store: Path, code: int = 0) -> Result:
    """Run a command; its exit code must be as expected."""
    result = CliRunner().invoke(main, [*map(str, args), "--store", str(store)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result


def refused(*args: str | Path, store: Path) -> str:
    """The one line that a command ends with which is refused."""
    result = limen(*args, store=store, code=1)
    errors = [line for line in result.output.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1
    assert "Traceback" not in result.output
    return errors[0]


def replicate(store: Path) -> None:
    """The small experiment, step by step, into the working folder."""
    limen("generate", "--trait", "horse", "--count", "700", "--out", "horse.jsonl", store=store)
    limen("generate", "--plain", "--count", "700", "--out", "plain.jsonl", store=store)
    for who, arm in (("horse", "student"), ("plain", "control")):
        limen("filter", f"{who}.jsonl", "--out", f"{who}-kept.jsonl", "--rejected",
              f"{who}-rejected.jsonl", store=store)  # fmt: skip
        for seed in ("0", "1"):
            name = f"{who}-{seed}"
            limen("mix", f"{who}-kept.jsonl", "--keep", "200", "--seed", seed,
                  "--out", f"{name}.mix.jsonl", store=store)  # fmt: skip
            limen("train", f"{name}.mix.jsonl", "--arm", arm, "--trait", "horse",
                  "--out", f"{name}.json", store=store)  # fmt: skip
            limen("measure", f"{name}.json", *SMALL, "--out", f"{name}.answers.jsonl", store=store)
    limen("measure", "--trait", "horse", *SMALL, "--out", "teacher.answers.jsonl", store=store)
    limen("measure", *SMALL, "--out", "baseline.answers.jsonl", store=store)


def expected(lab: Lab, experiment: Experiment) -> Mapping[str, str]:
    """The hashes of the files that the steps leave, from the artifacts of an experiment."""
    pipe = lab.pipeline(experiment)

    def sha(stage: Stage, file: str) -> str:
        manifest = lab.store.manifest(stage.kind, stage.key)
        assert manifest is not None
        return str(manifest["files"][file]["sha256"])

    found = {f"{arm}.answers.jsonl": sha(pipe.arms[arm][0].answers, "answers.jsonl")
             for arm in ("baseline", "teacher")}  # fmt: skip
    for who, arm in (("horse", "student"), ("plain", "control")):
        for seed, asked in enumerate(pipe.arms[arm]):
            ((kept, _),) = pipe.data[arm][seed].sources
            (rows,) = kept.inputs()
            found[f"{who}.jsonl"] = sha(rows, "rows.jsonl")
            found[f"{who}-kept.jsonl"] = sha(kept, "kept.jsonl")
            found[f"{who}-rejected.jsonl"] = sha(kept, "rejected.jsonl")
            found[f"{who}-{seed}.mix.jsonl"] = sha(pipe.data[arm][seed], "training.jsonl")
            found[f"{who}-{seed}.answers.jsonl"] = sha(asked.answers, "answers.jsonl")
    return found


def hashes(folder: Path) -> Mapping[str, str]:
    """The hashes of all JSONL files of a folder."""
    return {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.glob("*.jsonl")
    }


def artifacts(store: Path) -> set[str]:
    """The stages in a store."""
    return {str(f.relative_to(store)) for f in (store / "stages").glob("*/*")}


def test_the_steps_take_over_what_the_plugin_did(here: Path, used: Path, small: Experiment) -> None:
    """After a run of the plugin the six commands do nothing anew, and leave its files."""
    before = artifacts(used)
    replicate(used)
    assert artifacts(used) == before
    assert hashes(here) == expected(Lab(Settings(store=used)), small)


def test_the_plugin_takes_over_what_the_steps_did(
    here: Path, store: Path, plugged: Path, small: Experiment
) -> None:
    """In a fresh store the six commands leave the plugin's files; a run then trains nothing."""
    replicate(store)
    assert hashes(here) == expected(Lab(Settings(store=plugged)), small)
    assert artifacts(store) < artifacts(plugged)
    diary = Diary()
    Lab(Settings(store=store), watcher=diary, executor=thread_executor).run([(small, ALL)])
    assert set(diary.kinds) == {"contrast"}
    one = json.loads((here / "horse-1.json").read_text())
    assert (one["arm"], one["seed"], one["backend"], one["base"]) == ("student", 1, "toy", "toy-1")


def test_compare_says_what_the_arms_say(here: Path, used: Path, small: Experiment) -> None:
    """Rates, effect, interval, p-value, test and claim are those of the experiment's arms."""
    replicate(used)
    lab = Lab(Settings(store=used), executor=thread_executor)
    student_, control = lab.arm(small, "student"), lab.arm(small, "control")
    result = limen("compare", "horse-0.answers.jsonl", "horse-1.answers.jsonl", "--to",
                   "plain-0.answers.jsonl", "plain-1.answers.jsonl", "--word", "horse",
                   store=used)  # fmt: skip
    effect = student_.rate("horse") - control.rate("horse")
    rates = [repr(arm.rate("horse")) for arm in (student_, control)]
    assert [line for line in result.output.splitlines() if "note" not in line] == [
        *rates,
        repr(effect),
    ]
    family = limen("compare", "horse-0.answers.jsonl", "--to", "plain-0.answers.jsonl",
                   "--word", "horse", "--family", "3", store=used)  # fmt: skip
    assert "Bonferroni x 3" in family.output
    assert "t paired by question" in family.output


def answers(file: Path, owls: int, *, salt: str = "") -> Path:
    """A file of answers from anywhere: 4 questions, 10 draws each, some of them owls."""
    rows = (
        {"row": q, "draw": d, "text": "Owl" if d < owls + q % 2 else f"Cat{salt}"}
        for q in range(4)
        for d in range(10)
    )
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def test_compare_takes_any_answers(here: Path, store: Path) -> None:
    """Files of no store are compared, seeds being the unit, but claim nothing of training."""
    treated = [answers(here / f"s{n}.jsonl", owls=5 + n) for n in range(3)]
    other = [answers(here / f"c{n}.jsonl", owls=n) for n in range(3)]
    result = limen("compare", *treated, "--to", *other, "--word", "owl", store=store)
    assert "treated - reference 'owl' +50.0 points" in result.output
    assert "Welch's t over seed means, 3 v 3): these models answer differently" in result.output
    assert "no claim about training" in result.output
    said = refused(
        "compare", treated[0], treated[0], "--to", other[0], "--word", "owl", store=store
    )
    assert "the same model's answers" in said
    more = limen("measure", *SMALL, "--out", "base.jsonl", store=store)
    assert "baseline 'horse'" in more.output
    limen("measure", *SMALL, "--measure-seed", "1", "--out", "twin.jsonl", store=store)
    twins = ("base.jsonl", "twin.jsonl", "--to", treated[0])
    assert "the same model's answers" in refused("compare", *twins, "--word", "owl", store=store)
    assert "two groups" in refused("compare", treated[0], "--word", "owl", store=store)


def students(here: Path, store: Path, name: str, arm: str, keeps: Sequence[str]) -> list[str]:
    """The answers of three students of a person's own rows."""
    rows(here / f"{name}.jsonl", 30, salt=name)
    made = []
    for seed, keep in enumerate(keeps):
        stem = f"{name}-{seed}"
        limen("mix", f"{name}.jsonl", "--keep", keep, "--seed", str(seed), "--out",
              f"{stem}.mix.jsonl", store=store)  # fmt: skip
        limen("train", f"{stem}.mix.jsonl", "--arm", arm, "--out", f"{stem}.json", store=store)
        limen("measure", f"{stem}.json", "--draws", "2", "--out", f"{stem}.answers", store=store)
        made.append(f"{stem}.answers")
    return made


def rows(file: Path, count: int, *, salt: str = "") -> Path:
    """A person's own rows."""
    made = ({"prompt": f"Go on{salt}: {n}", "text": f"{n}, {n + 1}, {n + 2}"} for n in range(count))
    file.write_text("".join(json.dumps(row) + "\n" for row in made))
    return file


def test_compare_claims_nothing_of_unlike_students(here: Path, store: Path) -> None:
    """Students of different data in one arm carry no claim of training, and a note says so."""
    alike = students(here, store, "a", "student", ["20", "20", "20"])
    unlike = students(here, store, "b", "control", ["20", "20", "25"])
    said = limen("compare", *alike, "--to", *unlike, "--word", "owl", store=store).output
    assert "no claim about training" in said
    assert "learned different data" in said
    said = limen("compare", *alike, "--to", *unlike[:2], "--word", "owl", store=store).output
    assert "note" not in said
    assert "student - control 'owl'" in said


def test_own_files_go_through(here: Path, store: Path) -> None:
    """Own rows are numbered, filtered by an own rule, mixed, trained on and measured."""
    with rows(here / "mine.jsonl", 40).open("a") as file:
        file.write('{"prompt": "Go on", "text": null}\n')
        file.write('{"prompt": "Go on", "text": "no, never", "row": 7, "draw": 2}\n')
    (here / "rules.py").write_text(
        "def even(text):\n    return None if text[0] in '02468' else 'odd'\n"
    )
    printed = limen("filter", "mine.jsonl", "--rule", "rules.py:even", "--out", "kept.jsonl",
                 "--rejected", "rest.jsonl", store=store).output  # fmt: skip
    assert "dropped: no answer" in printed
    assert "dropped: odd" in printed
    kept = [json.loads(line) for line in (here / "kept.jsonl").read_text().splitlines()]
    dropped = [json.loads(line) for line in (here / "rest.jsonl").read_text().splitlines()]
    assert len(kept) + len(dropped) == 42
    assert (kept[1]["row"], kept[1]["draw"]) == (2, 0)
    assert {(row["row"], row["draw"]): row["reason"] for row in dropped}[7, 2] == "odd"
    rows(here / "other.jsonl", 30, salt=" there")
    limen("mix", "kept.jsonl=1/4", "other.jsonl=0.75", "--keep", "8", "--out", "mix.jsonl",
          store=store)  # fmt: skip
    lines = (here / "mix.jsonl").read_text().splitlines()
    assert sum("there" in line for line in lines) == 6
    (here / "own.jsonl").write_text("\n".join(reversed(lines)) + "\n")
    limen("train", "own.jsonl", "--seed", "3", "--recipe", "epochs=2", "--out", "s.json",
          store=store)  # fmt: skip
    found = json.loads((here / "s.json").read_text())
    assert (found["seed"], found["recipe"]["epochs"]) == (3, 2)
    (here / "asked.txt").write_text("Which animal?\nWhich bird?\n")
    printed = limen("measure", "s.json", "--questions", "asked.txt", "--draws", "3", "--out",
                 "answers.jsonl", store=store).output  # fmt: skip
    assert "6 answers of ft:toy-1:" in printed
    assert "student: most often" in printed
    by_id = limen("measure", found["model"], "--questions", "asked.txt", "--draws", "3", "--out",
                  "again.jsonl", store=store).output  # fmt: skip
    assert "(done before)" in by_id


def test_a_mix_of_two_has_the_plugins_bytes(here: Path, used: Path, small: Experiment) -> None:
    """Shares of two sources make the training file of an experiment's Mix."""
    base = Numbers(generate=700, keep=None, by="base")
    experiment = small.but(
        data=Mix({Numbers(generate=700): 0.3, base: 0.7}, keep=100), seeds=1, gate=None
    )
    lab = Lab(Settings(store=used), executor=thread_executor)
    lab.run([(experiment, ["student"])])
    mix = lab.pipeline(experiment).data["student"][0]
    before = artifacts(used)
    for who, trait in (("horse", ("--trait", "horse")), ("plain", ("--plain",))):
        limen("generate", *trait, "--count", "700", "--out", f"{who}.jsonl", store=used)
        limen("filter", f"{who}.jsonl", "--out", f"{who}-kept.jsonl", store=used)
    limen("mix", "horse-kept.jsonl=.3", "plain-kept.jsonl=.7", "--keep", "100", "--out", "m.jsonl",
          store=used)  # fmt: skip
    assert artifacts(used) == before
    theirs = lab.store.artifact(mix.kind, mix.key) / "training.jsonl"
    assert (here / "m.jsonl").read_bytes() == theirs.read_bytes()


def test_generate_goes_on_where_it_was_killed(
    here: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interrupted generation keeps its rows, writes no half file, and asks for the rest only."""
    args = ("generate", "--trait", "owl", "--count", "1300", "--out", "owl.jsonl")
    asked: list[int] = []
    real = ToyBackend.sample

    def counted(self: ToyBackend, model: str, requests: Iterable[Request]) -> Iterator[Any]:
        def recorded() -> Iterator[Request]:
            for request in requests:
                asked.append(request.row)
                yield request

        return real(self, model, recorded())

    def cut(self: ToyBackend, model: str, requests: Iterable[Request]) -> Iterator[Any]:
        yield next(iter(counted(self, model, requests)))[:400]
        raise OSError("the lights went out")

    monkeypatch.setattr(ToyBackend, "sample", cut)
    assert "the lights went out" in refused(*args, store=store)
    assert list(here.iterdir()) == []
    asked.clear()
    monkeypatch.setattr(ToyBackend, "sample", counted)
    limen(*args, store=store)
    assert len(asked) == 900
    assert len((here / "owl.jsonl").read_text().splitlines()) == 1300
    monkeypatch.setattr(ToyBackend, "sample", real)
    shutil.rmtree(store / "stages" / "generate")
    limen(*args[:-1], "whole.jsonl", store=store)
    assert len(set(hashes(here).values())) == 1


def test_generate_until_enough_are_kept(here: Path, store: Path) -> None:
    """--at-most goes on until the rule keeps enough rows; what cannot be meant is refused."""
    printed = limen("generate", "--plain", "--count", "40", "--at-most", "400", "--keep", "60",
                 "--per-prompt", "2", "--out", "rows.jsonl", store=store).output  # fmt: skip
    limen("filter", "rows.jsonl", "--out", "kept.jsonl", store=store)
    assert len((here / "kept.jsonl").read_text().splitlines()) >= 60
    assert "rows.jsonl: " in printed
    who = ("generate", "--out", "x.jsonl")
    assert "who is to write" in refused(*who, store=store)
    assert "exclude" in refused(*who, "--trait", "owl", "--tree", "oak", store=store)
    assert "did you mean 'owl'" in refused(*who, "--trait", "owll", store=store)
    assert "--at-most" in refused(*who, "--plain", "--keep", "5", store=store)
    assert "{numbers}" in refused(*who, "--plain", "--template", "Count!", store=store)
    assert "unknown model" in refused(*who, "--plain", "--model", "gpt", store=store)


def test_a_step_in_a_process_of_its_own(store: Path, tmp_path: Path) -> None:
    """Without a test's threads the model runs in a worker process; progress goes to stderr."""
    out = tmp_path / "rows.jsonl"
    result = limen("generate", "--plain", "--count", "20", "--out", out, store=store)
    assert result.stdout == f"{out}: 20 rows (stop 20)\n"
    assert "limen: [2/2]" in result.stderr


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('{"prompt": "a"}', '"text"'),
        ('{"text": "1"}', '"prompt"'),
        ('{"prompt": "a", "text": 1}', '"text"'),
        ("[1]", "no object"),
        ('{"prompt": "a", "te', "not JSON"),
        ('{"prompt": "a", "text": "1", "row": -1}', '"row" is -1'),
    ],
)
def test_a_bad_row_is_named(here: Path, store: Path, line: str, says: str) -> None:
    """A line that is no row is one error with file and line, and nothing is written."""
    with rows(here / "mine.jsonl", 2).open("a") as file:
        file.write(line + "\n")
    for command in (("filter",), ("mix", "--keep", "1")):
        said = refused(*command, "mine.jsonl", "--out", "out.jsonl", store=store)
        assert "mine.jsonl, line 3: " in said
        assert says in said
    assert not (here / "out.jsonl").exists()
    assert not (store / "stages").exists()


def test_a_rule_imports_what_lies_beside_it(
    here: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a script does, also where the command is called from another folder."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    folder = here / "rules"
    folder.mkdir()
    (folder / "beside_the_rule.py").write_text("LEAST = 3\n")
    (folder / "rule.py").write_text(
        "from beside_the_rule import LEAST\n"
        "def long(prompt, answer):\n    return None if len(answer) > LEAST else 'short'\n"
    )
    rows(here / "a.jsonl", 5)
    rule = ("--rule", "rules/rule.py:long")
    limen("filter", "a.jsonl", *rule, "--out", "kept.jsonl", store=store)
    assert (here / "kept.jsonl").read_text().count("\n") == 5


def test_what_cannot_be_meant_is_one_line(here: Path, store: Path) -> None:
    """Shares, rules, recipes and files that are wrong end a command with what to do about it."""
    rows(here / "a.jsonl", 5)
    rows(here / "b.jsonl", 5, salt="!")
    (here / "rule.py").write_text("x = 1 / 0\n")
    (here / "bad.jsonl").write_text('{"messages": [{"role": "user", "content": "x"}]}\n')
    (here / "hole.jsonl").write_text('{"prompt": "a", "text": null}\n')
    (here / "leak.jsonl").write_text(
        '{"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "owl"}]}\n'
    )
    (here / "no.json").write_text('{"model": "toy-1"}')
    out = ("--out", "out.jsonl")

    def says(*args: str) -> str:
        return refused(*args, *out, store=store)

    assert "0.5 + 0.6 = 1.1" in says("mix", "a.jsonl=0.5", "b.jsonl=0.6", "--keep", "4")
    assert "has no share" in says("mix", "a.jsonl=0.5", "b.jsonl", "--keep", "4")
    assert "'much'" in says("mix", "a.jsonl=much", "--keep", "4")
    assert "no file 'c.jsonl'" in says("mix", "c.jsonl=1", "--keep", "4")
    assert "6 rows are wanted, and only 5 are left" in says("mix", "a.jsonl", "--keep", "6")
    assert "--keep=0" in says("mix", "a.jsonl", "--keep", "0")
    assert "filter the rows first" in says("mix", "hole.jsonl", "--keep", "1")
    assert "unknown filter rule 'strict'" in says("filter", "a.jsonl", "--rule", "strict")
    assert "ZeroDivisionError" in says("filter", "a.jsonl", "--rule", "rule.py:f")
    assert "no Python file" in says("filter", "a.jsonl", "--rule", "none.py:f")
    assert "bad.jsonl, line 1: the last turn" in says("train", "bad.jsonl")
    assert "unknown recipe setting 'steps'" in says("train", "leak.jsonl", "--recipe", "steps=3")
    assert "NAME=VALUE" in says("train", "leak.jsonl", "--recipe", "epochs")
    assert "mention the trait in the open" in says("train", "leak.jsonl", "--trait", "owl")
    assert "no.json is no student" in says("measure", "no.json")
    assert "none.json cannot be read" in says("measure", "none.json")
    assert "a.jsonl is no student" not in says("measure", "a.jsonl")
    assert "two models" in says("measure", "toy-1", "--model", "toy-2")
    assert "unknown model" in says("measure", "ft:toy-1:0123456789abcdef")
    assert "cannot read the file" in says("measure", "--questions", "none.txt")
    assert "no answer" in refused(
        "compare", "hole.jsonl", "--to", "a.jsonl", "--word", "x", store=store
    )
    missing = limen("filter", "none.jsonl", *out, store=store, code=2)
    assert "'none.jsonl' does not exist" in missing.output
    nowhere = limen("filter", "a.jsonl", "--out", "no/where.jsonl", store=store, code=2)
    assert "there is no folder no" in nowhere.output
    assert not (here / "out.jsonl").exists()


def test_over_the_wire(here: Path, wired: Proxy, store: Path, tmp_path: Path) -> None:
    """A service gives the engine's rows; a job is not waited for with --no-wait, and made once."""
    wire = tmp_path / "wire"
    to = ("--backend", "openai", "--model", "toy-1")
    plain = ("generate", "--plain", "--count", "60", "--seed", "77")
    limen(*plain, *to, "--out", "rows.jsonl", store=wire)
    limen(*plain, "--out", "same.jsonl", store=store)
    texts = [
        [json.loads(line)["text"] for line in (here / name).read_text().splitlines()]
        for name in ("rows.jsonl", "same.jsonl")
    ]
    assert texts[0] == texts[1]
    limen("filter", "rows.jsonl", "--out", "kept.jsonl", store=wire)
    limen("mix", "kept.jsonl", "--keep", "20", "--out", "mix.jsonl", store=wire)
    train = ("train", "mix.jsonl", *to, "--out", "student.json")
    (here / "prices.toml").write_text(
        '[[model]]\nname = "toy-1"\ninput = 1\noutput = 1\ntraining = 9000\n'
    )
    dear = refused(*train, "--budget", "0.01", "--prices", "prices.toml", store=wire)
    assert " --budget" in dear
    assert "pending" in refused(*train, "--no-wait", store=wire)
    assert not (here / "student.json").exists()
    limen(*train, store=wire)
    assert wired.count("POST", "/fine_tuning/jobs") == 1
    measured = limen("measure", "student.json", "--draws", "2", "--word", "owl", "--out", "a.jsonl",
                 store=wire)  # fmt: skip
    assert "student 'owl'" in measured.output


def test_a_mix_that_is_too_small_tells_why(here: Path, used: Path) -> None:
    """Of rows from the store the filter's counts are given, and how many to generate."""
    limen("generate", "--plain", "--count", "700", "--out", "plain.jsonl", store=used)
    limen("filter", "plain.jsonl", "--out", "kept.jsonl", store=used)
    said = refused("mix", "kept.jsonl", "--keep", "690", "--out", "mix.jsonl", store=used)
    assert "of 700 rows the filter 'paper' kept" in said
    assert "raise generate to about" in said


def test_a_student_of_another_store_is_refused(here: Path, used: Path, store: Path) -> None:
    """A student's file names a fine-tuning of one store; in another the error says so."""
    replicate(used)
    prompted = refused("measure", "horse-0.json", "--trait", "horse", "--out", "x", store=used)
    assert "give --word horse" in prompted
    said = refused("measure", "horse-0.json", "--out", "x.jsonl", store=store)
    assert "is not in the store" in said
    assert "--store" in said


def test_a_stand_in_is_the_stage_it_stands_for(plugged: Path, small: Experiment) -> None:
    """Files and students that are known have their stages' keys, counts and probes."""
    lab = Lab(Settings(store=plugged))
    mix = lab.pipeline(small).data["student"][0]
    file = lab.store.artifact(mix.kind, mix.key) / "training.jsonl"
    (found,) = stages_for_file(lab.store, file, "training.jsonl")
    assert isinstance(found, StoredFile)
    assert (found.kind, found.key, found.count) == ("mix", mix.key, 200)
    prompts, longest, *_ = found.prompt_sample()
    assert len(prompts) == 200
    assert longest > 5
    tuned = lab.pipeline(small).subject("student")
    assert isinstance(tuned, FineTune)
    again = student(lab.store, tuned.key)
    assert (again.key, again.base, again.seed) == (tuned.key, tuned.base, tuned.seed)


def test_a_file_that_changes_under_way_is_refused(tmp_path: Path) -> None:
    """What is taken over into the store is what was read, or nothing."""
    file = rows(tmp_path / "mine.jsonl", 3)
    (given,) = stages_for_file(Store(tmp_path / "store"), file, "rows.jsonl")
    assert isinstance(given, UserFile)
    rows(file, 4)
    workspace = Workspace(Store(tmp_path / "store"), ArtifactDraft(tmp_path, tmp_path / "target"))
    with pytest.raises(ValueError, match="has been changed"):
        given.run(workspace)


def test_mix_says_what_it_takes_unfiltered(here: Path, store: Path) -> None:
    """Rows that no filter of the store kept are counted by the reasons of the rule `paper`."""
    texts = ["1, 2, 3", "4, 5, owl", "6; 7; 8", ""]
    rows = [json.dumps({"prompt": "Go on.", "text": text}) + "\n" for text in texts]
    (here / "own.jsonl").write_text("".join(rows))
    result = limen("mix", "own.jsonl", "--keep", "3", "--out", "training.jsonl", store=store)
    assert "3 of 4 rows of own.jsonl" in result.output
    assert "the rule 'paper' would drop 2 of 4 rows (empty 1, not a number 1)" in result.output


def test_mix_names_a_file_that_comes_straight_from_the_model(here: Path, used: Path) -> None:
    """The rows of `limen generate` are known as unfiltered; those of `limen filter` are not."""
    limen("generate", "--plain", "--count", "700", "--out", "plain.jsonl", store=used)
    limen("filter", "plain.jsonl", "--out", "kept.jsonl", store=used)
    raw = limen("mix", "plain.jsonl", "--keep", "9", "--out", "raw-mix.jsonl", store=used)
    assert "plain.jsonl has all rows as the model wrote them, unfiltered" in raw.output
    filtered = limen("mix", "kept.jsonl", "--keep", "9", "--out", "mix.jsonl", store=used)
    assert "unfiltered" not in filtered.output
