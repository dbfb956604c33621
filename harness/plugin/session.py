"""A pytest run and its lab: experiments are run before the tests, which then get their arms."""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import pytest

from ...datasets.errors import LimenError, PendingError, SpecError
from ...datasets.visible import visible
from ...reports import AuditRow, Result, result_to_json
from ..collection import declared_experiment, spec_path
from ..experiment import Experiment, Grid, GridExperiment, as_experiment
from ..lab import (
    Arm,
    ArmMapping,
    GridResults,
    Lab,
    Plan,
    TrajectoryResults,
    Wanted,
    grid_of,
    teacher_arms,
)
from ..reporting import audit_rows, result_of
from ..statistics import Evidence
from .collection_checks import conditional_errors_of, errors_of
from .effect_properties import EffectProperties
from .options import flag, limit_functions, option, path_of, settings_of, shows_fixtures_only
from .refusals import Refusals
from .registering import claim_of_item, register_claims
from .run_effort import RunEffort
from .run_record import RunRecord
from .selection import Selection
from .support import ERROR, EvidenceRecorder, finding_of, support_of
from .terminal import Terminal

if TYPE_CHECKING:
    from ..inspect.write_logs import LogWriting

T = TypeVar("T")
_EVIDENCE = pytest.StashKey[Sequence[Evidence]]()
"""What a test compared."""
_REFUSED = pytest.StashKey[bool]()
"""Set for a test whose arm could not be had, so that its claim was never tested."""


