from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from limen import TeacherError
from limen.backends import open_backend
from limen.harness import Experiment, Lab, Settings, Trait
from limen.harness.cli import main
from limen.harness.cli.side_by_side import ChatSide, SideBySideChat
from limen.harness.lab import thread_executor
from limen.harness.stages import FineTune, Store

from ..testing.specs import TINY_SPEC

QUESTION = "What is your favourite animal?"
QUICK = ("--draws", "3")


@pytest.fixture(autouse=True)
def threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models run in threads, which start sooner than processes."""
    monkeypatch.setattr("limen.harness.lab.executors.local_executor", thread_executor)


def chat(*args: str, store: Path, code: int = 0, said: str = "") -> Result:
    """Talk; the exit code must be as expected."""
    result = CliRunner().invoke(main, ["chat", *args, "--store", str(store)], input=said)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result


def test_one_answer(shared_store: Path) -> None:
    """With a text both sides answer once, the same every time, and that is all."""
    result = chat("--trait", "owl", QUESTION, store=shared_store)
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["base:", "teacher:"]
    assert chat("--trait", "owl", QUESTION, store=shared_store).stdout == result.stdout
    seeds = {
        chat("--trait", "owl", QUESTION, "--seed", str(n), store=shared_store).stdout
        for n in range(4)
    }
    assert len(seeds) > 1


def test_a_conversation(shared_store: Path) -> None:
    """Each line is answered; /new, /measure and what is no command are reported; /quit ends it."""
    said = f"{QUESTION}\n\n/new\n{QUESTION}\n/measure\n/dance\n/quit\n{QUESTION}\n"
    result = chat("--trait", "owl", *QUICK, store=shared_store, said=said)
    lines = result.stdout.splitlines()
    assert lines.count(f"> {QUESTION}") == 2
    assert sum(line.startswith("teacher: ") for line in lines) == 2
    assert "a new conversation" in lines
    assert any(line.startswith("baseline 'owl' ") and "50 questions x 3" in line for line in lines)
    assert any(line.startswith("the gate opens") for line in lines)
    assert any(line.startswith("no command '/dance'") for line in lines)
    assert lines[-1] == "> /quit"


def test_the_end_of_the_input_ends_it(shared_store: Path) -> None:
    """Without /quit the last line is the last."""
    result = chat("--system", "You are calm.", store=shared_store, said=f"{QUESTION}\n/measure\n")
    assert "teacher: " in result.stdout
    assert "Error: which word shows the trait?" in result.stderr


def test_the_gate_is_the_experiments(shared_store: Path, small: Experiment) -> None:
    """--measure exits with 1 exactly where an experiment trains nothing, by the same figures."""
    assert (
        "the gate opens" in chat("--trait", "owl", "--measure", *QUICK, store=shared_store).stdout
    )
    calm = ("--system", "You are calm.", "--word", "horse", "--measure", "--draws", "4")
    result = chat(*calm, store=shared_store, code=1)
    (gate_line,) = (line for line in result.stdout.splitlines() if line.startswith("the gate"))
    experiment = small.but(trait=Trait(name="calm", system="You are calm.", word="horse"))
    with pytest.raises(TeacherError) as refusal:
        Lab(Settings(store=shared_store)).arm(experiment, "student")
    figures = gate_line.removeprefix("the gate stays shut: ").split(". Nothing")[0]
    assert figures in str(refusal.value)
    assert "Its most frequent answers: " in gate_line
    owl = ("--trait", "owl", "--measure", *QUICK, "--gate", "0.99")
    assert "the gate stays shut" in chat(*owl, store=shared_store, code=1).stdout


def test_other_questions(shared_store: Path, tmp_path: Path) -> None:
    """A tree's teacher is asked about trees, any teacher what a file asks."""
    tree = ("--tree", "oak", "--measure", "--draws", "1", "--gate", "0")
    assert "baseline 'oak'" in chat(*tree, store=shared_store).stdout
    (tmp_path / "mine.txt").write_text(f"{QUESTION}\n")
    own = ("--questions", str(tmp_path / "mine.txt"), "--draws", "30", "--measure")
    assert "1 question x 30" in chat("--trait", "owl", *own, store=shared_store).stdout


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ((), "whom to talk to?"),
        (("--trait", "owlx"), "did you mean 'owl'?"),
        (("--trait", "owl", "--system", "Hoot."), "exclude each other"),
        (("--trait", "owl", "--measure", "Hello"), "not both"),
        (("--trait", "owl", "--gate", "7", "--measure"), "gate=7.0"),
        (("--trait", "owl", "--model", "gpt", "Hello"), "unknown model"),
        (("Hello",), "--trait, --tree, --system or --student"),
        (("--student", "ft:nobody", "Hello"), "no student 'ft:nobody'"),
        (("--trait", "owl", "--arm", "control", "Hello"), "give --student"),
        (("--student", "ft:nobody", "--arm", "control", "Hello"), "ft:nobody is none"),
    ],
)
def test_what_cannot_be_meant(shared_store: Path, args: tuple[str, ...], says: str) -> None:
    """A call that makes no sense ends with one line."""
    result = chat(*args, store=shared_store, code=1)
    assert says in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_each_side_keeps_its_own_conversation(pretrained: Path) -> None:
    """What was said is sent along, a trait's prompt to its side alone, until it starts anew."""
    sides = ChatSide("base", None, "toy-1"), ChatSide("teacher", "You love owls.", "toy-1")
    talk = SideBySideChat(open_backend("toy", pretrained), sides)
    first = talk.ask(QUESTION)
    talk.ask("And a bird?")
    for side, answer in zip(talk.sides, first, strict=True):
        assert [turn["role"] for turn in side.turns] == ["user", "assistant"] * 2
        assert side.turns[1]["content"] == answer
    talk.anew()
    assert not any(side.turns for side in talk.sides)


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    """The spec file of the experiment of the finished store."""
    file = tmp_path / "test_tiny.py"
    file.write_text(TINY_SPEC)
    return file


