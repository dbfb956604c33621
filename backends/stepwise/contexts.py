"""Chat contexts at a service: recorded at first use, and compared at every later one.

The service is given tokens, so the chat template is applied here, by the same code as in the local
backend: see :mod:`..local.context`.
"""

import hashlib
import threading
from pathlib import Path

from ...datasets.errors import BackendError
from .. import records
from ..base import Recipe
from ..local.context import (
    Context,
    check_unchanged,
    own_context,
    recorded_context,
    template_hash,
    tokenizer_hash,
)
from ..local.plain_template import MARK, plain_template
from ..rendering import RenderedContext
from .service import StepwiseService, Tokenizer
from .students import Student
from .texts import TextModel

PLAIN = template_hash(MARK)
AS_TRAINED = "as trained"
"""The setting ``asked_system`` of a student that is asked in the context of its training."""


class Contexts:
    """The tokenizers of base models, and the contexts that they and their students are asked in."""

    def __init__(self, service: StepwiseService, folder: Path) -> None:
        self._service, self._folder = service, folder
        self._tokenizers: dict[str, tuple[Tokenizer, threading.Lock]] = {}
        self._lock = threading.Lock()

    def of_base(self, base: str) -> TextModel:
        """The context that a base model comes with.

        Raises :class:`~limen.BackendError` if it is not the one that the store has recorded.
        """
        tokenizer, lock = self._tokenizer(base)
        with lock:
            context = own_context(tokenizer)
            self._check_recorded(base, context, tokenizer)
        return TextModel(tokenizer, context, lock)

    def is_plain(self, base: str) -> bool:
        """Whether a base model has no chat template, so that it is asked in plain text.

        Its tokenizer is loaded only if the store has not recorded it. Raises
        :class:`~limen.BackendError` if there is none.
        """
        recorded = records.read(self._file(base))
        if recorded is not None:
            return str(recorded["template"]) == PLAIN
        tokenizer, lock = self._tokenizer(base)
        with lock:
            return template_hash(str(tokenizer.get_chat_template())) == PLAIN

    def for_training(self, base: str, recipe: Recipe) -> TextModel:
        """The context of training rows: with the recipe's system turn for rows without one."""
        texts, system = self.of_base(base), recipe["system"]
        context = texts.context.with_system(None if system is None else str(system))
        return TextModel(texts.tokenizer, context, texts.lock)

    def of_student(self, student: Student) -> TextModel:
        """The context to ask a student in: the one of its training, unless its recipe says."""
        tokenizer, lock = self._tokenizer(student.base)
        with lock:
            if student.recipe["mismatch"] == "error":
                check_unchanged(student.model, student.context, tokenizer, "")
        record, system = student.context, student.recipe["asked_system"]
        context = recorded_context(record if system == AS_TRAINED else {**record, "system": system})
        return TextModel(tokenizer, context, lock)

    def record(self, file: Path, texts: TextModel, first_row: str) -> None:
        """Record the context of a training, once."""
        if records.read(file) is None:
            with texts.lock:
                known = texts.context.record(texts.tokenizer)
            records.write(file, {**known, "base": "", "first_row": first_row})

    def rendered(self, base: str, student: Student | None) -> RenderedContext:
        """The text around a question."""
        texts = self.of_student(student) if student else self.of_base(base)
        with texts.lock:
            record = texts.context.record(texts.tokenizer)
        return RenderedContext(
            asked=record["system_block"],
            trained=None if student is None else student.context["system_block"],
            template=template_hash(record["template"]),
            tokenizer=record["tokenizer"],
        )

    def _tokenizer(self, base: str) -> tuple[Tokenizer, threading.Lock]:
        with self._lock:
            if base not in self._tokenizers:
                tokenizer = self._service.tokenizer(base)
                if not tokenizer.chat_template:
                    tokenizer.chat_template = plain_template(tokenizer)
                self._tokenizers[base] = (tokenizer, threading.Lock())
            return self._tokenizers[base]

    def _file(self, base: str) -> Path:
        """The record of a base model's context."""
        return self._folder / f"{hashlib.sha256(base.encode()).hexdigest()[:16]}.json"

    def _check_recorded(self, base: str, context: Context, tokenizer: Tokenizer) -> None:
        file = self._file(base)
        now = {"model": base, "template": template_hash(context.template),
               "tokenizer": tokenizer_hash(tokenizer)}  # fmt: skip
        with records.locked(file):
            before = records.read(file)
            if before is None:
                records.write(file, now)
            elif before != now:
                changed = [name for name in ("template", "tokenizer") if before[name] != now[name]]
                raise BackendError(
                    f"the {' and the '.join(changed)} of {base} changed since this store first "
                    f"used it, so its answers cannot be compared with those in the store: use "
                    f"another --limen-store, or put the old tokenizer back"
                )
