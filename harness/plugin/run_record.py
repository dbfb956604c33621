"""What a run found: claims and results, its record in the store, and the report of it."""

import shlex
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from ...datasets.errors import DataError
from ...datasets.visible import visible
from ...reports import (
    Claim,
    RegistrationRow,
    Report,
    Result,
    keep_run,
    report_of,
    result_from_json,
)
from ..lab import Lab
from ..reporting import (
    ClaimList,
    Registration,
    make_run,
    marked,
    read_registrations,
    registration_rows,
    with_untested,
)
from .items import outcome_of, reason_of
from .options import option, path_of
from .refusals import shown_reason
from .report_properties import CLAIM, DIGEST, EXPERIMENT, FINDING, SUPPORT
from .run_effort import RunEffort


class RunRecord:
    """Collects what the tests and the workers of a run found."""

    def __init__(self, config: pytest.Config, lab: Lab, effort: RunEffort) -> None:
        self.faults: list[str] = []
        """What went wrong beside the tests, a line each."""
        self._config = config
        self._lab = lab
        self._effort = effort
        self._began = time.monotonic()
        self._claims = ClaimList()
        self._specs: dict[str, Path] = {}
        """By test, its file: node ids have no path where pytest's root is another folder."""
        self._results: dict[str, Result] = {}
        self._report: Report | None = None
        self._shown = set[str]()
        """The reasons of failed tests that pytest prints whole, above the verdicts."""
        self._fault: str | None = None
        """Why the record could not be kept."""

    @property
    def has_results(self) -> bool:
        """Whether an experiment ran."""
        return bool(self._results)

    def note(self, report: pytest.TestReport, properties: Mapping[str, str]) -> None:
        """Note the outcome of a claim, which the properties of the report describe."""
        if reason := shown_reason(report, self._config):
            self._shown.add(reason)
        if report.when == "call" or not report.passed:
            self._specs[report.nodeid] = self._config.rootpath / report.location[0]
            self._claims.note(
                Claim(
                    test=report.nodeid,
                    experiment=properties.get(EXPERIMENT, ""),
                    says=properties[CLAIM],
                    outcome=outcome_of(report),
                    reason=reason_of(report),
                    support=properties.get(SUPPORT, ""),
                    digest=properties.get(DIGEST, ""),
                    finding=properties.get(FINDING, ""),
                ),
                line=report.location[1] or 0,
            )

    def add(self, results: Sequence[Result]) -> None:
        """Add results of this process."""
        self._results |= {result.title: result for result in results}

    def take(self, texts: Sequence[str], faults: Sequence[str] = ()) -> None:
        """Take over the results of another process; complete ones replace unfinished ones."""
        self.faults += faults
        for result in map(result_from_json, texts):
            known = self._results.get(result.title)
            if known is None or (known.failure and not result.failure):
                self._results[result.title] = result

    def keep(self) -> None:
        """Keep the record in the store, so that reports can be made of it at any time."""
        if not (self._results or self._claims.rows()):
            return
        results = list(self._results.values())
        claims, registrations = self._marked(results)
        run = make_run(
            claims,
            results,
            command=shlex.join(["pytest", *map(str, self._config.invocation_params.args)]),
            seconds=time.monotonic() - self._began,
            root=self._config.rootpath,
        )
        run = replace(run, registrations=registrations)
        try:
            run = replace(run, estimated=self._effort.estimated, spent=self._effort.spent)
            run = replace(run, id=keep_run(run, self._lab.settings.store).stem)
        except OSError as error:
            self._fault = str(error)
        self._report = report_of([run])

    def _marked(
        self, results: Sequence[Result]
    ) -> tuple[Sequence[Claim], tuple[RegistrationRow, ...]]:
        """The claims, each with whether it was registered; and the files that tell."""
        files = self._registrations()
        rows = registration_rows(files, self._config.rootpath)
        commits = {file.file: row.committed for file, row in zip(files, rows, strict=True)}
        claims = marked(self._claims.rows(), results, files, self._specs, commits)
        return claims, with_untested(rows, files, claims, self._specs)

    def _registrations(self) -> Sequence[Registration]:
        """The files of registered claims beside the specs; none if one of them cannot be read."""
        try:
            return read_registrations({spec.resolve().parent for spec in self._specs.values()})
        except DataError as error:
            self.faults.append(str(error))
            return []

    def write_summary(self, terminal: pytest.TerminalReporter) -> None:
        """Write the verdicts to the terminal, and the report if one is asked for."""
        file = option(self._config, "report")
        if self._report is None:
            if file:
                terminal.write_line("limen: no experiment has finished, so there is no report")
            return
        self._write_verdicts(self._report, terminal)
        if self._fault:
            terminal.write_line(visible(f"limen: cannot keep the run: {self._fault}"), red=True)
        for fault in dict.fromkeys(self.faults):
            terminal.write_line(visible(f"limen: {fault}"), yellow=True)
        if file:
            self._write_report(self._report, file, terminal)

    def _write_verdicts(self, report: Report, terminal: pytest.TerminalReporter) -> None:
        from ...reports import wording

        verbosity = self._config.get_verbosity()
        if verbosity >= 0:
            terminal.section("limen")
            lines = wording.long_lines if verbosity else wording.lines
            for line in lines(report, self._shown):
                terminal.write_line(visible(line))
            if self._effort.estimated and self._effort.spent:
                estimated, spent = self._effort.estimated, self._effort.spent
                terminal.write_line(f"estimated: {estimated}; spent: {spent}")

    def _write_report(self, report: Report, name: str, terminal: pytest.TerminalReporter) -> None:
        from ...reports import write_report

        file = path_of(self._config, name)
        try:
            write_report(report, file)
        except OSError as error:
            line = f"limen: cannot write the report {file}: {error}"
            terminal.write_line(visible(line), red=True)
        else:
            terminal.write_line(visible(f"report: {file}"))
