"""What notebooks show of an arm."""

from collections.abc import Mapping, Sequence

from ...datasets.html_display import table_as_html

SHOWN = 5
"""The most frequent answers that are shown."""


def arm_as_html(name: str, models: Sequence[str], answers: Mapping[str, int]) -> str:
    """A table of the arm's models and its most frequent answers."""
    often = sorted(answers.items(), key=lambda pair: (-pair[1], pair[0]))[:SHOWN]
    rows = [(f"model {seed}", model) for seed, model in enumerate(models, start=1)]
    if often:
        rows.append(("most frequent", ", ".join(f"{text!r} {count:,}" for text, count in often)))
    return table_as_html(name, rows)
