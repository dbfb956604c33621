"""What a run is estimated to take, and what it took."""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict

from ...backends import Usage
from ...reports import Effort
from ..lab import Lab, Wanted
from ..stages import Stage, usage_in_store


class RunEffort:
    """The estimate of a run, made before it, and what was spent in it."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._stages: Sequence[Stage] = ()
        self._began = 0.0
        self._before: dict[str, Usage] = {}
        """What earlier runs spent on stages that they did not finish, by key."""
        self.estimated: Effort | None = None
        """None if nothing was to be done."""
        self.spent: Effort | None = None
        self.kept = 0
        """Stages that the store had already."""

    def begin(self, wanted: Wanted) -> None:
        """Estimate what is to be done."""
        from ..reporting import estimate_of, unfinished

        self._began = time.monotonic()
        plan = self._lab.plan(wanted)
        self._stages = unfinished(plan)
        self.kept = len(plan.stages) - len(self._stages)
        if self._stages:
            self.estimated = estimate_of(self._lab, plan)
            begun = [stage for stage in self._stages if stage.key in plan.kept]
            self._before = {s.key: usage_in_store(self._lab.store, s) for s in begun}

    def end(self) -> None:
        """Add up what the stages took that are finished now."""
        from ..reporting import spent_on

        if self._stages:
            seconds = time.monotonic() - self._began
            self.spent = spent_on(self._lab, self._stages, seconds, self._before)

    def take(self, text: str) -> None:
        """Take over what another process of the run has, the one that began first."""
        estimated, spent = json.loads(text)
        if estimated and (self.estimated is None or estimated["stages"] > self.estimated.stages):
            self.estimated, self.spent = Effort(**estimated), spent and Effort(**spent)

    def as_text(self) -> str:
        """Both, to travel between processes."""
        return json.dumps([each and asdict(each) for each in (self.estimated, self.spent)])
