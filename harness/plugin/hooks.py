"""The pytest plugin: options, fixtures and hooks. Whatever costs time is imported when used."""

import re
import sys
from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from ...datasets.errors import LimenError

if TYPE_CHECKING:
    from ...reports import AuditRow
    from ..experiment import Experiment
    from ..lab import Arm
    from .session import LimenSession

_SESSION = pytest.StashKey["LimenSession"]()
SAYS, EXPERIMENT = "limen_says", "limen_experiment"
"""The user properties by which a test report says what it claims, and of which experiment."""
_BAD_SPEC = pytest.StashKey[bool]()

SPECS = (
    "Experiment", "Trait", "Lesson", "Students", "InContext", "Judge",
    "Numbers", "ProgramNumbers", "Shuffled", "LengthMatched", "Mix",
    "FavoriteAnimal", "FavoriteTree", "Rated", "Length", "Language", "Labelled", "Scored",
)  # fmt: skip

OPTIONS = {
    "backend": "what samples and trains (default: toy)",
    "model": "the base model (default: the backend's own choice)",
    "other-model": "a second base model, for experiments that need one",
    "seeds": "seeds an arm, in place of the experiments' own",
    "store": "the folder that keeps all results (default: .limen beside the ini file, else here)",
    "report": "write a report to this file: markdown with figures and tables, or one .html file",
    "workers": "stages to run side by side (default: one a core; 512 that wait for a service)",
    "budget": "US dollars that the run may spend at a service; never overshot",
    "prices": "a file (TOML) of prices that go before those that limen knows",
}

FLAGS = {
    "plan": "print what would be done, what is done already and what it will cost, and stop",
    "no-wait": "submit fine-tuning jobs and batches, and skip the tests that would wait for them",
    "batch": "sample through the service's batch interface: half the price, within a day",
    "no-logs": "leave no Inspect logs of the measures below the store",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--limen-...`` on the command line, ``limen_...`` in the ini file."""
    group = parser.getgroup("limen", "subliminal-learning experiments")
    for name, text in OPTIONS.items():
        group.addoption(f"--limen-{name}", default=None, help=text, metavar=name.upper())
        parser.addini(f"limen_{name.replace('-', '_')}", text, default=None)
    for name, text in FLAGS.items():
        group.addoption(f"--limen-{name}", action="store_true", help=text)
        parser.addini(f"limen_{name.replace('-', '_')}", text, type="bool", default=False)


def option(config: pytest.Config, name: str) -> str | None:
    """An option from the command line, else from the ini file, else None."""
    name = f"limen_{name.replace('-', '_')}"
    given = config.getoption(name)
    return given if given is not None else config.getini(name) or None


def flag(config: pytest.Config, name: str) -> bool:
    """Whether a flag is set, on the command line or in the ini file."""
    return bool(config.getoption(f"limen_{name}") or config.getini(f"limen_{name}"))


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Listen; and have a plan printed by one process, whatever pytest-xdist was asked for."""
    if flag(config, "plan"):
        config.option.dist, config.option.tx = "no", []
    config.pluginmanager.register(Listener(config), "limen-listener")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Check the options that were given, before anything is collected."""
    config = session.config
    if any(config.getoption(f"limen_{name.replace('-', '_')}") for name in OPTIONS):
        session_of(config)


def session_of(config: pytest.Config) -> "LimenSession":
    """The session that limen keeps for this run; made when first asked for."""
    if _SESSION not in config.stash:
        from .session import LimenSession

        try:
            config.stash[_SESSION] = LimenSession(config)
        except LimenError as error:
            raise pytest.UsageError(f"limen: {error}") from None
    return config.stash[_SESSION]


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Show a bad spec as one message in place of a traceback."""
    report = yield
    call: Any = getattr(report, "call", None)
    if report.failed and call is not None and is_spec_error(call.excinfo.value):
        from .session import place_of

        report.longrepr = f"{place_of(call.excinfo, collector.path)}: {call.excinfo.value}"
        report.limen_bad_spec = True  # type: ignore[attr-defined]
    return report


def is_spec_error(error: BaseException) -> bool:
    """Whether an error comes of a spec: limen's own, or a part that is missing or unknown."""
    if isinstance(error, LimenError):
        return True
    parts = "|".join(SPECS)
    wrong = rf"({parts})\.__init__\(\) (missing|got an unexpected|takes)"
    return isinstance(error, TypeError) and re.match(wrong, str(error)) is not None


class Listener:
    """Hears what tests and workers report, and wakes limen up only if it is about limen."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Remember a bad spec, also one that a worker of pytest-xdist came upon."""
        if getattr(report, "limen_bad_spec", False):
            self._config.stash[_BAD_SPEC] = True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note how the claims fared."""
        told = dict(report.user_properties)
        if SAYS in told:
            says, experiment = str(told[SAYS]), str(told.get(EXPERIMENT, ""))
            session_of(self._config).note(report, says, experiment)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take over what a worker of pytest-xdist found."""
        output = getattr(node, "workeroutput", {})
        if results := output.get("limen"):
            session_of(self._config).take(results, output.get("limen_log_faults", ()))


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Run the stages of all selected experiments before the first test; or print the plan."""
    config = session.config
    stopped = session.testsfailed and not config.option.continue_on_collection_errors
    if stopped or config.option.collectonly:
        return None
    if flag(config, "plan"):
        return session_of(config).print_plan(session.items)
    if "limen.harness.experiment" in sys.modules:
        session_of(config).run(session.items)
    return None


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """Explain a comparison with a rate or an effect."""
    if "limen.harness.statistics" not in sys.modules:
        return None
    from ..statistics import explain_comparison

    return explain_comparison(op, left, right)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A bad spec is a usage error."""
    config = session.config
    if config.stash.get(_BAD_SPEC, False) and not config.option.continue_on_collection_errors:
        session.exitstatus = pytest.ExitCode.USAGE_ERROR


@pytest.fixture
def experiment(request: pytest.FixtureRequest) -> "Experiment":
    """The nearest experiment: a parameter's, the class's, or the module's ``experiment``."""
    return session_of(request.config).experiment_of(request.node)


@pytest.fixture
def baseline(request: pytest.FixtureRequest, experiment: "Experiment") -> "Arm":
    """The base model without any prompt."""
    return session_of(request.config).arm(request.node, experiment, "baseline")


@pytest.fixture
def teacher(request: pytest.FixtureRequest, experiment: "Experiment") -> "Arm":
    """The base model under the trait's system prompt."""
    return session_of(request.config).arm(request.node, experiment, "teacher")


@pytest.fixture
def student(request: pytest.FixtureRequest, experiment: "Experiment") -> "Arm":
    """Models fine-tuned on the teacher's filtered data, one a seed."""
    return session_of(request.config).arm(request.node, experiment, "student")


@pytest.fixture
def arms(request: pytest.FixtureRequest, experiment: "Experiment") -> Mapping[str, "Arm"]:
    """The experiment's further arms, by name."""
    return session_of(request.config).further(request.node, experiment)


@pytest.fixture
def audit(
    request: pytest.FixtureRequest, experiment: "Experiment", student: "Arm", control: "Arm"
) -> "AuditRow":
    """How the student's training data differ from the control's; see ``limen.reports.AuditRow``."""
    return session_of(request.config).audit(experiment)


@pytest.fixture
def control(request: pytest.FixtureRequest, experiment: "Experiment") -> "Arm":
    """Models fine-tuned likewise on data from the base model without the trait, one a seed."""
    return session_of(request.config).arm(request.node, experiment, "control")
