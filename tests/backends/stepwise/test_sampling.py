import threading
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from limen import BackendError
from limen.backends import Completion, ContinuationRequest, Request, Usage
from limen.backends.stepwise.service import Sampled, Sampling, Tokens
from limen.datasets.chat import conversation

from ...testing.stepwise import LONGEST, MODEL, Server
from ...testing.stepwise_jobs import backend, job, nothing


def sampled(server: Server, home: Path, requests: list[Request]) -> list[Completion]:
    """All completions, by row and draw."""
    groups = backend(server, home).sample(MODEL, iter(requests))
    return sorted((c for group in groups for c in group), key=lambda c: (c.row, c.draw))


def question(row: int, **settings: object) -> Request:
    """A question with a seed next to its neighbour's."""
    known = {"row": row, "messages": conversation("Which animal?"), "seed": row, "max_tokens": 4}
    return Request(**{**known, **settings})  # type: ignore[arg-type]


def test_neighbouring_seeds_share_no_draws(tmp_path: Path) -> None:
    """Seeds are hashed for each row, so that draw i + 1 of a row is not draw i of the next."""
    server = Server()
    sampled(server, tmp_path, [question(row, draws=50) for row in range(4)])
    ranges = sorted((how.seed, how.seed + how.draws) for _, _, how in server.sampled)
    assert len(ranges) == 4
    assert all(end <= start for (_, end), (start, _) in pairwise(ranges))
    assert all(start >= 0 and end < 2**31 for start, end in ranges)


def test_a_resumed_row_gets_the_draws_that_it_lacks(tmp_path: Path) -> None:
    """Draws 3 to 5 asked for alone are those of the whole row."""
    whole = sampled(Server(), tmp_path, [question(1, draws=6)])
    rest = sampled(Server(), tmp_path, [question(1, first=3, draws=3)])
    assert [c.text for c in rest] == [c.text for c in whole[3:]]


def test_many_draws_are_several_calls(tmp_path: Path) -> None:
    """A call has a limited number of draws, and the draws keep their numbers."""
    server = Server()
    made = sampled(server, tmp_path, [question(1, draws=150)])
    assert [c.draw for c in made] == list(range(150))
    assert sorted(how.draws for _, _, how in server.sampled) == [22, 64, 64]


def test_a_refused_prompt_harms_its_own_row_alone(tmp_path: Path) -> None:
    """A prompt that the service refuses is recorded with the reason; the others are answered."""
    long = question(2, messages=conversation("x" * LONGEST), draws=2)
    made = sampled(Server(), tmp_path, [question(1), long, question(3)])
    assert [c.finish for c in made] == ["stop", "error", "error", "stop"]
    assert "too long" in str(made[1].error)


def test_refusals_that_come_before_any_answer_are_no_majority(tmp_path: Path) -> None:
    """A third of 60 prompts is too long, which is known at once; no answer comes before that."""
    ten = threading.Event()

    class Slow(Server):
        def sample(self, path: str | None, prompt: Tokens, how: Sampling) -> list[Sampled]:
            if len(prompt) <= LONGEST:
                assert ten.wait(30)
            try:
                return super().sample(path, prompt, how)
            finally:
                if len(self.refused) >= 10:
                    ten.set()

    long = conversation("x" * LONGEST)
    asked = [question(row, **({} if row % 3 else {"messages": long})) for row in range(60)]
    made = sampled(Slow(), tmp_path, asked)
    assert Counter(c.finish for c in made) == {"stop": 40, "error": 20}


def test_a_service_that_refuses_everything_ends_the_stage(tmp_path: Path) -> None:
    """After some refusals nothing more is sent, and none is handed out."""
    server = Server()
    long = [question(row, messages=conversation("x" * LONGEST)) for row in range(500)]
    made: list[Completion] = []
    with pytest.raises(BackendError, match="requests failed; the last: .*too long"):
        for group in backend(server, tmp_path).sample(MODEL, long):
            made += group
    assert made == []
    assert len(server.refused) < 500


