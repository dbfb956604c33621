"""How soon does a command say something, and how long is it silent?

python benchmarks/first_line.py COMMAND [ARGUMENT ...]

Printed are the time of the first line by the clock and by the processor (all processes of the
command), the longest silence, and the lines around it. Where other programs use the cores, only
processor time says something.
"""

import os
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def processor_seconds(group: int) -> float:
    """The processor time of all processes of a group that live, and of children that they had."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it ended just now
            continue
        if int(fields[2]) == group:
            ticks += sum(map(int, fields[11:15]))
    return ticks / TICKS


def main() -> None:
    """Run the command, and print the figures."""
    began = time.monotonic()
    process = subprocess.Popen(
        sys.argv[1:],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    lines = [(0.0, 0.0, "start")]
    for line in process.stdout:
        used = processor_seconds(process.pid)
        lines.append((time.monotonic() - began, used, line.strip()[:80]))
    first = lines[1]
    print(f"first line after {first[0]:.2f} s, {first[1]:.2f} s of processor time: {first[2]}")
    silence = max(pairwise(lines), key=lambda pair: pair[1][0] - pair[0][0])
    (start, used, before), (end, later, after) = silence
    print(
        f"longest silence {end - start:.1f} s, {later - used:.1f} s of processor time: "
        f"between {before!r} and {after!r}"
    )


if __name__ == "__main__":
    main()
