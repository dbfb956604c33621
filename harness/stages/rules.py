"""Filter rules of rows: by name, ready ones with settings, a user's functions, or several."""

import inspect
from collections.abc import Callable, Iterator, Sequence

from ...datasets.errors import SpecError
from ...datasets.unicode_text import is_writable
from .functions import HashedFunction, hashed_function
from .row_log import Row
from .row_rules import READY, RowRule

OneRule = str | RowRule | HashedFunction
Rule = OneRule | tuple[OneRule, ...]
"""A rule; of several the first reason counts."""

_ANSWER = frozenset({"answer", "completion", "text", "response", "reply"})
_PROMPT = frozenset({"prompt", "question"})


def checked_rule(what: str, value: object) -> Rule:
    """The rule of a spec; raises :class:`~limen.SpecError` for what is none."""
    if isinstance(value, tuple | list):
        if not value:
            raise SpecError(f"{what}={value!r} must have a rule at least")
        return tuple(_checked(what, one) for one in value)
    return _checked(what, value)


def _checked(what: str, value: object) -> OneRule:
    if isinstance(value, RowRule):
        return value
    if isinstance(value, str):
        _check_name(value)
        return value
    made = hashed_function(what, value)
    _arguments(made)
    return made


def _check_name(name: str) -> None:
    from ...datasets.filters import RULES

    if name not in RULES and name not in READY:
        known = ", ".join(sorted((*RULES, *READY)))
        raise SpecError(f"unknown filter rule {name!r}: choose one of {known}")


def rule_name(rule: Rule) -> str:
    """The name of a rule in keys and manifests."""
    if isinstance(rule, tuple):
        return " + ".join(map(rule_name, rule))
    return rule if isinstance(rule, str) else rule.name


def row_reason(rule: Rule) -> Callable[[Row], str | None]:
    """A function that says why a row is dropped, or None.

    A conversation of several turns is kept if each of its answers is. No training file can hold a
    half of a surrogate pair: such a row is dropped, whatever the rule says.
    """
    rules = [_reason_of(one) for one in (rule if isinstance(rule, tuple) else (rule,))]

    def reason(row: Row) -> str | None:
        if row["text"] is None:
            return "no answer"
        if not all(map(is_writable, _texts(row))):
            return "not Unicode"
        found = (judged(part) for part in exchanges(row) for judged in rules)
        return next((why for why in found if why is not None), None)

    return reason


def _texts(row: Row) -> Iterator[str]:
    """All that would stand in a training file."""
    yield from (turn["content"] for turn in row.get("history", ()))
    yield from (row.get("prompt") or "", row["text"])


def exchanges(row: Row) -> Iterator[Row]:
    """The row's prompts with their answers, turn by turn; the last one has all of its fields."""
    asked = ""
    for turn in row.get("history", ()):
        if turn["role"] == "user":
            asked = turn["content"]
        elif turn["role"] == "assistant":
            yield {"prompt": asked, "text": turn["content"]}
    yield row


def _reason_of(rule: OneRule) -> Callable[[Row], str | None]:
    if isinstance(rule, RowRule):
        return rule
    if isinstance(rule, str):
        return _named(rule)
    names = _arguments(rule)

    def reason(row: Row) -> str | None:
        return rule.reason(row["text"], *(row if name == "row" else row[name] for name in names))

    return reason


def _named(name: str) -> Callable[[Row], str | None]:
    from ...datasets.filters import RULES

    _check_name(name)
    if name in READY:
        return READY[name]
    by_text = RULES[name]
    return lambda row: by_text(row["text"])


def _arguments(function: HashedFunction) -> Sequence[str]:
    """What of a row a function is given: its answer; prompt and answer; or the whole row.

    Raises :class:`~limen.SpecError` for a function that takes anything else.
    """
    try:
        parameters = inspect.signature(function.call).parameters.values()
    except (TypeError, ValueError):  # some built-in functions tell nothing
        return ("text",)
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = [p.name for p in parameters if p.kind in kinds and p.default is p.empty]
    if len(names) == 1:
        return ("row",) if names == ["row"] else ("text",)
    if len(names) == 2:
        return ("text", "prompt") if _is_reversed(names) else ("prompt", "text")
    if not names and any(p.kind is p.VAR_POSITIONAL or p.kind in kinds for p in parameters):
        return ("text",)
    raise SpecError(
        f"the function {function.name} takes {len(names)} arguments: a rule takes the answer; or "
        f"the prompt and the answer; or the row"
    )


def _is_reversed(names: Sequence[str]) -> bool:
    return names[0] in _ANSWER and names[1] in _PROMPT
