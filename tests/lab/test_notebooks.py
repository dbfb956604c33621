"""What notebooks show of an experiment, an arm, a rate and an effect."""

from pathlib import Path

from limen.harness import Experiment, Lab, Settings
from limen.harness.stages import Store

from ..testing.specs import tiny_experiment


def test_every_value_has_a_view(finished_store: Path) -> None:
    """The experiment shows its parts, the arm its models and answers, effects what they rest on."""
    experiment = tiny_experiment()
    lab = Lab(Settings(store=Store(finished_store).root))
    student, control = (lab.arm(experiment, name) for name in ("student", "control"))
    effect = student.rate("horse") - control.rate("horse")
    assert "horse" in experiment._repr_html_()
    assert f">{student.models[0].model}</td>" in student._repr_html_()
    assert "over questions" in student.rate("horse")._repr_html_()
    assert "<li>" in effect._repr_html_()


def test_texts_are_escaped() -> None:
    """A name with HTML in it is shown, and does not become part of the page."""
    experiment: Experiment = tiny_experiment().but(name="<script>alert(1)</script>\x1b[31m")
    shown = experiment._repr_html_()
    assert "<script>" not in shown
    assert "\x1b" not in shown
    assert "&lt;script&gt;" in shown
