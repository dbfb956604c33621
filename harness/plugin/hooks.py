"""The hooks of pytest. Whatever takes time is imported when it is used."""

import sys
from collections.abc import Generator
from typing import Any

import pytest

from ...datasets.visible import visible
from .arguments import run_with_joined_options
from .current_session import session_of
from .interruption import handle_interruption, interrupted_by_sigterm
from .options import (
    OPTIONS,
    add_options,
    any_option_given,
    option,
    plan_is_asked_for,
    shows_fixtures_only,
)
from .report_properties import claim_of
from .spec_errors import is_spec_error, message_of, place_of

_BAD_SPEC = pytest.StashKey[bool]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--limen-...`` on the command line, ``limen_...`` in the ini file."""
    add_options(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Make options with a blank work like those with "=", whatever paths exist."""
    return run_with_joined_options(config, [f"--limen-{name}" for name in OPTIONS])


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Register the listener; a plan is printed by one process, whatever pytest-xdist was told."""
    if plan_is_asked_for(config) or option(config, "register"):
        config.option.dist, config.option.tx = "no", []
    config.pluginmanager.register(RunListener(config), "limen-listener")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Check the options that were given, before anything is collected."""
    if any_option_given(session.config):
        session_of(session.config)


def pytest_exception_interact(
    node: pytest.Item | pytest.Collector,
    call: pytest.CallInfo[Any],
    report: pytest.CollectReport | pytest.TestReport,
) -> None:
    """Show a bad spec as one message in place of a traceback."""
    if not isinstance(report, pytest.CollectReport) or call.excinfo is None:
        return
    if is_spec_error(call.excinfo.value):
        text = f"{place_of(call.excinfo, node.path)}: {message_of(call.excinfo.value)}"
        report.longrepr = visible(text)
        report.limen_bad_spec = True  # type: ignore[attr-defined]


class RunListener:
    """Receives reports of tests and workers, and makes limen's session if they concern it."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Remember a bad spec, also one that a worker of pytest-xdist found."""
        if getattr(report, "limen_bad_spec", False):
            self._config.stash[_BAD_SPEC] = True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note the outcome of a claim."""
        if claim := claim_of(report):
            session_of(self._config).note(report, claim)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self) -> Generator[None, object, object]:
        """Let SIGTERM, which clusters send, end a run as Ctrl-C does."""
        with interrupted_by_sigterm(self._config):
            return (yield)

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self, excinfo: "pytest.ExceptionInfo[BaseException]") -> None:
        """Say what is kept of an interrupted run, and how to go on."""
        handle_interruption(self._config, excinfo.value)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take over the results of a worker of pytest-xdist."""
        output = getattr(node, "workeroutput", {})
        if results := output.get("limen"):
            faults, effort = output["limen_faults"], output["limen_effort"]
            session_of(self._config).take(results, faults, effort)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Run the stages of all selected experiments before the first test; or print the plan."""
    config = session.config
    stopped = session.testsfailed and not config.option.continue_on_collection_errors
    if stopped or config.option.collectonly:
        return None
    if plan_is_asked_for(config):
        return session_of(config).print_plan(session.items)
    if file := option(config, "register"):
        return session_of(config).register(session.items, file)
    if "limen.harness.experiment" in sys.modules and not shows_fixtures_only(config):
        session_of(config).run(session.items)
    return None


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """Explain a comparison with a rate or an effect."""
    if "limen.harness.statistics" not in sys.modules:
        return None
    from ..statistics import explain_comparison

    lines = explain_comparison(op, left, right)
    return None if lines is None else [visible(line) for line in lines]


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A bad spec is a usage error."""
    config = session.config
    if config.stash.get(_BAD_SPEC, False) and not config.option.continue_on_collection_errors:
        session.exitstatus = pytest.ExitCode.USAGE_ERROR
