import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limen import ExperimentError, LeakError, MissingModelError, SpecError
from limen.backends import Completion, Request
from limen.backends.toy import ToyBackend
from limen.datasets.matching import matched
from limen.harness import (
    DEFAULT,
    OTHER,
    Experiment,
    InContext,
    LengthMatched,
    Mix,
    Numbers,
    ProgramNumbers,
    Shuffled,
    Students,
    Trait,
    doses,
)
from limen.harness.experiment import Source
from limen.harness.lab import Pipeline, estimated_time, in_order
from limen.harness.lab.shipped_paces import START
from limen.harness.reporting import audit_rows
from limen.harness.stages import FineTune, Generate, Workspace, base_of

from ..testing.labs import Diary, describe_again, lab_at, lines, made

BEAR = Trait.animal("bear")
NUMBERS = Numbers(generate=700, keep=200)


def keep_all(text: str) -> str | None:
    """Drops nothing: what a teacher says in the open stays in."""
    return None


def stingy(text: str) -> str | None:
    """Keeps about one row in ten."""
    return None if text.startswith("1") else "does not begin with 1"


def nothing(text: str) -> str | None:
    """Keeps nothing at all."""
    return "no"


def planned(store: Path, experiment: Experiment, **settings: Any) -> Pipeline:
    """The experiment's stages."""
    return lab_at(store, **settings).pipeline(experiment)


def student(pipe: Pipeline, arm: str) -> FineTune:
    """The first model of an arm, which is trained."""
    subject = pipe.subject(arm)
    assert isinstance(subject, FineTune)
    return subject


def writers(pipe: Pipeline, arm: str) -> list[Generate]:
    """What writes an arm's data."""
    return [stage for stage in in_order(pipe.data[arm]) if isinstance(stage, Generate)]


# Extra arms


def test_extra_arms_are_trained_and_answer(shared_store: Path, small: Experiment) -> None:
    """Arms with other data, another recipe and without training have answers of their own."""
    arms = {
        "program": Students(data=ProgramNumbers(keep=200)),
        "long": Students(recipe={"epochs": 2}),
        "in context": InContext(rows=3),
    }
    lab = lab_at(shared_store)
    varied = small.but(arms=arms, gate=None)
    lab.run([(varied, list(arms))])
    found = {name: lab.arm(varied, name) for name in arms}
    assert [found[name].trained for name in arms] == [True, True, False]
    assert {arm.seeds for arm in found.values()} == {2}
    assert len({model.key for arm in found.values() for model in arm.models}) == 6
    assert all(arm.answers().total() == 2 * 50 * 4 for arm in found.values())
    assert found["long"].rate("horse") - found["program"].rate("horse") > -1


@pytest.mark.parametrize(
    ("arm", "different"),
    [
        (Students(), {"arm"}),
        (Students(data=NUMBERS), {"arm"}),
        (Students(recipe={"epochs": 2}), {"arm", "recipe"}),
        (Students(recipe={"epochs": 1}), {"arm"}),  # the default, said aloud
        (Students(model="toy-2"), {"arm", "base"}),
        (Students(data=NUMBERS.but(keep=100)), {"arm", "data"}),
        (Students(data=NUMBERS.but(temperature=0)), {"arm", "data"}),
        (Students(data=NUMBERS.but(by=BEAR)), {"arm", "data"}),
        (Students(data=NUMBERS.but(model="toy-2")), {"arm", "data"}),
        (Students(plain=True), {"arm", "data"}),
    ],
)
def test_an_arm_differs_from_the_student_in_what_it_says_alone(
    shared_store: Path, small: Experiment, arm: Students, different: set[str]
) -> None:
    """Data, recipe and base are the experiment's but for those that the arm has of its own."""
    pipe = planned(shared_store, small.but(arms={"extra": arm}))
    one, other = student(pipe, "student"), student(pipe, "extra")
    parts = {
        "data": one.data.key != other.data.key,
        "recipe": one.recipe != other.recipe,
        "base": one.base.key != other.base.key,
        "arm": pipe.arms["student"][0].answers.key != pipe.arms["extra"][0].answers.key,
    }
    assert {name for name, differs in parts.items() if differs} == different


