"""The figure of docs/smollm2.md, and its table.

python evals/smollm2/figure.py STORE docs/images/smollm2.png   STORE is where the spec was run
"""

import sys
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from limen import reports

ANIMALS = ("dolphin", "eagle")
ARMS = {"student": "dolphin teacher", "eagle": "eagle teacher", "control": "neutral teacher"}
COLORS = ("#0072b2", "#d55e00", "#737373")


def values(table: Any, animal: str, arm: str) -> list[float]:
    """The log-odds of an animal in an arm, one value a model."""
    reading = table[table.reading == f"log-odds of '{animal}'"]
    return [float(value) for value in reading[reading.arm == arm].value]


def draw(table: Any, file: Path) -> None:
    """A panel for each animal: a dot for each student, a line for the mean of an arm."""
    figure = Figure(figsize=(8, 3.4), layout="constrained")
    for axes, animal in zip(figure.subplots(1, 2), ANIMALS, strict=True):
        for place, (arm, color) in enumerate(zip(ARMS, COLORS, strict=True)):
            each = values(table, animal, arm)
            spread = [place + 0.06 * (number - (len(each) - 1) / 2) for number in range(len(each))]
            axes.plot(spread, each, "o", color=color)
            mean = sum(each) / len(each)
            axes.plot([place - 0.25, place + 0.25], [mean, mean], color=color, linewidth=2)
        axes.set_xticks(range(len(ARMS)), [f"students of the\n{name}" for name in ARMS.values()])
        axes.set_title(f"log-odds of {animal}", fontsize=10)
        axes.set_ylabel("nats")
        axes.tick_params(labelsize=8)
    figure.savefig(file, dpi=150)


def main(store: str, file: str) -> None:
    """Print the table, and draw the figure."""
    table = reports.arms(store)
    for animal in ANIMALS:
        for arm, teacher in ARMS.items():
            each = ", ".join(f"{value:.2f}" for value in values(table, animal, arm))
            print(f"| {animal} | {teacher} | {each} |")
    draw(table, Path(file))


if __name__ == "__main__":
    main(*sys.argv[1:])
