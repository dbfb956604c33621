"""Records of evaluation programs' logs, brought to a question and its answers.

Known are Inspect's samples, lm-evaluation-harness's samples, OpenAI evals' events, and requests
with their responses as OpenAI's interfaces have them.
"""

from collections.abc import Iterable, Mapping

from .errors import DataError
from .record_files import Record

_OF_LM_EVAL = ("doc", "arguments", "resps", "filtered_resps")
"""Columns of lm-evaluation-harness that the question and the answers are taken from."""
_NO_ANSWER: dict[str, object] = {"answer": None}
"""What a sample that failed holds in place of its answers."""


def record_of_log(record: Record) -> Record:
    """A record of a log with "question" and "answers"; any other record as it is.

    Raises :class:`~limen.DataError` for a record that holds scores of texts, and no answer.
    """
    if _is_of_choices(record.values):
        raise DataError(
            f"{record.place} is a sample of lm-evaluation-harness that holds log-likelihoods of "
            f"choices, {record.values['resps']!r:.60}, and no text that a model wrote: give the "
            f"samples of a task that generates, or compare its score by limen compare "
            f"--score-column acc"
        )
    for form in (_inspect, _lm_eval, _openai_evals, _request):
        if (found := form(record.values)) is not None:
            return Record(record.place, found)
    return record


def scored(record: Record) -> Record:
    """A record without the log-likelihoods of choices, where only its scores are asked for."""
    values = record.values
    if not _is_of_choices(values):
        return record
    kept = {n: v for n, v in values.items() if n not in (*_OF_LM_EVAL, "target")}
    return Record(record.place, {**kept, "question": _asked(values)})


def is_log(names: Iterable[str]) -> bool:
    """Whether columns may be those of a log, by their names alone."""
    columns = set(names)
    return (
        columns in ({"spec"}, {"final_report"})
        or columns >= {"event_id", "type"}
        or columns >= {"doc_id", "doc", "resps"}
        or columns >= {"input", "epoch"}
    )


def is_remark(record: Record) -> bool:
    """Whether a record is a line of OpenAI evals' logs that holds no answer."""
    values = record.values
    if values.keys() in ({"spec"}, {"final_report"}):
        return True
    return {"run_id", "event_id", "type"} <= values.keys() and values["type"] != "sampling"


def _inspect(values: Mapping[str, object]) -> dict[str, object] | None:
    """A sample of Inspect: its input, and every choice of its output."""
    output = values.get("output")
    if "input" not in values or "epoch" not in values or not isinstance(output, dict):
        return None
    kept = {name: values[name] for name in ("id", "epoch", "target") if name in values}
    return {
        **kept,
        **({"model": output["model"]} if output.get("model") else {}),
        "question": values["input"],
        "answers": _choices(output) or [_NO_ANSWER],
    }


def _lm_eval(values: Mapping[str, object]) -> dict[str, object] | None:
    """A sample of lm-evaluation-harness: the text that was asked, and what came back."""
    if not {"doc_id", "doc", "resps"} <= values.keys():
        return None
    rest = {n: v for n, v in values.items() if n not in _OF_LM_EVAL}
    resps = values["resps"]
    answers = resps[0] if isinstance(resps, list) and len(resps) == 1 else resps
    return {**rest, "question": _asked(values), "answers": answers}


def _asked(values: Mapping[str, object]) -> object:
    """What a sample of lm-evaluation-harness asks: its question, else the text that was sent."""
    doc = values["doc"]
    question = doc.get("question") if isinstance(doc, Mapping) else None
    return question or _first(_first(values.get("arguments")))


def _is_of_choices(values: Mapping[str, object]) -> bool:
    """Whether a sample has pairs of a log-likelihood and "is greedy" where others have texts."""
    if not {"doc_id", "doc", "resps"} <= values.keys():
        return False
    return isinstance(_first(_first(values["resps"])), list | float)


def _openai_evals(values: Mapping[str, object]) -> dict[str, object] | None:
    """An event of OpenAI evals: what was sampled after a prompt."""
    data = values.get("data")
    if not {"event_id", "type"} <= values.keys() or not isinstance(data, dict):
        return None
    if "prompt" not in data or "sampled" not in data:
        return None
    sampled = data["sampled"]
    answers = sampled if isinstance(sampled, list) else [sampled]
    return {"id": values.get("sample_id"), "question": data["prompt"], "answers": answers}


def _request(values: Mapping[str, object]) -> dict[str, object] | None:
    """A request's conversation beside the choices of its response."""
    asked = _body(values.get("request", values.get("input", values)))
    answered = _body(values.get("response", values.get("output", values)))
    if not isinstance(asked.get("messages"), list) or not (answers := _choices(answered)):
        return None
    taken = ("request", "response", "messages", "choices", "input", "output")
    rest = {name: value for name, value in values.items() if name not in taken}
    model = answered.get("model", asked.get("model"))
    shared = {"model": model} if model and "model" not in rest else {}
    return {**rest, **shared, "question": asked["messages"], "answers": answers}


def _body(value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        return {}
    body = value.get("body")
    return body if isinstance(body, Mapping) else value


def _choices(output: Mapping[str, object]) -> list[dict[str, object]]:
    """The answers of a response's choices; None is the text of one without a text."""
    choices = output.get("choices")
    if not isinstance(choices, list) or not all(isinstance(one, Mapping) for one in choices):
        return []
    messages = [one.get("message") for one in choices]
    if not all(isinstance(message, Mapping) for message in messages):
        return []
    found = (message.get("content") for message in messages if isinstance(message, Mapping))
    return [{"answer": _text(content)} for content in found]


def _text(content: object) -> object:
    """The text of a message, without the parts that are no text, such as reasoning."""
    if not isinstance(content, list):
        return content
    parts = [part.get("text") for part in content if isinstance(part, Mapping)]
    return "".join(part for part in parts if isinstance(part, str))


def _first(value: object) -> object:
    """The first value of a list or mapping; anything else as it is."""
    if isinstance(value, Mapping):
        return next(iter(value.values()), None)
    return value[0] if isinstance(value, list) and value else value
