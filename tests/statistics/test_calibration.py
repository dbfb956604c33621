"""The calibration of all tests, in its quick form."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "calibration.py"


@pytest.mark.slow
@pytest.mark.skipif(not SCRIPT.exists(), reason="the benchmarks are not here")
def test_every_test_holds_its_level() -> None:
    """Levels, coverage and power of what reports show are within their limits, with fixed seeds."""
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--quick"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "past its limit" not in done.stdout
