import base64
import html
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from limen import BackendError
from limen.backends import Completion, Request
from limen.backends.openai import OpenAIBackend
from limen.backends.redaction import Redactor, is_secret, looks_like_key

from ...testing.odd_servers import MODEL, Json, Reply, changed, error, odd_server, reply

NOTATIONS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "percent-encoded": lambda s: quote(s, safe=""),
    "percent-encoded in lower case": lambda s: (
        quote(s, safe="").lower() if s.islower() else quote(s, safe="")
    ),
    "as in a form": quote_plus,
    "JSON": json.dumps,
    "JSON in Unicode": lambda s: json.dumps(s, ensure_ascii=False),
    "repr": repr,
    "repr of bytes": lambda s: repr(s.encode()),
    "HTML": html.escape,
    "base64": lambda s: base64.b64encode(s.encode()).decode(),
    "with a line break inside": lambda s: f"{s[:5]}\n{s[5:]}",
    "as Latin-1": lambda s: s.encode().decode("latin-1"),
}
SECRETS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]),
    min_size=8,
    max_size=40,
).filter(is_secret)
KEYS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=12, max_size=40).filter(
    looks_like_key
)


@pytest.mark.parametrize("examples", [60, pytest.param(500, marks=pytest.mark.slow)])
def test_a_secret_in_any_notation_is_removed(examples: int) -> None:
    """Wherever a secret stands in a message, and however it is written, it is not shown."""

    @settings(max_examples=examples)
    @given(secret=SECRETS, notation=st.sampled_from(sorted(NOTATIONS)), around=st.text(max_size=5))
    def check(secret: str, notation: str, around: str) -> None:
        shown = NOTATIONS[notation](secret)
        cleaned = Redactor([secret]).text(f"{around} {shown} {around}")
        assert shown.strip("'\"b") not in cleaned or len(shown) < 4

    check()


KEY = 'sk-a"b\\c/dé🦉-0123456789'
BODIES: dict[str, bytes] = {
    "numbers": json.dumps({"a": "".join(f"\\u{ord(c):04X}" for c in "sk-abcdef0123")})
    .replace("\\\\", "\\")
    .encode(),
    "short escapes": json.dumps({"a": KEY}).encode(),
    "escaped slashes": json.dumps({"a": KEY}).replace("/", "\\/").encode(),
    "base64 in base64's three places": b" ".join(
        base64.b64encode(b"x" * before + KEY.encode() + b"yz") for before in range(3)
    ),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_secret_in_a_body_is_removed_however_it_is_written(name: str) -> None:
    """Bodies are cleaned before they are read, so that no reading brings the secret back."""
    cleaned = Redactor([KEY, "sk-abcdef0123"]).body(BODIES[name])
    assert cleaned.count(b"[secret]") == (3 if "base64" in name else 1)


ECHOES: dict[str, Callable[[Json, str], Reply]] = {
    "an answer": lambda body, shown: changed(body, message={"content": f"it is {shown}"}),
    "a refusal": lambda body, shown: error(401, f"bad key {shown}"),
    "an error in a 200": lambda body, shown: reply(200, {"error": f"bad key {shown}"}),
    "a page": lambda body, shown: reply(502, f"<html><p>Bearer {shown}</p></html>"),
    "a code": lambda body, shown: error(400, "bad", code=shown, param=shown, type=shown),
    "no JSON": lambda body, shown: reply(200, f"Bearer {shown}"),
    "a finish reason": lambda body, shown: changed(body, finish_reason=shown),
}


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    key=KEYS, echo=st.sampled_from(sorted(ECHOES)), notation=st.sampled_from(["as it is", "JSON"])
)
@pytest.mark.slow
def test_a_key_that_a_server_echoes_is_in_nothing_that_is_kept(
    monkeypatch: pytest.MonkeyPatch, key: str, echo: str, notation: str
) -> None:
    """Neither answers, errors, facts nor files have the key in them."""
    shown = key if notation == "as it is" else json.dumps(key)[1:-1]

    def answer(method: str, path: str, body: Json) -> Reply | None:
        return ECHOES[echo](body, shown) if path.endswith("/completions") else None

    with odd_server(answer) as server, tempfile.TemporaryDirectory() as home:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("OPENAI_API_KEY", key)
        backend = OpenAIBackend(Path(home), longest_wait=0.01)
        seen = []
        asked = Request(row=0, messages=[{"role": "user", "content": "hi"}], seed=1, draws=2)
        try:
            seen += [repr(group) for group in backend.sample(MODEL, [asked])]
        except BackendError as failure:
            seen.append(str(failure))
        seen += [repr(backend.server_facts(MODEL)), backend.account.url]
        seen += [file.read_text() for file in Path(home).rglob("*.json")]
    assert not any(form in text for text in seen for form in (key, shown, repr(key)[1:-1]))


