"""How soon does a command say something, and how long is it silent?

python benchmarks/first_line.py [--terminal] COMMAND [ARGUMENT ...]

The command writes into a pipe, or onto a terminal, where each change counts that can be seen.
Printed are the time of the first output by the clock and by the processor (all processes of the
command), the longest silence, and what stood around it. Where other programs use the cores, only
processor time says something.
"""

import os
import pty
import re
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
UNSEEN = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]|\s+")
"""Codes that move and colour, and blanks."""
Change = tuple[float, float, str]
"""Seconds, seconds of the processor, and what was shown."""


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


def changes(command: list[str], *, terminal: bool) -> list[Change]:
    """Run a command, and note when what it shows changes."""
    reader, writer = pty.openpty() if terminal else os.pipe()
    began = time.monotonic()
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=writer,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    os.close(writer)
    seen: list[Change] = [(0.0, 0.0, "start")]
    while data := _read(reader):
        shown = UNSEEN.sub(b" ", data).decode(errors="replace").strip()[-80:]
        if shown and shown != seen[-1][2]:
            seen.append((time.monotonic() - began, processor_seconds(process.pid), shown))
    process.wait()
    return seen


def _read(reader: int) -> bytes:
    try:
        return os.read(reader, 65536)
    except OSError:  # the other end of a terminal is closed
        return b""


def main() -> None:
    """Run the command, and print the figures."""
    terminal = sys.argv[1] == "--terminal"
    seen = changes(sys.argv[2:] if terminal else sys.argv[1:], terminal=terminal)
    first = seen[1]
    print(f"first output after {first[0]:.2f} s, {first[1]:.2f} s of processor time: {first[2]}")
    silence = max(pairwise(seen), key=lambda pair: pair[1][0] - pair[0][0])
    (start, used, before), (end, later, after) = silence
    print(
        f"longest silence {end - start:.1f} s, {later - used:.1f} s of processor time: "
        f"between {before!r} and {after!r}"
    )


if __name__ == "__main__":
    main()
