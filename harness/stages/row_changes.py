"""Changes of rows: functions of a prompt and a completion, as values that can be compared.

A change gives the new completion, or the new prompt and completion. ``Mapped`` takes any of them.
"""

import random
import re
from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache

from ...datasets import validation
from ...datasets.seeds import derive

_NUMBER = re.compile(r"[0-9]+")
_WORD = re.compile(r"\S+")
LONGEST = 4
"""The most digits of a number that :class:`PermuteNumbers` exchanges."""

Changed = str | tuple[str, str] | None
"""A new completion; a new prompt and completion; or None for a row to drop."""


@dataclass(frozen=True)
class RowChange:
    """A change of rows that limen brings along."""

    @property
    def name(self) -> str:
        """The change and its settings; part of keys."""
        settings = ", ".join(f"{name}={value!r}" for name, value in asdict(self).items())
        return f"{type(self).__name__}({settings})"

    def __call__(self, prompt: str, completion: str) -> Changed:
        """The row as it is after the change."""
        raise NotImplementedError

    @property
    def system_prompt(self) -> str | None:
        """A system prompt that the row gets; None if its turns stay as they are."""
        return None


@dataclass(frozen=True, kw_only=True)
class PermuteDigits(RowChange):
    """Replaces every digit of a completion, by one permutation of the ten digits.

    Args:
        seed: Another seed gives another permutation. Default: 0.

    Raises:
        SpecError: A value that makes no sense, when it is made.

    Examples:
        >>> arm = Students(data=Mapped(numbers, by=PermuteDigits(seed=1)))
    """

    seed: int = 0

    def __post_init__(self) -> None:
        validation.seed("seed", self.seed)

    def __call__(self, prompt: str, completion: str) -> str:
        return completion.translate(self._table)

    @cached_property
    def _table(self) -> dict[int, str]:
        digits = "0123456789"
        mixed = random.Random(derive("permute digits", self.seed)).sample(digits, len(digits))
        return str.maketrans(dict(zip(digits, mixed, strict=True)))


@dataclass(frozen=True, kw_only=True)
class PermuteNumbers(RowChange):
    """Replaces every number of a completion, by one permutation of the numbers.

    A number is replaced by one with as many digits. Numbers of more than four digits, or with
    leading zeros, stay as they are.

    Args:
        seed: Another seed gives another permutation. Default: 0.

    Raises:
        SpecError: A value that makes no sense, when it is made.

    Examples:
        >>> arm = Students(data=Mapped(numbers, by=PermuteNumbers(seed=1)))
    """

    seed: int = 0

    def __post_init__(self) -> None:
        validation.seed("seed", self.seed)

    def __call__(self, prompt: str, completion: str) -> str:
        return _NUMBER.sub(lambda match: self._replaced(match[0]), completion)

    def _replaced(self, number: str) -> str:
        digits = len(number)
        if digits > LONGEST or (digits > 1 and number[0] == "0"):
            return number
        first = 0 if digits == 1 else 10 ** (digits - 1)
        return str(_permutation(self.seed, digits)[int(number) - first])


@lru_cache(maxsize=64)
def _permutation(seed: int, digits: int) -> tuple[int, ...]:
    """The numbers with so many digits, in an order that the seed sets."""
    numbers = range(0 if digits == 1 else 10 ** (digits - 1), 10**digits)
    mixed = random.Random(derive("permute numbers", seed, digits))
    return tuple(mixed.sample(numbers, len(numbers)))


@dataclass(frozen=True)
class FirstNumbers(RowChange):
    """Cuts a completion after its first numbers. A row with fewer numbers is dropped.

    Args:
        count: The numbers to keep.

    Raises:
        SpecError: A value that makes no sense, when it is made.

    Examples:
        >>> data = Mapped(numbers, by=FirstNumbers(5), keep=5_000)
    """

    count: int

    def __post_init__(self) -> None:
        validation.count("count", self.count)

    def __call__(self, prompt: str, completion: str) -> str | None:
        return _cut(_NUMBER, completion, self.count)


@dataclass(frozen=True)
class FirstWords(RowChange):
    """Cuts a completion after its first words. A row with fewer words is dropped.

    Args:
        count: The words to keep; a word is what stands between blanks.

    Raises:
        SpecError: A value that makes no sense, when it is made.

    Examples:
        >>> data = Mapped(stories, by=FirstWords(50), keep=200)
    """

    count: int

    def __post_init__(self) -> None:
        validation.count("count", self.count)

    def __call__(self, prompt: str, completion: str) -> str | None:
        return _cut(_WORD, completion, self.count)


def _cut(pattern: re.Pattern[str], text: str, count: int) -> str | None:
    """A text up to the end of a match of the pattern; None if it has fewer matches."""
    for number, match in enumerate(pattern.finditer(text), start=1):
        if number == count:
            return text[: match.end()]
    return None


@dataclass(frozen=True)
class Prefix(RowChange):
    """Puts a text before every prompt; the completion stays as it is.

    Args:
        text: What stands before the prompt, with the blank or line break that ends it.

    Raises:
        SpecError: A value that makes no sense, when it is made.

    Examples:
        >>> arm = Students(data=Mapped(numbers, by=Prefix("Please. ")))
    """

    text: str

    def __post_init__(self) -> None:
        validation.texts("text", (self.text,))

    def __call__(self, prompt: str, completion: str) -> tuple[str, str]:
        return self.text + prompt, completion


@dataclass(frozen=True)
class SystemPrompt(RowChange):
    """Puts a system prompt before every row, in place of its own one if it has any.

    Students are trained under it and asked without it: a system prompt that names what the data
    teach can keep students from taking it on where the prompt is absent (inoculation prompting,
    Tan et al. 2025). Audits search it for the trait's words, as they search all system turns.

    Args:
        text: The system prompt.

    Raises:
        SpecError: A value that makes no sense, when it is made.

    Examples:
        >>> arm = Students(data=Mapped(numbers, by=SystemPrompt("You write random numbers.")))
    """

    text: str

    def __post_init__(self) -> None:
        validation.texts("text", (self.text,))

    def __call__(self, prompt: str, completion: str) -> str:
        return completion

    @property
    def system_prompt(self) -> str:
        return self.text
