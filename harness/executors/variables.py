"""Which of the driver's environment variables workers get: named ones, and never all."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ...backends import Needs
from ...datasets.errors import SpecError
from ..stages import TIMEOUT_VARIABLE

ALWAYS = (TIMEOUT_VARIABLE,)
"""What limen itself has to tell a worker."""
_SECRET = re.compile(r"KEY|TOKEN|SECRET|PASSW|CREDENTIAL", re.IGNORECASE)


@dataclass(frozen=True)
class WorkerVariables:
    """The named variables. Keys among them are for stages that load a model, which may be gated."""

    named: Mapping[str, str] = field(repr=False)

    def of(self, needs: Needs) -> dict[str, str]:
        """The variables of a stage's worker."""
        threads = {"OMP_NUM_THREADS": str(max(1, int(needs.cores or 1)))} if needs.model else {}
        given = {
            name: value
            for name, value in self.named.items()
            if needs.model or not _SECRET.search(name)
        }
        return {**threads, **given}


def named_variables(names: tuple[str, ...]) -> WorkerVariables:
    """The variables of these names; raises :class:`~limen.SpecError` if one is not set here."""
    missing = [name for name in names if name not in os.environ]
    if missing:
        raise SpecError(
            f"--limen-executor-env names {', '.join(missing)}, which this environment does not have"
        )
    every = (*(name for name in ALWAYS if name in os.environ), *names)
    return WorkerVariables({name: os.environ[name] for name in every})
