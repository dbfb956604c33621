"""Options, flags and ini keys, and the settings that they make."""

import os
from typing import TYPE_CHECKING

import pytest

from ...datasets.errors import SpecError

if TYPE_CHECKING:
    from ..lab import Settings

OPTIONS = {
    "backend": "what samples and trains (default: toy)",
    "model": "the base model (default: the backend's own choice)",
    "other-model": "a second base model, for experiments that need one",
    "seeds": "seeds an arm, in place of the experiments' own",
    "store": "the folder that keeps all results (default: .limen beside the ini file, else here)",
    "report": "write a report to this file: markdown with figures and tables, or one .html file",
    "workers": "stages to run side by side (default: one a core; 512 that wait for a service)",
    "budget": "US dollars that the run may spend at a service; never exceeded",
    "prices": "a file (TOML) of prices that replace those that limen knows",
}

FLAGS = {
    "plan": "print what would be done, what is finished and what it will cost, and stop",
    "no-wait": "submit fine-tuning jobs and batches, and skip the tests that would wait for them",
    "batch": "sample through the service's batch interface: half the price, within a day",
    "no-logs": "write no Inspect logs of the measures below the store",
}


def add_options(parser: pytest.Parser) -> None:
    """``--limen-...`` on the command line, ``limen_...`` in the ini file."""
    group = parser.getgroup("limen", "subliminal-learning experiments")
    for name, text in OPTIONS.items():
        group.addoption(f"--limen-{name}", default=None, help=text, metavar=name.upper())
        parser.addini(_key(name), text, default=None)
    for name, text in FLAGS.items():
        group.addoption(f"--limen-{name}", action="store_true", help=text)
        parser.addini(_key(name), text, type="bool", default=False)


def _key(name: str) -> str:
    return f"limen_{name.replace('-', '_')}"


def option(config: pytest.Config, name: str) -> str | None:
    """An option from the command line, else from the ini file, else None."""
    given = config.getoption(_key(name))
    return given if given is not None else config.getini(_key(name)) or None


def flag(config: pytest.Config, name: str) -> bool:
    """Whether a flag is set, on the command line or in the ini file."""
    return bool(config.getoption(_key(name)) or config.getini(_key(name)))


def any_option_given(config: pytest.Config) -> bool:
    """Whether the command line has one of limen's options."""
    return any(config.getoption(_key(name)) for name in OPTIONS)


def settings_of(config: pytest.Config) -> "Settings":
    """The settings that options and ini keys make; raises :class:`~limen.SpecError`."""
    from ..lab import Settings

    # without an ini file pytest takes any path among the arguments, a model's, for the tests' root
    rooted = config.inipath is not None and not config.getoption(_key("store"))
    folder = config.rootpath if rooted else config.invocation_params.dir
    prices = option(config, "prices")
    return Settings(
        backend=option(config, "backend") or "toy",
        model=option(config, "model"),
        other_model=option(config, "other-model"),
        seeds=_whole(config, "seeds"),
        store=folder / (option(config, "store") or ".limen"),
        workers=_whole(config, "workers"),
        share=int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")),
        wait=not flag(config, "no-wait"),
        batch=flag(config, "batch"),
        budget=_dollars(config),
        prices=config.invocation_params.dir / prices if prices else None,
    )


def _whole(config: pytest.Config, name: str) -> int | None:
    text = option(config, name)
    if text is not None and not text.isdecimal():
        raise SpecError(f"--limen-{name}={text!r} must be a whole number above zero")
    return None if text is None else int(text)


def _dollars(config: pytest.Config) -> float | None:
    text = option(config, "budget")
    try:
        return None if text is None else float(text.removeprefix("$"))
    except ValueError:
        raise SpecError(f"--limen-budget={text!r} must be dollars, such as 12.50") from None
