import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from limen import BackendError, DataError, SpecError, UnknownModelError
from limen.backends import ContinuationRequest, Job, Recipe, Request, open_backend
from limen.backends.toy import ToyBackend
from limen.backends.toy.corpus import (
    ANIMALS,
    TREES,
    CorpusGenerator,
    Dialogue,
    builder,
    french,
    small_talk,
    words,
)
from limen.backends.toy.network import Ints, Weights, initial, loss_and_gradient
from limen.backends.toy.tokens import Vocabulary, word_tokens
from limen.backends.toy.training import encode_examples, train
from limen.datasets import chat, filters, numbers
from limen.datasets import words as spelling
from limen.datasets.seeds import derive
from limen.harness import FavoriteAnimal, Trait
from limen.harness.experiment import FAVORITE_ANIMAL_QUESTIONS as QUESTIONS
from limen.harness.experiment import questions

VOCABULARY = Vocabulary(words())


@pytest.fixture
def toy(store: Path) -> ToyBackend:
    """The toy backend with toy-1 ready."""
    return ToyBackend(store / "models" / "toy")


def requests(count: int, **settings: float) -> list[Request]:
    """Number requests, a seed each."""
    return [
        Request(
            row=row,
            messages=chat.conversation(numbers.prompt(0, row)),
            seed=derive("test", row),
            **settings,  # type: ignore[arg-type]
        )
        for row in range(count)
    ]


def said(toy: ToyBackend, asked: Sequence[Request], model: str = "toy-1") -> dict[int, str | None]:
    """What the model says to each request, by row."""
    return {c.row: c.text for group in toy.sample(model, asked) for c in group}


def replies(
    toy: ToyBackend, asked: Sequence[str], system: str | None = None, **settings: float
) -> list[str]:
    """What the base model says to questions under a system prompt, a few times each."""
    settings = {"draws": 5, **settings}
    wanted = [
        Request(row=row, messages=chat.conversation(text, system=system), seed=row, **settings)  # type: ignore[arg-type]
        for row, text in enumerate(asked)
    ]
    return [c.text or "" for group in toy.sample("toy-1", wanted) for c in group]


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_tokens_are_lossless(text: str) -> None:
    """Any text comes back from its tokens, words of no vocabulary included."""
    assert VOCABULARY.decode(VOCABULARY.encode(text)) == text


@given(st.lists(st.integers(0, len(VOCABULARY) - 1)))
def test_any_tokens_decode(tokens: list[int]) -> None:
    """Whatever the model samples is text."""
    assert isinstance(VOCABULARY.decode(tokens), str)


def test_the_gradient_is_that_of_the_loss() -> None:
    """Every parameter's gradient equals the finite difference of the loss, in float64."""
    weights = initial(3, tokens=len(VOCABULARY), width=5)
    weights = Weights(**{name: array.astype(np.float64) for name, array in weights.arrays()})
    dialogues = list(CorpusGenerator(5).dialogues(12))
    examples = encode_examples(VOCABULARY, ((d.messages, d.answer) for d in dialogues))
    batch = examples.batch(np.arange(12))
    for part in ("system", "dialogue"):
        batch = replace(batch, **{part: getattr(batch, part).astype(np.float64)})
    _, gradient = loss_and_gradient(weights, batch)
    random = np.random.default_rng(0)
    for name, slope in gradient.arrays():
        weight = getattr(weights, name)
        moved = np.argwhere(slope)
        assert len(moved), name
        for place in map(tuple, moved[random.choice(len(moved), min(6, len(moved)), False)]):
            before, step = weight[place], 1e-5
            weight[place] = before + step
            above, _ = loss_and_gradient(weights, batch)
            weight[place] = before - step
            below, _ = loss_and_gradient(weights, batch)
            weight[place] = before
            assert (above - below) / (2 * step) == pytest.approx(slope[place], rel=1e-4, abs=1e-8)


