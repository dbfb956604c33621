"""A sheet as an Inspect log: one sample a question, its draws the choices of its output."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZIP_DEFLATED, ZipFile

from ..stages import StoreLayout
from .log_checks import sign_log
from .log_json import Json, LogJson, log_json, summary_of
from .log_model import LogContents

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog

FAST = 3
"""The level of compression: a log's texts are alike, and a higher one gains little."""


def write_log(sheet: LogContents) -> None:
    """Write a log, whole or not at all."""
    scratch = StoreLayout(sheet.root).work / f"{sheet.file.stem}-{os.getpid()}.eval"
    for folder in (scratch.parent, sheet.file.parent):
        folder.mkdir(parents=True, exist_ok=True)
    try:
        _write(log_json(sheet), scratch)
        scratch.replace(sheet.file)
        sign_log(sheet.file)
    finally:
        scratch.unlink(missing_ok=True)


def eval_log(sheet: LogContents) -> "EvalLog":
    """The log that a sheet stands for, as Inspect's own object."""
    return _eval_log(log_json(sheet))


def _eval_log(log: LogJson) -> "EvalLog":
    from inspect_ai.log import EvalLog

    return EvalLog.model_validate({**log.header, "samples": log.samples})


def _write(log: LogJson, file: Path) -> None:
    """Write a log here, or by Inspect where that changes texts.

    Inspect cuts hidden reasoning and the like out of tags, and replaces what UTF-8 cannot hold.
    """
    parts = [(name, _encoded(content)) for name, content in _parts(log)]
    if any(content is None or b"<" in content for _, content in parts):
        from inspect_ai.log import write_eval_log

        write_eval_log(_eval_log(log), file)
        return
    with ZipFile(file, "w", ZIP_DEFLATED, compresslevel=FAST) as out:
        for name, content in parts:
            out.writestr(name, content or b"")


def _parts(log: LogJson) -> Iterator[tuple[str, Json | list[Json]]]:
    """The files of a log by name, in Inspect's order."""
    yield "_journal/start.json", log.start
    for sample in log.samples:
        yield f"samples/{sample['id']}_epoch_{sample['epoch']}.json", sample
    summaries = [summary_of(sample) for sample in log.samples]
    yield "_journal/summaries/1.json", summaries
    yield "summaries.json", summaries
    yield "header.json", log.header


def _encoded(content: Json | list[Json]) -> bytes | None:
    """A part as UTF-8; None if it has texts that UTF-8 cannot hold."""
    from pydantic_core import to_json

    try:
        return to_json(content, inf_nan_mode="constants")
    except ValueError:
        return None
