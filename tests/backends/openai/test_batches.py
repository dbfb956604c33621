import json
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from limen import BackendError, PendingError
from limen.backends import Completion, Request, ServiceTerms
from limen.backends.openai import OpenAIBackend
from limen.datasets.chat import Message

from ...testing.sampling import in_process, requests, texts
from ...testing.serving import Served
from ...testing.wire import Asked, Proxy, Spoil, answering, error, reset_after, rewriting

MODEL, BATCHES = "toy-1", "/batches"


def backend(home: Path, **terms: object) -> OpenAIBackend:
    made = ServiceTerms(batch=True, **terms)  # type: ignore[arg-type]
    return OpenAIBackend(home, made, deadline=5, longest_wait=0.1, outage=20)


def sampled(
    made: OpenAIBackend, wanted: list[Request], key: str
) -> dict[tuple[int, int], Completion]:
    """What came, by row and draw; never anything twice."""
    found: dict[tuple[int, int], Completion] = {}
    for group in made.sample_batch(MODEL, wanted, key):
        for completion in group:
            found.setdefault((completion.row, completion.draw), completion)
    return found


def lines_changed(change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> Spoil:
    """A result file with its lines changed."""

    def changed(text: object) -> str:
        given = [text] if isinstance(text, dict) else map(json.loads, str(text).splitlines())
        return "".join(json.dumps(line) + "\n" for line in change(list(given)))

    return rewriting(changed)


def content(spoil: Spoil, times: int = 1) -> Callable[[Asked], Spoil | None]:
    """Spoil the first results that are fetched."""
    seen: list[Asked] = []

    def script(asked: Asked) -> Spoil | None:
        if not asked.path.endswith("/content"):
            return None
        seen.append(asked)
        return spoil if len(seen) <= times else None

    return script


def test_a_batch_says_what_calls_say(wired: Proxy, served: Served, tmp_path: Path) -> None:
    """Batch mode gives the same answers, draws and usage included, by one upload and one batch."""
    wanted = requests(30, draws=3)
    found = sampled(backend(tmp_path), wanted, "plain")
    assert texts(found) == in_process(served, wanted)
    assert sum(c.usage.calls for c in found.values() if c.usage) == 30
    assert (wired.count("POST", "/files"), wired.count("POST", BATCHES)) == (1, 1)
    assert wired.count("POST", "/chat/completions") == 0


def test_results_may_come_in_any_order(wired: Proxy, served: Served, tmp_path: Path) -> None:
    """Results are put in their places by their ids."""

    def shuffled(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return random.Random(0).sample(lines, len(lines))

    wired.script = content(lines_changed(shuffled))
    wanted = requests(20, draws=2)
    assert texts(sampled(backend(tmp_path), wanted, "shuffled")) == in_process(served, wanted)


def test_what_a_batch_left_is_asked_again(wired: Proxy, served: Served, tmp_path: Path) -> None:
    """Lines that are missing, torn or failed go into another batch; the others are kept."""

    def half(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        failed = {"status_code": 500, "body": {"error": {"message": "oops", "code": None}}}
        return [{**lines[0], "response": failed}, *lines[1:7], {"custom_id": "foreign"}]

    wired.script = content(lines_changed(half))
    wanted = requests(20)
    assert texts(sampled(backend(tmp_path), wanted, "half")) == in_process(served, wanted)
    assert wired.count("POST", BATCHES) == 2
    body = next(a.body for a in reversed(wired.log) if a.path.endswith("/files") and a.body)
    assert body.count(b'"custom_id"') == 14


def test_an_expired_batch_keeps_its_finished_work(
    wired: Proxy, served: Served, tmp_path: Path
) -> None:
    """An expired batch's output is used, and only the rest is asked again."""
    results = content(lines_changed(lambda lines: lines[:5]))

    def script(asked: Asked) -> Spoil | None:
        if (
            asked.method == "GET"
            and f"{BATCHES}/" in asked.path
            and wired.count("POST", BATCHES) == 1
        ):
            return rewriting(
                lambda b: {**b, "status": "expired" if b["status"] == "completed" else b["status"]}
            )
        return results(asked)

    wired.script = script
    wanted = requests(12)
    assert texts(sampled(backend(tmp_path), wanted, "expired")) == in_process(served, wanted)
    assert wired.count("POST", BATCHES) == 2


def test_a_batch_without_any_output_ends_in_an_error(wired: Proxy, tmp_path: Path) -> None:
    """Batches that complete with nothing, one after the other, are given up, saying so."""
    wired.script = lambda asked: (
        rewriting(lambda b: {**b, "output_file_id": None, "error_file_id": None})
        if f"{BATCHES}/" in asked.path
        else None
    )
    with pytest.raises(BackendError, match="5 batches in a row left 3 draws unanswered"):
        sampled(backend(tmp_path), requests(3), "void")


def test_a_refused_batch_is_an_error(wired: Proxy, tmp_path: Path) -> None:
    """A batch that the service refuses as a whole ends the stage with its reason and line."""
    reason = {"data": [{"code": "x", "message": "bad url", "line": 3}], "object": "list"}
    wired.script = lambda asked: (
        rewriting(lambda b: {**b, "status": "failed", "errors": reason})
        if f"{BATCHES}/" in asked.path
        else None
    )
    with pytest.raises(BackendError, match=r"was refused: bad url \(line 3\)"):
        sampled(backend(tmp_path), requests(3), "refused")


def test_refused_lines_are_reported_or_recorded(wired: Proxy, tmp_path: Path) -> None:
    """A content refusal, or a line that is refused while others are not, is a row that says so."""

    def refused(code: str, status: int) -> Spoil:
        answer = {"status_code": status, "body": {"error": {"message": "no", "code": code}}}
        return lines_changed(lambda lines: [{**lines[0], "response": answer}, *lines[1:]])

    wired.script = content(refused("content_filter", 400))
    found = sampled(backend(tmp_path), requests(4), "filtered")
    assert [c.error or "" for c in found.values() if c.finish == "error"] == [
        "no (HTTP 400, content_filter)"
    ]
    wired.script = content(refused("invalid_value", 400), times=9)
    found = sampled(backend(tmp_path), requests(4), "at fault")
    assert [(c.row, c.error) for c in found.values() if c.finish == "error"] == [
        (0, "no (HTTP 400, invalid_value)")
    ]


def refusing(wired: Proxy, field: str, message: str, status: int = 400) -> None:
    """Refuse each line of a batch whose uploaded file has a field."""
    answer = {"status_code": status, "body": {"error": {"message": message}}}

    def script(asked: Asked) -> Spoil | None:
        files = [a.body for a in wired.log if a.method == "POST" and a.path.endswith("/files")]
        if asked.path.endswith("/content") and f'"{field}"'.encode() in files[-1]:
            return lines_changed(lambda lines: [{**line, "response": answer} for line in lines])
        return None

    wired.script = script


def test_a_batch_whose_lines_refuse_n_is_asked_draw_by_draw(
    wired: Proxy, served: Served, tmp_path: Path
) -> None:
    """A refusal of ``n`` in a server's own words is followed by a batch without it."""
    refusing(wired, "n", "Only one completion choice is allowed")
    wanted = requests(4, draws=3)
    assert texts(sampled(backend(tmp_path), wanted, "no n")) == in_process(served, wanted)
    assert wired.count("POST", BATCHES) == 2


def test_a_refusal_without_a_word_is_found_out_by_batches_of_one_line(
    wired: Proxy, tmp_path: Path
) -> None:
    """Parameters are made simpler one by one, each tried by one line, until the rest is batched."""
    refusing(wired, "seed", "Bad Request")
    made = backend(tmp_path)
    assert len(sampled(made, requests(6), "no seed")) == 6
    assert made.server_facts(MODEL)["seed"].startswith("not sent")
    uploads = [a.body for a in wired.log if a.method == "POST" and a.path.endswith("/files")]
    assert [body.count(b'"custom_id"') for body in uploads] == [6, 1, 1, 5]


@pytest.mark.parametrize("says", ["named", "Bad Request"])
@pytest.mark.parametrize(
    ("name", "field", "fact", "found"),
    [
        ("max_tokens", "max_tokens", "token limit", "max_completion_tokens"),
        ("temperature", "temperature", "temperature", "not sent"),
        ("top_p", "top_p", "top p", "not sent"),
        ("stop", "stop", "stop", "applied by limen"),
        ("system", "system", "system", "put before the user's text"),
    ],
)
def test_batches_are_sent_without_what_their_lines_refuse(
    wired: Proxy, tmp_path: Path, name: str, field: str, fact: str, found: str, says: str
) -> None:
    """A parameter that is refused, by its name or without a word, is left out of what follows."""
    role = "system role is not supported" if name == "system" else f"Unsupported parameter: {name}"
    refusing(wired, field, role if says == "named" else says)
    system: Message = {"role": "system", "content": "You love owls."}
    wanted = [
        replace(r, messages=[system, *r.messages], stop=("~",), top_p=0.9) for r in requests(3)
    ]
    made = backend(tmp_path)
    answers = sampled(made, wanted, f"no {name} {says}")
    assert all(c.text is not None for c in answers.values())
    assert len(answers) == 3
    facts = made.server_facts(MODEL)
    assert facts[fact].startswith(found)
    if says == "named":
        assert wired.count("POST", BATCHES) == 2


def test_a_negotiated_batch_is_resumed_without_another(wired: Proxy, tmp_path: Path) -> None:
    """A run that comes later takes refusals and answers from the batches that were made."""
    refusing(wired, "n", "n must be 1")
    wanted = requests(3, draws=2)
    first = sampled(backend(tmp_path), wanted, "resumed n")
    made = wired.count("POST", BATCHES)
    assert texts(sampled(backend(tmp_path), wanted, "resumed n")) == texts(first)
    assert wired.count("POST", BATCHES) == made


def test_refused_lines_use_up_no_budget(wired: Proxy, tmp_path: Path) -> None:
    """A budget that is enough for one batch lasts through a refused batch and its repetition."""
    refusing(wired, "n", "Only one completion choice is allowed")
    prices = tmp_path / "prices.toml"
    prices.write_text('[[model]]\nname = "toy-1"\ninput = 0.0\noutput = 1000.0\n')
    wanted = requests(2, draws=2)
    most = sum(r.draws * r.max_tokens for r in wanted) * 0.5 / 1000
    made = backend(tmp_path, budget=1.2 * most, prices=prices)
    assert len(sampled(made, wanted, "budget n")) == 4
    assert made.budget.spent <= 1.2 * most


@pytest.mark.parametrize("end", ["/files", BATCHES])
@pytest.mark.parametrize(
    "spoil",
    [reset_after, error(500, "x", after=True), answering(200, "<html>", after=True)],
    ids=["reset", "500", "HTML"],
)
def test_no_batch_is_made_twice(
    wired: Proxy, served: Served, tmp_path: Path, end: str, spoil: Spoil
) -> None:
    """A batch whose making nobody heard the end of is found again."""
    wired.script = lambda asked: (
        spoil if asked.method == "POST" and asked.path.endswith(end) and not asked.number else None
    )
    key = f"once {end} {spoil}"
    wanted = requests(5)
    assert texts(sampled(backend(tmp_path), wanted, key)) == in_process(served, wanted)
    tags = [(b.metadata or {}).get("limen") for b in served.client().batches.list()]
    assert max(tags.count(tag) for tag in tags) == 1


def test_a_batch_is_found_where_tags_do_not_come_back(
    wired: Proxy, served: Served, tmp_path: Path
) -> None:
    """On a server that leaves metadata out of its lists a batch is known by its file."""

    def script(asked: Asked) -> Spoil | None:
        if asked.path.endswith(BATCHES) and asked.method == "POST":
            return None if asked.number else reset_after
        untag = lambda b: {**b, "data": [{**one, "metadata": None} for one in b["data"]]}  # noqa: E731
        return rewriting(untag) if f"{BATCHES}?" in asked.path else None

    wired.script = script
    wanted = requests(5)
    assert texts(sampled(backend(tmp_path), wanted, "untagged")) == in_process(served, wanted)
    assert wired.count("POST", BATCHES) == 1


def test_a_pending_batch_is_resumed_with_what_is_left(
    wired: Proxy, served: Served, tmp_path: Path
) -> None:
    """Later, and asked for part of it only, the run uses the batch that is there."""
    running = rewriting(lambda b: {**b, "status": "in_progress"})
    wired.script = lambda asked: running if f"{BATCHES}/" in asked.path else None
    wanted = requests(8, draws=2)
    with pytest.raises(PendingError, match="pending: the batch batch_.* is in progress|batch-"):
        sampled(backend(tmp_path, wait=False), wanted, "later")
    wired.script = lambda asked: None
    found = sampled(backend(tmp_path), wanted[3:], "later")
    assert texts(found) == in_process(served, wanted[3:])
    assert wired.count("POST", BATCHES) == 1


def test_batches_cost_half_and_keep_to_the_budget(wired: Proxy, tmp_path: Path) -> None:
    """A batch is reserved whole, at half the price, before it is made."""
    prices = tmp_path / "prices.toml"
    prices.write_text('[[model]]\nname = "toy-1"\ninput = 100.0\noutput = 1000.0\n')
    made = backend(tmp_path, budget=5.0, prices=prices)
    found = sampled(made, requests(10), "paid")
    usages = [c.usage for c in found.values() if c.usage]
    whole = made.cost(MODEL, usages[0]) or 0
    assert made.cost(MODEL, usages[0], batch=True) == pytest.approx(whole / 2)
    with pytest.raises(BackendError, match="does not allow another batch"):
        sampled(backend(tmp_path, budget=0.01, prices=prices), requests(10), "too dear")
    assert wired.count("POST", BATCHES) == 1


def test_results_that_are_none_are_fetched_again(
    wired: Proxy, served: Served, tmp_path: Path
) -> None:
    """A page of HTML in place of a batch's results costs another download, not another batch."""
    wired.script = content(answering(200, "<html>gateway</html>"), times=2)
    wanted = requests(6)
    assert texts(sampled(backend(tmp_path), wanted, "fetched")) == in_process(served, wanted)
    assert wired.count("POST", BATCHES) == 1


def test_draws_that_are_there_are_not_handed_out_again(
    wired: Proxy, served: Served, tmp_path: Path
) -> None:
    """Where part of a line's draws is wanted, those come, and no others in their place."""
    wanted = requests(2, draws=7)
    sampled(backend(tmp_path), wanted, "part")
    rest = [replace(request, first=3, draws=4) for request in wanted]
    groups = backend(tmp_path).sample_batch(MODEL, rest, "part")
    came = [(c.row, c.draw) for group in groups for c in group]
    assert sorted(came) == [(row, draw) for row in range(2) for draw in range(3, 7)]


def test_a_cancelled_batch_is_reported_once(wired: Proxy, served: Served, tmp_path: Path) -> None:
    """A cancelled batch is reported; only running the same again has the rest asked for."""
    wired.script = lambda asked: (
        rewriting(lambda b: {**b, "status": "cancelled", "output_file_id": None})
        if f"{BATCHES}/" in asked.path and wired.count("POST", BATCHES) < 2
        else None
    )
    wanted = requests(3)
    with pytest.raises(BackendError, match="somebody cancelled it, with 3 draws unanswered"):
        sampled(backend(tmp_path), wanted, "cancelled")
    assert wired.count("POST", BATCHES) == 1
    assert texts(sampled(backend(tmp_path), wanted, "cancelled")) == in_process(served, wanted)


def test_too_much_at_once_is_halved(wired: Proxy, served: Served, tmp_path: Path) -> None:
    """An account that takes no batch so large is given smaller ones."""

    def script(asked: Asked) -> Spoil | None:
        reason = {"data": [{"code": "token_limit_exceeded", "message": "Enqueued token limit"}]}
        refused = {"status": "failed", "errors": reason, "output_file_id": None}
        large = wired.count("POST", BATCHES) < 3
        hit = large and asked.method == "GET" and f"{BATCHES}/" in asked.path
        return rewriting(lambda b: {**b, **refused}) if hit else None

    wired.script = script
    wanted = requests(8)
    assert texts(sampled(backend(tmp_path), wanted, "halved")) == in_process(served, wanted)
    assert wired.count("POST", BATCHES) == 2 + 4


def test_answers_of_batches_keep_words_and_lose_keys(
    wired: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A made-up key that is a word stays in answers; a real one is taken out, and counted as odd."""
    said = json.dumps({"content": "ask me anything of sk-Abc-0123456"})

    def repeated(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for line in lines:
            for choice in line["response"]["body"]["choices"]:
                choice["message"] = json.loads(said)
        return lines

    for key, text in (("anything", "ask me anything of sk-Abc-0123456"),
                      ("sk-Abc-0123456", "ask me anything of [secret]")):  # fmt: skip
        monkeypatch.setenv("OPENAI_API_KEY", key)
        wired.script = content(lines_changed(repeated))
        made = backend(tmp_path / key)
        assert [c.text for c in sampled(made, requests(1), f"key {key}").values()] == [text]
        found = [name for name in made.server_facts(MODEL) if "secret" in name]
        assert len(found) == (key != "anything")