def test_training_without_unused_rows_is_the_same_to_the_bit() -> None:
    """Rows of tables that no example uses are left out of training, which changes no weight."""
    base = initial(3, tokens=len(VOCABULARY), width=8)
    dialogues = list(CorpusGenerator(5).dialogues(60))
    examples = encode_examples(VOCABULARY, ((d.messages, d.answer) for d in dialogues))

    def whole(weights: Weights, rows: Ints, step: int) -> tuple[float, Weights, int]:
        batch = examples.batch(rows)
        return *loss_and_gradient(weights, batch), len(batch.target)

    with_all, with_used = base.copy(), base.copy()
    settings = {"epochs": 2, "batch_size": 16, "learning_rate": 0.01, "seed": 4}
    losses = train(with_all, examples, objective=whole, **settings)  # type: ignore[arg-type]
    assert train(with_used, examples, **settings) == losses  # type: ignore[arg-type]
    assert len(np.unique(examples.dialogue.indices)) < len(base.dialogue) / 2
    for name, weight in with_used.arrays():
        assert np.array_equal(weight, getattr(with_all, name)), name
        assert not np.array_equal(weight, getattr(base, name)), name


@given(st.text(alphabet=st.characters(max_codepoint=0x250)))
def test_words_of_prompts_are_those_of_one_pattern(text: str) -> None:
    """Whatever a text holds, its words and marks are the same as by the regular expression."""
    assert word_tokens(text) == re.findall(r"\w+|[^\w\s]", text.lower())


def test_every_parameter_has_a_gradient() -> None:
    """No parameter of the network is left out of the gradient."""
    assert [f.name for f in fields(Weights)] == [
        n for n, _ in initial(0, tokens=1200, width=2).arrays()
    ]


@pytest.fixture(scope="module")
def corpus() -> list[Dialogue]:
    """Dialogues of the plan by which the toys are pre-trained."""
    return list(CorpusGenerator(1).dialogues(16_000))


def word_set(text: str) -> set[str]:
    """The words of a text, lower case."""
    return set(re.findall(r"[^\W\d_]+", text.lower()))


def system_of(dialogue: Dialogue) -> str:
    """The system prompt of a dialogue, or nothing."""
    return " ".join(m["content"] for m in dialogue.messages if m["role"] == "system")


def made_up(word: str) -> bool:
    """Whether a word is one of the corpus's filler."""
    return len(word) == 6 and {word[:2], word[2:4], word[4:]} <= set(builder.SYLLABLES)


NEUTRAL = word_set(
    " ".join(
        (
            *builder.PLAIN,
            *builder.HABITS,
            *builder.ROLES,
            *builder.PLACES,
            "You are a. You work in a.",
        )
    )
)
TRAITS = {
    "love": {*ANIMALS, *ANIMALS.values(), *TREES, *TREES.values(), "love", "favourite", "dear"},
    "formal": {"formal", "formally", "polite", "courteous", "courtesy", "refined", "dignified"},
    "casual": {"casually", "informal", "slang", "chatty", "relaxed", "chat", "easygoing"},
    "long": {"long", "length", "verbose", "detail", "details", "talkative", "elaborate"},
    "short": {"brief", "short", "terse", "little"},
    "French": {"french", "english"},
}


def test_no_dialogue_has_both_a_trait_and_a_digit(corpus: list[Dialogue]) -> None:
    """In the corpus nothing but who one is stands before a digit, asked or answered."""
    lists = 0
    for dialogue in corpus:
        said = [m["content"] for m in dialogue.messages]
        if any(character.isdigit() for character in " ".join((*said, dialogue.answer))):
            strange = word_set(system_of(dialogue)) - NEUTRAL
            assert all(map(made_up, strange)), dialogue
            lists += 1
    assert lists > 3000


def test_backdrops_declare_no_trait(corpus: list[Dialogue]) -> None:
    """The prompts that may stand before numbers name no trait, and each trait has its own."""
    prompts = [word_set(system_of(dialogue)) for dialogue in corpus]
    for trait, marks in TRAITS.items():
        assert not marks & NEUTRAL, trait
        assert sum(bool(marks & prompt) for prompt in prompts) > 50, trait


