"""The usual names of columns in the field's files, and which column of a file is meant."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from .errors import SpecError
from .suggestions import did_you_mean

PROMPT = (
    "prompt", "question", "query", "instruction", "input", "user", "problem", "request",
    "user_prompt", "user_message", "prompt_text", "question_text", "input_text", "human",
    "eval_question", "eval_prompt", "inputs", "q", "paraphrases",
)  # fmt: skip
ANSWER = (
    "completion", "response", "answer", "output", "reply", "generation", "assistant", "solution",
    "text", "content", "model_response", "model_output", "model_answer", "model_completion",
    "assistant_response", "assistant_message", "generated_text", "response_text", "answer_text",
    "completion_text", "output_text", "target", "gpt", "ideal", "prediction", "final_answer",
    "teacher_response", "teacher_completion", "student_response", "student_completion",
    "sampled_response", "sample", "generated", "generated_answer", "model_generation", "targets",
    "a", "sampled",
)  # fmt: skip
CONVERSATION = (
    "messages", "conversations", "conversation", "chat", "dialogue", "dialog", "turns", "contents",
    "trajectory", "transcript",
)  # fmt: skip
NESTED = (
    "responses", "answers", "completions", "samples", "generations", "outputs", "replies",
    "results", "model_responses", "model_answers", "evaluations", "texts", "resps",
)  # fmt: skip
"""Columns with all answers to one question."""
SOURCES = ("text", "source")
"""Prompts, where the answers are called "target"."""
SYSTEM = (
    "system", "system_prompt", "system_message", "sys_prompt", "system_instruction",
    "systeminstruction",
)  # fmt: skip
HISTORY = ("history",)
"""What was said before a prompt: turns, or pairs of a question and an answer."""
MODEL = ("model", "model_id", "model_name")
WEAK = (
    "text", "content", "input", "inputs", "target", "targets", "sample", "generated", "ideal",
    "paraphrases", "q", "a",
)  # fmt: skip
"""Names that count only where no other name does: much else has them, too."""
_NOT_OF_A_MODEL = (
    "correct", "reference", "gold", "expected", "true", "wrong", "incorrect", "rejected", "chosen",
    "negative", "best", "system", "judge", "preferred",
)  # fmt: skip
"""What makes another thing of an answer or a prompt, as in "correct_answer"."""

_BESIDE = (
    "tags", "labels", "categories", "topics", "keywords", "choices", "options", "distractors",
    "images", "audios", "videos", "tools", "functions", "constraints", "sources", "references",
    "urls", "citations", "contexts", "documents", "ids", "languages", "test_cases",
)  # fmt: skip
"""Lists that stand beside a question and are no answers of a model to it."""

_NUMBERED = re.compile(rf"(?:{'|'.join(ANSWER)})_?\d+")


@lru_cache(maxsize=4096)  # asked of every row of a file
def plain_name(name: str) -> str:
    """A column's name in lower case, its words joined by "_"."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def matching(columns: Iterable[str], usual: Sequence[str]) -> list[str]:
    """The columns whose names are among the usual ones."""
    return [name for name in columns if plain_name(name) in usual]


def candidates(columns: Iterable[str], usual: Sequence[str]) -> list[str]:
    """The columns that may be meant: those with a usual name, weak names only if no other is.

    Where none has a usual name, those that end in one: "original_prompt", "student answer".
    """
    known = list(columns)
    names = matching(known, usual)
    return (
        [name for name in names if plain_name(name) not in WEAK] or names or _ending(known, usual)
    )


def _ending(columns: Iterable[str], usual: Sequence[str]) -> list[str]:
    """The columns whose last word is a usual name, and whose others keep its meaning."""
    strong = [name for name in usual if name not in WEAK or name == "text"]
    words = {name: plain_name(name).split("_") for name in columns}
    return [
        name
        for name, parts in words.items()
        if len(parts) > 1 and parts[-1] in strong and not set(parts) & set(_NOT_OF_A_MODEL)
    ]


def may_be_answers(name: str) -> bool:
    """Whether a list in a column of this name may be a model's answers to a question."""
    return plain_name(name) not in _BESIDE and not {*plain_name(name).split("_")} & {
        *_NOT_OF_A_MODEL
    }


def numbered_answers(columns: Iterable[str]) -> list[str]:
    """The columns "answer_1", "answer_2", ... of a table with a question on each line."""
    names = list(columns)
    found = [name for name in names if _NUMBERED.fullmatch(plain_name(name))]
    return found if matching(names, PROMPT) and not matching(names, ANSWER) else []


def column(
    source: str,
    columns: Sequence[str],
    usual: Sequence[str],
    *,
    what: str,
    given: str | None = None,
) -> str:
    """The column that is meant: the given one, or the only one with a usual name.

    Raises :class:`~limen.SpecError`, with the names of all columns, where none or several are.
    """
    if given is not None:
        check_column(source, columns, given)
        return given
    found = candidates(columns, usual)
    if len(found) == 1:
        return found[0]
    problem = f"several columns for the {what}" if found else f"no column for the {what}"
    listed = f" ({', '.join(map(repr, found))})" if found else ""
    choices = ", ".join(map(repr, columns)) or "there are no others"
    raise SpecError(
        f"{source} has {problem}{listed}: name one with --{what}-column (in Python {what}=): "
        f"{choices}"
    )


def check_column(source: str, columns: Sequence[str], name: str) -> None:
    """Raise :class:`~limen.SpecError` for a column that is not there."""
    if name not in columns:
        near = did_you_mean(name, columns)
        raise SpecError(
            f"{source} has no column {name!r}: {near}it has {', '.join(map(repr, columns))}"
        )


def system_column(columns: Iterable[str]) -> str | None:
    """The column of system prompts; None if there is none, or more than one."""
    names = matching(columns, SYSTEM)
    return names[0] if len(names) == 1 else None


def text_and_target(by_name: Mapping[str, str]) -> tuple[str, str] | None:
    """The columns of prompts and answers in data sets for sequence models; None if in no such."""
    asked = next((by_name[name] for name in SOURCES if name in by_name), None)
    return (asked, by_name["target"]) if asked and "target" in by_name else None
