"""A pytest run and the lab: which items want which arms, and what they are told."""

import os
import shlex
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from ...datasets.errors import LimenError, PendingError, SpecError
from ...reports import (
    AuditRow,
    Claim,
    Report,
    Result,
    keep_run,
    report_of,
    result_from_json,
    result_to_json,
)
from ..experiment import ARMS, Experiment
from ..lab import Arm, ArmMapping, Lab, ProgressListener, Settings, check_arm
from ..reporting import ClaimList, EffectAssertion, audit_rows, make_run, result_of
from . import hooks as plugin
from .items import arms_of, nearest, outcome_of, reason_of, says, title_of, will_not_run
from .test_properties import TestProperties

T = TypeVar("T")


class LimenSession:
    """Everything that limen keeps for one pytest run, in one process."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._began = time.monotonic()
        self.lab = Lab(settings_of(config), watcher=self._watcher())
        self._claims = ClaimList()
        self._told = TestProperties(self.lab)
        self._wanted: list[tuple[str, Experiment, dict[str, None]]] = []
        """Title, experiment, and the arms that its tests ask for."""
        self._results: dict[str, Result] = {}
        self._log_faults: list[str] = []
        self._report: Report | None = None
        self._fault: str | None = None
        """Why the run's record could not be kept."""
        self._refusal: LimenError | None = None
        self._ran = False
        config.pluginmanager.register(self, "limen-session")

    # What the plugin asks for.

    def run(self, items: Sequence[pytest.Item]) -> None:
        """Do everything that the selected tests need."""
        wanted = self._usable(lambda: self._collect(items))
        if not wanted:
            return
        for line in self._remarks():
            self._write(line)
        with self._uncaptured():
            self._usable(lambda: self.lab.run(wanted))
        self._ran = True

    def print_plan(self, items: Sequence[pytest.Item]) -> bool:
        """Print what the selected tests need, and stop."""
        from ..reporting import design_lines, plan_lines

        plan = self._usable(lambda: self.lab.plan(self._collect(items)))
        if plan:
            for line in (*self._remarks(), *plan_lines(self.lab, plan)):
                self._write(line)
            designs = design_lines(self.lab, self._wanted, self._asserted(items))
            for line in self._usable(lambda: list(designs)) or ():
                self._write(line)
        return True

    def _remarks(self) -> list[str]:
        """What is to be known before anything is done, each once."""
        told = []
        for title, experiment, _ in self._wanted:
            if experiment.note:
                told.append(f"limen: note: {experiment.note}")
            if experiment.exact_words and self.lab.backend.capabilities.probabilities is None:
                told.append(
                    f"limen: {title}: no exact rates, since the backend {self.lab.backend.name!r} "
                    f"cannot tell probabilities: --limen-backend local can"
                )
        return list(dict.fromkeys(told))

    def _asserted(self, items: Sequence[pytest.Item]) -> dict[str, list[EffectAssertion]]:
        """What the assertions of each experiment's tests ask effects to be."""
        from ..reporting import effect_assertions

        found: dict[str, dict[EffectAssertion, None]] = {}
        for item in items:
            experiment, test = nearest(item), getattr(item, "function", None)
            for title, known, _ in self._wanted:
                if known == experiment and test is not None:
                    found.setdefault(title, {}).update(dict.fromkeys(effect_assertions(test)))
        return {title: list(asked) for title, asked in found.items()}

    def experiment_of(self, item: pytest.Item) -> Experiment:
        """The nearest experiment of a test; fails the test, saying so, if there is none."""
        found = nearest(item)
        if isinstance(found, Experiment):
            return found
        name = type(found).__name__ if found is not None else "nothing"
        pytest.fail(
            f"{item.nodeid} asks for an arm, but its experiment is {name}: put "
            f"experiment = Experiment(...) into the module or the class, or parametrize it",
            pytrace=False,
        )

    def arm(self, item: pytest.Item, experiment: Experiment, name: str) -> Arm:
        """An arm for a test; fails or skips the test, saying why, if there is none to be had."""
        self._told.note(item, says(item), self._title_of(item, experiment))
        try:
            if self._refusal is not None:
                raise self._refusal
            check_arm(experiment, name)
            if reason := self.lab.cannot(experiment, name):
                pytest.skip(reason)
            with self._uncaptured():
                found = self.lab.arm(experiment, name)
            self._told.asked(item, experiment, name)
            return found
        except PendingError as pending:
            pytest.skip(str(pending))
        except LimenError as error:
            refusal = str(error)
        pytest.fail(f"limen: {refusal}", pytrace=False)  # not above: it would show the chain

    def further(self, item: pytest.Item, experiment: Experiment) -> ArmMapping:
        """The further arms of an experiment, each looked at when it is asked for."""
        return ArmMapping(experiment.arms, lambda name: self.arm(item, experiment, name))

    def audit(self, experiment: Experiment) -> AuditRow:
        """How the data of an experiment's students differ from its control's."""
        pipe = self.lab.taken(experiment)
        return next(audit_rows(self.lab.store, pipe, ["student", "control"]))

    def note(self, report: pytest.TestReport, claim: str, experiment: str) -> None:
        """Note how a claim about an experiment, named by its title, fared."""
        if report.when == "call" or not report.passed:
            self._claims.note(
                Claim(
                    test=report.nodeid,
                    experiment=experiment,
                    says=claim,
                    outcome=outcome_of(report),
                    reason=reason_of(report),
                )
            )

    def take(self, texts: Sequence[str], log_faults: Sequence[str] = ()) -> None:
        """Take over what another process found: of each experiment, what is least unfinished."""
        self._log_faults += log_faults
        for result in map(result_from_json, texts):
            known = self._results.get(result.title)
            if known is None or (known.failure and not result.failure):
                self._results[result.title] = result

    # What pytest tells.

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        """Have a test's report tell what its arms came to."""
        if call.when == "call":
            self._told.tell(item)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Hand the results to whoever writes: this process, or pytest-xdist's controller."""
        output = getattr(self._config, "workeroutput", None)
        if self._ran:
            found = [result_of(self.lab, *wanted) for wanted in self._wanted]
            self._log_faults += self._write_logs()
            if output is not None:
                output["limen"] = [result_to_json(result) for result in found]
                output["limen_log_faults"] = self._log_faults
            self._results |= {result.title: result for result in found}
        if output is None and self._results:
            self._keep()

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The verdicts, and the report if one is asked for."""
        file = plugin.option(self._config, "report")
        if hasattr(self._config, "workerinput") or not (self._report or file):
            return
        if self._report is None:
            terminalreporter.write_line("limen: no experiment ran, so there is no report")
            return
        verbosity = self._config.get_verbosity()
        if verbosity >= 0:
            from ...reports import wording

            terminalreporter.section("limen")
            told = wording.long_lines if verbosity else wording.lines
            for line in told(self._report):
                terminalreporter.write_line(line)
        if self._fault:
            terminalreporter.write_line(f"limen: cannot keep the run: {self._fault}", red=True)
        for fault in self._log_faults:
            terminalreporter.write_line(f"limen: Inspect logs are missing: {fault}", yellow=True)
        if file:
            self._save(self._report, self._config.invocation_params.dir / file, terminalreporter)

    # How.

    def _keep(self) -> None:
        """Keep the run's record in the store, so that reports can be made of it at any time."""
        run = make_run(
            self._claims.rows(),
            list(self._results.values()),
            command=self._command(),
            seconds=time.monotonic() - self._began,
            root=self._config.rootpath,
        )
        try:
            run = replace(run, id=keep_run(run, self.lab.settings.store).stem)
        except OSError as error:
            self._fault = str(error)
        self._report = report_of([run])

    def _title_of(self, item: pytest.Item, experiment: Experiment) -> str:
        """The title of a test's experiment, as the report has it."""
        for title, known, _ in self._wanted:
            if known == experiment:
                return title
        return title_of(item)

    def _write_logs(self) -> list[str]:
        """Leave the Inspect logs that are not there; returns what went wrong, in a line each.

        Every worker of pytest-xdist knows all experiments, so the first one writes for all.
        """
        from ..inspect.log_contents import write_missing

        worker = getattr(self._config, "workerinput", {"workerid": "gw0"})["workerid"]
        if plugin.flag(self._config, "no_logs") or worker != "gw0":
            return []
        try:
            return write_missing(self.lab, self._wanted)
        except Exception as error:  # whatever it is, the results of the run stand
            return [f"{type(error).__name__}: {error}"]

    def _save(self, report: Report, file: Path, terminal: pytest.TerminalReporter) -> None:
        from ...reports import write_report

        try:
            write_report(report, file)
        except OSError as error:
            terminal.write_line(f"limen: cannot write the report {file}: {error}", red=True)
        else:
            terminal.write_line(f"report: {file}")

    def _collect(self, items: Sequence[pytest.Item]) -> list[tuple[Experiment, Collection[str]]]:
        """The experiments of the items, each with the arms that its tests ask for."""
        self._wanted = []
        for item in items:
            found = nearest(item)
            if isinstance(found, Experiment) and not will_not_run(item):
                arms = [arm for arm in arms_of(item, found) if not self._cannot(found, arm)]
                if arms:
                    self._asked(item, found).update(dict.fromkeys(arms))
        self._wanted = [
            (title, e, {arm: None for arm in (*ARMS, *e.arms) if arm in arms})
            for title, e, arms in self._wanted
        ]
        return [(e, list(arms)) for _, e, arms in self._wanted]

    def _cannot(self, experiment: Experiment, arm: str) -> str | None:
        """Why there is nothing to do for an arm; the test itself is told the same."""
        try:
            check_arm(experiment, arm)
        except SpecError as error:
            return str(error)
        return self.lab.cannot(experiment, arm)

    def _asked(self, item: pytest.Item, experiment: Experiment) -> dict[str, None]:
        for _, known, arms in self._wanted:
            if known == experiment:
                return arms
        taken = {title for title, _, _ in self._wanted}
        title = title_of(item)
        self._wanted.append((item.nodeid if title in taken else title, experiment, {}))
        return self._wanted[-1][2]

    def _usable(self, do: Callable[[], T]) -> T | None:
        """Do something; what limen refuses in it is a usage error (exit code 4).

        A worker of pytest-xdist cannot end the run: there every test is told.
        """
        try:
            return do()
        except LimenError as error:
            if not hasattr(self._config, "workerinput"):
                raise pytest.UsageError(f"limen: {error}") from None
            self._refusal = error
            return None

    @contextmanager
    def _uncaptured(self) -> Iterator[None]:
        manager: Any = self._config.pluginmanager.getplugin("capturemanager")
        with manager.global_and_fixture_disabled() if manager else nullcontext():
            yield

    def _watcher(self) -> ProgressListener:
        quiet = self._config.get_verbosity() < 0 or hasattr(self._config, "workerinput")
        if quiet or not self._config.pluginmanager.hasplugin("terminalreporter"):
            return ProgressListener()
        from rich.console import Console

        from ..lab.progress import ProgressBars, ProgressLines

        with self._uncaptured():
            console = Console()
        return ProgressBars(console) if console.is_terminal else ProgressLines(self._write)

    def _write(self, line: str) -> None:
        reporter: Any = self._config.pluginmanager.getplugin("terminalreporter")
        if reporter is not None:
            reporter.ensure_newline()
            reporter.write_line(line)

    def _command(self) -> str:
        return shlex.join(["pytest", *map(str, self._config.invocation_params.args)])


