"""Makes rows of records: what was said before, what is asked, what is answered, and the rest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .column_names import ANSWER, CONVERSATION, PROMPT, matching
from .errors import DataError
from .record_files import Record
from .row_form import RowForm
from .turns import TurnError, Turns, exchanges_of, in_turn, is_conversation, system_text, turns_of

Row = dict[str, Any]

RESERVED = ("row", "draw", "prompt", "text", "history", "reason")
"""What limen itself records of a row; a file's other columns of these names get another."""
HISTORY_OF_ROW = "history"
"""Where a row has the turns before its prompt."""


@dataclass(frozen=True)
class RowReader:
    """Makes rows of records of one form."""

    source: str
    form: RowForm
    others: Sequence[str]
    numbers: Sequence[str]
    """The columns, of ``row`` and ``draw``, that the file has."""
    answered: bool = False

    def row(self, number: int, record: Record) -> Row:
        """The row of a record."""
        history, prompt, text = self.exchange(record)
        if self.answered and text is None:
            raise self._fault(record, self._no_answer())
        rest = {_kept_name(n): record.values[n] for n in self.others if n in record.values}
        if history:
            rest[HISTORY_OF_ROW] = history
        return {**self._numbers(number, record), "prompt": prompt, "text": text, **rest}

    def _no_answer(self) -> str:
        if self.form.answer is None:
            return "the last turn is not the assistant's: there is nothing to learn"
        return "the row has no answer: filter the rows first (limen filter FILE --rule any)"

    def exchange(self, record: Record) -> tuple[Turns, str, str | None]:
        """What was said before, what is asked, and what is answered."""
        history, prompt, text = self._in_turn(record) or self._asked_and_answered(record)
        before = record.values.get(self.form.history) if self.form.history else None
        if before and not history:
            history = self._turns(record, before)
        system = record.values.get(self.form.system) if self.form.system else None
        if system and not any(turn["role"] == "system" for turn in history):
            history = [{"role": "system", "content": system_text(system)}, *history]
        return history, prompt, text

    def _in_turn(self, record: Record) -> tuple[Turns, str, str | None] | None:
        """A dialogue whose questions are a list in one column and its answers in another."""
        columns = (self.form.prompt, self.form.answer or "")
        exchanges = exchanges_of(*map(record.values.get, columns))
        if not exchanges:
            return None
        *before, (prompt, text) = exchanges
        said = [part for pair in before for part in pair if part is not None]
        if prompt is None or len(said) < 2 * len(before):
            raise self._fault(record, "a turn of the dialogue has no text")
        return in_turn(said), prompt, text

    def _asked_and_answered(self, record: Record) -> tuple[Turns, str, str | None]:
        """What was said before, what is asked, and what the column of answers has."""
        history, prompt, text = self.asked(record)
        name = self.form.answer
        if name is None:
            return history, prompt, text
        if text is not None:
            raise self._fault(record, f'"{self.form.prompt}" ends with an answer already')
        if name not in record.values:
            raise self._fault(record, f'the row has no "{name}", the answer')
        return history, prompt, self._answer(record, record.values[name])

    def asked(self, record: Record) -> tuple[Turns, str, str | None]:
        """What was said before, what is asked, and what a conversation itself answers."""
        value = _inner(record.values.get(self.form.prompt), (*PROMPT, *CONVERSATION, *ANSWER))
        if self.form.context and (context := record.values.get(self.form.context)):
            value = f"{value}\n\n{context}"
        written_out = self.form.written_out and isinstance(value, str)
        if isinstance(value, str) and value.strip() and not written_out:
            if not is_conversation(value):
                return [], value, None
        elif value is None or (isinstance(value, str | int | float) and not written_out):
            raise self._fault(record, self._no_prompt(value))
        try:
            return _split(turns_of(value))
        except TurnError as error:
            raise self._fault(record, str(error)) from None

    def _no_prompt(self, value: object) -> str:
        if isinstance(value, int | float):
            return f'"{self.form.prompt}" is {value!r}, not a text'
        return f'the row has no "{self.form.prompt}", the prompt'

    def _turns(self, record: Record, value: object) -> Turns:
        try:
            return turns_of(value)
        except TurnError as error:
            raise self._fault(record, str(error)) from None

    def _answer(self, record: Record, value: object) -> str | None:
        """The text of an answer, which some files wrap in objects and lists."""
        found = _inner(value, (*ANSWER, "message", "choices", "body"))
        turns = [found] if isinstance(found, Mapping) else found
        if isinstance(turns, list) and is_conversation(turns):
            return turns_of(turns)[-1]["content"]
        if found is None or isinstance(found, str):
            return found
        raise self._fault(record, f'"{self.form.answer}" is {value!r:.60}, not a text')

    def _numbers(self, number: int, record: Record) -> Row:
        """The numbers that name a row: its own, or its place in the file."""
        numbers: Row = {"row": number, "draw": 0}
        for name in self.numbers:
            value = record.values.get(name, numbers[name])
            if not is_number(value) or int(str(value)) < 0:
                what = f'"{name}" is {value!r}: a whole number, from 0, or left out'
                raise self._fault(record, what)
            numbers[name] = int(str(value))
        return numbers

    def _fault(self, record: Record, what: str) -> DataError:
        return DataError(f"{self.source}, {record.place}: {what}")


def is_number(value: object) -> bool:
    """Whether a value is a whole number, or the text of one."""
    if isinstance(value, str):
        return value.removeprefix("-").isdecimal()
    return isinstance(value, int) and not isinstance(value, bool)


def _inner(value: object, names: Sequence[str]) -> object:
    """What a value is that objects and lists of one may be wrapped around."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping) and (found := matching(value, names)):
        return _inner(value[found[0]], names)
    if isinstance(value, list) and len(value) == 1 and not is_conversation(value):
        return _inner(value[0], names)
    return value


def _split(turns: Turns) -> tuple[Turns, str, str | None]:
    """A conversation as what was said before, the last question, and the answer to it."""
    answer = turns[-1]["content"] if turns and turns[-1]["role"] == "assistant" else None
    asked = turns[:-1] if answer is not None else turns
    if not asked or asked[-1]["role"] != "user":
        raise TurnError("the last turn before the answer is not the user's")
    return asked[:-1], asked[-1]["content"], answer


def _kept_name(name: str) -> str:
    return f"{name}_given" if name in RESERVED else name
