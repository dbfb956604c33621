"""Input and output of a batch of OpenAI's interface: prompts in one file, answers in the other."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from .errors import DataError, SpecError

Values = Mapping[str, object]


def is_batch(files: Sequence[Path]) -> bool:
    """Whether two files are the input and the output of a batch."""
    if len(files) != 2 or any(file.suffix != ".jsonl" for file in files):
        return False
    first = [_first(file) for file in files]
    return sorted(map(_is_input, first)) == [False, True] and any(map(_is_output, first))


def joined(records: Iterable[tuple[str, Values]]) -> Iterator[tuple[str, Values]]:
    """The answers of a batch, each with its request, by ``custom_id``; None for a failed one.

    Raises :class:`~limen.DataError` for an answer whose request is in neither file.
    """
    known = list(records)
    requests = {values["custom_id"]: values for _, values in known if _is_input(values)}
    for place, values in known:
        if _is_input(values):
            continue
        name = values.get("custom_id")
        if name not in requests:
            raise DataError(f"{place}: the batch's input has no request {name!r}")
        yield place, _answered(values, requests[name])


def check_prompts(source: str, names: Sequence[str]) -> None:
    """Raise :class:`~limen.SpecError` for the columns of a batch's output without its input."""
    if {"custom_id", "response"} <= set(names) and "request" not in names:
        raise SpecError(
            f"{source} is the output of a batch, which has no prompts: put it and the batch's "
            f"input file into a folder of their own, and give the folder"
        )


def _answered(output: Values, request: Values) -> Values:
    """A request with its response; one that failed has no answer."""
    response, body = output.get("response"), request["body"]
    if isinstance(response, Mapping) and response.get("status_code", 200) == 200:
        return {**output, "request": request}
    asked = body.get("messages", body.get("prompt")) if isinstance(body, Mapping) else None
    rest = {name: value for name, value in output.items() if name != "response"}
    return {**rest, "question": asked, "answer": None}


def _first(file: Path) -> Values:
    """The first record of a file; nothing if it is none."""
    with file.open(encoding="utf-8-sig", errors="replace") as lines:
        try:
            value = json.loads(next(lines, ""))
        except ValueError:
            return {}
    return value if isinstance(value, dict) else {}


def _is_input(values: Values) -> bool:
    return {"custom_id", "body"} <= values.keys() and "response" not in values


def _is_output(values: Values) -> bool:
    return {"custom_id", "response"} <= values.keys()
