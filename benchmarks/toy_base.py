"""Make the toy's base model that ships with limen again, and compare the two files.

    python benchmarks/toy_base.py [--write]

The bytes are equal on machines whose processors add floating-point numbers in the same order. On
others the largest difference between weights says how far they are apart. ``--write`` puts the
new file in the place of the shipped one.
"""

import argparse
import hashlib
import sys
import tempfile
from pathlib import Path

import numpy as np

from limen.backends.toy.backend import ToyBackend, pretrain

MODEL = "toy-1"
FOLDER = Path(__file__).parents[1] / "backends" / "toy" / "bases"
MOST = 0.05
"""The largest difference between weights that rounding has been seen to make."""


def main() -> None:
    """Pre-train, compare, and exit with 1 if the two models differ by more than rounding."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="replace the shipped file")
    write = parser.parse_args().write
    with tempfile.TemporaryDirectory() as folder:
        made, home = Path(folder) / "made.npz", Path(folder) / "home"
        pretrain(MODEL, made)
        shipped = FOLDER / f"{MODEL}-{ToyBackend(home).describe(MODEL).fingerprint}.npz"
        if write:
            shipped.write_bytes(made.read_bytes())
        apart = difference(made, shipped)
        print(f"made    {digest(made)}\nshipped {digest(shipped)}")
        print(f"largest difference between two weights: {apart:.2g}")
    sys.exit(apart > MOST)


def digest(file: Path) -> str:
    """The SHA-256 of a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def difference(one: Path, other: Path) -> float:
    """The largest difference between the weights in two files."""
    with np.load(one) as a, np.load(other) as b:
        return max(float(np.abs(a[name] - b[name]).max()) for name in a.files)


if __name__ == "__main__":
    main()
