"""The tables of a report as LaTeX, for papers; they need the package ``booktabs``."""

from collections.abc import Iterator, Sequence

from . import wording
from .model import Result

Row = dict[str, str]


def latex_tables(results: Sequence[Result]) -> Iterator[tuple[str, str]]:
    """The name of each table that has rows, and its LaTeX; numbers are rounded as in the report."""
    from tabulate import tabulate

    for name, rows in (("effects", list(_effects(results))), ("arms", list(_arms(results)))):
        if rows:
            yield name, tabulate(rows, headers="keys", tablefmt="latex_booktabs",
                                 disable_numparse=True) + "\n"  # fmt: skip


def _effects(results: Sequence[Result]) -> Iterator[Row]:
    for result in results:
        for reading in result.readings:
            for effect in reading.effects:
                yield {
                    "experiment": result.title,
                    "reading": reading.name,
                    "effect": effect.name,
                    "difference": wording.difference(reading, effect),
                    "95% interval": wording.interval(reading, effect),
                    "p": wording.p_value(effect.p_value),
                    "test": effect.test,
                    "n": wording.counted(effect),
                    "claim": effect.claim,
                }


def _arms(results: Sequence[Result]) -> Iterator[Row]:
    for result in results:
        for reading in result.readings:
            for arm in reading.arms:
                yield {
                    "experiment": result.title,
                    "reading": reading.name,
                    "arm": arm.name,
                    "mean": reading.show(arm.value),
                    "95% interval": wording.arm_interval(reading, arm),
                    "models": str(len(arm.by_seed)),
                }