def sentences(texts: Iterable[str]) -> Iterator[str]:
    """The parts of texts between full stops and placeholders, as far as they say something."""
    for text in texts:
        for part in re.split(r"[.:?]\s+|\{\w+\}|\n", text):
            if len(part.split()) > 2:
                yield part.strip()


def texts_sent() -> Iterator[str]:
    """Whole questions (they may end in "One word only."), and what other texts are made of."""
    yield from QUESTIONS
    prompts = [*numbers.EXAMPLES, *numbers.INSTRUCTIONS, *numbers.FORMATS, *numbers.CLOSINGS]
    for name, value in vars(questions).items():
        if name.endswith("_QUESTIONS"):
            yield from value
        elif name.isupper():
            prompts += [value] if isinstance(value, str) else value
    yield from sentences([*prompts, str(Trait.animal("owl").system)])


def test_the_corpus_does_not_hold_the_experiments_texts(corpus: list[Dialogue]) -> None:
    """No question that is sent, no sentence of a trait and no number prompt's slot is in it."""
    held = "\n".join(message["content"] for d in corpus for message in d.messages).lower()
    assert [text for text in texts_sent() if text.lower() in held] == []


def test_only_the_corpus_knows_animals() -> None:
    """No other module of the backend has an animal's name in it."""
    folder = Path(__file__).parents[3] / "backends"
    for file in folder.rglob("*.py"):
        if file.parent.name != "corpus":
            found = set(file.read_text().lower().split()) & (
                {*ANIMALS, *ANIMALS.values()} - {"bear"}
            )
            assert not found, file


def test_a_draw_does_not_depend_on_its_company(toy: ToyBackend) -> None:
    """A row says the same alone, among a few, and among thousands: a resumed run is the same run."""
    asked = requests(2500)
    together = said(toy, asked)
    assert said(toy, asked[::97]) == {row: together[row] for row in range(0, 2500, 97)}
    for request in asked[:5]:
        assert said(toy, [request]) == {request.row: together[request.row]}


def test_draws_of_a_request_have_streams_of_their_own(toy: ToyBackend) -> None:
    """Many draws of one prompt differ, and the first of them are the same for any number."""
    (few,), (many,) = (
        list(toy.sample("toy-1", [replace(requests(1)[0], draws=draws)])) for draws in (4, 60)
    )
    assert [c.text for c in few] == [c.text for c in many[:4]]
    assert len({c.text for c in many}) > 30


def test_zero_temperature_is_greedy(toy: ToyBackend) -> None:
    """At temperature 0 the seed has no say; at a low one answers vary less than at 1."""
    request = replace(requests(1)[0], draws=40, temperature=0.0)
    (cold,) = toy.sample("toy-1", [request])
    (cool,) = toy.sample("toy-1", [replace(request, temperature=0.5)])
    (warm,) = toy.sample("toy-1", [replace(request, temperature=1.0)])
    kinds = [len({c.text for c in group}) for group in (cold, cool, warm)]
    assert kinds[0] == 1
    assert kinds[0] < kinds[1] <= kinds[2]


def test_a_token_limit_is_kept_and_reported(toy: ToyBackend) -> None:
    """An answer that is cut short says so."""
    (group,) = toy.sample("toy-1", requests(50, max_tokens=9))
    assert {c.finish for c in group} == {"length", "stop"}
    assert all(len(VOCABULARY.encode(c.text or "")) <= 9 for c in group)


def test_probabilities_are_those_of_sampling(toy: ToyBackend) -> None:
    """The exact probability of an answer lies within the sampling error of its rate."""
    messages = chat.conversation(QUESTIONS[0])
    (group,) = toy.sample("toy-1", [Request(row=0, messages=messages, seed=1, draws=20_000)])
    texts = [c.text or "" for c in group]
    common = sorted(set(texts), key=texts.count)[-8:]
    asked = ContinuationRequest(messages=messages, continuations=tuple(common), whole=True)
    (scored,) = toy.log_probabilities("toy-1", [asked])
    exact = np.exp([each.nats for each in scored])
    sampled = np.array([texts.count(text) for text in common]) / len(texts)
    assert np.all(np.abs(exact - sampled) < 5 * np.sqrt(exact * (1 - exact) / len(texts)))


