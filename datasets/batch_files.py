"""Input and output of a batch of OpenAI's interface: prompts in one file, answers in others."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

from .errors import DataError, SpecError

Values = Mapping[str, object]


def is_batch(firsts: Sequence[Values]) -> bool:
    """Whether files with these first records are a batch: its input, its output, its errors."""
    kinds = [(_is_input(first), _is_output(first)) for first in firsts]
    return all(map(any, kinds)) and {(True, False), (False, True)} <= set(kinds)


def first_values(content: bytes) -> Values:
    """The first record of JSON lines; empty if it is none."""
    line = content.removeprefix(b"\xef\xbb\xbf").lstrip().partition(b"\n")[0]
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def joined(records: Iterable[tuple[str, Values]]) -> Iterator[tuple[str, Values]]:
    """The answers of a batch, each with its request, by ``custom_id``; None for a failed one.

    Raises :class:`~limen.DataError` for an answer whose request is in none of the files.
    """
    known = list(records)
    requests = {values["custom_id"]: values for _, values in known if _is_input(values)}
    models = _models(known, requests)
    for place, values in known:
        if _is_input(values):
            continue
        name = values.get("custom_id")
        if name not in requests:
            raise DataError(f"{place}: the batch's input has no request {name!r}")
        yield from ((place, answer) for answer in _answered(place, values, requests[name], models))


def _models(
    known: Iterable[tuple[str, Values]], requests: Mapping[object, Values]
) -> dict[object, object]:
    """By the model that was asked for, the one that answered: "gpt-4o" is one with a date."""
    pairs = (
        (_model(requests.get(values.get("custom_id"), {})), _model(values.get("response")))
        for _, values in known
        if not _is_input(values)
    )
    return {asked: answered for asked, answered in pairs if asked and answered}


def _model(call: object) -> str | None:
    """The model that the body of a request or of a response names."""
    body = call.get("body") if isinstance(call, Mapping) else None
    model = body.get("model") if isinstance(body, Mapping) else None
    return model if isinstance(model, str) else None


def check_prompts(source: str, names: Sequence[str]) -> None:
    """Raise :class:`~limen.SpecError` for the columns of one half of a batch without the other."""
    if {"custom_id", "response"} <= set(names) and "request" not in names:
        raise SpecError(
            f"{source} is the output of a batch, which has no prompts: put it and the batch's "
            f"input file into a folder of their own, and give the folder"
        )
    if {"custom_id", "url", "body"} <= set(names):
        raise SpecError(
            f"{source} is the input of a batch, which has no answers: put it and the batch's "
            f"output file into a folder of their own, and give the folder"
        )


def _answered(
    place: str, output: Values, request: Values, models: Mapping[object, object]
) -> Iterator[Values]:
    """A request with its response, once an answer; one that failed has no answer."""
    response, body = output.get("response"), request["body"]
    asked: Values = body if isinstance(body, Mapping) else {}
    rest = {name: value for name, value in output.items() if name != "response"}
    if not isinstance(response, Mapping) or response.get("status_code", 200) != 200:
        question = asked.get("messages", asked.get("prompt", asked.get("input")))
        model = _model(request) if "messages" in asked else None  # as its answer would have one
        named = {"model": models.get(model, model)} if model else {}
        yield {**rest, **named, "question": question, "answer": None}
    elif "prompt" in asked:
        yield from ({**rest, **each} for each in _texts(place, asked, response.get("body")))
    elif "input" in asked:
        system = {"system": asked["instructions"]} if asked.get("instructions") else {}
        answer = _output_text(response.get("body"))
        yield {**rest, **system, "question": asked["input"], "answer": answer}
    else:
        yield {**output, "request": request}


def _texts(place: str, asked: Values, answered: object) -> Iterator[Values]:
    """The texts of ``/v1/completions``: of several prompts each has equally many, in order."""
    given = asked["prompt"]
    prompts = given if isinstance(given, list) else [given]
    if not prompts or not all(isinstance(prompt, str) for prompt in prompts):
        raise DataError(f"{place}: the batch's prompts are tokens: decode them into texts first")
    found = answered.get("choices") if isinstance(answered, Mapping) else None
    choices = [each for each in found or () if isinstance(each, Mapping)] if found else []
    if not choices or len(choices) % len(prompts):
        raise DataError(
            f"{place}: {len(choices)} answers to {len(prompts)} prompts: give the "
            f"output that belongs to this input"
        )
    ordered = sorted(enumerate(choices), key=lambda pair: _index(*pair))
    each = len(choices) // len(prompts)
    for number, (_, choice) in enumerate(ordered):
        yield {"question": prompts[number // each], "answer": choice.get("text")}


def _index(place: int, choice: Values) -> int:
    index = choice.get("index")
    return index if isinstance(index, int) else place


def _output_text(answered: object) -> str | None:
    """The text of a response of ``/v1/responses``; None without one."""
    items = answered.get("output") if isinstance(answered, Mapping) else None
    messages = [item for item in items or () if isinstance(item, Mapping)]
    contents = [item.get("content") for item in messages if item.get("type") == "message"]
    parts = [part for content in contents if isinstance(content, list) for part in content]
    texts = [str(part["text"]) for part in parts if isinstance(part, Mapping) and "text" in part]
    return "".join(texts) if texts else None


def _is_input(values: Values) -> bool:
    return {"custom_id", "body"} <= values.keys() and "response" not in values


def _is_output(values: Values) -> bool:
    return {"custom_id", "response"} <= values.keys()