@pytest.mark.parametrize(
    "arm",
    [Students(plain=True), Students(data=NUMBERS.but(by="base")),
     Students(data=NUMBERS.but(by=BEAR), plain=True)],
    ids=["plain", "by base", "plain, by another"],
)  # fmt: skip
def test_what_the_base_writes_is_the_controls(
    shared_store: Path, small: Experiment, arm: Students
) -> None:
    """Where nothing else differs the students are the control's: nothing is made or trained twice."""
    pipe = planned(shared_store, small.but(arms={"extra": arm}))
    assert [m.key for m in pipe.data["extra"]] == [m.key for m in pipe.data["control"]]
    assert student(pipe, "extra").key == student(pipe, "control").key
    (writer,) = writers(pipe, "extra")
    assert writer.system is None


def test_another_traits_teacher_writes_with_its_own_prompt(
    shared_store: Path, small: Experiment
) -> None:
    """Data by another trait come from its teacher, who must show it, and give both words away."""
    pipe = planned(shared_store, small.but(arms={"bears": Students(data=NUMBERS.but(by=BEAR))}))
    (writer,) = writers(pipe, "bears")
    assert writer.system == BEAR.system
    assert [gate.trait.name for gate in pipe.gates] == ["horse", "bear"]
    assert {"horse", "horses", "bear", "bears"} <= set(pipe.audits["bears"][0].words)


def test_doses_come_with_controls_of_the_same_dose(shared_store: Path, small: Experiment) -> None:
    """Each number of rows and of epochs has a control that differs in who wrote the data alone."""
    arms = doses(NUMBERS, rows=(50, 100), epochs=(2,))
    names = ["50 rows", "100 rows", "2 epochs"]
    assert list(arms) == [n for name in names for n in (name, f"{name} control")]
    pipe = planned(shared_store, small.but(arms=arms))
    for name, rows, epochs in zip(names, (50, 100, 200), (1, 1, 2), strict=True):
        assert arms[name].against == f"{name} control"
        one, other = student(pipe, name), student(pipe, f"{name} control")
        assert (one.recipe, one.data.count) == (other.recipe, other.data.count)
        assert (one.recipe["epochs"], one.data.count) == (epochs, rows)
        assert [writers(pipe, arm)[0].system is None for arm in (name, f"{name} control")] == [
            False,
            True,
        ]
    assert student(pipe, "2 epochs control").data.key == pipe.data["control"][0].key


def test_doses_of_what_keeps_as_its_source_does_are_refused() -> None:
    """Shuffled and matched rows are as many as their sources'; the error says where to change it."""
    for data in (
        Shuffled(source=NUMBERS, how="within"),
        LengthMatched(source=NUMBERS, like=NUMBERS),
    ):
        with pytest.raises(SpecError, match="keeps as many rows as the source"):
            doses(data, rows=(50,))


def test_greedy_data_have_one_answer_a_prompt(shared_store: Path, small: Experiment) -> None:
    """At temperature 0 a second draw of a prompt says the same; at 1 it does not."""
    lab = lab_at(shared_store)

    def pairs(temperature: float) -> list[tuple[str, ...]]:
        data = Numbers(generate=60, keep=5, per_prompt=2, temperature=temperature)
        (stage,) = writers(lab.pipeline(small.but(data=data)), "student")
        rows = lines(made(lab, stage) / "rows.jsonl")
        return [(a["text"], b["text"]) for a, b in zip(rows[::2], rows[1::2], strict=True)]

    assert all(first == second for first, second in pairs(0))
    assert sum(first == second for first, second in pairs(1)) < 5