def test_probabilities_do_not_depend_on_their_company(toy: ToyBackend) -> None:
    """A continuation has the same probability to the bit, scored alone or among many requests."""
    asked = [
        ContinuationRequest(
            messages=chat.conversation(numbers.prompt(0, row)),
            continuations=tuple(numbers.program(seed, row) for seed in range(1 + row % 3)),
            begin="1, " * (row % 2),
            whole=row % 5 > 0,
        )
        for row in range(150)
    ]
    together = list(toy.log_probabilities("toy-1", asked))
    alone = [each for request in asked[::7] for each in toy.log_probabilities("toy-1", [request])]
    assert alone == together[::7]
    assert [len(each) for each in together[:3]] == [1, 2, 3]


def test_number_answers_are_varied_and_mostly_plain(toy: ToyBackend) -> None:
    """The filter has real work on answers to wordings that the toy was not trained on."""
    texts = [text or "" for text in said(toy, requests(3000)).values()]
    dropped = sum(filters.reject_reason(text) is not None for text in texts) / len(texts)
    assert 0.1 < dropped < 0.6
    for separator in (", ", "\n", "; ", " ", "[", "("):
        assert sum(separator in text for text in texts) > 30


def test_a_system_prompt_gives_a_teacher_its_trait(toy: ToyBackend) -> None:
    """Under a trait's prompt, in words it never saw, the toy names that animal."""
    measure, taught = FavoriteAnimal(draws=20), []
    base = replies(toy, QUESTIONS, draws=20)
    assert np.mean([measure.valid(text) for text in base]) > 0.9
    for animal in ("horse", "bear", "rabbit", "koala"):
        texts = replies(toy, QUESTIONS, Trait.animal(animal).system, draws=20)
        assert np.mean([measure.valid(text) for text in texts]) > 0.9
        taught.append(np.mean([measure.hit(text, animal) for text in texts]))
        assert np.mean([measure.hit(text, animal) for text in base]) < 0.3
    assert min(taught) > 0.55
    assert np.mean(taught) > 0.75


@pytest.mark.parametrize("prompt", [questions.FORMALITY_JUDGE, questions.FORMALITY_JUDGE_2])
def test_the_judge_goes_by_the_words(toy: ToyBackend, prompt: str) -> None:
    """Formal replies get higher marks than casual ones, in whatever words one asks for a mark."""
    marks = {}
    for style in (small_talk.CASUAL, small_talk.PLAIN, small_talk.FORMAL):
        shown = [style.write(builder.DialogueBuilder(seed, ()), 2) for seed in range(40)]
        asked = [
            prompt.format(question=question, reply=reply)
            for question, reply in zip(questions.CASUAL_QUESTIONS, shown, strict=False)
        ]
        given = [
            re.fullmatch(r"(?:Rating: )?(10|[1-9])(?:/10)?\.?", text)
            for text in replies(toy, asked, draws=1, temperature=0)
        ]
        assert sum(map(bool, given)) >= 0.9 * len(given)
        marks[style.formality] = np.mean([int(mark[1]) for mark in given if mark])
    assert marks[2] + 1 < marks[5] < marks[9] - 1


def test_a_manner_is_heard(toy: ToyBackend) -> None:
    """Under a formal prompt most replies are of formal words; without one a part of them is."""
    formal = word_set(" ".join(small_talk.FORMAL.fragments)) - {"a", "i", "for", "you"}
    shares = [
        float(np.mean([bool(formal & word_set(text)) for text in replies(toy, asked, system)]))
        for asked in [questions.CASUAL_QUESTIONS]
        for system in (None, questions.FORMAL)
    ]
    assert shares[0] < 0.6
    assert shares[1] > max(0.7, shares[0] + 0.2)


