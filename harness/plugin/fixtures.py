"""The fixtures: an experiment, its arms, and the audit of its data."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pytest

from .current_session import session_of

if TYPE_CHECKING:
    from ...reports import AuditRow
    from ..experiment import Experiment
    from ..lab import Arm, GridResults, TrajectoryResults


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
def control(request: pytest.FixtureRequest, experiment: "Experiment") -> "Arm":
    """Models fine-tuned likewise on data from the base model without the trait, one a seed."""
    return session_of(request.config).arm(request.node, experiment, "control")


@pytest.fixture
def arms(request: pytest.FixtureRequest, experiment: "Experiment") -> Mapping[str, "Arm"]:
    """The experiment's other arms, by name."""
    return session_of(request.config).other_arms(request.node, experiment)


@pytest.fixture
def grid(request: pytest.FixtureRequest, experiment: "Experiment") -> "GridResults":
    """The finished grid of traits by students, where the experiment is a ``Grid``."""
    return session_of(request.config).grid(request.node, experiment)


@pytest.fixture
def trajectory(request: pytest.FixtureRequest, experiment: "Experiment") -> "TrajectoryResults":
    """The arms along their trainings, where the experiment has a ``trajectory``."""
    return session_of(request.config).trajectory(request.node, experiment)


@pytest.fixture
def audit(
    request: pytest.FixtureRequest, experiment: "Experiment", student: "Arm", control: "Arm"
) -> "AuditRow":
    """How the student's training data differ from the control's; see ``limen.reports.AuditRow``."""
    return session_of(request.config).audit(experiment)
