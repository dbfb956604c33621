"""How a server is asked, as set by hand: from settings, the environment, options and ini keys."""

import json
from pathlib import Path

import pytest

from limen import SpecError
from limen.backends.openai import OpenAIBackend
from limen.harness import Settings

from ...testing.odd_servers import MODEL, odd_server
from ...testing.preloaded import run_pytest
from ...testing.specs import QUICK

SPEC = """
from limen.harness import Experiment, FavoriteAnimal, Numbers, Trait

experiment = Experiment(
    trait=Trait.animal("horse"),
    data=Numbers(generate=20, keep=5),
    measure=FavoriteAnimal(draws=2),
    seeds=1,
    gate=None,
)


def test_the_base_model_answers(baseline):
    '''The base model's answers are counted.'''
    assert 0 <= baseline.rate("horse") <= 1
"""


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """An address that nobody has to answer at."""
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")


def facts(home: Path, **choices: str | float) -> dict[str, str]:
    terms = Settings(store=home, openai=choices).terms
    return OpenAIBackend(home, terms).server_facts(MODEL)


def test_settings_go_before_the_environment(
    plain: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What settings name is taken from them, and the rest from the environment."""
    monkeypatch.setenv("LIMEN_OPENAI_N", "3")
    monkeypatch.setenv("LIMEN_OPENAI_SEED", "31")
    found = facts(tmp_path, n=1)
    assert found["draws per call"] == "up to 1 (set)"
    assert found["seed"] == "31 bits (set)"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n", "0"),
        ("seed", "33"),
        ("max_failed", "2"),
        ("logprobs", "21"),
        ("first_answer", "soon"),
        ("deadline", 0),
    ],
)
def test_a_value_that_cannot_be_is_named(
    plain: None, tmp_path: Path, name: str, value: str | float
) -> None:
    """The error names the variable, the value and what it must be."""
    with pytest.raises(SpecError, match=f"LIMEN_OPENAI_{name.upper()}='{value}'.* must be"):
        facts(tmp_path, **{name: value})


def test_a_choice_that_there_is_not_is_named(plain: None, tmp_path: Path) -> None:
    """The error lists the choices that there are."""
    with pytest.raises(SpecError, match="there is only n, seed"):
        facts(tmp_path, sead="31")


@pytest.mark.slow
def test_an_ini_key_is_heeded_and_reported(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A choice in the ini file reaches the server, the manifest and the report."""
    pytester.makeini("[pytest]\nlimen_openai_n = 1\n")
    pytester.makepyfile(test_spec=SPEC)
    with odd_server(lambda *_: None) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        options = ("--limen-backend=openai", "--limen-store=store", "--limen-report=report.md")
        run_pytest(pytester, *QUICK, *options).assert_outcomes(passed=1)
    assert not any("n" in body for body in server.chats)
    (manifest,) = pytester.path.glob("store/stages/measure/*/manifest.json")
    assert json.loads(manifest.read_text())["server"]["draws per call"] == "up to 1 (set)"
    assert "up to 1 (set)" in (pytester.path / "report.md").read_text()