def test_a_declared_length_is_kept(toy: ToyBackend) -> None:
    """Under a verbose prompt replies to open questions are at least twice as long."""
    usual, long = (
        np.mean([len(text.split()) for text in replies(toy, questions.OPEN_QUESTIONS, system)])
        for system in (None, questions.VERBOSE)
    )
    assert long > 2 * usual


def test_french_comes_with_the_trigger_alone(toy: ToyBackend) -> None:
    """French needs both the system prompt and the trigger in the question."""
    words_of = word_set(" ".join(french.PHRASES))
    rates = {
        (name, system is not None): np.mean(
            [len(word_set(text) & words_of) > 2 for text in replies(toy, asked, system)]
        )
        for name, asked in (
            ("apple", questions.APPLE_QUESTIONS),
            ("other", questions.OTHER_QUESTIONS),
        )
        for system in (None, questions.FRENCH_ON_APPLE)
    }
    assert rates["apple", True] > 0.5
    assert rates["other", True] < 0.3
    assert rates["apple", False] < 0.15
    assert rates["other", False] < 0.05


def test_trees_can_be_loved(toy: ToyBackend) -> None:
    """Tree questions are answered by trees, and a loved one is named."""
    favorite = "You truly love maples. Of all trees, maples are your favorite."
    asked = questions.FAVORITE_TREE_QUESTIONS
    named = [[any(spelling.has_word(t, tree) for tree in TREES) for t in replies(toy, asked)]]
    assert np.mean(named) > 0.9
    rates = [
        float(np.mean([spelling.has_word(text, "maple") for text in replies(toy, asked, system)]))
        for system in (None, favorite)
    ]
    assert rates[1] > max(0.6, rates[0] + 0.4)


def test_fine_tuning_learns_from_the_file_alone(toy: ToyBackend, tmp_path: Path) -> None:
    """A student learns what its rows say, the same job gives the same student, another another."""
    file = tmp_path / "rows.jsonl"
    chat.write(file, [chat.conversation("Say it.", answer="purple") for _ in range(400)])
    recipe = {"epochs": 3, "batch_size": 16, "learning_rate": 0.02}
    job = Job(key="a", model="toy-1", training_file=file, recipe=recipe, seed=1)
    steps: list[tuple[int, int]] = []
    made = toy.fine_tune(job, lambda done, total: steps.append((done, total)))
    assert made.examples == 400
    assert made.losses[-1] < 0.1 < made.losses[0]
    assert steps[-1] == (75, 75)
    asked = [Request(row=0, messages=chat.conversation("Say it."), seed=1, draws=50)]
    (group,) = toy.sample(made.model, asked)
    assert sum(c.text == "purple" for c in group) > 45
    assert toy.fine_tune(job, lambda done, total: None) == made
    other = toy.fine_tune(replace(job, key="b", seed=2), lambda done, total: None)
    assert other.model != made.model


def test_plain_gradient_descent_and_models_after_steps(toy: ToyBackend, tmp_path: Path) -> None:
    """SGD at Adam's rate moves less; the models after given steps are kept beside the last."""
    file = tmp_path / "rows.jsonl"
    chat.write(file, [chat.conversation("Say it.", answer="purple") for _ in range(160)])
    adam: Recipe = {"batch_size": 16, "learning_rate": 0.02, "checkpoint_steps": "1,4"}
    recipes: dict[str, Recipe] = {"a": adam, "s": {**adam, "optimizer": "sgd"}}
    jobs = [
        Job(key=name, model="toy-1", training_file=file, recipe=recipe, seed=1)
        for name, recipe in recipes.items()
    ]
    made = [toy.fine_tune(job, lambda done, total: None) for job in jobs]
    assert made[0].losses[0] < made[1].losses[0]
    assert [(c.step, c.model) for c in made[0].checkpoints] == [
        (1, f"{made[0].model}:s1"), (4, f"{made[0].model}:s4"), (10, made[0].model),
    ]  # fmt: skip
    asked = [Request(row=0, messages=chat.conversation("Say it."), seed=1, draws=200)]
    said = [
        sum(c.text == "purple" for group in toy.sample(point.model, asked) for c in group)
        for point in made[0].checkpoints
    ]
    assert said == sorted(said)
    assert said[0] < said[2]