@pytest.mark.parametrize(
    ("key", "position"), [("sk-abc\ndef-0123", 7), ("sk-abcü0123456", 7), ("sk abc-0123456", 3)]
)
def test_a_key_that_no_header_can_carry_is_refused_unshown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, key: str, position: int
) -> None:
    """A line break, a blank or a letter beyond ASCII in a key is named by its place alone."""
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with pytest.raises(BackendError, match=f"OPENAI_API_KEY .* position {position}") as caught:
        OpenAIBackend(tmp_path)
    assert not any(part in str(caught.value) for part in ("abc", "def", "0123"))


@pytest.mark.parametrize("address", ["user:p%40ss-word@", "TOKEN-12345@", ":s3cr3t-word@"])
def test_credentials_of_the_address_are_used_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, address: str
) -> None:
    """A user, password or token in the base URL is in no message, though the server echoes it."""
    words = ("p@ss-word", "p%40ss-word", "TOKEN-12345", "s3cr3t-word")

    def answer(method: str, path: str, body: Json) -> Reply | None:
        return error(401, f"wrong: {' '.join(words)}") if "completions" in path else None

    with odd_server(answer) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url.replace("://", f"://{address}"))
        backend = OpenAIBackend(tmp_path)
        asked = Request(row=0, messages=[{"role": "user", "content": "hi"}], seed=1)
        with pytest.raises(BackendError) as caught:
            list(backend.sample(MODEL, [asked]))
        assert backend.account.url == server.url
    secret = {"u": words[:2], "T": words[2:3], ":": words[3:]}[address[0]]
    assert not any(word in str(caught.value) for word in secret)


WORDS = {
    "the key": ("", "anything", ""),
    "a password": ("user:elephant@", "", ""),
    "a proxy's password": ("", "", "http://user:elephant@127.0.0.1:9"),
    "a number": ("", "12345678", ""),
    "words": ("", "elephant-anything", ""),
}
"""Secrets that may well be part of an answer: in the address, as the key, in a proxy."""
SAID = "Ask me anything: an elephant, elephant-anything or 12345678."


def asked_of(
    home: Path, monkeypatch: pytest.MonkeyPatch, answer: Callable[[str, str, Json], Reply | None],
    address: str = "", key: str = "", proxy: str = "",
) -> tuple[Completion, dict[str, str]]:  # fmt: skip
    """An answer of a server that is reached by such secrets, and the facts of the server."""
    with odd_server(answer) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url.replace("://", f"://{address}"))
        monkeypatch.setenv("OPENAI_API_KEY", key)
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        backend = OpenAIBackend(home)
        asked = Request(row=0, messages=[{"role": "user", "content": "hi"}], seed=1)
        ((completion,),) = backend.sample(MODEL, [asked])
        return completion, backend.server_facts(MODEL)


@pytest.mark.parametrize("how", WORDS)
@pytest.mark.parametrize("streamed", [False, True])
def test_an_answer_keeps_its_words_though_a_secret_is_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, how: str, *, streamed: bool
) -> None:
    """A made-up key or password that reads as words or as a number takes nothing of an answer."""

    def answer(method: str, path: str, body: Json) -> Reply | None:
        if not path.endswith("/completions"):
            return None
        whole = changed(body, message={"content": SAID})
        return reply(200, f"data: {whole.body.decode()}\n\n") if streamed else whole

    completion, facts = asked_of(tmp_path, monkeypatch, answer, *WORDS[how])
    assert completion.text == SAID
    assert not any("secret" in name for name in facts)


def test_an_answer_that_lost_a_key_is_counted_as_odd(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A key in an answer is taken out of it, and the facts of the server say so."""

    def answer(method: str, path: str, body: Json) -> Reply | None:
        ended = path.endswith("/completions")
        return changed(body, message={"content": "it is sk-Abc-0123456"}) if ended else None

    completion, facts = asked_of(tmp_path, monkeypatch, answer, key="sk-Abc-0123456")
    assert completion.text == "it is [secret]"
    (odd,) = (name for name in facts if "secret" in name)
    assert odd.startswith("odd responses: [secret] in an answer")


@pytest.mark.parametrize("field", ["finish_reason", "refusal", "error"])
def test_a_secret_word_is_in_no_message(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, field: str
) -> None:
    """What a server says besides its answers has no secret in it, a word or not."""
    changes: dict[str, Json] = {
        "finish_reason": {"finish_reason": "for anything"},
        "refusal": {"message": {"content": None, "refusal": "no anything"}},
        "error": {"message": {"content": None}, "error": {"message": "bad anything"}},
    }

    def answer(method: str, path: str, body: Json) -> Reply | None:
        asked_for = body.get("messages") == [{"role": "user", "content": "hi"}]
        return changed(body, **changes[field]) if asked_for else None

    try:
        shown = repr(asked_of(tmp_path, monkeypatch, answer, key="anything"))
    except BackendError as failure:
        shown = str(failure)
    assert "[secret]" in shown
    assert "anything" not in shown
