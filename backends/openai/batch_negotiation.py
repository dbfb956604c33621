"""Finding the form of request that a batch's server accepts, from the lines that it refused.

A refused line costs nothing, but a batch may take a day. What a refusal names is made simpler at
once. Where it names nothing, parameters are made simpler in a fixed order, by batches of one line.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass

from ..base import Request
from .draw_limit import DrawLimit
from .errors import FORM, Failure, FailureKind, backend_error
from .request_form import PARAMETERS, N, RequestForm, suspects
from .server_profile import ServerProfile


@dataclass(frozen=True)
class RefusedLine:
    """A line of a batch that was refused, and why."""

    part: Request
    failure: Failure


@dataclass(frozen=True)
class _Change:
    """A parameter that was made simpler after a refusal, and what it was before."""

    parameter: str
    signature: tuple[object, ...]
    form: RequestForm
    draws: DrawLimit


class BatchNegotiation:
    """The negotiation of one stage; its batches are gone through in order, also when resumed."""

    def __init__(self, profile: ServerProfile) -> None:
        self._profile = profile
        self._last: _Change | None = None
        self._in_vain: set[str] = set()
        self._errors: set[tuple[object, ...]] = set()
        self.trial = False
        """Whether the next batch should be of one line."""

    def settle(
        self, form: RequestForm, refused: Sequence[RefusedLine], answered: int
    ) -> list[RefusedLine]:
        """Have the next batch sent in another form where that may help.

        ``form`` is the one that the batch was sent in, ``answered`` the number of its lines with
        an answer. Returns the lines that fail in any form. Raises :class:`~limen.BackendError`
        where no line is answered and no form is left to try.
        """
        self.trial = False
        if not refused or form != self._profile.form:
            return []
        line = refused[0]
        if line.failure.kind is not FailureKind.REFUSED and self._first_error(line.failure):
            return []  # it may pass: the same is sent once more
        self._undo(line)
        parameter = self._parameter(line, answered)
        if parameter is not None:
            self._simplify(parameter, line)
            return []
        if answered:
            return [r for r in refused if r.failure.kind in FORM]
        raise backend_error(line.failure.message, "a batch was refused in every form")

    def _first_error(self, failure: Failure) -> bool:
        known = failure.signature in self._errors
        self._errors.add(failure.signature)
        return not known

    def _undo(self, line: RefusedLine) -> None:
        """Take back a change that did not change the refusal, once nothing simpler is left."""
        last = self._last
        if last is None or last.signature != line.failure.signature:
            return
        if last.parameter not in self._profile.form.used_by(line.part):
            self._profile.form, self._profile.draws = last.form, last.draws
            self._in_vain.add(last.parameter)
            self._last = None

    def _parameter(self, line: RefusedLine, answered: int) -> str | None:
        """The parameter to make simpler; one that answered lines had as well is none."""
        profile = self._profile
        fixed = {*profile.fixed, *([N] if profile.fixed_draws else []), *self._in_vain}
        open_ones = [p for p in profile.unproven(line.part, profile.form) if p not in fixed]
        named = [p for p in suspects(line.failure, line.part, profile.form) if p in open_ones]
        if named or answered:
            return next(iter(named), None)
        self.trial = True
        return next((p for p in PARAMETERS if p in open_ones), None)

    def _simplify(self, parameter: str, line: RefusedLine) -> None:
        profile, signature = self._profile, line.failure.signature
        if self._last is None or self._last.parameter != parameter:
            before = copy.copy(profile.draws)
            self._last = _Change(parameter, signature, profile.form, before)
        if parameter == N:
            profile.draws.rejected(line.part.draws, line.failure.message)
        elif simpler := profile.form.simpler(parameter):
            profile.adopt(simpler)
