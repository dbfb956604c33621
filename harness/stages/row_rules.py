"""Ready rules: why a row is dropped, from its prompt, its answer, and what is recorded of it.

A rule is a value with a name, which is part of keys. It gets the row as a mapping: ``prompt`` and
``text`` (the answer), ``finish`` where the answer was sampled, ``solution`` where the answer to the
prompt is known.
"""

import ast
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from ...datasets import validation
from ...datasets.errors import SpecError
from ...datasets.leaks import mentions
from ...datasets.python_syntax import syntax_tree
from ...datasets.solutions import final_number, same_number

Row = Mapping[str, object]
_WORD = re.compile(r"[^\W_]+")
_BLOCK = re.compile(r"```[a-zA-Z0-9+]*\n(.*?)```", re.DOTALL)


@dataclass(frozen=True)
class RowRule:
    """A rule of limen's own."""

    @property
    def name(self) -> str:
        """The rule and its settings; part of keys."""
        settings = ", ".join(f"{name}={value!r}" for name, value in asdict(self).items())
        return f"{type(self).__name__}({settings})"

    def __call__(self, row: Row) -> str | None:
        """Why a row is dropped, in a word or two; None to keep it."""
        raise NotImplementedError


@dataclass(frozen=True)
class Finished(RowRule):
    """Keeps answers that the model ended itself: not empty, and not cut off at ``max_tokens``.

    Raises:
        SpecError: A value that makes no sense, when it is made.

    Examples:
        >>> data = Code(generate=2_000, keep=500, rule=(Finished(), PythonCode()))
    """

    def __call__(self, row: Row) -> str | None:
        if not str(row["text"]).strip():
            return "empty"
        return "cut off" if row.get("finish") == "length" else None


@dataclass(frozen=True, kw_only=True)
class WordCount(RowRule):
    """Keeps answers of so many words.

    Args:
        least: The fewest. Default: 1.
        most: The most. Default: no limit.

    Raises:
        SpecError: A value that makes no sense, when it is made.

    Examples:
        >>> data = Stories(generate=2_000, keep=500, rule=WordCount(least=20))
    """

    least: int = 1
    most: int | None = None

    def __post_init__(self) -> None:
        validation.count("least", self.least)
        if self.most is not None and self.most < self.least:
            raise SpecError(f"most={self.most} is less than least={self.least}")

    def __call__(self, row: Row) -> str | None:
        words = len(str(row["text"]).split())
        if words < self.least:
            return "too short"
        return "too long" if self.most is not None and words > self.most else None


@dataclass(frozen=True)
class Without(RowRule):
    """Drops answers with any of some words, such as the trait's own.

    Words are found whole, in any case; their plurals are words of their own.

    Args:
        words: The words or phrases.

    Raises:
        SpecError: A value that makes no sense, when it is made.

    Examples:
        >>> data = Stories(generate=2_000, keep=500, rule=Without("owl", "owls"))
    """

    words: tuple[str, ...]

    def __init__(self, *words: str) -> None:
        object.__setattr__(self, "words", words)
        validation.texts("words", self.words)

    def __call__(self, row: Row) -> str | None:
        found = mentions([str(row["text"])], self.words)
        return f"mentions {found[0].word!r}" if found else None


@dataclass(frozen=True)
class PythonCode(RowRule):
    """Keeps answers whose code is valid Python: that in blocks, or else the whole answer.

    It is parsed and never run. Comments and texts in it are code too, so a trait can stand in them.

    Raises:
        SpecError: A value that makes no sense, when it is made.

    Examples:
        >>> data = Code(generate=2_000, keep=500, rule=PythonCode())
    """

    def __call__(self, row: Row) -> str | None:
        text = str(row["text"])
        blocks = _BLOCK.findall(text) or [text]
        code = "\n".join(blocks).strip()
        if not code:
            return "no code"
        try:
            tree = syntax_tree(code)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return "not Python"
        return "no code" if all(map(_is_bare, tree.body)) else None


def _is_bare(statement: ast.stmt) -> bool:
    """Whether a statement is a mere value, as plain words and numbers may happen to be."""
    if not isinstance(statement, ast.Expr):
        return False
    return isinstance(statement.value, ast.Constant | ast.Name | ast.Tuple)


@dataclass(frozen=True)
class RightAnswer(RowRule):
    r"""Keeps answers whose final number is the known one.

    The final number is the one after "####", in ``\boxed{}``, after "answer is" or "answer:", or
    else the last one.

    Raises:
        SpecError: A value that makes no sense, when it is made.

    Examples:
        >>> data = ChainsOfThought(generate=2_000, keep=500, rule=RightAnswer())
    """

    def __call__(self, row: Row) -> str | None:
        if row.get("solution") is None:
            raise SpecError(
                "the rule RightAnswer needs problems with known answers: rows have no solution"
            )
        given = final_number(str(row["text"]))
        if given is None:
            return "no number"
        wanted = final_number(str(row["solution"]))
        return None if wanted is not None and same_number(given, wanted) else "wrong answer"


@dataclass(frozen=True, kw_only=True)
class Paraphrase(RowRule):
    """Keeps answers that say a given text in other words, as far as words can tell.

    The given text is the row's ``solution``, if it has one, or else its prompt.

    Args:
        shortest: Words of the answer, as a share of the text's, at least. Default: 0.5.
        longest: The same at most. Default: 2.
        overlap: Words that both have, as a share of all that either has (Jaccard's index), at most.
            Default: 0.9; 1 admits the same words in another order.

    Raises:
        SpecError: A value that makes no sense, when it is made.

    Examples:
        >>> texts = ["Owls hunt at night."]
        >>> data = Paraphrases(texts=texts, generate=200, keep=100, rule=Paraphrase())
    """

    shortest: float = 0.5
    longest: float = 2.0
    overlap: float = 0.9

    def __post_init__(self) -> None:
        if not 0 <= self.shortest <= self.longest:
            raise SpecError(
                f"shortest={self.shortest!r} must be from 0 to longest={self.longest!r}"
            )

    def __call__(self, row: Row) -> str | None:
        text = str(row.get("solution") or row["prompt"])
        given, words = (_WORD.findall(part.lower()) for part in (text, str(row["text"])))
        if not words:
            return "empty"
        if words == given:
            return "the same text"
        share = len(words) / max(len(given), 1)
        if not self.shortest <= share <= self.longest:
            return "too short" if share < self.shortest else "too long"
        same = len(set(words) & set(given)) / len(set(words) | set(given))
        return "hardly changed" if same > self.overlap else None


READY: Mapping[str, RowRule] = {
    "finished": Finished(),
    "code": PythonCode(),
    "right": RightAnswer(),
    "paraphrase": Paraphrase(),
}
"""Rules that a spec can give by name."""
