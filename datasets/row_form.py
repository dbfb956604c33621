"""Where the parts of a row stand in the records of a file."""

from dataclasses import dataclass
from functools import cached_property

from .column_names import CONVERSATION, matching, plain_name


@dataclass(frozen=True)
class RowForm:
    """The columns of a file's rows."""

    prompt: str
    answer: str | None
    """None: the answer is the last turn of the prompt's conversation."""
    context: str | None = None
    """Alpaca's ``input``, which goes below the instruction."""
    system: str | None = None
    history: str | None = None
    """What was said before the prompt, where that is a text."""
    written_out: bool = False
    """Whether conversations are written out as one text."""

    @cached_property
    def used(self) -> frozenset[str]:
        """The columns that a row is made of."""
        return frozenset(
            filter(None, (self.prompt, self.answer, self.context, self.system, self.history))
        )

    @property
    def always_read_system(self) -> bool:
        """Whether every version read the column of system prompts: else its rows have other keys.

        It was read beside conversations and in Alpaca's form, under the name "system" alone.
        """
        if self.system is None or plain_name(self.system) != "system":
            return self.system is None
        chat = self.answer is None and bool(matching([self.prompt], CONVERSATION))
        return chat or self.context is not None

    def __str__(self) -> str:
        """The columns in words."""
        if self.answer is None:
            return f"conversation = {self.prompt!r}"
        context = f" with {self.context!r}" if self.context else ""
        system = f", system = {self.system!r}" if self.system else ""
        history = f", before it {self.history!r}" if self.history else ""
        return f"prompt = {self.prompt!r}{context}, answer = {self.answer!r}{system}{history}"