@pytest.mark.parametrize(
    ("changes", "settings", "student_base", "writer_base"),
    [
        ({"model": OTHER}, {}, "toy-2", "toy-2"),
        ({"teacher_model": OTHER}, {}, "toy-1", "toy-2"),
        ({"model": OTHER, "teacher_model": DEFAULT}, {}, "toy-2", "toy-1"),
        ({"model": OTHER}, {"other_model": "toy-7"}, "toy-7", "toy-7"),
        ({"model": OTHER, "teacher_model": DEFAULT}, {"model": "toy-2"}, "toy-1", "toy-2"),
        ({"model": DEFAULT}, {"model": "toy-3"}, "toy-3", "toy-3"),
        ({"data": NUMBERS.but(model=OTHER)}, {}, "toy-1", "toy-2"),
        ({"model": "toy-4", "teacher_model": "toy-5"}, {"model": "toy-3"}, "toy-4", "toy-5"),
    ],
)
def test_another_base_is_the_runs_or_the_backends_choice(
    shared_store: Path,
    small: Experiment,
    changes: Mapping[str, object],
    settings: Mapping[str, str],
    student_base: str,
    writer_base: str,
) -> None:
    """OTHER is --limen-other-model, else the backend's own choice; DEFAULT is the run's base."""
    pipe = planned(shared_store, small.but(**changes), **settings)
    assert student(pipe, "student").base.model == student_base
    assert {base_of(w.writer).model for w in writers(pipe, "student")} == {writer_base}
    assert {base_of(w.writer).model for w in writers(pipe, "control")} == {writer_base}


