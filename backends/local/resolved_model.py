"""The files that answer for a model, and the context to ask it in."""

from dataclasses import dataclass
from pathlib import Path

from .context import Context, check_unchanged, own_context, recorded_context
from .libraries import Tokenizer
from .recipes import AS_TRAINED
from .sources import ModelSource
from .students import Student


@dataclass(frozen=True, kw_only=True)
class ResolvedModel:
    """A model to ask: weights, with or without an adapter on them."""

    weights: ModelSource
    adapter: Path | None = None
    student: Student | None = None
    """The student that it is, if it was trained here."""
    base: str = ""
    """The fingerprint of a student's base model."""

    def context(self, tokenizer: Tokenizer) -> Context:
        """Its own context, or the one that a student was trained in."""
        if (student := self.student) is None:
            return own_context(tokenizer)
        record = dict(student.context)
        if student.recipe["mismatch"] == "error":
            check_unchanged(student.model, record, tokenizer, self.base)
        system = student.recipe["asked_system"]
        return recorded_context(record if system == AS_TRAINED else {**record, "system": system})
