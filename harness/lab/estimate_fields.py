"""The fields that an arm gives all of its estimates."""

from typing import TypedDict

from ..statistics import Coverage, EvidenceListener, Table


class CommonFields(TypedDict):
    """The fields that all estimates of an arm share."""

    arm: str
    questions: tuple[str, ...]
    table: Table
    draws: int
    valid: float
    trained: bool
    shows_trait: bool
    lowers: bool
    family: int
    looks: int
    margin: float | None
    listener: EvidenceListener | None
    models: tuple[str, ...]


class DrawFields(TypedDict):
    """Other fields of estimates that rest on draws."""

    missing: int
    coverage: Coverage
    copied_models: int