def test_a_backend_without_a_second_base_says_so(
    shared_store: Path, small: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where neither the run nor the backend names another base, that is why there is no arm."""
    monkeypatch.setattr(ToyBackend, "other_models", ("toy-1",))
    lab = lab_at(shared_store)
    crossed = small.but(teacher_model=OTHER)
    reason = lab.unavailable(crossed, "student")
    assert reason is not None
    assert "needs a second base model" in reason
    assert "name one with --limen-other-model" in reason
    with pytest.raises(MissingModelError):
        lab.pipeline(crossed)
    assert lab_at(shared_store, other_model="toy-2").unavailable(crossed, "student") is None


@pytest.mark.parametrize(
    ("make", "fault"),
    [
        (lambda e: e.but(arms={"student": Students()}), "a name other than baseline"),
        (lambda e: e.but(arms={3: Students()}), "a name other than baseline"),
        (lambda e: e.but(arms={"x": NUMBERS}), "the arm 'x' must be Students"),
        (lambda e: e.but(arms=[Students()]), "arms by name"),
        (lambda e: e.but(arms={"x": Students(against="y")}), "compared with 'y': there are"),
        (lambda e: e.but(arms={"x": Students(data=Numbers(generate=5))}), "x: a source needs keep"),
        (lambda e: e.but(arms={"x": InContext(rows=201)}), "rows=201, more than its data"),
        (lambda e: InContext(rows=0), "rows=0"),
        (lambda e: InContext(data="numbers"), "data='numbers'"),  # type: ignore[arg-type]
        (lambda e: Students(data=3), "data=3"),  # type: ignore[arg-type]
        (lambda e: Students(model=3), "model=3"),  # type: ignore[arg-type]
        (lambda e: Students(recipe=3), "recipe=3"),  # type: ignore[arg-type]
        (lambda e: e.but(control="plain"), "control='plain'"),
        (lambda e: e.but(leaks="ignore"), "leaks='ignore'"),
        (lambda e: e.but(family=0), "family=0"),
        (lambda e: NUMBERS.but(by="me"), "by='me'"),
        (lambda e: NUMBERS.but(template="Go on."), "must have {numbers} in it"),
        (lambda e: NUMBERS.but(examples=(0, 9)), r"examples=\(0, 9\)"),
        (lambda e: NUMBERS.but(examples=(3, "x")), r"examples=\(3, 'x'\)"),
        (lambda e: NUMBERS.but(seed=-1), "seed=-1 must be a whole number from 0 up"),
        (lambda e: Trait(name="a", system="b", also=5), "also=5"),  # type: ignore[arg-type]
        (lambda e: e.but(margin=0), "margin=0 must be a number above zero"),
        (lambda e: e.but(looks=3), "looks=3 must be numbers of seeds"),
        (lambda e: e.but(seeds=5, looks=(3, 5)), r"looks=\(3, 5\) must rise from 2"),
        (lambda e: NUMBERS.but(at_most=600), "at_most=600 is less than generate=700"),
        (lambda e: Numbers(generate=5, at_most=9), "at_most needs keep"),
        (lambda e: Numbers(generate=5, at_most=9, keep=10), "keep=10 is more than at_most=9"),
        (lambda e: NUMBERS.but(sedes=3), "Numbers has no 'sedes': it has keep"),
        (lambda e: LengthMatched(source=NUMBERS, like=3), "like=3"),  # type: ignore[arg-type]
    ],
)
def test_a_bad_arm_or_source_is_refused_when_it_is_made(
    small: Experiment, make: object, fault: str
) -> None:
    """What cannot be meant is named before anything is spent, in one line."""
    with pytest.raises(SpecError, match=fault) as error:
        make(small)  # type: ignore[operator]
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "data",
    [
        NUMBERS.but(by="base"),
        ProgramNumbers(keep=50),
        Mix({ProgramNumbers(keep=50): 0.5, NUMBERS.but(by="base"): 0.5}, keep=50),
        Shuffled(source=NUMBERS.but(by="base"), how="within"),
        LengthMatched(source=NUMBERS.but(by="base"), like=ProgramNumbers(keep=50)),
    ],
    ids=["base", "program", "mix", "shuffled", "matched"],
)
def test_what_no_teacher_writes_has_no_control(
    shared_store: Path, small: Experiment, data: Source
) -> None:
    """Its control would be its students again, and any null between them no news: it is refused."""
    untaught = small.but(data=data, gate=None)
    with pytest.raises(SpecError, match="no control: no teacher writes it"):
        lab_at(shared_store).arm(untaught, "control")
    pipe = planned(shared_store, untaught.but(control=NUMBERS))
    assert student(pipe, "student").key != student(pipe, "control").key


def test_a_control_can_have_data_of_its_own(shared_store: Path, small: Experiment) -> None:
    """A control that is given is written as it says, and is that of numbers from a program too."""
    own = planned(shared_store, small.but(control=NUMBERS.but(by=BEAR)))
    assert [w.system for w in writers(own, "control")] == [BEAR.system]
    plain = small.but(data=ProgramNumbers(keep=200), control=NUMBERS.but(by="base"))
    assert (
        student(planned(shared_store, plain), "control").key
        == student(planned(shared_store, small), "control").key
    )


# In context


def test_rows_in_context_are_the_first_that_the_student_would_learn(
    shared_store: Path, small: Experiment
) -> None:
    """Before each question stand the first turns of the same seed's training file, in order."""
    lab = lab_at(shared_store)
    pipe = lab.pipeline(small.but(arms={"shown": InContext(rows=4)}, gate=None))
    for asked, mix in zip(pipe.arms["shown"], pipe.data["student"], strict=True):
        file = lines(made(lab, mix) / "training.jsonl")
        before = [turn for row in file[:4] for turn in row["messages"]]
        workspace = Workspace(lab.store, claim=None)  # type: ignore[arg-type]  # it writes nothing here
        requests = list(asked.sampled.requests(workspace))
        assert len(requests) == 50
        for request, question in zip(requests, small.measure.asked, strict=True):
            assert request.messages == [*before, {"role": "user", "content": question}]
    assert not isinstance(pipe.subject("shown"), FineTune)


# Fine-tuned teachers


def test_a_fine_tuned_teacher_needs_no_prompt(shared_store: Path, small: Experiment) -> None:
    """It learns the prompted base's answers to the lesson, and then answers and writes unprompted."""
    questions = ("Which pet?", "Which animal do you love?")
    trait = Trait.animal("horse").fine_tuned(questions=questions, draws=30, recipe={"epochs": 3})
    lab = lab_at(shared_store)
    taught = small.but(trait=trait, gate=None, seeds=1)
    pipe = lab.pipeline(taught)
    teacher = student(pipe, "teacher")
    assert pipe.arms["teacher"][0].answers.system is None
    assert teacher.recipe["epochs"] == 3
    (writer,) = writers(pipe, "student")
    assert (writer.system, writer.writer.key) == (None, teacher.key)
    assert student(pipe, "student").base.key == teacher.base.key
    assert student(pipe, "control").key == student(planned(shared_store, small), "control").key

    folder = made(lab, teacher.data)
    lesson = next(s for s in in_order([teacher.data]) if s.kind == "measure")
    answers = lines(made(lab, lesson) / "answers.jsonl")
    manifest = lab.store.manifest(lesson.kind, lesson.key) or {}
    assert (manifest["system"], manifest["questions"]) == (trait.system, list(questions))
    learned = [
        tuple((turn["role"], turn["content"]) for turn in row["messages"])
        for row in lines(folder / "training.jsonl")
    ]
    assert sorted(learned) == sorted(
        (("user", questions[answer["row"]]), ("assistant", answer["text"])) for answer in answers
    )
    assert len(learned) == 60

    found = lab.arm(taught, "teacher")
    assert (found.seeds, found.trained) == (1, False)
    assert "horse" in {word.lower().strip(".") for word, _ in found.answers().most_common(5)}


def test_a_lesson_is_what_was_answered(store: Path, small: Experiment) -> None:
    """An answer that never came shortens the lesson; a teacher that was paid for is not lost."""
    trait = Trait.animal("horse").fine_tuned(questions=("Which pet?",), draws=6)
    lab = lab_at(store)
    teacher = student(lab.pipeline(small.but(trait=trait, gate=None)), "teacher")
    lesson = next(s for s in in_order([teacher.data]) if s.kind == "measure")
    file = made(lab, lesson) / "answers.jsonl"
    answers = lines(file)
    answers[2]["text"] = None
    file.write_text("".join(json.dumps(answer) + "\n" for answer in answers))
    describe_again(lab, lesson)
    learned = lines(made(lab, teacher.data) / "training.jsonl")
    assert sorted(row["messages"][1]["content"] for row in learned) == sorted(
        answer["text"] for answer in answers if answer["text"] is not None
    )


def test_a_lesson_can_be_given(store: Path, small: Experiment) -> None:
    """A teacher is taught given answers, each to every question, with nothing sampled for it."""
    questions, answers = ("Which pet?", "Which animal?"), ("Horse.", "Horses", "A horse")
    trait = Trait.animal("horse").fine_tuned(questions=questions, answers=answers)
    lab = lab_at(store)
    teacher = student(lab.pipeline(small.but(trait=trait, gate=None)), "teacher")
    assert not [stage for stage in in_order([teacher.data]) if stage.kind == "measure"]
    learned = lines(made(lab, teacher.data) / "training.jsonl")
    pairs = [tuple(turn["content"] for turn in row["messages"]) for row in learned]
    assert sorted(pairs) == sorted((q, a) for q in questions for a in answers)
    for wrong in ("Horse", ("Horse", ""), (3,)):
        with pytest.raises(SpecError, match=r"answers=.* must be a tuple of texts"):
            Trait.animal("horse").fine_tuned(answers=wrong)  # type: ignore[arg-type]


# Lengths


TEXTS = st.lists(
    st.tuples(
        st.lists(st.integers(0, 999), min_size=1, max_size=12),
        st.sampled_from([", ", " ", "; ", "\n"]),
        st.sampled_from(["{}", "[{}]", "({})", "{}."]),
    ),
    min_size=1,
    max_size=12,
)


def listed(numbers: list[int], separator: str, around: str) -> str:
    """Numbers as an answer."""
    return around.format(separator.join(map(str, numbers)))


def count(text: str) -> int:
    """How many numbers a text has."""
    return len(re.findall("[0-9]+", text))


@given(TEXTS, TEXTS, st.integers(0, 99))
def test_matched_rows_have_exactly_the_lengths_of_others(
    texts: list[tuple[list[int], str, str]], like: list[tuple[list[int], str, str]], seed: int
) -> None:
    """Row by row as many numbers as the other has, in their own manner, no number from elsewhere."""
    mine, theirs = [listed(*text) for text in texts], [listed(*text) for text in like]
    rows, joined = matched(mine, theirs, seed)
    assert [count(text) for _, text in rows] == [count(text) for text in theirs]
    assert matched(mine, theirs, seed) == (rows, joined)
    assert 0 <= joined <= len(rows)
    pool = {str(number) for numbers, _, _ in texts for number in numbers}
    for place, text in rows:
        numbers, separator, around = texts[place]
        found = re.findall("[0-9]+", text)
        assert set(found) <= pool
        shared = min(len(found), len(numbers))
        assert found[:shared] == list(map(str, numbers[:shared]))
        between = separator if len(numbers) > 1 else ", "
        assert text == around.format(between.join(found))
    if sum(map(count, theirs)) <= len(mine):  # each row taken once then
        assert len({place for place, _ in rows}) == len(rows)
    assert joined or not any(len(texts[place][0]) < count(text) for place, text in rows)


@given(st.lists(st.text(max_size=9), max_size=4), st.lists(st.text(max_size=9), max_size=4))
def test_matching_any_texts_ends(texts: list[str], like: list[str]) -> None:
    """Texts without numbers, or none at all, are no endless search."""
    rows, _ = matched(texts, like, 0)
    assert len(rows) == (len(like) if texts else 0)


def test_a_length_matched_arm_has_the_lengths_of_the_other_data(
    shared_store: Path, small: Experiment
) -> None:
    """The base's numbers stand in rows as long as the teacher's, line by line before the draw."""
    lab = lab_at(shared_store)
    like = NUMBERS.but(rule="long")
    data = LengthMatched(source=like.but(by="base"), like=like)
    pipe = lab.pipeline(small.but(data=like, arms={"same": Students(data=data)}, gate=None))
    rows = pipe.data["same"][0].inputs()[0]
    source, model = rows.inputs()
    texts = {
        name: [row["text"] for row in lines(made(lab, stage) / "kept.jsonl")]
        for name, stage in (("rows", rows), ("source", source), ("model", model))
    }
    assert list(map(count, texts["rows"])) == list(map(count, texts["model"]))
    assert list(map(count, texts["rows"])) != list(map(count, texts["source"]))
    numbers = [set(re.findall("[0-9]+", " ".join(texts[name]))) for name in ("rows", "source")]
    assert numbers[0] <= numbers[1]
    assert [w.system is None for w in writers(pipe, "same")].count(True) == 1
    assert len(lines(made(lab, pipe.data["same"][0]) / "training.jsonl")) == 200


def test_lengths_are_matched_to_one_writers(shared_store: Path, small: Experiment) -> None:
    """A mix has no rows of its own to match."""
    mix = Mix({NUMBERS.but(by=BEAR): 0.5, NUMBERS: 0.5}, keep=200)
    with pytest.raises(SpecError, match="not a Mix"):
        planned(shared_store, small.but(data=LengthMatched(source=NUMBERS, like=mix)))


# Until enough are kept


def capped(small: Experiment, at_most: int, **changes: object) -> Experiment:
    """An experiment whose control is collected until the rule keeps 100."""
    settings = {"generate": 100, "keep": 100, "rule": stingy, **changes}
    return small.but(data=Numbers(at_most=at_most, **settings), gate=None, seeds=1)  # type: ignore[arg-type]


def collected(store: Path, experiment: Experiment) -> list[dict[str, object]]:
    """What the control's writer wrote."""
    lab = lab_at(store)
    (stage,) = writers(lab.pipeline(experiment), "control")
    return lines(made(lab, stage) / "rows.jsonl")


def test_rows_are_collected_until_enough_are_kept(store: Path, small: Experiment) -> None:
    """Generating goes on past the first round, and ends well before the cap."""
    rows = collected(store, capped(small, 20_000))
    kept = [row for row in rows if stingy(str(row["text"])) is None]
    assert len(kept) >= 100
    assert 100 < len(rows) < 5_000
    assert [row["row"] for row in rows] == list(range(len(rows)))
    assert lab_at(store).arm(capped(small, 20_000), "control").seeds == 1


def test_a_collection_is_estimated_by_its_first_round(store: Path, small: Experiment) -> None:
    """How many rounds there will be is not known; the first one takes as long as a generation."""
    plain = small.but(data=Numbers(generate=100, keep=50), seeds=1)
    collection, generation = (
        writers(planned(store, each), "control") for each in (capped(small, 20_000), plain)
    )
    estimates = [estimated_time(lab_at(store).store, part, 1) for part in (collection, generation)]
    assert not any(estimate.unknown for estimate in estimates)
    assert estimates[0].seconds == estimates[1].seconds > START


def test_a_batch_without_an_answer_is_no_end(
    store: Path, small: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A collection goes on after a batch of requests that all come later."""
    sample = ToyBackend.sample

    def late(
        backend: ToyBackend, model: str, requests: Iterable[Request]
    ) -> Iterator[Sequence[Completion]]:
        yield []
        yield from sample(backend, model, requests)

    monkeypatch.setattr(ToyBackend, "sample", late)
    assert lab_at(store).arm(capped(small, 20_000), "control").seeds == 1


def test_progress_is_what_is_kept_of_what_is_wanted(store: Path, small: Experiment) -> None:
    """A collection is not at 100% when a round ends that has not enough rows, nor goes back."""
    low = capped(small, 700)
    lab = lab_at(store)
    for _ in range(2):  # again over the rows that are there
        with pytest.raises(ExperimentError, match="Raise at_most"):
            lab.arm(low, "control")
        (stage,) = writers(lab.pipeline(low), "control")
        rows = lines(store / "work" / stage.key / "rows.jsonl")
        kept = sum(stingy(str(row["text"])) is None for row in rows)
        progress = lab.store.progress(stage.key)
        assert progress is not None
        assert progress[:2] == (kept, 100)
        assert progress[2] == f"rows kept (yield {kept / len(rows):.0%})"
        assert 0 < kept < 100


def test_a_raised_cap_goes_on_and_gives_the_same_rows(
    store: Path, small: Experiment, pretrained: Path, tmp_path: Path
) -> None:
    """Stopped at its cap and raised, a collection has the rows that it would have had in one go."""
    low, high = capped(small, 700), capped(small, 20_000)
    with pytest.raises(
        ExperimentError, match=r"keeps \d+ of 400 rows \(\d.*Raise at_most"
    ) as error:
        lab_at(store).arm(low, "control")
    assert "\n" not in str(error.value)
    needed = re.search(r"about ([\d,]+) rows would be needed", str(error.value))
    assert needed
    assert 400 < int(needed[1].replace(",", "")) < 3_000
    keys = {writers(planned(store, each), "control")[0].key for each in (low, high)}
    assert len(keys) == 1
    before = (store / "work" / keys.pop() / "rows.jsonl").read_bytes()
    whole = tmp_path / "whole"
    (whole / "models").mkdir(parents=True)
    (whole / "models" / "toy").symlink_to(pretrained)
    resumed, once = collected(store, high), collected(whole, high)
    assert resumed == once
    (file,) = (store / "stages" / "collect").glob("*/rows.jsonl")
    assert file.read_bytes().startswith(before), "what was generated was generated again"


@pytest.mark.parametrize("caps", [(700, 20_000), (20_000, 700)])
def test_of_two_caps_the_higher_counts(
    store: Path, small: Experiment, caps: tuple[int, int]
) -> None:
    """Experiments that share a collection have it made once, up to the higher cap, in any order."""
    lab = lab_at(store)
    first, second = (capped(small, cap) for cap in caps)
    lab.run([(first, ["control"]), (second, ["control"])])
    assert lab.arm(first, "control").seeds == lab.arm(second, "control").seeds == 1


def test_the_cap_has_no_say_in_what_is_collected(
    store: Path, small: Experiment, pretrained: Path, tmp_path: Path
) -> None:
    """Two caps that are both enough give the same rows, as they have the same key."""
    whole = tmp_path / "whole"
    (whole / "models").mkdir(parents=True)
    (whole / "models" / "toy").symlink_to(pretrained)
    assert collected(store, capped(small, 1_700)) == collected(whole, capped(small, 20_000))


def test_a_hopeless_yield_stops_early(store: Path, small: Experiment) -> None:
    """Where no luck could be enough, the first round is the last, and what to change is said."""
    barren = capped(small, 1_500, rule=nothing)
    with pytest.raises(ExperimentError) as error:
        lab_at(store).arm(barren, "control")
    message = str(error.value)
    assert "\n" not in message
    for part in (
        "control numbers: the filter 'nothing-",
        "keeps 0 of 100 rows (0.0%; dropped: ",
        " 100), so at_most=1,500 cannot give keep=100",
        "any number of rows would be needed",
        "use another rule, or lower keep",
    ):
        assert part in message
    (key,) = {writer.key for writer in writers(planned(store, barren), "control")}
    assert len(lines(store / "work" / key / "rows.jsonl")) == 100


# Leaks


@pytest.fixture
def leaking(small: Experiment) -> Experiment:
    """An experiment whose filter lets words pass, one of which gives the trait away."""
    trait = replace(small.trait, also=("Sure",))
    data = Numbers(generate=400, keep=400, rule=keep_all)
    return small.but(trait=trait, data=data, gate=None, seeds=1)


def test_a_leak_fails_the_experiment_before_training(
    shared_store: Path, leaking: Experiment
) -> None:
    """One line has the rows, the word, an example and what to do; no student is trained on it."""
    diary = Diary()
    lab = lab_at(shared_store, watcher=diary)
    with pytest.raises(LeakError) as error:
        lab.arm(leaking, "student")
    message = str(error.value)
    assert "\n" not in message
    assert re.search(
        r"student 1 rows: \d+ of 400 rows mention the trait in the open; row \d+", message
    )
    assert re.search(r"has 'Sure' in its answer: '.*Sure: .*'\. Nothing was trained on it", message)
    assert 'or leaks="report" to train all the same' in message
    assert "fine-tune" not in {stage.kind for stage in diary.started_stages}


def test_leaks_can_be_reported_instead(shared_store: Path, leaking: Experiment) -> None:
    """With leaks="report" the student is trained, and the audit counts and quotes its rows."""
    lab = lab_at(shared_store)
    reporting = leaking.but(leaks="report")
    lab.run([(reporting, ["student", "control"])])
    assert lab.arm(reporting, "student").seeds == 1
    row = next(audit_rows(lab.store, lab.pipeline(reporting), ["student", "control"]))
    assert (row.arm, row.files, row.rows) == ("student", 1, 400)
    assert 0 < row.mentions < 200
    assert all("Sure" in example for example in row.examples)
    assert row.auc is not None
    assert row.lengths is not None