def test_what_had_come_before_a_failure_is_kept(tmp_path: Path) -> None:
    """A failure of the service ends the stage after all that was under way has been yielded."""
    calls = 0

    def fail(event: str) -> None:
        nonlocal calls
        calls += event == "sample"
        if event == "sample" and calls == 40:
            raise BackendError("the service went away")

    server = Server(at=fail)
    kept: list[Completion] = []
    with pytest.raises(BackendError, match="went away"):
        for group in backend(server, tmp_path).sample(MODEL, map(question, range(300))):
            kept += group
    assert 39 <= len(kept) == len(server.sampled) < 300


def test_the_end_of_the_turn_and_stop_texts_end_an_answer(tmp_path: Path) -> None:
    """The token that ends a turn is no part of an answer, and a stop text cuts it."""
    (whole,) = sampled(Server(), tmp_path, [question(1)])
    assert whole.text
    assert (whole.finish, whole.tokens) == ("stop", 2)
    (cut,) = sampled(Server(), tmp_path, [question(1, stop=(whole.text[-1],))])
    assert cut.text == whole.text[: whole.text.index(whole.text[-1])]


def test_a_student_is_sampled_by_its_own_weights(tmp_path: Path) -> None:
    """Each epoch's model has weights of its own at the service."""
    server = Server()
    made = backend(server, tmp_path / "home").fine_tune(job(tmp_path), nothing)
    for point in made.checkpoints:
        list(backend(server, tmp_path / "home").sample(point.model, [question(1)]))
    paths = [path for path, _, _ in server.sampled]
    assert len(set(paths)) == 2
    assert all(path and path.startswith("tinker://") for path in paths)


def test_weights_from_elsewhere_are_asked_by_their_address(tmp_path: Path) -> None:
    """BASE@tinker://... is an adapter that this store did not train."""
    server = Server()
    made = backend(server, tmp_path / "home").fine_tune(job(tmp_path), nothing)
    student = backend(server, tmp_path / "home").students.find(made.model)
    assert student is not None
    other = backend(server, tmp_path / "other")
    name = f"{MODEL}@{student.path}"
    assert not other.describe(name).can_fine_tune
    assert other.describe(name).fingerprint != other.describe(MODEL).fingerprint
    assert len(list(other.sample(name, [question(1)]))) == 1


def asked_to_score(text: str) -> ContinuationRequest:
    """A question after which a word is scored."""
    return ContinuationRequest(messages=conversation(text), continuations=("owl", "cat"))


def test_a_refused_text_is_recorded_and_the_others_are_scored(tmp_path: Path) -> None:
    """The reason stands in place of the values, and each scored request has what it used."""
    texts = ["Which animal?", "x" * LONGEST, "Which animal?"]
    made = backend(Server(), tmp_path)
    first, refused, last = made.log_probabilities(MODEL, iter(map(asked_to_score, texts)))
    assert [one.error is None for each in (first, refused, last) for one in each] == [
        True, True, False, False, True, True,
    ]  # fmt: skip
    assert "too long" in str(refused[0].error)
    assert not any(one.exact for one in refused)
    assert refused[0].usage == Usage()
    assert first[0].usage is not None
    assert (first[0].usage.calls, first[1].usage) == (2, None)
    assert first == last


def test_texts_that_were_under_way_at_a_failure_are_scored(tmp_path: Path) -> None:
    """A failure of the service comes after all that was under way; nothing stands in its place."""
    server = Server()

    def failing(path: str | None, tokens: Sequence[int]) -> list[float | None]:
        raise BackendError("the service is down")

    made = backend(server, tmp_path)
    results = made.log_probabilities(MODEL, (asked_to_score("Which animal?") for _ in range(500)))
    came = [next(results)]
    server.scored = failing  # type: ignore[method-assign]
    with pytest.raises(BackendError, match="is down"):
        came.extend(results)
    assert 0 < sum(map(bool, came)) < len(came) < 500
    assert came[-1] == []
