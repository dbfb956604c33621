"""Settings: their types, their environment, and scripts that use them."""

import subprocess
import sys
from pathlib import Path

import pytest

from limen import SpecError
from limen.harness import Settings


def test_paths_may_be_texts(tmp_path: Path) -> None:
    """A text for a path is made one, which holds when the current folder changes."""
    settings = Settings(store="results", prices="prices.toml")  # type: ignore[arg-type]
    assert (settings.store, settings.prices) == (
        Path("results").absolute(),
        Path("prices.toml").absolute(),
    )


@pytest.mark.parametrize("changes", [{"store": 3}, {"store": ""}, {"store": None}, {"prices": 1.5}])
def test_what_is_no_path_is_refused(changes: dict[str, object]) -> None:
    """Another type is one clear error."""
    with pytest.raises(SpecError, match="must be a path"):
        Settings(**changes)  # type: ignore[arg-type]


def test_the_environment_gives_what_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every setting has a variable; what is given in code goes before it."""
    for name, value in (
        ("BACKEND", "openai"), ("MODEL", "m"), ("OTHER_MODEL", "o"), ("SEEDS", "4"),
        ("STORE", "kept"), ("WORKERS", "2"), ("BUDGET", "$1.50"), ("PRICES", "p.toml"),
        ("SAMPLING_PRECISION", "bfloat16"),
        ("SAMPLING_ENGINE", "vllm"),
        ("QUANTIZATION", "nf4"),
    ):  # fmt: skip
        monkeypatch.setenv(f"LIMEN_{name}", value)
    assert Settings() == Settings(
        backend="openai", model="m", other_model="o", seeds=4, store=Path("kept"), workers=2,
        budget=1.5, prices=Path("p.toml"), sampling_precision="bfloat16",
        sampling_engine="vllm", quantization="nf4",
    )  # fmt: skip
    assert Settings(model="mine", seeds=1).model == "mine"


@pytest.mark.parametrize(("name", "value"), [("SEEDS", "few"), ("SEEDS", "0"), ("BUDGET", "much")])
def test_a_bad_variable_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """What a variable cannot mean is refused when the settings are made."""
    monkeypatch.setenv(f"LIMEN_{name}", value)
    with pytest.raises(SpecError, match="must be"):
        Settings()


SCRIPT = """
from limen.harness.lab import local_executor

def main():
    with local_executor(1) as pool:
        print("found", pool.submit(abs, -3).result())

{call}
"""


@pytest.mark.parametrize(
    ("call", "found"),
    [
        ("main()", False),
        ("for _ in range(1):\n    main()", False),
        ("if __name__ == '__main__':\n    main()", True),
    ],
)
def test_a_script_needs_a_main_guard(tmp_path: Path, call: str, found: bool) -> None:
    """Without one the script ends with one error that says what to write, and starts no process."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(call=call))
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=False
    )
    assert ("found 3" in done.stdout) is found
    assert ('below `if __name__ == "__main__":`' in done.stderr) is not found
    assert done.stderr.count("Traceback") <= 1
