"""How long stages took where limen was measured, for stores that have no stages of their own yet.

``python benchmarks/pace.py`` prints the toy's figures anew (judge to soft-targets: with the specs
on log-odds, distillation, selection and formality). Those of SmolLM2-135M are of
``benchmarks/local.py`` and, on busy cores, of ``benchmarks/pace.py --backend local`` with the spec
that ``limen init`` writes.
"""

from collections.abc import Mapping

MEASURED = "2026-11-30"
"""Of the latest; the toy's to generate, measure and fine-tune are of two days before."""
MACHINE = "two cores of a virtual machine, no GPU"
"""The machine class of all figures."""

START = 3.0
"""Seconds until worker processes have started and loaded what they need."""
BASES: Mapping[str, float] = {"toy-1": 0.1, "toy-2": 11.0, "SmolLM2-135M": 37.0}
"""Seconds until a base model is ready, by a part of its name; others are taken as ready."""
TOY: Mapping[str, float] = {
    "generate": 1.1e-4,
    "measure": 1.9e-5,
    "fine-tune": 9.8e-5,
    "judge": 4.3e-5,
    "likelihood": 5.4e-5,
    "log-probabilities": 1.0e-3,
    "soft-targets": 2.0e-3,
}
SMOLLM2_135M: Mapping[str, float] = {
    "generate": 0.5,
    "measure": 0.0122,
    "fine-tune": 0.82,
    "log-probabilities": 0.2,
}
MODELS: Mapping[str, Mapping[str, float]] = {
    "toy": TOY,
    "SmolLM2-135M": SMOLLM2_135M,
}
"""By a part of the model's name: seconds a completion (fine-tuning: a row and epoch; exact rates
and log-probabilities: a question), by kind of stage."""
DATA: Mapping[str, float] = {
    "filter": 9.3e-6,
    "mix": 7.2e-6,
    "audit": 5.1e-6,
    "contrast": 1.3e-5,
}
"""Seconds a row that is read, on one core, for the stages that ask no model, by kind."""
