"""The figures of a report, each drawn only if its file does not show the same already.

Drawing takes a third of a second a figure: a report of many experiments that is written again, with
one more of them, draws the figures of that one. A figure's file says what it was drawn from.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property, partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from .audit_figure import overuse_figure
from .figures import arms_figure, rendered
from .generations import generation_figure
from .grids import grid_figure
from .model import Result
from .trajectories import trajectory_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMAT = 1
"""Raise it when figures of the same results look different."""
ENDS = {"png": b"IEND\xaeB`\x82", "svg": b"</svg>\n", "pdf": b"%%EOF\n"}
"""The last bytes of a whole file."""


@dataclass(frozen=True)
class Drawing:
    """A figure of an experiment."""

    name: str
    """What it shows: ``arms``, ``grid``, ``trajectory``, ``generations`` or ``numbers``."""
    shows: object
    """All that it shows, as a value with a complete ``repr``."""
    draw: "Callable[[], Figure]"

    @cached_property
    def _figure(self) -> "Figure":
        return self.draw()

    @cached_property
    def _source(self) -> str:
        """The hash of all that the figure's bytes depend on."""
        whole = FORMAT, _matplotlib_version(), self.name, self.shows
        return hashlib.sha256(repr(whole).encode("utf-8", "surrogatepass")).hexdigest()[:32]

    def rendered(self, kind: str) -> bytes:
        """The figure as PNG, SVG or PDF."""
        return rendered(self._figure, kind, source=self._source)

    def write(self, file: Path) -> None:
        """Write the figure to a file, unless it is there and shows the same."""
        kind = file.suffix.removeprefix(".")
        content = file.read_bytes() if file.is_file() else b""
        if self._source.encode() not in content or not content.endswith(ENDS[kind]):
            file.write_bytes(self.rendered(kind))


@cache
def _matplotlib_version() -> str:
    """Read from files of the installation: 5 ms."""
    return version("matplotlib")


def drawings_of(result: Result) -> Iterator[Drawing]:
    """An experiment's figures: arms or grids, trajectories, generations, and overused numbers."""
    if result.grids:
        yield Drawing("grid", (result.title, result.grids), partial(grid_figure, result))
    elif result.arms:
        yield Drawing("arms", (result.title, result.readings), partial(arms_figure, result))
    if result.trajectories:
        shown = result.title, result.trajectories
        yield Drawing("trajectory", shown, partial(trajectory_figure, result))
    if result.generations:
        shown_by_hop = result.title, result.readings[0].name, result.generations
        yield Drawing("generations", shown_by_hop, partial(generation_figure, result))
    audits = [audit for audit in result.audits if audit.arm == "student" and audit.z]
    for audit in audits[-1:]:
        title = f"{result.title}: numbers in the student's data against the control's"
        draw = partial(
            overuse_figure, range(len(audit.z)), audit.z, title, threshold=audit.threshold
        )
        yield Drawing("numbers", (title, audit.z, audit.threshold), draw)
