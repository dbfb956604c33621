"""What a run may spend is one amount, however many services its stages ask."""

from pathlib import Path

import pytest

from limen.backends import ServiceTerms
from limen.backends.openai import OpenAIBackend
from limen.backends.stepwise.backend import StepwiseBackend
from limen.harness.stages import Store, backend_of, forget_backends

TERMS = ServiceTerms(budget=1.0)


@pytest.fixture(autouse=True)
def opened_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Services with a key, and no library of theirs; nothing is sent."""
    monkeypatch.setenv("OPENAI_API_KEY", "any")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setattr("limen.backends.tinker.backend.check_installed", lambda: None)
    forget_backends()


def services(root: Path, terms: ServiceTerms = TERMS) -> tuple[OpenAIBackend, StepwiseBackend]:
    """A run's own service, and that of its judge."""
    judge, own = (backend_of(name, Store(root), terms) for name in ("openai", "tinker"))
    assert isinstance(judge, OpenAIBackend)
    assert isinstance(own, StepwiseBackend)
    return judge, own


def test_what_one_service_has_spent_another_cannot(tmp_path: Path) -> None:
    """Together they never exceed the budget."""
    judge, own = services(tmp_path)
    assert own.budget.reserve(0.7)
    assert not judge.budget.reserve(0.4)
    own.budget.settle(0.7, 0.5)
    assert judge.budget.reserve(0.4)


def test_another_run_has_a_budget_of_its_own(tmp_path: Path) -> None:
    """On another store, under other terms, and once all backends were forgotten."""
    judge, own = services(tmp_path / "a")
    assert own.budget.reserve(1.0)
    for root, terms in (("b", TERMS), ("a", ServiceTerms(budget=1.0, wait=False))):
        assert services(tmp_path / root, terms)[0].budget.reserve(1.0)
    forget_backends()
    assert services(tmp_path / "a")[0].budget.reserve(1.0)
    assert not judge.budget.reserve(0.1)