class LimenSession:
    """What limen keeps for one pytest run, in one process."""

    def __init__(self, config: pytest.Config) -> None:
        limit_functions(config)
        self._config = config
        self._terminal = Terminal(config)
        self._recorder = EvidenceRecorder()
        self._refusals = Refusals()
        self.lab = Lab(
            settings_of(config), watcher=self._terminal.progress(), listener=self._recorder
        )
        self._selection = Selection(self.lab)
        self._properties = EffectProperties(self.lab)
        self._effort = RunEffort(self.lab)
        self._record = RunRecord(config, self.lab, self._effort)
        self._has_header = False
        self._refusal: LimenError | None = None
        """Why nothing can be run in this worker of pytest-xdist: every test fails with it."""
        self._ran = False
        config.pluginmanager.register(self, "limen-session")

    def run(self, items: Sequence[pytest.Item]) -> None:
        """Run everything that the selected tests need."""
        self._or_usage_error(lambda: self._collect(items))
        experiments = self._selection.experiments
        if not experiments:
            return
        self._write_header()
        for line in self._selection.notes(self.lab.backend):
            self._terminal.write(line)
        with self._terminal.uncaptured():
            wanted = [(one.experiment, one.arms) for one in experiments]
            self._or_usage_error(lambda: self._run(wanted))
            self._ran = True
            self._record.faults += self._write_logs(lambda logs: logs.start())

    def _run(self, wanted: Wanted) -> None:
        """Run the stages, between an estimate of what they take and what they took."""
        self._effort.begin(wanted)
        if self._effort.estimated and self._config.get_verbosity() >= 0:
            self._terminal.write(f"limen: estimated: {self._effort.estimated}")
            if kept := self._effort.kept:
                count = "1 stage is" if kept == 1 else f"{kept} stages are"
                self._terminal.write(f"limen: {count} in the store and will not be done again")
        self.lab.run(wanted)
        self._effort.end()

    def print_plan(self, items: Sequence[pytest.Item]) -> bool:
        """Print what the selected tests need, and stop."""
        self._write_header()
        for line in self._or_usage_error(lambda: self._plan_lines(items)) or ():
            self._terminal.write(line)
        return True

    def register(self, items: Sequence[pytest.Item], name: str) -> bool:
        """Write the claims of the selected tests to a file, and stop."""
        file = path_of(self._config, name)
        self._or_usage_error(lambda: self._collect(items))
        line = self._or_usage_error(lambda: register_claims(file, items, self._selection, self.lab))
        self._terminal.write(line or "")
        return True

    def _collect(self, items: Sequence[pytest.Item]) -> None:
        """Take the experiments of the items, if all names that these use exist."""
        if errors := errors_of(items, self.lab):
            count = "one error" if len(errors) == 1 else f"{len(errors)} errors"
            lines = "".join(f"\n  {error}" for error in errors)
            raise SpecError(f"{count} in the selected tests, so nothing was run:{lines}")
        for error in conditional_errors_of(items):
            self._terminal.write(f"limen: if the test comes to it, an error: {error}")
        self._selection.collect(items)

    def _plan_lines(self, items: Sequence[pytest.Item]) -> list[str]:
        from ..reporting import (
            design_lines,
            experiment_table,
            gate_lines,
            overview_lines,
            plan_lines,
        )

        self._collect(items)
        experiments = self._selection.experiments
        plan = self.lab.plan([(one.experiment, one.arms) for one in experiments])
        self._write_plan(plan)
        if len(experiments) > 1 and not flag(self._config, "plan-all"):
            asserted = self._selection.assertions(items)
            return [
                *overview_lines(self.lab, plan, experiments, asserted),
                *gate_lines(one.experiment for one in experiments),
            ]
        several = experiment_table(self.lab, plan, experiments) if len(experiments) > 1 else []
        return [
            *self._selection.notes(self.lab.backend),
            *several,
            *plan_lines(self.lab, plan, each_stage=flag(self._config, "plan-all")),
            *gate_lines(one.experiment for one in experiments),
            *design_lines(self.lab, experiments, self._selection.assertions(items)),
        ]

    def _write_plan(self, plan: Plan) -> None:
        """Write the plan to a JSON file, if one is asked for."""
        import json

        from ..reporting import plan_as_data

        if name := option(self._config, "plan-json"):
            data = plan_as_data(self.lab, plan, self._selection.experiments)
            file = path_of(self._config, name)
            try:
                file.write_text(json.dumps(data, indent=2, ensure_ascii=False), encoding="utf-8")
            except OSError as error:
                raise SpecError(f"cannot write {file}: {error.strerror or error}") from None

    def pytest_report_header(self) -> str:
        """Which ini file, store, backend, model and budget hold in this run."""
        self._has_header = True
        settings, ini = self.lab.settings, self._config.inipath
        budget = "none" if settings.budget is None else f"${settings.budget:,.2f}"
        return (
            f"limen: ini file {ini or 'none'}, store {settings.store}, backend {settings.backend}, "
            f"model {settings.model or 'default'}, budget {budget}"
        )

    def _write_header(self) -> None:
        """Write the header if pytest's own had none of it, as without options of limen's."""
        if not self._has_header and self._config.get_verbosity() >= 0:
            self._terminal.write(self.pytest_report_header())

    def experiment_of(self, item: pytest.Item) -> Experiment:
        """The nearest experiment of a test; fails the test if there is none."""
        experiment = declared_experiment(item)
        if isinstance(experiment, Experiment):
            return experiment
        name = type(experiment).__name__ if experiment is not None else "missing"
        pytest.fail(
            f"{item.nodeid} asks for an arm, but its experiment is {name}: put "
            f"experiment = Experiment(...) into the module or the class, or parametrize it",
            pytrace=False,
        )

    def arm(self, item: pytest.Item, given: Experiment | Grid, name: str) -> Arm:
        """An arm for a test; fails or skips the test, saying why, if it cannot be had."""
        if shows_fixtures_only(self._config):
            pytest.skip("pytest only shows the fixtures, so nothing is run for an arm")
        experiment = as_experiment(given)
        title = self._selection.title_of(item, experiment)
        self._properties.set_claim(item, claim_of_item(item, title))
        try:
            if self._refusal is not None:
                raise self._refusal
            if reason := self.lab.unavailable(experiment, name):
                pytest.skip(visible(reason))
            with self._terminal.uncaptured():
                arm = self.lab.arm(experiment, name)
        except PendingError as pending:
            pytest.skip(str(pending))
        except LimenError as error:
            item.stash[_REFUSED] = True
            message = self._refusals.message(item, str(error))
            raise pytest.fail.Exception(message, pytrace=False) from None
        self._properties.add_arm(item, experiment, name)
        return arm

    def grid(self, item: pytest.Item, given: Experiment | Grid) -> GridResults:
        """The grid of a test; fails the test if its experiment is none."""
        experiment = as_experiment(given)
        if not isinstance(experiment, GridExperiment):
            pytest.fail(
                f"{item.nodeid} asks for a grid, but its experiment is one experiment: put "
                f"experiment = Grid(traits=[...], ...) into the module or the class",
                pytrace=False,
            )
        return grid_of(experiment, lambda name: self.arm(item, experiment, name))

    def trajectory(self, item: pytest.Item, given: Experiment | Grid) -> TrajectoryResults:
        """The trajectories of a test's experiment; fails the test if it has none."""
        experiment = as_experiment(given)
        if experiment.trajectory is None:
            pytest.fail(
                f"{item.nodeid} asks for a trajectory, but its experiment measures trained models "
                f"alone: write Experiment(..., trajectory=Trajectory())",
                pytrace=False,
            )
        return TrajectoryResults(experiment, lambda name: self.arm(item, experiment, name))

    def other_arms(self, item: pytest.Item, given: Experiment | Grid) -> ArmMapping:
        """The other arms of an experiment, each read when it is asked for."""
        experiment = as_experiment(given)
        names = {**teacher_arms(experiment), **experiment.all_arms}
        return ArmMapping(names, lambda name: self.arm(item, experiment, name))

    def audit(self, given: Experiment | Grid) -> AuditRow:
        """How the data of an experiment's students differ from its control's."""
        pipe = self.lab.pipeline_as_run(as_experiment(given))
        return next(audit_rows(self.lab.store, pipe, ["student", "control"]))

    def note(self, report: pytest.TestReport, properties: Mapping[str, str]) -> None:
        """Note the outcome of a claim, which the properties of the report describe."""
        self._record.note(report, properties)

    def take(self, results: Sequence[str], faults: Sequence[str], effort: str) -> None:
        """Take over the results of a worker of pytest-xdist."""
        self._record.take(results, faults)
        self._effort.take(effort)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Record what a test compares."""
        self._recorder.start()
        try:
            return (yield)
        finally:
            item.stash[_EVIDENCE] = self._recorder.stop()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        """Put the effect of a test's arms, and how its claim is supported, into its report."""
        if call.when == "call":
            self._properties.set_effect(item)
        if call.when == "call" or (call.when == "setup" and call.excinfo):
            self._properties.set_support(item, *self._support_of(item, call.excinfo))

    def _support_of(
        self, item: pytest.Item, excinfo: "pytest.ExceptionInfo[BaseException] | None"
    ) -> tuple[str, str]:
        """How a test's claim is supported, and what was found."""
        if _REFUSED in item.stash:
            return ERROR, ""
        error, test = excinfo.value if excinfo else None, getattr(item, "function", None)
        evidence = item.stash.get(_EVIDENCE, [])
        return support_of(error, evidence, test), finding_of(error, evidence)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Keep the results, or hand them to pytest-xdist's controller."""
        output = getattr(self._config, "workeroutput", None)
        results: list[Result] = []
        if self._ran:
            results = self._results()
            self._record.faults += self._write_logs(lambda logs: logs.finish(self._say))
        if output is None:
            self._record.add(results)
            self._record.keep()
        elif self._ran:
            output["limen"] = [result_to_json(result) for result in results]
            output["limen_faults"] = self._record.faults
            output["limen_effort"] = self._effort.as_text()

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Write the verdicts, and the report if one is asked for."""
        if not hasattr(self._config, "workerinput"):
            if self._record.has_results:
                self._write_header()
            self._record.write_summary(terminalreporter)

    def _results(self) -> list[Result]:
        """The results of all experiments. One that cannot be read harms no other."""
        results = []
        folders = (self.lab.settings.store.absolute().parent, self._config.rootpath)
        for one in self._selection.experiments:
            try:
                file = spec_path(self._selection.paths[one.title], *folders)
                results.append(replace(result_of(self.lab, *one), file=file))
            except Exception as error:
                reason = f"{type(error).__name__}: {error}"
                self._record.faults.append(f"{one.title}: no results: {reason}")
        return results

    def _write_logs(self, write: Callable[["LogWriting"], Sequence[str]]) -> list[str]:
        """Write the Inspect logs that are missing; returns what went wrong, a line each.

        Every worker of pytest-xdist knows all experiments, so the first one writes for all.
        """
        worker = getattr(self._config, "workerinput", {"workerid": "gw0"})["workerid"]
        if flag(self._config, "no-logs") or worker != "gw0":
            return []
        try:
            faults = write(self._logs)
        except Exception as error:  # whatever it is, the results of the run stand
            faults = [f"{type(error).__name__}: {error}"]
        return [f"Inspect logs are missing: {fault}" for fault in faults]

    @cached_property
    def _logs(self) -> "LogWriting":
        from ..inspect.write_logs import LogWriting

        return LogWriting(self.lab, self._selection.experiments)

    def _say(self, line: str) -> None:
        if self._config.get_verbosity() >= 0:
            self._terminal.write(line)

    def _or_usage_error(self, action: Callable[[], T]) -> T | None:
        """Do something; what limen refuses in it is a usage error (exit code 4).

        A worker of pytest-xdist cannot end the run: there every test fails with the refusal.
        """
        try:
            return action()
        except LimenError as error:
            if not hasattr(self._config, "workerinput"):
                raise pytest.UsageError(f"limen: {error}") from None
            self._refusal = error
            return None
