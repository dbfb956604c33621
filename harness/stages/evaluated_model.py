"""A stage's model as an evaluation asks it: watched, and a service's answers kept."""

import hashlib
import json
import os
import threading
from collections import Counter, defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from ...backends import Completion, Request, Usage
from ...backends.activity import Activity
from ...backends.asked_model import Answers, AskedModel
from ...datasets.errors import BackendError, LimenError


class KeptAnswers:
    """A model whose answers are kept in a file: what was paid for is not asked again.

    Equal requests of an evaluation are numbered: each has an answer of its own. A line that a crash
    has cut is asked again.
    """

    def __init__(self, asked: AskedModel, file: Path) -> None:
        self.name, self.fingerprint = asked.name, asked.fingerprint
        self._asked, self._file = asked, file
        self._lock = threading.Lock()
        self._made: Counter[str] = Counter()
        self._kept: Mapping[str, list[Answers]] = _read(file)

    def answers(self, request: Request) -> Answers:
        """See :meth:`.AskedModel.answers`."""
        key = _request_key(request)
        with self._lock:
            number, kept = self._made[key], self._kept.get(key, [])
            self._made[key] += 1
        if number < len(kept):
            return kept[number]
        made = self._asked.answers(request)
        if all(one.text is not None for one in made.completions):
            self._append(key, made)
        return made

    def _append(self, key: str, answers: Answers) -> None:
        line = json.dumps({"request": key, **asdict(answers)}).encode() + b"\n"
        with self._lock:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("ab+") as file:
                file.write(line if _ends_a_line(file) else b"\n" + line)
                file.flush()
                os.fsync(file.fileno())


class WatchedModel:
    """A model that knows when it was asked last, what failed, and what its answers cost."""

    def __init__(self, asked: AskedModel) -> None:
        self.name, self.fingerprint = asked.name, asked.fingerprint
        self.activity = Activity()
        self.usage = Usage()
        self.fault: LimenError | None = None
        """The first error of the backend, as opposed to that of an answer."""
        self._asked = asked
        self._lock = threading.Lock()

    def answers(self, request: Request) -> Answers:
        """See :meth:`.AskedModel.answers`. A request without any answer is an error of its own."""
        with self.activity.going_on():
            try:
                made = self._asked.answers(request)
            except LimenError as fault:
                self.fault = self.fault or fault
                raise
        with self._lock:
            self.usage = sum((one.usage for one in made.completions if one.usage), self.usage)
        if all(one.text is None for one in made.completions):
            raise BackendError(f"no answer: {made.completions[0].error or 'no choices'}")
        return made


def _request_key(request: Request) -> str:
    given = {**asdict(request), "messages": list(request.messages)}
    return hashlib.sha256(json.dumps(given, sort_keys=True).encode()).hexdigest()[:32]


def _ends_a_line(file: IO[bytes]) -> bool:
    """Whether nothing is cut off at the end of a file."""
    if not file.seek(0, os.SEEK_END):
        return True
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"


def _read(file: Path) -> Mapping[str, list[Answers]]:
    kept = defaultdict[str, list[Answers]](list)
    if file.exists():
        for line in file.read_bytes().splitlines():
            with suppress(ValueError, KeyError, TypeError):
                row = json.loads(line)
                kept[row["request"]].append(_answers(row))
    return kept


def _answers(row: Mapping[str, Any]) -> Answers:
    completions = [
        Completion(**{**one, "usage": Usage(**one["usage"]) if one["usage"] else None})
        for one in row["completions"]
    ]
    return Answers(completions=completions, prompt_tokens=row["prompt_tokens"])