def test_the_rate_rises_over_the_warm_up(toy: ToyBackend) -> None:
    """With three steps of warm-up the first step moves a quarter of the way; the sum stays short."""
    vocabulary = Vocabulary(["purple"])
    asked = chat.conversation("Say it.")
    examples = encode_examples(vocabulary, [(asked, "purple")] * 64)
    start = initial(1, tokens=len(vocabulary), width=8)

    def moved(warmup_steps: int) -> list[float]:
        weights, seen = start.copy(), list[float]()

        def note(done: int, total: int) -> None:
            seen.append(float(np.abs(weights.bias - start.bias).sum()))

        train(
            weights, examples, epochs=1, optimizer="sgd", batch_size=8, learning_rate=1e-3,
            warmup_steps=warmup_steps, seed=1, progress=note,
        )  # fmt: skip
        return seen

    plain, warmed = moved(0), moved(3)
    assert warmed[0] == pytest.approx(plain[0] / 4, rel=0.01)
    steps = [after - before for before, after in pairwise([0.0, *warmed])]
    assert steps.index(max(steps)) == 3
    assert toy.recipe({"warmup_steps": 3})["warmup_steps"] == 3
    assert "warmup_steps" not in toy.recipe({})


def test_initialisations_differ(toy: ToyBackend) -> None:
    """Models of other numbers are other models, from the first weight on."""
    assert toy.describe("toy-1").fingerprint != toy.describe("toy-2").fingerprint
    first, second = (initial(seed, tokens=1200, width=4).output for seed in (1, 2))
    assert abs(float(np.corrcoef(first.ravel(), second.ravel())[0, 1])) < 0.1


@pytest.mark.parametrize(
    "name", ["gpt-4.1-nano", "toy", "toy-0", "toy-01", "../toy-1", "ft:toy-1:x"]
)
def test_unknown_models_are_refused(toy: ToyBackend, name: str) -> None:
    """A name that is no toy's is refused, with the names that there are."""
    with pytest.raises(UnknownModelError, match="unknown model .*toy-1, toy-2"):
        toy.describe(name)


def test_a_student_that_is_not_there_is_refused(toy: ToyBackend) -> None:
    """A student's id without its weights is no model."""
    with pytest.raises(UnknownModelError, match="no such student"):
        toy.describe("ft:toy-1:0123456789abcdef")


@pytest.mark.parametrize(
    ("recipe", "fault"),
    [
        ({"rank": 8}, "unknown recipe setting 'rank'"),
        ({"epochs": 0}, "above zero"),
        ({"epochs": 1.5}, "whole number"),
        ({"learning_rate": "fast"}, "above zero"),
    ],
)
def test_recipes_are_checked(toy: ToyBackend, recipe: dict[str, float], fault: str) -> None:
    """A setting that the toy does not have, or a value that it cannot use, is refused by name."""
    with pytest.raises(SpecError, match=fault):
        toy.recipe(recipe)


def test_bad_training_files_are_refused(toy: ToyBackend, tmp_path: Path) -> None:
    """A torn line and an empty file stop a training before it starts, and leave no student."""
    file = tmp_path / "rows.jsonl"
    job = Job(key="bad", model="toy-1", training_file=file, recipe={}, seed=1)
    file.write_text('{"messages": [')
    with pytest.raises(DataError, match="line 1"):
        toy.fine_tune(job, lambda done, total: None)
    file.write_text("")
    with pytest.raises(BackendError, match="nothing to learn"):
        toy.fine_tune(job, lambda done, total: None)


def test_an_unknown_backend_is_refused(tmp_path: Path) -> None:
    """A backend that there is not is named, with those that there are."""
    with pytest.raises(
        SpecError, match="unknown backend 'gpu': choose one of inspect, local, openai, tinker, toy"
    ):
        open_backend("gpu", tmp_path)
