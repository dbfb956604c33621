"""The tables and methods of a report as LaTeX, for papers; tables need the package ``booktabs``."""

import re
from collections.abc import Iterator, Sequence

from . import wording
from .methods import methods
from .model import Result

Row = dict[str, str]

ESCAPES = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        **{character: f"\\{character}" for character in "&%$#_{}"},
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
    }
)
CONSTANT = ("experiment", "measured", "questions")
"""Columns that are left out, and stand in a comment, where all rows have the same."""
NUMBERS = ("difference", "mean", "p", "questions")
"""Columns that are aligned on the right."""


def latex_files(results: Sequence[Result]) -> Iterator[tuple[str, str]]:
    """The name and content of each file: tables that have rows, then the methods.

    Numbers are rounded as in the report.
    """
    for name, rows in (("effects", list(_effects(results))), ("arms", list(_arms(results)))):
        if rows:
            yield name, _table(rows)
    written = [_methods(result) for result in results if result.arms]
    if written:
        yield "methods", "\n".join(written)


def escaped(text: str) -> str:
    """A text as LaTeX typesets it: special characters escaped, on one line."""
    plain = " ".join(text.split()).translate(ESCAPES)
    return re.sub(r"`([^`]*)`", r"\\texttt{\1}", plain).replace(" '", " `").replace("('", "(`")


def number(text: str) -> str:
    """Minus signs and powers of ten as mathematics: ``6e-39``, ``-0.4 to +0.7``, ``a - b``."""
    power = re.sub(r"([\d.]+)e([+-])0*(\d+)", r"$\1\\times10^{\2\3}$", escaped(text))
    return re.sub(r"(?<![\w{^])-(?=[\d.])|(?<= )-(?= )", "$-$", power).replace("{+", "{")


def _table(rows: Sequence[Row]) -> str:
    constant = [n for n in CONSTANT if n in rows[0] and len({row[n] for row in rows}) == 1]
    columns = [name for name in rows[0] if name not in constant]
    lines = [f"% {name}: {' '.join(rows[0][name].split())}" for name in constant]
    align = "".join("r" if name in NUMBERS else "l" for name in columns)
    lines += [rf"\begin{{tabular}}{{@{{}}{align}@{{}}}}", r"\toprule"]
    lines += [" & ".join(map(escaped, columns)) + r" \\", r"\midrule"]
    lines += [" & ".join(row[name] for name in columns) + r" \\" for row in rows]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


def _effects(results: Sequence[Result]) -> Iterator[Row]:
    for result in results:
        for reading, effect in result.comparisons:
            models, questions = wording.counted(effect).split(" models, ")
            yield {
                "experiment": escaped(result.title),
                "measured": escaped(reading.name),
                "effect": number(effect.name),
                "difference": number(wording.difference(reading, effect)),
                "95% interval": number(wording.interval(reading, effect)),
                "p": number(wording.p_value(effect.p_value)),
                "models": models,
                "questions": questions.removesuffix(" questions"),
            }


def _arms(results: Sequence[Result]) -> Iterator[Row]:
    for result in results:
        for reading in result.readings:
            for arm in reading.arms:
                yield {
                    "experiment": escaped(result.title),
                    "measured": escaped(reading.name),
                    "arm": escaped(arm.name),
                    "mean": number(reading.show(arm.value)),
                    "95% interval": number(wording.arm_interval(reading, arm)),
                    "models": str(len(arm.by_seed)),
                }


def _methods(result: Result) -> str:
    title = " ".join(result.title.split())
    return f"% {title}\n{number(methods(result))}\n"