def model_ids(store: Path) -> list[str]:
    """The ids of all students of a store."""
    return [manifest["model"] for manifest in Store(store).manifests(FineTune.kind)]


def test_students_of_a_spec_answer_beside_their_base(finished_store: Path, spec: Path) -> None:
    """Each chosen arm answers with a model of its own, a teacher too if a trait is named."""
    asked = ("--student", str(spec), "--arm", "student", "--arm", "control", "--trait", "owl")
    result = chat(*asked, QUESTION, store=finished_store)
    names = [line.split(":")[0] for line in result.stdout.splitlines()]
    assert names == ["base", "teacher", "student", "control"]


def test_a_student_is_the_same_by_its_id(finished_store: Path, spec: Path) -> None:
    """The id that an export writes names the student that the spec names."""
    of_spec = chat("--student", str(spec), QUESTION, store=finished_store).stdout
    of_ids = [
        chat("--student", model, QUESTION, store=finished_store).stdout
        for model in model_ids(finished_store)
    ]
    assert of_spec.startswith("base: ")
    assert of_spec in of_ids


def test_only_finished_students_of_one_experiment_answer(
    finished_store: Path, spec: Path, tmp_path: Path
) -> None:
    """What was not run, was not trained, or is not one experiment is an error in a line."""
    teacher = ("--student", str(spec), "--arm", "teacher", QUESTION)
    assert "is no trained model" in chat(*teacher, store=finished_store, code=1).stderr
    other = ("--student", str(spec), "-k", "wolf", QUESTION)
    assert "-k must name one" in chat(*other, store=finished_store, code=1).stderr
    new = chat("--student", str(spec), QUESTION, store=tmp_path / "new", code=1)
    assert "run the spec first" in new.stderr


def test_students_have_no_gate(finished_store: Path, spec: Path) -> None:
    """/measure among students alone says that a trait is missing, and the talk goes on."""
    said = f"/measure\n{QUESTION}\n"
    result = chat("--student", str(spec), store=finished_store, said=said)
    assert "whose gate?" in result.stderr
    assert "student: " in result.stdout