def settings_of(config: pytest.Config) -> Settings:
    """The settings that the options and ini keys make; raises :class:`~limen.SpecError`."""

    def whole(name: str) -> int | None:
        text = plugin.option(config, name)
        if text is not None and not text.isdecimal():
            raise SpecError(f"--limen-{name}={text!r} must be a whole number above zero")
        return None if text is None else int(text)

    given = config.getoption("limen_store")
    # without an ini file pytest takes any path among the arguments, a model's, for the tests' root
    rooted = config.inipath is not None and not given
    folder = config.rootpath if rooted else config.invocation_params.dir
    prices = plugin.option(config, "prices")
    return Settings(
        backend=plugin.option(config, "backend") or "toy",
        model=plugin.option(config, "model"),
        other_model=plugin.option(config, "other-model"),
        seeds=whole("seeds"),
        store=folder / (plugin.option(config, "store") or ".limen"),
        workers=whole("workers"),
        share=int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")),
        wait=not plugin.flag(config, "no_wait"),
        batch=plugin.flag(config, "batch"),
        budget=_amount(plugin.option(config, "budget")),
        prices=config.invocation_params.dir / prices if prices else None,
    )


def _amount(text: str | None) -> float | None:
    """The dollars of a budget."""
    try:
        return None if text is None else float(text.removeprefix("$"))
    except ValueError:
        raise SpecError(f"--limen-budget={text!r} must be dollars, such as 12.50") from None


def place_of(excinfo: "pytest.ExceptionInfo[BaseException]", path: Path) -> str:
    """The line of a test file that an exception came out of."""
    lines = [entry.lineno + 1 for entry in excinfo.traceback if Path(str(entry.path)) == path]
    return f"{path.name}:{lines[-1]}" if lines else path.name
